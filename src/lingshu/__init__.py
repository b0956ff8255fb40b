"""Lingshu: an open rebuild of the medical multimodal LLM recipe (arXiv 2506.07044) and its evaluation."""

import os
import time

STARTED = time.monotonic()  # the first import of any module of this package; a stage's time counts from here
__version__ = "0.1.0"

# A waiting thread of GNU OpenMP spins for milliseconds, on a core that the awaited thread may need: two trainings with
# two threads each, side by side on two cores, took 74 s so and 27 s with a short spin (alone 17 s and 19 s). It is read
# when torch is loaded, so it is set before anything else of this package; a value that is set already stays.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
