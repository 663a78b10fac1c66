"""The log: one JSON object a line on stderr, from the front and from the workers."""

from __future__ import annotations

import contextlib
import json
import os
import time

EVENT_DESCRIPTORS: list[int] = []
"""The descriptor of --events-fd, which only the front has, so that no line of it comes from the model."""


def add_event_descriptor(descriptor: int | None) -> None:
    """Writes later events of this process to `descriptor` too."""
    if descriptor is not None:
        os.set_inheritable(descriptor, False)
        EVENT_DESCRIPTORS[:] = [descriptor]


def log(event: str, **fields: object) -> None:
    """Writes one event in one call, so that lines of several processes do not mix. A closed pipe is no error."""
    line = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=str).encode() + b"\n"
    for descriptor in (2, *EVENT_DESCRIPTORS):
        with contextlib.suppress(OSError):  # the parent was killed; the server is about to drain for that reason
            os.write(descriptor, line)
