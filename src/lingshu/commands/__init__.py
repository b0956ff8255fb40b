"""What `lingshu <command>` does, one module a command; in no stage's dependencies."""
