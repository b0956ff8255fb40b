"""New training samples from known facts: proposed by a teacher, kept only if they can be verified."""
