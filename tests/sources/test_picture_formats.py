"""Every format that a still may have is read in a process that has read nothing but it."""

from __future__ import annotations

import subprocess
import sys

from lingshu.sources.stills import FORMATS

# A child for each format, of a process that has read none: what a child reads, the next one has not.
SCRIPT = """
import io, os, sys
from PIL import Image
from lingshu.sources.stills import StillLimits, still_of
assert not Image._initialized
for kind in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), (200, 10, 10)).save(buffer, format=kind)
        Image.OPEN.clear(); Image._initialized = 0
        for name in [n for n in sys.modules if n.startswith("PIL.") and n.endswith("ImagePlugin")]:
            del sys.modules[name]
        width = still_of(buffer.getvalue(), "x", StillLimits(2048, 10**7, 10**7)).width
        print(kind, width, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_each_format_is_read_first_of_all() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *FORMATS], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{kind} 40" for kind in FORMATS], done.stderr
