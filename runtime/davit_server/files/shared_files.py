"""Finds files that all predictions of several workers lock, so that these run one after the other (write_locks.py)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from .write_locks import EVERYTHING

SHOWN_CHARACTERS = 24


def find_shared_files(written: Iterable[set[str]], workers_each: int = 1) -> list[str]:
    """Returns the names that more than one worker locks in each prediction, also EVERYTHING.

    `written` has those of each loading process, which has `workers_each` workers.
    """
    counts = Counter(name for names in written for name in names)
    return sorted(name for name, count in counts.items() if count * workers_each > 1)


def describe_shared_files(names: list[str]) -> str:
    """Returns the finding, or "" where no file is shared. The name is the model's text, so it is made harmless."""
    files = [name for name in names if name != EVERYTHING]
    if not files:
        return ""
    name = "".join(each if each.isprintable() else "?" for each in os.path.basename(files[0]))
    shown = name if len(name) <= SHOWN_CHARACTERS else f"{name[: SHOWN_CHARACTERS - 1]}…"
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"all workers write the file {shown}{more}, so predictions run one at a time"
