"""Set-up compiles every machine-code function that the stages of a recipe call."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from lingshu.commands import compile_kernels

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
# Compiled when first used: checks that no recipe has on, a metric of `lingshu report-metrics`, what tests compare with.
SELDOM = {
    "core.words",
    "decontam.alignment",
    "decontam.keypoints",
    "decontam.votes",
    "dedup.variants",
    "evalkit.reports.rouge_package",
}


def kernels():
    """Every compiled function by its name, but for those that are seldom used."""
    found = {}
    for path in sorted((SOURCE / "lingshu").rglob("*.py")):
        if not re.search(r"^@compiled$", path.read_text(encoding="utf-8"), re.MULTILINE):
            continue
        name = path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")
        if name.removeprefix("lingshu.") not in SELDOM:
            parts = vars(importlib.import_module(name))
            found |= {f"{name}.{key}": part for key, part in parts.items() if isinstance(part, Dispatcher)}
    return found


def test_each_is_compiled(tmp_path):
    """In a process without a cache: what is loaded from one leaves the functions that it calls uncompiled."""
    script = "import json; from tests.tooling.test_compile_kernels import left; print(json.dumps(left()))"
    # Unoptimised machine code will do: nothing is computed with it.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_OPT": "0"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout) == []


def left():
    """Return the functions that the command leaves uncompiled."""
    compile_kernels.main()
    return [name for name, kernel in kernels().items() if not kernel.signatures]


def test_there_are_some():
    assert len(kernels()) > 40
