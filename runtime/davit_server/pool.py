"""The workers, forked from one loaded model: as many as told, each lost one replaced. One request at a time each."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable
from typing import Callable

from .loader import Loader
from .log import log
from .places import Places
from .wire import FORK, REHEARSE
from .worker_handle import WorkerHandle

DEATHS_FORGIVEN = 10
"""Deaths in a row that are replaced at once: a fork costs 10 ms, and a pause would punish the other callers."""

DEATH_PAUSE_SECONDS, LONGEST_DEATH_PAUSE_SECONDS = 0.05, 1.0
START_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
START_SECONDS = 30.0
DIED, TIME_LIMIT, START, CANCELLED = "died", "time limit", "start", "cancelled"


class LostWorker(Exception):
    """The worker did not answer: `why` is DIED or TIME_LIMIT, or "stopped" when the server ended first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Pool:
    """`on_ready` is called once, with the loading process's event; `on_failed` only during start-up."""

    def __init__(
        self, settings: argparse.Namespace, on_ready: Callable[[dict], None], on_failed: Callable[[dict], None]
    ) -> None:
        self.settings, self.on_ready, self.on_failed = settings, on_ready, on_failed
        self.loader = Loader(settings, self.hear, self.ended)
        self.places = Places(settings.queue, settings.queue_timeout)
        self.workers: set[WorkerHandle] = set()
        self.starting: set[asyncio.Task] = set()
        self.lost: Counter[str] = Counter()
        self.loaded: dict | None = None
        self.stage = "import"
        self.failure: dict | None = None
        self.started = self.stopping = False
        self.decided = asyncio.Event()  # ready for the first time, or never to be
        self.deaths = self.restarts = self.cut = 0

    async def start(self) -> None:
        self.stage, self.failure = "import", None
        try:
            await self.loader.start()
        except OSError as error:
            cause = type(error).__name__
            self.failed({"stage": "import", "cause": cause, "message": f"Cannot run {self.settings.python}: {error}"})

    async def ask(
        self, kind: int, request_id: bytes, body: bytes, receive: Callable[[], Awaitable[dict]]
    ) -> tuple[int, bytes]:
        """Status and body of a worker's answer. Raises Full, Gone or LostWorker."""
        worker = await self.take(receive)
        timer = asyncio.get_running_loop().call_later(self.settings.time_limit, self.lose, worker, TIME_LIMIT)
        try:
            answer = await worker.ask(kind, request_id, body)
            self.deaths = 0
            return answer
        except (asyncio.IncompleteReadError, OSError):
            if self.stopping:
                self.cut += 1
                raise LostWorker("stopped") from None
            self.lose(worker, DIED)
            raise LostWorker(worker.lost) from None
        except BaseException:
            self.lose(worker, CANCELLED)  # its answer would go to the next caller
            raise
        finally:
            timer.cancel()
            self.places.free(worker)

    async def take(self, receive: Callable[[], Awaitable[dict]]) -> WorkerHandle:
        while True:
            worker = await self.places.take(receive)
            if not worker.gone:
                return worker
            self.lose(worker, DIED)

    def lose(self, worker: WorkerHandle, why: str) -> None:
        """Takes a worker out for good, ends its process and sees to another one."""
        if worker.lost or self.stopping:
            return
        worker.lost = why
        self.lost[why] += 1
        self.workers.discard(worker)
        self.places.remove(worker)
        worker.close()
        log("worker lost", pid=worker.pid, why=why)
        if worker.pid or self.settings.solo:
            self.loader.kill(worker.pid)
        self.deaths += why in (DIED, START)
        if not self.settings.solo:
            asyncio.get_running_loop().call_later(self.pause(why), self.fork)

    def pause(self, why: str) -> float:
        """Seconds before a replacement starts. Only deaths in a row are slowed down."""
        if why == START:
            return min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.deaths, 8))
        over = self.deaths - DEATHS_FORGIVEN
        if over <= 0 or why != DIED:
            return 0
        return min(LONGEST_DEATH_PAUSE_SECONDS, DEATH_PAUSE_SECONDS * 2 ** min(over, 8))

    def hear(self, event: dict) -> None:
        """One event of the loading process."""
        if event["event"] == "stage":
            self.stage = event["stage"]
        elif event["event"] == "failed":
            self.failure = event
        elif event["event"] == "loaded":
            self.loaded = event
            self.fork(REHEARSE)
        elif event["event"] == "ended":
            worker = next((worker for worker in self.workers if worker.pid == event["pid"]), None)
            log("worker ended", pid=event["pid"], status=event["status"])
            if worker in self.places.idle:
                self.lose(worker, DIED)

    def fork(self, wish: bytes = FORK) -> None:
        wanted = self.settings.workers - len(self.workers) - len(self.starting)
        if self.stopping or self.loaded is None or wanted <= 0:
            return
        task = asyncio.ensure_future(self.greet(WorkerHandle(), wish))
        self.starting.add(task)
        task.add_done_callback(self.greeted)

    def greeted(self, task: asyncio.Task[bool]) -> None:
        self.starting.discard(task)
        if not task.cancelled() and task.result():
            self.fork()  # the next, until there are enough; a failed one sees to its own successor

    async def greet(self, worker: WorkerHandle, wish: bytes) -> bool:
        limit = START_SECONDS + 2 * self.loaded["seconds"].get("predict", 0)
        try:
            failure = await asyncio.wait_for(worker.greet(self.loader.fork(wish)), limit)
        except asyncio.TimeoutError:
            failure = {"stage": "predict", "cause": "Fork", "message": f"it did not answer within {limit:.0f} s"}
        except (asyncio.IncompleteReadError, OSError):
            failure = {"stage": "predict", "cause": "Fork", "message": "it ended"}
        if failure is None:
            self.workers.add(worker)
            self.places.free(worker)
            self.restarts = 0
            self.say_ready()
        elif self.started:
            self.lose(worker, START)
        else:
            message = (
                f"The model predicts where it was loaded but not in a fork of that ({failure['message']}): try --solo"
            )
            self.fail({**failure, "message": message})
        return failure is None

    def say_ready(self) -> None:
        if not self.started:
            self.started = True
            self.decided.set()
            self.on_ready(self.loaded)

    def ended(self, code: int) -> None:
        """The loading process is gone, and its workers with it."""
        if self.stopping:
            return
        ended = {"stage": self.stage, "cause": "Exit", "message": f"The model's process ended {ending(code)}"}
        self.failed(self.failure or ended)

    def failed(self, failure: dict) -> None:
        """Fatal before the first worker could work; later it is tried again, for as long as it takes."""
        if not self.started:
            self.fail(failure)
            return
        self.loaded = None
        for worker in list(self.workers):
            self.lose(worker, worker.lost or DIED)
        self.restarts += 1
        pause = min(LONGEST_PAUSE_SECONDS, START_PAUSE_SECONDS * 2 ** min(self.restarts, 8))
        log("restart", message=failure["message"], pause=pause)
        asyncio.get_running_loop().call_later(pause, self.restart)

    def restart(self) -> None:
        self.restarting = asyncio.ensure_future(self.start())

    def fail(self, failure: dict) -> None:
        self.stop()
        self.on_failed(failure)

    def stop(self) -> None:
        self.stopping = True
        self.decided.set()
        self.loader.stop()


def ending(code: int) -> str:
    """How a process ended, for a sentence."""
    if code >= 0:
        return f"with exit code {code}"
    if code == -signal.SIGKILL:
        return "by SIGKILL, probably for want of memory"
    try:
        return f"by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"by signal {-code}"
