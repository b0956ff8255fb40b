"""Lingshu: an open rebuild of the medical multimodal LLM recipe (arXiv 2506.07044) and its evaluation."""

import time

STARTED = time.monotonic()  # the first import of any module of this package; a stage's time counts from here
__version__ = "0.1.0"
