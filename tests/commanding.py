"""Runs `lingshu` as people type it, in this process: a start of Python costs more than most commands do."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock


def lingshu(*arguments: object, at: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder `at`; what it prints, and its exit code, are as from a process of its own."""
    from lingshu.cli import main

    typed = ["lingshu", *map(str, arguments)]
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code, before = 0, Path.cwd()
    os.chdir(at)
    try:
        with (
            mock.patch.object(sys, "argv", typed),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        os.chdir(before)
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(typed, code, out, err)
