"""No process is left behind: children end when their parent does, however it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def outlive_parent() -> None:
    """Takes back `die_with_parent`, for a process that will notice by itself and has others to end first."""
    set_death_signal(0)


def adopt_orphans() -> None:
    """On Linux, what a worker leaves behind becomes a child of this process, which sees to its end."""
    control_process(PR_SET_CHILD_SUBREAPER, 1)


def set_death_signal(number: int) -> None:
    control_process(PR_SET_PDEATHSIG, number)


def control_process(what: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """On Linux the kernel kills this process when its parent ends; elsewhere it notices at its next read."""
    set_death_signal(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def end_group() -> None:
    """Kills this process, its workers and what a model started itself; only a leader of a group may."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
