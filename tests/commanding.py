"""Runs `lingshu` as people type it, in this process: a start of Python costs more than most commands do.

`in_child` is for what libraries read from the environment once: several commands, one start.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]


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


def in_child(*commands: tuple[object, ...], at: Path, **environment: str) -> list[subprocess.CompletedProcess[str]]:
    """Run commands one after another in one process that has these variables, and no others of the hub's client."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    typed = json.dumps([[*map(str, command)] for command in commands])
    child = subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom {__name__} import _answer\n_answer(sys.argv)", typed, str(at)],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(child.stdout.splitlines()[-1])
    return [subprocess.CompletedProcess(args, code, out, err) for args, code, out, err in found]


def _answer(argv: list[str]) -> None:
    done = [lingshu(*command, at=Path(argv[2])) for command in json.loads(argv[1])]
    print("\n" + json.dumps([[one.args, one.returncode, one.stdout, one.stderr] for one in done]))
