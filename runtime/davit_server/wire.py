"""What the front and the model's processes say to each other, in bytes. Python 3.9, standard library only."""

from __future__ import annotations

import struct

KINDS = ("csv", "json", "parquet")
"""Content kinds; a request carries the index."""

REQUEST = struct.Struct("!BBI")
"""Kind, length of the request id, length of the body; then the id, then the body."""

ANSWER = struct.Struct("!HI")
"""HTTP status, length of the body; then the body."""

HELLO = struct.Struct("!I")
"""A worker's first bytes: its process id. An answer frame follows when it can work: empty, or a failure in JSON."""

WISH = struct.Struct("!cI")
"""To the loading process: FORK or REHEARSE (a socket is attached), KILL (a process id)."""

FORK, REHEARSE, KILL = b"F", b"T", b"K"
