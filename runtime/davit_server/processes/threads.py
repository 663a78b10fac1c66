"""Counts processors and limits the threads of numeric libraries."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

QUIET_LIBRARIES = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "ORT_DISABLE_TELEMETRY": "1"}
"""Defaults of environment variables for libraries that would do more in the background than a model needs.

MLflow imports pyarrow, which would start a thread that frees memory; a process that may be forked has none. ONNX
Runtime would open a database in the home folder for telemetry, which all workers write, so predictions would run one at
a time.
"""


def make_single_thread_environment() -> dict[str, str]:
    """Returns environment variables for a process that may be forked; libraries read them when they are loaded."""
    return dict.fromkeys(LIMITS, "1")


def count_processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Returns the number of processors in the affinity mask, limited by the control group's quota (of a container)."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        most, period = quota.read_text().split()
        return max(1, min(affinity, int(most) // int(period)))  # "max" means no quota and raises ValueError
    return affinity


def set_thread_limit(limit: int) -> None:
    """Raises the limits in a fresh fork, also in libraries that have already read the environment variables."""
    os.environ.update(dict.fromkeys(LIMITS, str(limit)))
    if limit == 1:
        return
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(limit)
    with contextlib.suppress(ImportError):
        import threadpoolctl  # scikit-learn depends on it

        threadpoolctl.threadpool_limits(limit)
