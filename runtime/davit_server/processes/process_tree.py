"""Ends child processes with their parent, however the parent ended, so that none is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from .wait_readable import wait_readable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def outlive_parent() -> None:
    """Reverts `die_with_parent`, for a process that notices its parent's end and must end its children first."""
    set_death_signal(0)


def adopt_orphans() -> None:
    """On Linux, makes this process the parent of orphans that a worker leaves behind, so that it can reap them."""
    call_prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_group_with(open_end: int) -> None:
    """Makes the kernel kill this process's group when the other end of this socket closes.

    Nothing may ever be sent on the socket, not even before: a message can be read a moment before the kernel tells of
    it, which then kills the reader. `die_with_parent` would kill this process alone and leave the processes that its
    model has started. It does nothing elsewhere than on Linux, or when this process does not lead its group.
    """
    if not sys.platform.startswith("linux") or os.getpgrp() != os.getpid():
        return
    import fcntl

    try:
        fcntl.fcntl(open_end, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(open_end, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(open_end, fcntl.F_SETFL, fcntl.fcntl(open_end, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:
        return
    outlive_parent()
    if wait_readable([open_end], 0):  # the other end closed before O_ASYNC was set
        end_group()


def set_death_signal(number: int) -> None:
    call_prctl(PR_SET_PDEATHSIG, number)


def call_prctl(what: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """On Linux, makes the kernel kill this process when its parent ends; elsewhere its next read fails."""
    set_death_signal(signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the signal was set
        os._exit(1)


def end_group() -> None:
    """Kills this process and, if it leads its process group, its workers and the processes that the model started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
