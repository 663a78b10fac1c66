"""Finds the files that a prediction writes into folders that all processes share, also from C libraries and programs.

Inotify reports the writes of all processes. So only a name counts that every prediction writes, and that no process
writes between predictions. Without inotify, the times of the files report them. Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import time
from typing import Callable

from .watch_files import SCRATCH, is_inside, list_private_folders

CLOSED_AFTER_WRITE, MOVED_TO = 0x8, 0x80
EVENT = struct.Struct("iIII")
BUFFER_BYTES = 1 << 16
CLOCK_TICK_SECONDS = 0.01
"""A file that is written again within one tick of the kernel keeps its time."""

MORE_PREDICTIONS, SLOW_SECONDS, QUIET_SECONDS = 2, 5.0, 0.2
"""A slower model does not predict again, and a name that was written once may be another process's."""


class FolderWatch:
    """`read_paths` returns the paths of the files that were written since its last call.

    `is_complete` is false when the system does not watch each folder, for example because its limits are reached.
    """

    def __init__(self, folders: list[str]) -> None:
        self.descriptor, self.folders = -1, {}
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            libc = ctypes.CDLL(None)
            self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            for folder in folders if self.descriptor >= 0 else []:
                number = libc.inotify_add_watch(self.descriptor, os.fsencode(folder), CLOSED_AFTER_WRITE | MOVED_TO)
                self.folders[number] = folder
        self.is_complete = len(self.folders) == len(folders) and -1 not in self.folders

    def read_paths(self) -> set[str]:
        paths: set[str] = set()
        while self.descriptor >= 0:
            try:
                events = os.read(self.descriptor, BUFFER_BYTES)
            except OSError:  # no more
                break
            at = 0
            while at < len(events):
                number, _, _, length = EVENT.unpack_from(events, at)
                at += EVENT.size + length
                name = os.fsdecode(events[at - length : at].rstrip(b"\0"))
                paths.add(os.path.join(self.folders.get(number, ""), name))
        return paths

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class FolderScan:
    """Does the same by reading the times of all files."""

    def __init__(self, folders: list[str]) -> None:
        self.folders = folders
        self.files = self.read_files()

    def read_paths(self) -> set[str]:
        before, self.files = self.files, self.read_files()
        time.sleep(CLOCK_TICK_SECONDS)
        return {path for path, stamp in self.files.items() if before.get(path) != stamp}

    def read_files(self) -> dict[str, tuple[int, int, int]]:
        files = {}
        for folder in self.folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        status = entry.stat()
                        if stat.S_ISREG(status.st_mode):
                            files[entry.path] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return files

    def close(self) -> None:
        pass


def watch_folders(folders: list[str]) -> FolderWatch | FolderScan:
    watch = FolderWatch(folders)
    if watch.is_complete:
        return watch
    watch.close()
    return FolderScan(folders)


def predict_with_watch(predict: Callable[[], str], own_folder: str, more: list[str]) -> tuple[str, float, list[str]]:
    """Returns the answer, its seconds, and the files outside the own folder that every prediction writes.

    `more` are folders to watch besides those for temporary files. Predicts again only if the first one wrote a file.
    """
    watch = watch_folders([folder for folder in (*SCRATCH, *more) if os.path.isdir(folder)])
    inside = list_private_folders(own_folder)
    try:
        started = time.perf_counter()
        answer = predict()
        seconds = time.perf_counter() - started
        written = {path for path in watch.read_paths() if not is_inside(path, inside)}
        if seconds > SLOW_SECONDS:
            written.clear()
        for _ in range(MORE_PREDICTIONS if written else 0):
            predict()
            written &= watch.read_paths()
        if written:
            time.sleep(min(QUIET_SECONDS, 2 * seconds))
            written -= watch.read_paths()
        return answer, seconds, sorted(map(os.path.realpath, written))
    finally:
        watch.close()
