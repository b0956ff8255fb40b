"""Children that obey the permissions of files, also where the tests run as root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

DROP = 24  # PR_CAPBSET_DROP of Linux's prctl
OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def give_up_root() -> None:
    """Take from this process, and what it starts next, root's right to read and write everything: `preexec_fn`."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in OVERRIDES:
            if libc.prctl(DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def _obeys() -> bool:
    try:
        subprocess.run([sys.executable, "-c", ""], preexec_fn=give_up_root, check=True)
    except subprocess.SubprocessError:  # not Linux, or a container that may not give rights up
        return False
    return True


needs_permissions = pytest.mark.skipif(not _obeys(), reason="root may read and write everything here")
