"""Every format that a still may have is read in a process that has read nothing but it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lingshu.sources.stills import FORMATS

SCRIPT = """
import io, sys
from PIL import Image
buffer = io.BytesIO()
Image.new("RGB", (40, 30), (200, 10, 10)).save(buffer, format=sys.argv[1])
data = buffer.getvalue()
Image.OPEN.clear(); Image._initialized = 0
import importlib
for name in [n for n in sys.modules if n.startswith("PIL.") and n.endswith("ImagePlugin")]:
    del sys.modules[name]
from lingshu.sources.stills import StillLimits, still_of
print(still_of(data, "x", StillLimits(2048, 10**7, 10**7)).width)
"""


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_is_read_first_of_all(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "40", done.stderr
