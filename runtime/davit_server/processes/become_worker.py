"""Prepares a fresh fork before the model runs in it, so that no state of the loading process disturbs it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys

from ..files.own_folder import enter_folder
from .process_tree import die_with_parent


def become_worker(parent: int, folder: str, name: str) -> str:
    """A session, signals, random numbers and a temporary folder of its own, which is given; it ends with the loading
    process.
    """
    os.setsid()  # signals of the model to its group reach no other process, and its own processes can be ended with it
    die_with_parent(parent)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    path = enter_folder(folder, name)
    reseed_random()
    return path


def reseed_random(seed: int | None = None) -> None:
    """Reseeds `random`, NumPy and PyTorch: forks would otherwise draw the same numbers. With `seed` they should."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        _ = torch.seed() if seed is None else torch.manual_seed(seed)


def kill_worker(pid: int) -> None:
    """Kills a fork that has not been reaped yet, and the processes that the model started in it."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)
