"""Serves one MLflow model over HTTP, with MLflow's own protocol.

python -m davit_server --python MODEL_VIRTUALENV/bin/python --model DIRECTORY [--port 8080] [--workers 4]
"""

from __future__ import annotations

import argparse
import sys

from .processes.hold_signals import hold_signals
from .protocol.wire import FOUND, MODES, ONE


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server", description=__doc__, formatter_class=Formatter)
    add = parser.add_argument
    add("--python", required=True, help="the interpreter of the model's virtualenv")
    add("--model", required=True, help="the model's directory (with MLmodel)")
    address = parser.add_argument_group("address")
    address.add_argument("--host", default="127.0.0.1", help="address to listen on")
    address.add_argument("--port", type=int, default=8080, help="port to listen on; 0 picks a free one")
    address.add_argument("--uds", help="listen on this socket file instead of a port")
    add("--workers", type=parse_positive, default=4, help="worker processes; each answers one request at a time")
    add("--threads", type=int, default=0, help="threads of each worker; 0: processors / workers")
    add(
        "--worker-mode",
        choices=MODES,
        default=FOUND,
        help="shared: workers are forks of one loaded model; separate: each loads it; one: a single worker, for a GPU; "
        "found: shared if that is proven safe, else separate",
    )
    add("--time-limit", type=float, default=60, help="seconds that one prediction may take")
    add("--queue", type=int, default=16, help="requests that may wait; further requests get status 429")
    add("--queue-timeout", type=float, default=10, help="seconds that a request may wait")
    add("--max-body", type=int, default=100 << 20, help="largest request body, in bytes")
    add("--grace", type=float, help="seconds for requests in flight after SIGTERM; if not set, as long as one may take")
    add("--linger", type=float, default=0, help="seconds to keep serving after SIGTERM, while not ready")
    add("--nan", choices=("error", "null"), default="error", help="what NaN and infinities in an answer become")
    add("--warm", choices=("required", "tried"), default="required", help="tried: serve even if a case fails")
    add("--cases", default="", help="requests to predict before serving, as JSON; if not set, the model's example")
    add("--served-model-name", help="value of the header served-model-name of every answer")
    marks = parser.add_argument_group("marks", "requests must prove that they have passed the authorisation")
    marks.add_argument("--mark-key", help="the public key of marks: the modulus of an RSA key, in base64url")
    marks.add_argument("--mark-for", default="", help="the endpoint that marks must name: NAMESPACE/NAME")
    add("--pycache", help="PYTHONPYCACHEPREFIX of the model's processes; the front keeps its own")
    add(
        "--stuck-after",
        type=float,
        help="end after this many seconds without a worker; if not set, 4 times the duration of the start, at least 60",
    )
    add("--parent-fd", type=int, help="an inherited pipe; the server drains when it closes")
    add("--events-fd", type=int, help="an inherited pipe to which the server's own events are written too")
    add("--failure-file", help="write the failed event to this file (a container's termination log)")
    settings = parser.parse_args()
    settings.workers = 1 if settings.worker_mode == ONE else settings.workers
    return settings


def parse_positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description and shows the defaults."""


if __name__ == "__main__":
    hold_signals()
    from .front.server import run  # these imports take most of the time until the handlers are there

    sys.exit(run(read_settings()))
