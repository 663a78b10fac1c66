"""Finds the files that this process holds open or mapped, which other processes may use under the same name.

No audit event tells of what a model writes into a file that it has opened before, at load for example, or reads there.
Python 3.8, standard library only.
"""

from __future__ import annotations

import os
import stat

from .descriptors import is_writing, read_descriptors
from .watch_files import SHARED_MEMORY

COORDINATION = ("-shm", "/lock.mdb")
"""Ends of the names of files in which SQLite and LMDB coordinate processes, even if these only read."""


def list_open_logs() -> set[str]:
    """Returns the paths of regular files that are open only for appending."""
    return {each.target for each in read_descriptors() if each.is_log}


def list_writable_files() -> set[str]:
    """Returns the paths of files and named pipes that are open for writing, without files opened for appending (logs).

    A file that was removed has its number after its path, because only forks of this process have it open, too.
    """
    found = set()
    for _, path, status, flags in read_descriptors():
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)
        if path.startswith("/") and is_writing(flags) and is_file and not path.endswith(COORDINATION):
            found.add(path if is_file_at(path, status) else f"{path} {status.st_ino}")
    return found


def list_used_files() -> set[str]:
    """Returns the paths of files that are open or mapped; a C library may close a file that it has mapped."""
    found = {path for _, path, status, _ in read_descriptors() if stat.S_ISREG(status.st_mode)}
    try:
        with open("/proc/self/maps", errors="surrogateescape") as lines:
            mapped = [line.rstrip("\n").split(None, 5)[5:] for line in lines]
    except OSError:
        mapped = []
    return {path for path in (*found, *(each[0] for each in mapped if each)) if path.startswith("/")}


def is_file_at(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(status, os.stat(path))
    except OSError:
        return False


def read_stamp(path: str) -> tuple[int, int] | None:
    """Returns what changes when a file is written; None where nothing tells of it, or the file is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if path.startswith(SHARED_MEMORY) or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_mtime_ns, status.st_size
