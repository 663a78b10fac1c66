"""Locks of files that the model holds by itself. Python 3.8, standard library only."""

from __future__ import annotations

import fcntl
import os


class ModelLocks:
    """The locks that a prediction holds so that no other one runs at the same time. A shared lock is none of them.

    While it holds one, locking names as well could be a deadlock: the holder of either lock would wait for the other.
    """

    def __init__(self) -> None:
        self.files: dict[int, tuple[int, int]] = {}

    def note(self, descriptor: int, operation: int) -> None:
        """Handles a call of `flock` or `lockf`."""
        identity = read_identity(descriptor)
        if operation & fcntl.LOCK_EX and identity is not None:
            self.files[descriptor] = identity
        else:
            self.files.pop(descriptor, None)

    def are_held(self) -> bool:
        """Says whether the prediction holds one. Closing a file releases its lock, and no audit event reports that."""
        if not self.files:  # each audit event comes here
            return False
        for descriptor, identity in list(self.files.items()):
            if read_identity(descriptor) != identity:
                self.files.pop(descriptor, None)
        return bool(self.files)

    def clear(self) -> None:
        self.files.clear()


def read_identity(descriptor: int) -> tuple[int, int] | None:
    """Returns the numbers of device and file, or None where nothing is open."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
