"""Has the model loaded a second time beside the proof, as the server will: a port or a file may allow only one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing, suppress

from .files.own_folder import MODEL
from .files.write_locks import WriteLocks
from .processes.exit_code import describe_exit
from .workers.answer_requests import answer_requests


def rehearse_second_worker(options: dict, folder: str, scorer, locks: WriteLocks) -> str:
    """Returns why workers that load the model themselves will predict one at a time, or why there is one; or "".

    `options` are model, nan, cases, workers, threads, fixed_files, written_files, found, answer (see rehearse.py),
    limit: the seconds of the second load, and is_tried: whether both copies predict at the same time. `folder` is that
    of this process, which answers requests meanwhile like a worker. Raises LoadedOnce when the model cannot be loaded
    a second time.
    """
    ours, theirs = socket.socketpair()
    with closing(ours):
        descriptors = {"worker": theirs.fileno(), "locks": locks.names.descriptor}
        process = subprocess.Popen(
            [sys.executable, "-s", "-m", "davit_server.rehearse", json.dumps({**options, **descriptors})],
            env={**os.environ, "TMPDIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=list(descriptors.values()),
        )
        theirs.close()
        with suppress(EOFError, ConnectionError):  # the other process has ended
            answer_requests(ours, scorer, options, locks, os.path.join(folder, MODEL))
        written, _ = process.communicate()
    try:
        document = json.loads(written)
    except ValueError:
        document = {"failure": f"its process ended {describe_exit(process.returncode)}"}
    if document["failure"]:
        raise LoadedOnce(document["failure"], ", ".join(options["found"]))
    return document["found"]


class LoadedOnce(Exception):
    """Workers cannot share the loaded model, and it cannot be loaded a second time."""

    def __init__(self, failure: str, found: str) -> None:
        why = f"The model cannot be shared by its workers ({found}) and fails when it is loaded a second time"
        super().__init__(f"{why}: {failure}. Set workers to one")
