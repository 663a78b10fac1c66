"""How many processors there are, and how many threads numeric libraries may use."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def available_processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processors this process may use: the affinity mask, cut to the control group's quota (a container's limit)."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        most, period = quota.read_text().split()
        return max(1, min(affinity, int(most) // int(period)))  # "max": no quota, a ValueError
    return affinity


def use_threads(limit: int) -> None:
    """Raises the limits of a fresh fork, for the libraries that have already read the environment variables."""
    os.environ.update(dict.fromkeys(LIMITS, str(limit)))
    if limit == 1:
        return
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(limit)
    with contextlib.suppress(ImportError):
        import threadpoolctl  # scikit-learn brings it

        threadpoolctl.threadpool_limits(limit)
