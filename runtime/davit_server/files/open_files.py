"""Finds the files that this process holds open for writing, which other processes may hold open under the same name.

No audit event tells of what a model writes into a file that it has opened before, at load for example. Python 3.8,
standard library only.
"""

from __future__ import annotations

import os
import stat

from .descriptors import read_descriptors
from .watch_files import SHARED_MEMORY

COORDINATION = ("-shm", "/lock.mdb")
"""Ends of the names of files in which SQLite and LMDB coordinate processes, even if these only read."""


def list_writable_files() -> set[str]:
    """Returns the paths of files and named pipes that are open for writing and still exist.

    Left out are files opened for appending, which are logs, and files without a name for other processes.
    """
    found = set()
    for _, path, status, flags in read_descriptors():
        try:
            is_named = path.startswith("/") and os.path.samestat(status, os.stat(path))
        except OSError:  # removed
            continue
        writes = flags & os.O_ACCMODE != os.O_RDONLY and not flags & os.O_APPEND
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)
        if is_named and writes and is_file and not path.endswith(COORDINATION):
            found.add(path)
    return found


def read_stamp(path: str) -> tuple[int, int] | None:
    """Returns what changes when a file is written; None where nothing tells of it, or the file is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if path.startswith(SHARED_MEMORY) or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_mtime_ns, status.st_size
