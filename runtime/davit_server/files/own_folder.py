"""Gives each process that runs a model its own temporary folder, which is removed however its owner ended.

Python 3.8, standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # no such system is supported, but the module can be imported
    fcntl = None

PREFIX = "davit-server-"

MODEL = "model"
"""The subfolder of the loading process; each worker has one beside it."""


class OwnFolder:
    """A folder whose owner has a locked descriptor of it: a process that can lock it knows that the owner has ended."""

    def __init__(self) -> None:
        remove_abandoned_folders()
        self.descriptor = -1
        while self.descriptor < 0:  # another server may remove a folder that is not locked yet
            tempfile.tempdir = None  # chosen again, because the one that was chosen before may have been removed
            self.path = tempfile.mkdtemp(prefix=PREFIX)
            self.descriptor = lock_folder(self.path)

    def remove(self) -> None:
        """Removes the folder. May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def lock_folder(path: str) -> int:
    """Returns the locked descriptor of a folder, or -1 when the folder was removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return -1


def remove_abandoned_folders() -> None:
    """Removes the folders that killed servers of this user left behind."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if not fcntl or path.lstat().st_uid != os.geteuid():
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def enter_folder(parent: str, name: str) -> str:
    """Makes a folder and uses it for this process's temporary files and as its working directory. Returns its path.

    A file that the model writes under a fixed name, relative or temporary, then belongs to one worker only.
    """
    ensure_server_folder(parent)
    path = os.path.join(parent, name)
    os.makedirs(path, mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = path
    tempfile.tempdir = None  # tempfile reads the environment only once
    os.chdir(path)
    return path


def ensure_server_folder(path: str) -> None:
    """Makes the folder of the server again if it was removed, as cleaners of temporary folders do.

    The server's lock is that of the removed folder, so this process locks the new one until it ends. Raises OSError
    when it cannot be made, or when another user has made it.
    """
    os.makedirs(path, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    is_own = os.fstat(descriptor).st_uid == os.geteuid()
    if fcntl and is_own:
        with contextlib.suppress(OSError):  # the server has locked it
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
    os.close(descriptor)
    if not is_own:
        raise PermissionError(f"{path} belongs to another user")


def restore_folder(path: str) -> None:
    """Makes the folder of this process again if it was removed. Without it, the model may still answer."""
    if not os.path.isdir(path):
        with contextlib.suppress(OSError):
            enter_folder(*os.path.split(path))


def remove_folder(parent: str, name: str) -> None:
    shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
