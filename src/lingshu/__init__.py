"""Lingshu: an open rebuild of the medical multimodal LLM recipe (arXiv 2506.07044) and its evaluation."""

__version__ = "0.1.0"
