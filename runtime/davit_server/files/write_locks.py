"""Predictions that write one file run one after the other, whichever worker they run in.

A model may write a file whose name is in its code, like /tmp/input.csv, or was chosen before the workers were forked.
Each worker that wrote it while another one reads it would answer with the other one's data. So a worker locks the name
of a file outside its own folders before it opens that file for writing, until the prediction has ended. Names that no
two predictions share cost nothing. Of what C libraries write, only files that the example needed are known; a program
has its turn for each temporary file that its command names. Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator

from .watch_files import SCRATCH, is_inside, own, text_of, written_path

try:
    import fcntl
except ImportError:  # no system without it is served, but the module can be imported
    fcntl = None

OFFSETS = 1 << 62
LOCKING = ("fcntl.flock", "fcntl.lockf")
REMOVALS = ("os.remove", "os.rmdir", "os.rename", "shutil.rmtree")
PROGRAMS = ("subprocess.Popen", "os.system")
TEMPORARY = re.compile(r"(?:" + "|".join(map(re.escape, SCRATCH)) + r")[^\s'\"`;|&<>()$=,:]+")


class WriteTurns:
    """`descriptor` is a file that all workers of the server have open: each name is one byte of it to be locked.
    `own_folder` is what only this process writes into.

    The kernel frees the locks of a process that ends, and refuses a lock that would never come.
    """

    def __init__(self, descriptor: int, own_folder: str) -> None:
        self.descriptor, self.process = descriptor, os.getpid()
        self.usable = fcntl is not None and descriptor >= 0
        self.inside = own(own_folder)
        self.active = self.aside = False
        self.held: set[str] = set()
        if self.usable:
            sys.addaudithook(self.see)

    @contextlib.contextmanager
    def turn(self, files: Iterable[str] = ()) -> Iterator[None]:
        """For a prediction, or for the loading of a model. `files`: known to be written, though nothing will tell."""
        self.active, self.aside = True, False
        for path in files if self.usable else ():
            self.take(path)
        try:
            yield
        finally:
            self.active = False
            if self.held:
                self.give_back()

    def see(self, event: str, arguments: tuple) -> None:
        # A child of the model would wait for the prediction that waits for the child.
        if not self.active or self.aside or os.getpid() != self.process:
            return
        if event in LOCKING:
            self.aside = self.is_lock_of_the_model(*arguments[:2])
            return
        for path in shared_paths(event, arguments):
            if not is_inside(path, self.inside):
                self.take(os.path.realpath(path))

    def take(self, path: str) -> None:
        if path in self.held:
            return
        name = hashlib.blake2b(os.fsencode(path), digest_size=8).digest()
        with contextlib.suppress(OSError):  # two predictions that wait for each other: one goes on
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 1, int.from_bytes(name, "big") % OFFSETS)
        self.held.add(path)
        if not self.active:  # a thread that its prediction has not waited for
            self.give_back()

    def give_back(self) -> None:
        self.held.clear()
        with contextlib.suppress(OSError):
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def is_lock_of_the_model(self, file: object, operation: int) -> bool:
        """Whether the model orders its predictions by itself, with a lock that we have not ordered before it.

        Who has its lock would wait for whoever has our turn, and waits for its lock.
        """
        descriptor = file if isinstance(file, int) else file.fileno()
        if descriptor == self.descriptor or operation & fcntl.LOCK_UN:
            return False
        return path_of(descriptor) not in self.held


def path_of(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def shared_paths(event: str, arguments: tuple) -> list[str]:
    """What an audit event is about to write or to remove, as far as it says so."""
    if event in PROGRAMS:
        parts = arguments[1] if event == "subprocess.Popen" else arguments[0]
        words = parts if isinstance(parts, (list, tuple)) else [parts]
        return [path for word in words for path in TEMPORARY.findall(text_of(word) or "")]
    removed = text_of(arguments[0]) if event in REMOVALS else None
    written = database_path(arguments) if event == "sqlite3.connect" else written_path(event, arguments)
    return [path for path in (removed, written) if path is not None]


def database_path(arguments: tuple) -> str | None:
    """SQLite locks by itself, and most databases are only read: a scratch file is one that is made, or is temporary."""
    path = written_path("sqlite3.connect", arguments)
    if path is None:
        return None
    return path if os.path.realpath(path).startswith(SCRATCH) or not os.path.exists(path) else None
