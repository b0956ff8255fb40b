"""Data parallel: the command again, once for each further group of GPUs; the store shares out the questions."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from lingshu.core.errors import UserError

OPTION = "--data-parallel"
DEVICES = "CUDA_VISIBLE_DEVICES"


@contextlib.contextmanager
def workers(count: int, gpus_each: int, arguments: Sequence[str], *, with_gpus: bool) -> Iterator[None]:
    """Start `count` - 1 more processes of `lingshu` with `arguments`, and wait for them when the block ends.

    With GPUs, each process (this one too, so call it before torch is imported) sees `gpus_each` of its own. When the
    block fails, they are stopped.

    Raises:
        UserError: fewer GPUs are visible than are needed.
    """
    if count == 1:
        yield
        return
    groups = _groups(count, gpus_each) if with_gpus else [None] * count
    if groups[0] is not None:
        os.environ[DEVICES] = groups[0]
    running = [_start(without_option(arguments), group) for group in groups[1:]]
    try:
        yield
    except BaseException:
        for process in running:
            process.terminate()
        raise
    finally:
        codes = [process.wait() for process in running]
    for number, code in enumerate(codes, start=2):
        if code not in (0, 1):  # 1: some questions failed, which this process tells as well
            print(f"worker {number} of {count} ended with code {code}; the others did its work", file=sys.stderr)


def _start(arguments: Sequence[str], group: str | None) -> subprocess.Popen[bytes]:
    environment = os.environ if group is None else os.environ | {DEVICES: group}
    command = [sys.executable, "-m", "lingshu.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _groups(count: int, gpus_each: int) -> list[str]:
    """Return the GPUs of each process, as CUDA_VISIBLE_DEVICES takes them."""
    needed = count * gpus_each
    visible = os.environ.get(DEVICES)
    names = [str(number) for number in range(needed)] if visible is None else visible.split(",")
    if len(names) < needed:
        raise UserError(
            f"{OPTION} {count}: {needed} GPUs are needed, {DEVICES} shows {len(names)}", "use fewer, or show more"
        )
    return [",".join(names[start : start + gpus_each]) for start in range(0, needed, gpus_each)]


def without_option(arguments: Sequence[str], option: str = OPTION) -> list[str]:
    """Return command-line arguments without an option and its value, in either of its forms."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == option:
            skip = True
        elif not argument.startswith(f"{option}="):
            kept.append(argument)
    return kept
