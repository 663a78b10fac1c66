"""Finds the files that a model writes outside the folder of its process, which several forks would write together.

It uses Python's audit events. An audit hook cannot be removed, so ScratchFolders can be switched off instead. Python
3.8, standard library only.
"""

from __future__ import annotations

import os
import sys

from .descriptors import is_writing

UNSHARED = ("/proc/", "/sys/")
SHARED_MEMORY = "/dev/shm/"
SCRATCH = ("/tmp/", "/var/tmp/", SHARED_MEMORY)


def watch_files(own_folder: str) -> set[str]:
    """Returns a set that fills with the paths that Python code writes, without files opened for appending (logs)."""
    written: set[str] = set()
    inside = list_private_folders(own_folder)

    def handle_audit_event(event: str, arguments: tuple) -> None:
        path = find_written_path(event, arguments)
        if path is not None and not is_inside(path, inside):
            written.add(path)

    sys.addaudithook(handle_audit_event)
    return written


def find_written_path(event: str, arguments: tuple) -> str | None:
    """Returns the path that an audit event will write (file, folder, link or database), or None."""
    if event == "open":
        path, _, flags = arguments
        return decode_path(path) if isinstance(flags, int) and is_writing(flags) else None
    if event == "os.rename":
        return decode_path(arguments[1])
    if event in ("os.mkdir", "os.symlink", "os.link"):
        return decode_path(arguments[0 if event == "os.mkdir" else 1])
    if event == "sqlite3.connect":
        path = decode_path(arguments[0])
        return (
            None if not path or path == ":memory:" or "mode=ro" in path else path.partition("?")[0].replace("file:", "")
        )
    return None


class ScratchFolders:
    """Records temporary files and folders that a model makes outside `own_folder`, from now until `stop`."""

    def __init__(self, own_folder: str) -> None:
        self.made: set[str] = set()
        self.inside = list_private_folders(own_folder)
        self.is_recording = True
        sys.addaudithook(self.handle_audit_event)

    def handle_audit_event(self, event: str, arguments: tuple) -> None:
        if not self.is_recording or event not in ("tempfile.mkdtemp", "tempfile.mkstemp", "os.mkdir"):
            return
        path = decode_path(arguments[0])
        scratch = event != "os.mkdir" or (path is not None and os.path.realpath(path).startswith(SCRATCH))
        if path is not None and scratch and not is_inside(path, self.inside):
            self.made.add(os.path.realpath(path))

    def stop(self) -> None:
        self.is_recording = False

    def list_remaining(self) -> list[str]:
        """Returns those that still exist: every fork would use the same ones."""
        return sorted(path for path in self.made if os.path.exists(path))


def list_private_folders(folder: str) -> tuple[str, ...]:
    """Returns the folders in which a write is no state of the model: its own, and that of byte code.

    Every process writes the same byte code, atomically.
    """
    folders = [folder, *([sys.pycache_prefix] if sys.pycache_prefix else [])]
    return (*(os.path.join(os.path.realpath(each), "") for each in folders), *UNSHARED)


def is_inside(path: str, inside: tuple[str, ...]) -> bool:
    real = os.path.realpath(path)
    device = real.startswith("/dev/") and not real.startswith(SHARED_MEMORY)
    return device or "__pycache__" in real or f"{real}/".startswith(inside)


def decode_path(path: object) -> str | None:
    return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else None
