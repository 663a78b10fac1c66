"""The log: one JSON object a line on stderr, from the front and from the workers alike."""

from __future__ import annotations

import contextlib
import json
import os
import time


def log(event: str, **fields: object) -> None:
    """Writes one event in one piece, so that lines of several processes do not mix. Nobody reading is no error."""
    line = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=str)
    with contextlib.suppress(OSError):  # who started us was killed, and we are about to drain for that very reason
        os.write(2, line.encode() + b"\n")
