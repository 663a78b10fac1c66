"""Locks and marks of names, which all processes of one server share through one open file.

One byte of that file is locked for each name, and another one marks how the name is used. The kernel releases the locks
of a process that ends, and refuses a lock that would be a deadlock. Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from typing import Callable

OFFSETS = 1 << 62
GATE = OFFSETS
"""This byte is locked by a loading process that waits, so that no prediction takes its first lock before it."""

MARKS = 1 << 20
WRITTEN_AT_LOAD, WRITTEN = b"\1", b"\2"
"""Marks: all workers know whether a file is written, and when."""


class NameLocks:
    """`descriptor` is a file that all processes have open. `held` has the names that this process has locked, with
    whether no other process may lock them.

    `on_wait` is called for each wait, from any thread, and returns a context manager that is entered while it lasts.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.is_usable = descriptor >= 0
        self.held: dict[str, bool] = {}
        self.gate_lock, self.gate_holders = threading.RLock(), 0
        self.on_wait: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext

    def lock(self, path: str, is_shared: bool = False, is_first_in_line: bool = False) -> bool:
        """Locks a name until `release`. Returns False where waiting would be a deadlock.

        Predictions that hold a shared lock could follow each other without a pause, and a process that loads the model
        would wait forever. So it closes the gate (`is_first_in_line`): predictions that hold no lock wait until it has
        its own. Those that hold one pass, because the loading process may be waiting for them.
        """
        if self.held.get(path) or (is_shared and path in self.held):
            return True
        kind, number = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX, number_name(path) % OFFSETS
        if not is_first_in_line and not self.held:
            self.pass_gate()
        error = self.lock_byte(number, kind | fcntl.LOCK_NB)
        if error:
            with self.on_wait(), self.close_gate() if is_first_in_line else contextlib.nullcontext():
                error = self.lock_byte(number, kind)
        if not error:
            self.held[path] = not is_shared  # a prediction that writes the file as well locks it again
        return error != errno.EDEADLK

    @contextlib.contextmanager
    def close_gate(self) -> Iterator[None]:
        """Holds the gate closed. The process has its lock, so the last of the threads that wait opens it."""
        with self.gate_lock:
            self.gate_holders += 1
            self.lock_byte(GATE, fcntl.LOCK_EX)  # fails where its holder waits for this process, which goes before it
        try:
            yield
        finally:
            with self.gate_lock:
                self.gate_holders -= 1
                if not self.gate_holders:
                    self.lock_byte(GATE, fcntl.LOCK_UN)

    def pass_gate(self) -> None:
        if self.lock_byte(GATE, fcntl.LOCK_SH | fcntl.LOCK_NB):
            with self.on_wait():
                self.lock_byte(GATE, fcntl.LOCK_SH)
        self.lock_byte(GATE, fcntl.LOCK_UN)

    def lock_byte(self, number: int, operation: int) -> int:
        """Returns 0 or the number of the error: another process has the lock (LOCK_NB), waiting would be a deadlock
        (EDEADLK), or the model has closed the descriptor.
        """
        try:
            fcntl.lockf(self.descriptor, operation, 1, number)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def release(self) -> None:
        self.held.clear()
        with contextlib.suppress(OSError):
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def mark(self, path: str, mark: bytes) -> None:
        if self.read_mark(path) < mark:
            with contextlib.suppress(OSError):
                os.pwrite(self.descriptor, mark, number_name(path) % MARKS)

    def has_marks(self) -> bool:
        with contextlib.suppress(OSError):  # a model can close any descriptor
            return os.fstat(self.descriptor).st_size > 0
        return False

    def read_mark(self, path: str) -> bytes:
        """Returns b"" or b"\\0" for a file that no process of the server has written."""
        with contextlib.suppress(OSError):
            return os.pread(self.descriptor, 1, number_name(path) % MARKS).rstrip(b"\0")
        return b""


def number_name(path: str) -> int:
    return int.from_bytes(hashlib.blake2b(os.fsencode(path), digest_size=8).digest(), "big")
