"""One file under two names: by a hard link where the file system has them, else by a copy."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from lingshu.core.files import atomic_path

NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}


def share(path: Path, target: Path) -> None:
    """Give `path` the name `target` too, replacing what had it.

    Raises:
        OSError: the disk is full, or `target` can't be written.
    """
    with atomic_path(target) as temporary:
        try:
            os.link(path, temporary)
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            shutil.copyfile(path, temporary)
