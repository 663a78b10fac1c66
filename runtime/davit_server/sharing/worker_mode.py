"""Decides whether workers are forks of one loaded model or load the model themselves.

Forks are used only where they are proven harmless: first by the state that loading and the first prediction have left
in the process (process_state.py), then by a trial (try_forks.py). Without that proof each worker loads the model.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import time
from collections import Counter
from typing import Callable

from ..files.disk_writes import count_written_bytes
from ..files.own_folder import MODEL
from ..files.watch_files import ScratchFolders
from ..files.watch_folders import predict_with_watch
from ..files.write_locks import EVERYTHING
from ..processes.process_state import Item, list_logs, read_state
from ..protocol.wire import FOUND, ONE, SEPARATE, SHARED
from .try_forks import REMEMBERS, WRITES_ELSEWHERE, Prediction, Trial, try_forks

INVISIBLE = "this system does not show what forks would share"
MLFLOW_STORES = ("mlruns", "mlflow.db")
"""MLflow's default stores, which 2.x makes whenever a model is loaded. They are ignored: a server writes no runs."""

NO_EXAMPLE = "the model has no example to try forks with"

DIFFERENT_LOADS = "each loaded model answers differently"

ONE_AT_A_TIME = ", so predictions run one at a time"

SETTLING_SECONDS, SETTLING_STEP = 0.5, 0.05
PASSING = ("thread", "child process")
"""State that may still be ending after a prediction: it has SETTLING_SECONDS to end."""

CONNECTIONS = ("socket", "pipe", "child process", "shared memory")
"""State through which a model may reach what another process with the same names reaches, too."""

UNCOUNTED = ("shared memory", "epoll", "io_uring")


class WorkerMode:
    """Must be created before the model is imported, so that earlier state does not count as the model's.

    `folder` contains the folder MODEL.
    """

    def __init__(self, wanted: str, folder: str) -> None:
        self.wanted, self.folder, self.started = wanted, folder, time.monotonic()
        self.own_folder = os.path.join(folder, MODEL)
        self.scratch = ScratchFolders(self.own_folder)
        self.settings = read_process_settings()
        self.before = read_state()
        self.fixed_files: list[str] = []
        self.has_connections = self.has_written = False

    def predict(self, predict: Callable[[], str]) -> tuple[str, float]:
        """Returns the first answer and its seconds; records the files that it writes outside the own folder.

        `has_written` says whether any prediction has written, perhaps into a folder that is not watched.
        """
        before = count_written_bytes()
        answer, seconds, written = predict_with_watch(predict, self.own_folder, self.scratch.list_remaining())
        self.has_written = self.has_written or count_written_bytes() > before
        self.fixed_files = sorted({*self.fixed_files, *written})
        return answer, seconds

    def decide(self, scorer, prediction: Prediction | None, workers: int, threads: int) -> dict:
        """Returns `{"mode": "shared" | "separate" | "one", "found": ["2 threads", …]}`.

        The mode is one where each worker would remember other requests than the others.

        `found` lists the reasons against sharing. May add to `fixed_files`. Raises ForkFailed when the mode must be
        shared and a fork does not predict what the loaded model does.
        """
        if self.wanted in (SEPARATE, ONE):
            self.scratch.stop()
            return {"mode": self.wanted, "found": []}
        gc.collect()  # first, because garbage of the model may keep a file open
        found = self.find_settled_state()
        if found and self.wanted == FOUND:
            return {"mode": SEPARATE, "found": found}
        if self.fixed_files and self.wanted == FOUND:
            return {"mode": SEPARATE, "found": [WRITES_ELSEWHERE]}
        if prediction is None and workers > 1 and self.wanted == FOUND:
            return {"mode": SEPARATE, "found": [NO_EXAMPLE]}
        gc.freeze()  # the collector never touches what is shared: fewer pages are copied
        trial = try_forks(scorer, prediction, workers, threads, self.folder) if prediction else Trial("")
        failure = trial.failure
        if failure and self.wanted == SHARED:
            raise ForkFailed(failure)
        if trial.failure == REMEMBERS:
            return {"mode": ONE, "found": [failure]}
        if trial.is_mixed_up:
            self.fixed_files.append(EVERYTHING)
            failure += ONE_AT_A_TIME
        if failure:
            return {"mode": SEPARATE, "found": [failure]}
        found = self.find_unshareable_state()  # once more: trying may have predicted here, too
        return {"mode": SEPARATE if found and self.wanted == FOUND else SHARED, "found": found}

    def find_settled_state(self) -> list[str]:
        """Waits a moment for threads and child processes that are about to end."""
        end = time.monotonic() + SETTLING_SECONDS
        found = self.find_unshareable_state()
        while any(noun in each for each in found for noun in PASSING) and time.monotonic() < end:
            time.sleep(SETTLING_STEP)
            found = self.find_unshareable_state()
        self.scratch.stop()
        return found

    def find_unshareable_state(self) -> list[str]:
        """Returns counted items that a fork would share or lose, such as `2 threads`; empty when there are none."""
        after = read_state()
        if self.before is None or after is None:
            return [INVISIBLE]
        changed = [item for item in self.before - after if item.noun == "signal setting"]
        files = {os.path.join(os.path.realpath(self.own_folder), name) for name in list_entries(self.own_folder)}
        entries = [Item("temporary file", path) for path in (*(files - list_logs()), *self.scratch.list_remaining())]
        moved = [
            Item(noun, "changed") for noun, value in read_process_settings().items() if value != self.settings[noun]
        ]
        self.has_connections = any(item.noun in CONNECTIONS for item in after - self.before)
        counts = Counter(item.noun for item in [*(after - self.before), *changed, *entries, *moved])
        return [format_count(noun, counts[noun]) for noun in sorted(counts, key=lambda noun: (-counts[noun], noun))]


class ForkFailed(Exception):
    """The mode must be shared, and a fork does not predict what the loaded model does."""

    def __init__(self, why: str) -> None:
        next_step = "set workers to separate, or leave it unset so that the server decides"
        super().__init__(f"Cannot share the loaded model between workers: {why}; {next_step}")


def digest_answer(prediction: Prediction | None) -> str:
    """Returns a digest by which processes that have loaded the model compare their first answers; "" without one."""
    return hashlib.blake2b(prediction.answer.encode(), digest_size=16).hexdigest() if prediction else ""


def read_process_settings() -> dict[str, object]:
    """Returns the process settings that each worker sets again, so that a change by the model would be lost."""
    mask = os.umask(0)
    os.umask(mask)
    try:
        working = os.getcwd()
    except OSError:  # the model has removed it
        working = ""
    return {"other working folder": working, "other umask": mask, "other TMPDIR": os.environ.get("TMPDIR")}


def list_entries(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return [name for name in os.listdir(folder) if name not in MLFLOW_STORES]
    return []


def format_count(noun: str, count: int) -> str:
    """Returns a phrase such as `1 thread` or `2 child processes`."""
    if count == 1 or noun in UNCOUNTED:
        return f"{count} {noun}"
    return f"{count} {noun}es" if noun.endswith("s") else f"{count} {noun}s"
