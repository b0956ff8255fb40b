"""Types, tables and run-time plumbing that every area may import; imports no area."""
