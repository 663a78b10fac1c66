"""Keeps the signals that end a server until it can handle them.

The kernel drops a signal for the first process of a container if it has no handler yet, but keeps one that is blocked.
A pod that is deleted while its server starts would otherwise run until its grace period is over.
"""

from __future__ import annotations

import signal

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def hold_signals() -> None:
    """Blocks them. Must be called before the process starts others, because they inherit it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def release_signals() -> None:
    """Delivers those that came meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
