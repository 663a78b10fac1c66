"""Predictions that write one file run one after the other, whichever worker they run in.

A model may write a file whose name is in its code, like /tmp/input.csv, or was chosen before the workers were forked.
Each worker that wrote it while another one reads it would answer with the other one's data. So a worker locks the name
of a file outside its own folders before it opens that file for writing, until the prediction has ended. Names that no
two predictions share cost nothing. Of what C libraries write, only files that the example needed are known; for a
program, each temporary file that its command names is locked. Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator

from .watch_files import SCRATCH, decode_path, find_written_path, is_inside, list_private_folders

try:
    import fcntl
except ImportError:  # no system without it is served, but the module can be imported
    fcntl = None

EVERYTHING = "*"
"""In place of a file's name: no two predictions run at the same time."""

OFFSETS = 1 << 62
LOCKING = ("fcntl.flock", "fcntl.lockf")
REMOVALS = ("os.remove", "os.rmdir", "os.rename", "shutil.rmtree")
PROGRAMS = ("subprocess.Popen", "os.system")
TEMPORARY = re.compile(r"(?:" + "|".join(map(re.escape, SCRATCH)) + r")[^\s'\"`;|&<>()$=,:]+")


class WriteLocks:
    """Locks names of files. `descriptor` is a file that all workers of the server have open; a lock of one of its bytes
    stands for a name. Only this process writes into `own_folder`.

    The kernel releases the locks of a process that ends, and refuses a lock that would be a deadlock.
    """

    def __init__(self, descriptor: int, own_folder: str) -> None:
        self.descriptor, self.process = descriptor, os.getpid()
        self.is_usable = fcntl is not None and descriptor >= 0
        self.inside = list_private_folders(own_folder)
        self.is_active = self.is_bypassed = False
        self.held: set[str] = set()
        if self.is_usable:
            sys.addaudithook(self.handle_audit_event)

    @contextlib.contextmanager
    def hold(self, files: Iterable[str] = ()) -> Iterator[None]:
        """Holds the locks of a prediction, or of the loading of a model, until its end.

        `files` are known to be written, although no audit event will report them.
        """
        self.is_active, self.is_bypassed = True, False
        for path in files if self.is_usable else ():
            self.lock(path)
        try:
            yield
        finally:
            self.is_active = False
            if self.held:
                self.release()

    def handle_audit_event(self, event: str, arguments: tuple) -> None:
        # A child of the model would wait for the prediction that waits for the child.
        if not self.is_active or self.is_bypassed or os.getpid() != self.process:
            return
        if event in LOCKING:
            self.is_bypassed = self.is_model_lock(*arguments[:2])
            return
        for path in find_touched_paths(event, arguments):
            if not is_inside(path, self.inside):
                self.lock(os.path.realpath(path))

    def lock(self, path: str) -> None:
        if path in self.held:
            return
        name = hashlib.blake2b(os.fsencode(path), digest_size=8).digest()
        with contextlib.suppress(OSError):  # a deadlock of two predictions: one continues
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 1, int.from_bytes(name, "big") % OFFSETS)
        self.held.add(path)
        if not self.is_active:  # a thread that its prediction has not waited for
            self.release()

    def release(self) -> None:
        self.held.clear()
        with contextlib.suppress(OSError):
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def is_model_lock(self, file: object, operation: int) -> bool:
        """Says whether the model locks a file by itself, so that its predictions already run one after the other.

        Locking the name as well could be a deadlock: the holder of either lock would wait for the other one.
        """
        descriptor = file if isinstance(file, int) else file.fileno()
        if descriptor == self.descriptor or operation & fcntl.LOCK_UN:
            return False
        return read_descriptor_path(descriptor) not in self.held


def read_descriptor_path(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def find_touched_paths(event: str, arguments: tuple) -> list[str]:
    """Returns the paths that an audit event is about to write or to remove."""
    if event in PROGRAMS:
        parts = arguments[1] if event == "subprocess.Popen" else arguments[0]
        words = parts if isinstance(parts, (list, tuple)) else [parts]
        return [path for word in words for path in TEMPORARY.findall(decode_path(word) or "")]
    removed = decode_path(arguments[0]) if event in REMOVALS else None
    written = find_database_path(arguments) if event == "sqlite3.connect" else find_written_path(event, arguments)
    return [path for path in (removed, written) if path is not None]


def find_database_path(arguments: tuple) -> str | None:
    """Returns the path of a database that is temporary or is being created. SQLite itself locks all others."""
    path = find_written_path("sqlite3.connect", arguments)
    if path is None:
        return None
    return path if os.path.realpath(path).startswith(SCRATCH) or not os.path.exists(path) else None
