"""Sends events of the loading process to the front over the control socket, one JSON object a line.

Events are `stage` (stage), `waiting` and `working` (see wait_notices.py), `loaded` (mlflow, seconds, worker_mode, …),
`failed` (stage, cause, message) and `ended` (pid, status) for a worker.
"""

from __future__ import annotations

import json
import socket


def send_event(control: socket.socket, **event: object) -> None:
    control.sendall(json.dumps(event).encode() + b"\n")
