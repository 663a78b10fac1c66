"""Reads from /proc what a fork of this process would share with it, or lose.

Python 3.8, standard library only. Without /proc, `read_state` returns None.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from ..files.descriptors import read_descriptors

HARMLESS_DEVICES = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
"""Reading or writing these affects no other process."""

ANONYMOUS = {
    "[eventpoll]": "epoll",
    "[eventfd]": "eventfd",
    "[timerfd]": "timer",
    "inotify": "inotify watch",
    "[signalfd]": "signal descriptor",
    "[io_uring]": "io_uring",
}
GPU_DEVICES = ("/dev/nvidia", "/dev/dri/", "/dev/kfd")
LIBRARY_SIGNALS = (32, 33)
"""Signals that glibc sets for itself when the first thread starts."""

MASKS = {"SigCgt": "handled", "SigIgn": "ignored", "SigBlk": "blocked"}


class Item(NamedTuple):
    """One thing that a fork shares or loses. `noun` is shown to people; `detail` distinguishes items with one noun."""

    noun: str
    detail: str


def read_state() -> frozenset[Item] | None:
    """Returns everything that a fork of this process would share or lose, or None where the system has no /proc."""
    if not Path("/proc/self/fd").is_dir():
        return None
    items = [
        *list_descriptors(),
        *list_threads(),
        *list_children(),
        *list_signals(),
        *list_timers(),
        *list_shared_memory(),
        *list_gpus(),
    ]
    return frozenset(items)


def list_descriptors() -> list[Item]:
    """Open files share their offset with a fork, pipes and sockets their data, epoll its registrations.

    Files that are only appended to, such as logs, have no offset to share.
    """
    found = []
    for each in read_descriptors():
        noun = "" if each.is_log else name_descriptor(each.target, each.status.st_mode)
        if noun:
            found.append(Item(noun, f"{each.number} {each.target} {each.status.st_ino}"))
    return found


def list_logs() -> set[str]:
    """Returns the paths of the files that are open only to be appended to."""
    return {each.target for each in read_descriptors() if each.is_log}


def name_descriptor(target: str, mode: int) -> str:
    """Returns the noun for a descriptor, or "" when sharing it is harmless."""
    if target in HARMLESS_DEVICES:
        return ""
    if target.startswith(GPU_DEVICES):
        return "GPU"
    if target.startswith("anon_inode:"):
        kind = target[len("anon_inode:") :]
        return ANONYMOUS.get(kind, kind.strip("[]"))
    for test, noun in ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISDIR, "open folder")):
        if test(mode):
            return noun
    return "open device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "open file"


def list_threads() -> list[Item]:
    """A fork has only the thread that forked: the work and the locks of the others are never finished or released."""
    names = {getattr(thread, "native_id", None): thread.name for thread in threading.enumerate()}
    main = os.getpid()
    found = []
    for name in os.listdir("/proc/self/task"):
        if int(name) != main:
            found.append(Item("thread", names.get(int(name)) or read_text(f"/proc/self/task/{name}/comm") or name))
    return [Item(noun, f"{detail} {i}") for i, (noun, detail) in enumerate(sorted(found))]


def list_children() -> list[Item]:
    """A fork cannot wait for its parent's child, and shares the pipe to it with the other forks."""
    found = []
    for task in os.listdir("/proc/self/task"):
        for pid in read_text(f"/proc/self/task/{task}/children").split():
            state = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1]
            if state not in ([], ["Z"], ["X"]):  # a child that has ended communicates with no process
                found.append(Item("child process", pid))
    return found


def list_signals() -> list[Item]:
    """Signal handlers, also of C libraries: a fork inherits them without the timer or thread that they serve."""
    found = []
    for line in read_text("/proc/self/status").splitlines():
        key, _, value = line.partition(":")
        if key in MASKS:
            mask = int(value, 16)
            numbers = (n for n in range(1, 65) if mask >> (n - 1) & 1 and n not in LIBRARY_SIGNALS)
            found += [Item("signal setting", f"{name_signal(n)} {MASKS[key]}") for n in numbers]
    return found


def name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def list_timers() -> list[Item]:
    """A fork starts without its parent's timers."""
    clocks = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    found = [Item("timer", name) for name in clocks if any(signal.getitimer(getattr(signal, name)))]
    posix = [line for line in read_text("/proc/self/timers").splitlines() if line.startswith("ID:")]
    return found + [Item("timer", line) for line in posix]


def list_shared_memory() -> list[Item]:
    """Writable memory that stays shared after a fork, such as locks, queues and values of multiprocessing."""
    found = set()
    for line in read_text("/proc/self/maps").splitlines():
        parts = line.split(None, 5)
        if len(parts) < 5 or "w" not in parts[1] or not parts[1].endswith("s"):
            continue
        path = parts[5] if len(parts) > 5 else parts[0]
        if not path.startswith(GPU_DEVICES):
            found.add(Item("shared memory", f"{path} {parts[4]}"))
    return sorted(found)


def list_gpus() -> list[Item]:
    """A CUDA context does not survive a fork."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return [Item("GPU", "torch.cuda")] if cuda is not None and cuda.is_initialized() else []


def read_text(path: str) -> str:
    """Returns the text of a file in /proc, or "" when it does not exist."""
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
