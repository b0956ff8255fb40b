"""The three supervised stages: shallow alignment, deep alignment, instruction tuning."""
