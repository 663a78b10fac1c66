"""One loading process and its workers, which are its forks or the process itself. Lost ones are replaced."""

from __future__ import annotations

import argparse
import asyncio
from typing import Protocol

from ..processes.exit_code import describe_exit
from ..protocol.log import log
from ..protocol.wire import SHARED
from .loading_process import LoadingProcess
from .worker_handle import WorkerHandle

DEATHS_FORGIVEN = 10
"""Deaths in a row that are replaced at once: a fork takes 10 ms, and a pause would delay the other callers."""

DEATH_PAUSE_SECONDS, LONGEST_DEATH_PAUSE_SECONDS = 0.05, 1.0
START_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
WORKER_SECONDS = 10.0
"""Time limit for a worker of a loaded model. It normally takes milliseconds; a process that needs longer hangs."""

DIED, TIME_LIMIT, WAIT_LIMIT, START, CANCELLED = "died", "time limit", "wait limit", "start", "cancelled"


class Owner(Protocol):
    """The callbacks of a LoadedModel; WorkerPool implements them (worker_pool.py)."""

    is_started: bool
    stuck_seconds: float
    wait_seconds: float
    locks: int

    def on_loaded(self, model: LoadedModel) -> None: ...
    def on_joined(self, model: LoadedModel, worker: WorkerHandle) -> None: ...
    def remove_worker(self, worker: WorkerHandle, why: str) -> None: ...
    def on_worker_end(self, worker: WorkerHandle) -> None: ...
    def should_reload(self, model: LoadedModel, failure: dict) -> bool: ...


class LoadedModel:
    """Keeps `wanted_workers` workers. `event` is the event `loaded`, or None while no model is loaded.

    `answer` is a digest of its answer to the model's first case, or "".
    """

    def __init__(self, settings: argparse.Namespace, mode: str, owner: Owner) -> None:
        self.settings, self.owner = settings, owner
        self.loader = LoadingProcess(settings, mode, self.handle_event, self.on_process_end, owner.locks)
        self.workers: set[WorkerHandle] = set()
        self.starting: set[asyncio.Task] = set()
        self.event: dict | None = None
        self.answer = ""
        self.written_files: set[str] = set()
        self.stage = "import"
        self.failure: dict | None = None
        self.deaths = self.restarts = self.timeouts = 0
        self.limit: asyncio.TimerHandle | None = None
        self.is_stopping = False

    @property
    def is_shared(self) -> bool:
        return self.event is not None and self.event["worker_mode"] == SHARED

    @property
    def wanted_workers(self) -> int:
        return self.settings.workers if self.is_shared else 1

    async def start(self) -> None:
        self.stage, self.failure = "import", None
        if self.owner.is_started:  # before that, the supervisor of the server limits the first start
            self.start_limit(self.owner.stuck_seconds)
        try:
            await self.loader.start()
        except OSError as error:
            cause = type(error).__name__
            self.fail({"stage": "import", "cause": cause, "message": f"Cannot run {self.settings.python}: {error}"})

    def handle_event(self, event: dict) -> None:
        """Handles one event of the loading process (see send_event.py)."""
        if event["event"] == "stage":
            self.stage = event["stage"]
        elif event["event"] in ("waiting", "working"):
            if self.limit is not None:
                self.start_limit(self.owner.wait_seconds if event["event"] == "waiting" else self.owner.stuck_seconds)
        elif event["event"] == "failed":
            self.failure = event
        elif event["event"] == "loaded":
            self.event = event
            self.written_files, self.answer = set(event.pop("written_files")), event.pop("answer")
            self.owner.on_loaded(self)
            self.add_worker()
        elif event["event"] == "ended":
            log("worker ended", pid=event["pid"], status=event["status"])
            self.loader.workers.discard(event["pid"])
            for worker in [worker for worker in self.workers if worker.pid == event["pid"]]:
                self.owner.remove_worker(worker, DIED)  # a child of its model may hold the connection open

    def add_worker(self) -> None:
        missing = self.wanted_workers - len(self.workers) - len(self.starting)
        if self.is_stopping or self.event is None or missing <= 0:
            return
        task = asyncio.ensure_future(self.connect_worker(WorkerHandle(self.owner.on_worker_end)))
        self.starting.add(task)
        task.add_done_callback(self.on_connected)

    def on_connected(self, task: asyncio.Task[bool]) -> None:
        self.starting.discard(task)
        if not task.cancelled() and task.result():
            self.add_worker()  # one after the other, until there are enough; a failed start schedules its own retry

    async def connect_worker(self, worker: WorkerHandle) -> bool:
        """Says whether the worker has joined. If not, the same loading process or a new one replaces it."""
        process = self.loader.process
        try:
            await asyncio.wait_for(worker.connect(self.loader.request_worker()), WORKER_SECONDS)
            if worker.has_ended or self.loader.process is not process:
                raise ConnectionError("it ended at once")
        except Exception as error:
            self.timeouts += isinstance(error, asyncio.TimeoutError)
            log("worker not started", cause=type(error).__name__)
            is_shared = self.is_shared
            self.owner.remove_worker(worker, START)
            self.replace(START)
            # A process that twice provides no worker hangs. One that should be the worker itself has no second try.
            if not is_shared or self.timeouts > 1 or (self.timeouts and not self.workers):
                self.loader.stop()  # when it has ended, another is started
            return False
        if worker.pid != process.pid:
            self.loader.workers.add(worker.pid)
        self.workers.add(worker)
        self.restarts = self.timeouts = 0
        self.stop_limit()
        self.owner.on_joined(self, worker)
        return True

    def start_limit(self, seconds: float) -> None:
        """Ends the loading process if it provides no worker for so long."""
        self.stop_limit()
        self.limit = asyncio.get_running_loop().call_later(seconds, self.loader.stop)

    def stop_limit(self) -> None:
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None

    def remove(self, worker: WorkerHandle, why: str) -> None:
        """Ends one worker and replaces it; `why` is DIED, TIME_LIMIT, WAIT_LIMIT, START or CANCELLED."""
        self.workers.discard(worker)
        if worker.pid:
            self.loader.kill_worker(worker.pid)
        self.replace(why)

    def replace(self, why: str) -> None:
        self.deaths += why in (DIED, START)
        if self.is_shared:
            asyncio.get_running_loop().call_later(self.choose_pause(why), self.add_worker)

    def choose_pause(self, why: str) -> float:
        """Returns the seconds before a replacement starts. Only deaths in a row are delayed."""
        if why == START:
            return min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.deaths, 8))
        over = self.deaths - DEATHS_FORGIVEN
        if over <= 0 or why != DIED:
            return 0
        return min(LONGEST_DEATH_PAUSE_SECONDS, DEATH_PAUSE_SECONDS * 2 ** min(over, 8))

    def on_process_end(self, code: int) -> None:
        """Handles the end of the loading process, which ends its workers too."""
        self.timeouts = 0
        self.stop_limit()
        if not self.is_stopping:
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
            self.owner.remove_worker(worker, worker.lost or DIED)
        self.workers.clear()
        if not self.owner.should_reload(self, failure):
            return
        self.restarts += 1
        pause = min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.restarts, 8))
        log("restart", message=failure["message"], pause=pause)
        asyncio.get_running_loop().call_later(pause, self.restart)

    def restart(self) -> None:
        if not self.is_stopping:
            self.restarting = asyncio.ensure_future(self.start())
            self.restarting.add_done_callback(self.on_restarted)

    def on_restarted(self, task: asyncio.Task) -> None:
        """Retries also after an unexpected exception."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.is_stopping:
            self.fail({"stage": self.stage, "cause": type(error).__name__, "message": f"Cannot load again: {error}"})

    def stop(self) -> None:
        self.is_stopping = self.loader.is_stopped = True
        self.stop_limit()
        self.loader.stop()
