"""The binary protocol between the front and the model's processes. Python 3.8, standard library only."""

from __future__ import annotations

import struct

EXAMPLE, TRIAL = "example", "trial"
KINDS = ("csv", "json", "parquet", EXAMPLE, TRIAL)
"""The kinds of a request; a request carries the index. With EXAMPLE the worker predicts the model's own example, with
TRIAL the example with other values, of which the body has the number.
"""

ALONE = 0x80
"""Added to the kind where no two predictions may run at the same time."""

REQUEST = struct.Struct("!BBI")
"""Kind, length of the request id, length of the body; then the id, then the body."""

ANSWER = struct.Struct("!HI")
"""HTTP status, length of the body; then the body."""

WAITING, WORKING = 0, 1
"""In place of a status, without a body: the prediction waits for a lock of another one, or continues."""

HELLO = struct.Struct("!I")
"""The first bytes from a worker: its process id."""

COMMAND = struct.Struct("!cI")
"""A command for the loading process: FORK, with the worker's socket attached, or KILL with a process id."""

FORK, KILL = b"F", b"K"

FOUND, SHARED, SEPARATE, ONE = "found", "shared", "separate", "one"
MODES = (FOUND, SHARED, SEPARATE, ONE)
"""The worker modes: decided by the server, forks of one loaded model, a loaded model in each, a single worker."""
