"""Reads what this process has open. Python 3.8, standard library only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple


class Descriptor(NamedTuple):
    """`target` is a path, or a name such as `socket:[4711]`; `flags` are those with which it was opened."""

    number: int
    target: str
    status: os.stat_result
    flags: int

    @property
    def is_log(self) -> bool:
        """Whether it can only append to a file, so that it has no offset which matters."""
        return stat.S_ISREG(self.status.st_mode) and is_append_only(self.flags)


def is_append_only(flags: int) -> bool:
    """Says whether a file is opened with the mode `a`. With `a+` it can also be read, or emptied and written again."""
    return flags & (os.O_ACCMODE | os.O_APPEND) == os.O_WRONLY | os.O_APPEND


def is_writing(flags: int) -> bool:
    return flags & os.O_ACCMODE != os.O_RDONLY and not is_append_only(flags)


def read_descriptors() -> Iterator[Descriptor]:
    """Yields each open descriptor; none where the system has no /proc."""
    folder = "/proc/self/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        number = int(name)
        with contextlib.suppress(OSError):  # the descriptor that listed the folder, or one that was closed meanwhile
            target, status = os.readlink(f"{folder}/{name}"), os.fstat(number)
            yield Descriptor(number, target, status, fcntl.fcntl(number, fcntl.F_GETFL))


def read_descriptor_path(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""
