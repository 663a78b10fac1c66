"""Has the model loaded a second time beside the proof, as the server will: a port or a file may allow only one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from typing import Callable

from .files.own_folder import MODEL
from .files.write_locks import WriteLocks
from .processes.exit_code import describe_exit
from .workers.answer_requests import answer_requests

TRIAL_SECONDS = 120.0
"""Time limit for trying both copies."""

END_SECONDS = 5.0
"""A prediction that goes on for so long after the other process has ended hangs."""


def rehearse_second_worker(
    options: dict, folder: str, scorer, locks: WriteLocks, on_hang: Callable[[Callable[[], str]], object]
) -> str:
    """Returns why workers that load the model themselves will predict one at a time, or why there is one; or "".

    `options` are model, nan, cases, workers, threads, fixed_files, written_files, found, answer (see rehearse.py),
    limit: the seconds of the second load, and is_tried: whether both copies predict at the same time. `folder` is that
    of this process, which answers requests meanwhile like a worker. Raises LoadedOnce when the model cannot be loaded
    a second time. If a prediction hangs, it does not return: it calls `on_hang` in a thread, with a function that
    returns or raises the same. `on_hang` must end this process.
    """
    ours, theirs = socket.socketpair()
    with closing(ours):
        descriptors = {"worker": theirs.fileno(), "locks": locks.names.descriptor}
        options = {**options, **descriptors, "trial": TRIAL_SECONDS}
        process = subprocess.Popen(
            [sys.executable, "-s", "-m", "davit_server.rehearse", json.dumps(options)],
            env={**os.environ, "TMPDIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=list(descriptors.values()),
        )
        theirs.close()

        def find() -> str:
            document = reader.document
            if document["failure"]:
                raise LoadedOnce(document["failure"], ", ".join(options["found"]))
            return document["found"]

        reader = DocumentReader(process, lambda: on_hang(find))
        with suppress(EOFError, ConnectionError):  # the other process has ended
            answer_requests(ours, scorer, options, locks, os.path.join(folder, MODEL))
    reader.finish()
    return find()


class DocumentReader:
    """Reads what the other process writes, in a thread, because a prediction in the main thread may never end."""

    def __init__(self, process: subprocess.Popen, on_hang: Callable[[], object]) -> None:
        self.process, self.on_hang, self.document = process, on_hang, {}
        self.has_returned = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        written, _ = self.process.communicate()
        try:
            self.document = json.loads(written)
        except ValueError:
            self.document = {"failure": f"its process ended {describe_exit(self.process.returncode)}"}
        if not self.has_returned.wait(END_SECONDS):
            self.on_hang()

    def finish(self) -> None:
        """Waits for the document; forever, if the prediction has taken too long and the thread ends this process."""
        self.has_returned.set()
        self.thread.join()


class LoadedOnce(Exception):
    """Workers cannot share the loaded model, and it cannot be loaded a second time."""

    def __init__(self, failure: str, found: str) -> None:
        why = f"The model cannot be shared by its workers ({found}) and fails when it is loaded a second time"
        super().__init__(f"{why}: {failure}. Set workers to one")
