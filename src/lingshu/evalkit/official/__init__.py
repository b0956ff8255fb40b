"""MedEvalKit's scoring rules as they are, defects and all, so that a score can be compared with published ones."""
