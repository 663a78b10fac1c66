"""Describes how a process ended, as a number and as a phrase."""

from __future__ import annotations

import os
import signal


def read_exit_code(status: int) -> int:
    """Returns the exit code, or minus the signal, for a status of `os.waitpid`.

    It is `os.waitstatus_to_exitcode`, which Python 3.8 lacks.
    """
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def describe_exit(code: int) -> str:
    """Returns a phrase such as `with exit code 3` or `by signal 11 (SIGSEGV)`; `code` is as of `read_exit_code`."""
    if code >= 0:
        return f"with exit code {code}"
    if code == -signal.SIGKILL:
        return "by SIGKILL, probably out of memory"
    try:
        return f"by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"by signal {-code}"
