"""Counts what this process writes, also from C libraries, of which no audit event tells.

Python 3.8, standard library only.
"""

from __future__ import annotations

COUNTS = ("wchar:", "write_bytes:")


def count_written_bytes() -> int:
    """Returns what this process, and children that it has waited for, have written, as a number that only grows.

    The kernel counts what is passed to `write`, for files in memory (tmpfs) too, but also for pipes and terminals; and
    pages that are changed in files on disks, also through mappings. It counts the time of access, too, which most
    systems write when a file is read for the first time after a change. It does not count what is sent on sockets.
    Returns 0 where the system does not count.
    """
    try:
        with open("/proc/self/io") as lines:
            return sum(int(line.partition(":")[2]) for line in lines if line.startswith(COUNTS))
    except (OSError, ValueError):
        return 0
