"""Serves one MLflow model over HTTP, with MLflow's own protocol.

python -m davit_server --python MODEL_VIRTUALENV/bin/python --model DIRECTORY [--port 8080] [--workers 4]
"""

from __future__ import annotations

import argparse
import sys

from .front.server import run
from .protocol.wire import FOUND, MODES, ONE


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="davit_server", description=__doc__, formatter_class=Formatter)
    add = parser.add_argument
    add("--python", required=True, help="the interpreter of the model's virtualenv")
    add("--model", required=True, help="the model's directory (with MLmodel)")
    place = parser.add_argument_group("where")
    place.add_argument("--host", default="127.0.0.1", help="address to listen on")
    place.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    place.add_argument("--uds", help="listen on this socket file, not on a port")
    add("--workers", type=positive, default=4, help="requests answered at the same time, one process each")
    add("--threads", type=int, default=0, help="threads of one worker; 0: processors / workers")
    add(
        "--worker-mode",
        choices=MODES,
        default=FOUND,
        help="shared: workers are forks of one loaded model; separate: each loads it; one: a single worker, for a GPU; "
        "found: shared where that is proven harmless, else separate",
    )
    add("--time-limit", type=float, default=60, help="seconds one prediction may take")
    add("--queue", type=int, default=16, help="requests that may wait; one more is answered 429")
    add("--queue-timeout", type=float, default=10, help="seconds a request may wait")
    add("--max-body", type=int, default=100 << 20, help="bytes of a request's body")
    add("--grace", type=float, help="seconds for what is in flight, after SIGTERM; the time limit if not told")
    add("--linger", type=float, default=0, help="seconds to serve on, not ready any more, after SIGTERM")
    add("--nan", choices=("error", "null"), default="error", help="what NaN and infinities in an answer become")
    add("--warm", choices=("required", "tried"), default="required", help="tried: serve even if the example fails")
    add("--served-model-name", help="what the header served-model-name of every answer says")
    add("--pycache", help="PYTHONPYCACHEPREFIX of the model's processes; the front keeps its own")
    add("--stuck-after", type=float, help="end after so many seconds without a worker; 4 times a start if not told")
    add("--parent-fd", type=int, help="an inherited pipe; drain when it ends")
    add("--events-fd", type=int, help="an inherited pipe; gets the server's own events, as the log does")
    add("--failure-file", help="a file for the event of a failure (a container's termination log)")
    settings = parser.parse_args()
    settings.workers = 1 if settings.worker_mode == ONE else settings.workers
    settings.grace = settings.time_limit if settings.grace is None else settings.grace
    return settings


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description and tells the defaults."""


if __name__ == "__main__":
    sys.exit(run(read_settings()))
