"""Freed memory is kept: blocks asked for again and again stop costing page faults."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, torch
from lingshu.modeling.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    logits = torch.ones(4_000, 4_000)  # 64 MB
    shares = torch.softmax(logits, -1)
    return float((logits * shares).sum())
for _ in range(20):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    result = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(result.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_blocks_are_used_again():
    pages = 64_000_000 // 4096
    assert faults("give back") > 10 * pages
    assert faults("keep") < pages
