"""Waits until descriptors are readable. `select` fails above descriptor 1023, which a busy server reaches."""

from __future__ import annotations

import select


def wait_readable(descriptors: list[int], seconds: float | None = None) -> set[int]:
    """Returns the descriptors that are readable or at their end; empty after `seconds`, None meaning no limit."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(None if seconds is None else max(0, seconds) * 1000)}
