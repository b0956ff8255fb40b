"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# No deadline: machines differ in speed. Derandomised: a failure is the change's, never the draw's.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("project")
