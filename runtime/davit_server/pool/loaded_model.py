"""One loading process and its workers, which are its forks or the process itself. Lost ones are replaced."""

from __future__ import annotations

import argparse
import asyncio
from typing import Protocol

from ..processes.exit_code import describe_exit
from ..protocol.log import log
from ..protocol.wire import SHARED
from .loading_process import Loader
from .worker_handle import WorkerHandle

DEATHS_FORGIVEN = 10
"""Deaths in a row that are replaced at once: a fork takes 10 ms, and a pause would delay the other callers."""

DEATH_PAUSE_SECONDS, LONGEST_DEATH_PAUSE_SECONDS = 0.05, 1.0
START_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
WORKER_SECONDS = 10.0
"""Time limit for a worker of a loaded model. It normally takes milliseconds; a process that needs longer hangs."""

DIED, TIME_LIMIT, START, CANCELLED = "died", "time limit", "start", "cancelled"


class Owner(Protocol):
    """The callbacks of a LoadedModel; Pool implements them (pool.py)."""

    started: bool
    patience: float
    turns: int

    def loaded(self, model: LoadedModel) -> None: ...
    def joined(self, model: LoadedModel, worker: WorkerHandle) -> None: ...
    def lose(self, worker: WorkerHandle, why: str) -> None: ...
    def ended(self, worker: WorkerHandle) -> None: ...
    def failed(self, model: LoadedModel, failure: dict) -> bool: ...


class LoadedModel:
    """Keeps `wanted` workers. `event` is the event `loaded` of the loading process, or None while nothing is loaded."""

    def __init__(self, settings: argparse.Namespace, mode: str, owner: Owner) -> None:
        self.settings, self.owner = settings, owner
        self.loader = Loader(settings, mode, self.hear, self.process_ended, owner.turns)
        self.workers: set[WorkerHandle] = set()
        self.starting: set[asyncio.Task] = set()
        self.event: dict | None = None
        self.stage = "import"
        self.failure: dict | None = None
        self.deaths = self.restarts = self.silences = 0
        self.limit: asyncio.TimerHandle | None = None
        self.stopping = False

    @property
    def shared(self) -> bool:
        return self.event is not None and self.event["worker_mode"] == SHARED

    @property
    def wanted(self) -> int:
        return self.settings.workers if self.shared else 1

    async def start(self) -> None:
        self.stage, self.failure = "import", None
        if self.owner.started:  # before that, the supervisor of the server limits the first start
            self.limit = asyncio.get_running_loop().call_later(self.owner.patience, self.loader.stop)
        try:
            await self.loader.start()
        except OSError as error:
            cause = type(error).__name__
            self.fail({"stage": "import", "cause": cause, "message": f"Cannot run {self.settings.python}: {error}"})

    def hear(self, event: dict) -> None:
        """Handles one event of the loading process (see send_event.py)."""
        if event["event"] == "stage":
            self.stage = event["stage"]
        elif event["event"] == "failed":
            self.failure = event
        elif event["event"] == "loaded":
            self.event = event
            self.owner.loaded(self)
            self.add_worker()
        elif event["event"] == "ended":
            log("worker ended", pid=event["pid"], status=event["status"])
            self.loader.workers.discard(event["pid"])
            for worker in [worker for worker in self.workers if worker.pid == event["pid"]]:
                self.owner.lose(worker, DIED)  # a child of its model may hold the connection open

    def add_worker(self) -> None:
        missing = self.wanted - len(self.workers) - len(self.starting)
        if self.stopping or self.event is None or missing <= 0:
            return
        task = asyncio.ensure_future(self.greet(WorkerHandle(self.owner.ended)))
        self.starting.add(task)
        task.add_done_callback(self.greeted)

    def greeted(self, task: asyncio.Task[bool]) -> None:
        self.starting.discard(task)
        if not task.cancelled() and task.result():
            self.add_worker()  # one after the other, until there are enough; a failed start schedules its own retry

    async def greet(self, worker: WorkerHandle) -> bool:
        """Says whether the worker has joined. If not, the same loading process or a new one replaces it."""
        process = self.loader.process
        try:
            await asyncio.wait_for(worker.greet(self.loader.fork()), WORKER_SECONDS)
            if worker.gone or self.loader.process is not process:
                raise ConnectionError("it ended at once")
        except Exception as error:
            self.silences += isinstance(error, asyncio.TimeoutError)
            log("worker not started", cause=type(error).__name__)
            shared = self.shared
            self.owner.lose(worker, START)
            self.replace(START)
            # A process that twice provides no worker hangs. One that should be the worker itself has no second try.
            if not shared or self.silences > 1 or (self.silences and not self.workers):
                self.loader.stop()  # when it has ended, another is started
            return False
        if worker.pid != process.pid:
            self.loader.workers.add(worker.pid)
        self.workers.add(worker)
        self.restarts = self.silences = 0
        self.stop_limit()
        self.owner.joined(self, worker)
        return True

    def stop_limit(self) -> None:
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None

    def remove(self, worker: WorkerHandle, why: str) -> None:
        """Ends one worker and replaces it; `why` is DIED, TIME_LIMIT, START or CANCELLED."""
        self.workers.discard(worker)
        if worker.pid:
            self.loader.kill(worker.pid)
        self.replace(why)

    def replace(self, why: str) -> None:
        self.deaths += why in (DIED, START)
        if self.shared:
            asyncio.get_running_loop().call_later(self.pause(why), self.add_worker)

    def pause(self, why: str) -> float:
        """Returns the seconds before a replacement starts. Only deaths in a row are delayed."""
        if why == START:
            return min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.deaths, 8))
        over = self.deaths - DEATHS_FORGIVEN
        if over <= 0 or why != DIED:
            return 0
        return min(LONGEST_DEATH_PAUSE_SECONDS, DEATH_PAUSE_SECONDS * 2 ** min(over, 8))

    def process_ended(self, code: int) -> None:
        """Handles the end of the loading process, which ends its workers too."""
        self.silences = 0
        self.stop_limit()
        if not self.stopping:
            ended = {
                "stage": self.stage,
                "cause": "Exit",
                "message": f"The model's process ended {describe_exit(code)}",
            }
            self.fail(self.failure or ended)

    def fail(self, failure: dict) -> None:
        """Ends the workers and loads the model again, unless the owner decides otherwise.

        `failure` is `{"stage", "cause", "message"}`.
        """
        self.event = None
        for worker in list(self.workers):
            self.owner.lose(worker, worker.lost or DIED)
        self.workers.clear()
        if not self.owner.failed(self, failure):
            return
        self.restarts += 1
        pause = min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.restarts, 8))
        log("restart", message=failure["message"], pause=pause)
        asyncio.get_running_loop().call_later(pause, self.restart)

    def restart(self) -> None:
        if not self.stopping:
            self.restarting = asyncio.ensure_future(self.start())
            self.restarting.add_done_callback(self.restarted)

    def restarted(self, task: asyncio.Task) -> None:
        """Retries also after an unexpected exception."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.stopping:
            self.fail({"stage": self.stage, "cause": type(error).__name__, "message": f"Cannot load again: {error}"})

    def stop(self) -> None:
        self.stopping = self.loader.stopped = True
        self.stop_limit()
        self.loader.stop()
