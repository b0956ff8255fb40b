"""Verdicts by language models: what they are asked, how their replies are read, and how far they agree."""
