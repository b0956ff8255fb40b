"""Public benchmarks as their authors publish them: records, official prompts, and loaders by row shape."""
