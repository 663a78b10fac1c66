"""Predictions that write one file run one after the other, whichever worker they run in.

A model may write a file whose name is in its code, like /tmp/input.csv, or was chosen before the workers were forked.
Each worker that wrote it while another one reads it would answer with the other one's data. So a worker locks the name
of a file outside its own folders before it opens that file for writing, until the prediction has ended. Names that no
two predictions share cost nothing. A prediction that would wait for one that waits for it is given up and made again.
Of what C libraries write, only files that the example needed are known; for a program, each temporary file that its
command names is locked. Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator

from ..protocol.log import log
from .descriptors import is_append_only, read_descriptor_path
from .model_locks import ModelLocks
from .name_locks import WRITTEN, WRITTEN_AT_LOAD, NameLocks
from .open_files import list_open_logs, list_used_files, list_writable_files, read_stamp
from .watch_files import SCRATCH, decode_path, find_written_path, is_inside, list_private_folders

EVERYTHING = "*"
"""In place of a file's name: no two predictions run at the same time."""

TICK_NANOSECONDS = 10_000_000
"""The kernel's clock for the times of files may be so late."""

READ = "\0read"
"""After the path of a database, a name whose mark says that a prediction has not changed it."""

LOG = "\0log"
"""After the path of a file, a name whose mark says that predictions append to it. It is a log until one reads it."""

LOCKING = ("fcntl.flock", "fcntl.lockf")
REMOVALS = ("os.remove", "os.rmdir", "os.rename", "shutil.rmtree")
PROGRAMS = ("subprocess.Popen", "os.system")
TEMPORARY = re.compile(r"(?:" + "|".join(map(re.escape, SCRATCH)) + r")[^\s'\"`;|&<>()$=,:]+")


class Deadlock(BaseException):
    """Two predictions wait for a file of the other one. No model should catch it."""


class WriteLocks:
    """Decides which names this process locks, and when. Only it writes into `own_folder`. What is open now is not the
    model's. `kept` has the files that the model keeps open for writing, which each prediction locks. No load may write
    the files in `used` again during a prediction.
    """

    def __init__(self, descriptor: int, own_folder: str) -> None:
        self.names, self.process = NameLocks(descriptor), os.getpid()
        self.inside = list_private_folders(own_folder)
        self.is_active = self.is_loading = False
        self.is_starting = True
        self.model_locks = ModelLocks()
        self.ignored, self.started = list_writable_files(), time.time_ns() - TICK_NANOSECONDS
        self.kept: set[str] = set()
        self.open_logs: set[str] = set()
        self.used: set[str] = set()
        self.watched: dict[str, tuple[int, int] | None] = {}
        self.databases: dict[str, tuple] = {}
        self.appended: set[str] = set()
        self.has_opened = self.has_deadlock = False
        if self.names.is_usable:
            sys.addaudithook(self.handle_audit_event)

    def begin_answering(self, own_folder: str) -> None:
        """Prepares this process, which may be a fork of the one that loaded the model, for requests of clients.

        A fork shares the files that its loading process keeps open with all other forks.
        """
        self.process, self.is_starting = os.getpid(), False
        self.inside = list_private_folders(own_folder)
        self.find_open_files()
        self.find_used_files()

    @contextlib.contextmanager
    def hold(self, files: Iterable[str] = (), is_loading: bool = False) -> Iterator[None]:
        """Holds the locks of a prediction, or of the loading of a model, until its end.

        `files` are known to be written, although no audit event will report them. With `has_deadlock`, the prediction
        must be made again. Since a deadlock, predictions run one after the other.
        """
        self.model_locks.clear()
        self.is_active, self.is_loading, self.has_deadlock = True, is_loading, False
        self.find_changed_files()
        everything = [EVERYTHING] if self.names.read_mark(EVERYTHING) and not is_loading else []
        read_logs = [path for path in self.open_logs if self.names.read_mark(path) == WRITTEN]
        for path in sorted({*files, *self.kept, *read_logs, *everything}) if self.names.is_usable else ():
            self.names.lock(path, is_first_in_line=self.is_starting)
        for path in sorted(self.used):
            is_shared = self.names.read_mark(path) == WRITTEN_AT_LOAD
            self.names.lock(path, is_shared, is_first_in_line=self.is_starting)
        try:
            yield
        finally:
            self.is_active = False
            if self.has_opened or is_loading:
                self.find_open_files()
            if is_loading:
                self.find_used_files()
            if self.databases:
                self.mark_changed_databases()
            if self.appended:
                self.mark_logs()
            if self.names.held:
                self.names.release()

    def find_open_files(self) -> None:
        """Finds the files that the model keeps open: what it writes into them later, no audit event reports."""
        self.has_opened, self.open_logs = False, list_open_logs()
        paths = {path for path in list_writable_files() - self.ignored if not is_inside(path, self.inside)}
        stamps = {path: read_stamp(path) for path in paths}
        self.kept = {path for path, stamp in stamps.items() if stamp is None or stamp[0] >= self.started}
        self.watched = {path: stamp for path, stamp in stamps.items() if path not in self.kept}

    def find_used_files(self) -> None:
        """Finds the files that a load has written and that the model keeps open for reading, or mapped."""
        paths = list_used_files() - self.kept - self.watched.keys() if self.names.has_marks() else set()
        self.used = {path for path in paths if self.names.read_mark(path) and not is_inside(path, self.inside)}

    def find_changed_files(self) -> None:
        for path in [path for path, stamp in self.watched.items() if read_stamp(path) != stamp]:
            self.kept.add(path)
            del self.watched[path]

    def mark_changed_databases(self) -> None:
        databases, self.databases = self.databases, {}  # a thread of the model may add another
        for path, stamps in databases.items():
            self.names.mark(path if read_database_stamps(path) != stamps else path + READ, WRITTEN)

    def mark_logs(self) -> None:
        appended, self.appended = self.appended, set()
        for path in appended:
            self.names.mark(path + LOG, WRITTEN)

    def handle_audit_event(self, event: str, arguments: tuple) -> None:
        # A child of the model would wait for the prediction that waits for the child.
        if not self.is_active or os.getpid() != self.process:
            return
        if event in LOCKING:
            self.note_model_lock(*arguments[:2])
        elif event == "open" and is_reading(arguments):
            self.handle_reading(arguments[0])
        elif event == "open" and isinstance(arguments[2], int) and is_append_only(arguments[2]):
            self.handle_appending(arguments[0])
        elif not self.model_locks.are_held():
            self.handle_writing(event, arguments)

    def note_model_lock(self, file: object, operation: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        if descriptor != self.names.descriptor and read_descriptor_path(descriptor) not in self.names.held:
            self.model_locks.note(descriptor, operation)

    def handle_writing(self, event: str, arguments: tuple) -> None:
        for path in find_touched_paths(event, arguments):
            if is_inside(path, self.inside):
                continue
            self.has_opened, real = True, os.path.realpath(path)
            if event == "sqlite3.connect" and not is_new_database(real):
                self.handle_database(real)
                continue
            # Before the lock, because from now on no other prediction may read the file together with a third one.
            self.names.mark(real, WRITTEN_AT_LOAD if self.is_loading else WRITTEN)
            self.lock(real)

    def handle_database(self, path: str) -> None:
        """Locks a database, unless it is only read: SQLite itself locks it only for each transaction."""
        if self.is_loading:
            return
        if self.names.read_mark(path) == WRITTEN:
            self.lock(path)
            return
        self.databases.setdefault(path, read_database_stamps(path))
        if not self.names.read_mark(path + READ):
            self.lock(path)

    def handle_reading(self, path: object) -> None:
        """Locks a file that a prediction of any worker has written, because it may be half-written, or be read in order
        to be written again. What was only written at load can be read by several predictions.
        """
        name = decode_path(path)
        if (
            name is None
            or self.is_loading
            or not (self.appended or self.names.has_marks())
            or self.model_locks.are_held()
        ):
            return
        real = os.path.realpath(name)
        if real in self.appended or self.names.read_mark(real + LOG):
            self.names.mark(real, WRITTEN)
        mark = self.names.read_mark(real)
        if mark and not is_inside(real, self.inside):
            self.lock(real, is_shared=mark == WRITTEN_AT_LOAD)

    def handle_appending(self, path: object) -> None:
        """Locks a file that is appended to, unless predictions do not read it: then it is a log."""
        name = decode_path(path)
        if name is None or self.model_locks.are_held():
            return
        real = os.path.realpath(name)
        if is_inside(real, self.inside) or (self.names.read_mark(real + LOG) and not self.names.read_mark(real)):
            return
        self.appended.add(real)
        if not self.is_loading:
            self.lock(real)

    def lock(self, path: str, is_shared: bool = False) -> None:
        is_locked = self.names.lock(path, is_shared, is_first_in_line=self.is_starting)
        if not self.is_active:  # a thread that its prediction has not waited for
            self.names.release()
        elif not is_locked and not self.is_starting:
            if not self.names.read_mark(EVERYTHING):
                log("one at a time", path=path, why="two predictions waited for a file of each other")
            self.names.mark(EVERYTHING, WRITTEN)
            self.has_deadlock = bool(self.names.read_mark(EVERYTHING))  # not after the model has closed the descriptor
            if self.has_deadlock:
                raise Deadlock(path)


def is_reading(arguments: tuple) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)


def is_new_database(path: str) -> bool:
    """Says whether a database is temporary or is being created. SQLite itself locks all others."""
    return path.startswith(SCRATCH) or not os.path.exists(path)


def read_database_stamps(path: str) -> tuple:
    return tuple(read_stamp(path + end) for end in ("", "-wal"))


def find_touched_paths(event: str, arguments: tuple) -> list[str]:
    """Returns the paths that an audit event is about to write or to remove."""
    if event in PROGRAMS:
        parts = arguments[1] if event == "subprocess.Popen" else arguments[0]
        words = parts if isinstance(parts, (list, tuple)) else [parts]
        return [path for word in words for path in TEMPORARY.findall(decode_path(word) or "")]
    removed = decode_path(arguments[0]) if event in REMOVALS else None
    return [path for path in (removed, find_written_path(event, arguments)) if path is not None]
