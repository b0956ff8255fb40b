"""The fourth stage: GRPO from the instruction-tuned checkpoint, rewarded by format and the evaluation's own scorer."""
