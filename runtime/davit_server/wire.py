"""What the front and the model's processes say to each other, in bytes. Python 3.9, standard library only."""

from __future__ import annotations

import struct

EXAMPLE = "example"
KINDS = ("csv", "json", "parquet", EXAMPLE)
"""What a request's body is; a request carries the index. EXAMPLE: it is empty, and the model's own example is meant."""

REQUEST = struct.Struct("!BBI")
"""Kind, length of the request id, length of the body; then the id, then the body."""

ANSWER = struct.Struct("!HI")
"""HTTP status, length of the body; then the body."""

HELLO = struct.Struct("!I")
"""A worker's first bytes: its process id. An answer frame follows when it can work: empty, or a failure in JSON."""

WISH = struct.Struct("!cI")
"""To the loading process: FORK or REHEARSE (a socket is attached), KILL (a process id)."""

FORK, REHEARSE, KILL = b"F", b"T", b"K"
