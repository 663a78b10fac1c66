"""The workers of one server. Each lost one is replaced, and each answers one request at a time.

Workers are forks of one loaded model, or each has loaded the model itself; the first loading process decides.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable
from typing import Callable

from ..protocol.log import log
from ..protocol.wire import SEPARATE
from .loaded_model import CANCELLED, DIED, TIME_LIMIT, LoadedModel
from .worker_handle import WorkerHandle
from .worker_queue import Places

STUCK_SECONDS, STUCK_FACTOR = 60.0, 4
"""The server ends without a worker for this long, or for this many times its start if longer."""

LOAD_SECONDS, LOAD_FACTOR = 60.0, 10
"""The other workers load the model within so long, or so many times what the first one took for each, or never."""


class LostWorker(Exception):
    """The worker did not answer: `why` is the reason for losing it, or "stopped" when the server ended first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Pool:
    """Owns the loaded models. `on_ready` gets the first loading process's event, once; `on_failed` a fatal failure."""

    def __init__(
        self, settings: argparse.Namespace, on_ready: Callable[[dict], None], on_failed: Callable[[dict], None]
    ) -> None:
        self.settings, self.on_ready, self.on_failed = settings, on_ready, on_failed
        self.turns_file = tempfile.TemporaryFile()  # noqa: SIM115  # for as long as the server runs
        self.models = [LoadedModel(settings, settings.worker_mode, self)]
        self.places = Places(settings.queue, settings.queue_timeout)
        self.owners: dict[WorkerHandle, LoadedModel] = {}
        self.lost: Counter[str] = Counter()
        self.description: dict | None = None
        self.started = self.stopping = self.stuck = False
        self.started_at = self.start_seconds = 0.0
        self.watch: asyncio.TimerHandle | None = None
        self.decided = asyncio.Event()  # the server was ready once, or never will be
        self.last_failure = ""
        self.cut = 0

    @property
    def workers(self) -> int:
        return len(self.owners)

    @property
    def turns(self) -> int:
        return self.turns_file.fileno()

    @property
    def patience(self) -> float:
        """Seconds without a worker after which the server ends, or a loading process is killed, once it was ready."""
        return self.settings.stuck_after or max(STUCK_SECONDS, STUCK_FACTOR * self.start_seconds)

    @property
    def loading(self) -> bool:
        """True while no model is loaded, so that no request can be answered soon."""
        return all(model.event is None for model in self.models)

    async def start(self) -> None:
        self.started_at = asyncio.get_running_loop().time()
        await self.models[0].start()

    async def ask(
        self, kind: int, request_id: bytes, body: bytes, receive: Callable[[], Awaitable[dict]]
    ) -> tuple[int, bytes]:
        """Returns HTTP status and body of a worker's answer. Raises Full, Gone or LostWorker."""
        worker = await self.take(receive)
        timer = asyncio.get_running_loop().call_later(self.settings.time_limit, self.lose, worker, TIME_LIMIT)
        try:
            answer = await worker.ask(kind, request_id, body)
            if worker in self.owners:
                self.owners[worker].deaths = 0
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
        """Removes a worker for good, ends its process and starts the replacement."""
        if worker.lost or self.stopping:
            return
        worker.lost = why
        self.lost[why] += 1
        model = self.owners.pop(worker, None)
        self.places.remove(worker)
        worker.close()
        log("worker lost", pid=worker.pid, why=why)
        if model is not None:
            model.remove(worker, why)
        self.watch_workers()

    def ended(self, worker: WorkerHandle) -> None:
        """Handles the end of a worker's connection. A busy worker is handled by `ask`, which waits for its answer."""
        if worker in self.places.idle:
            self.lose(worker, DIED)

    def loaded(self, model: LoadedModel) -> None:
        """The first one says how the workers come to be; when each loads the model, the others then do so, too."""
        fixed_files = model.event.pop("fixed_files")
        if model is not self.models[0]:
            return
        found = model.event["found"] or (self.description or {}).get("found", [])  # a later load has no findings
        self.description = {**model.event, "found": found}
        if model.event["worker_mode"] == SEPARATE and len(self.models) < self.settings.workers:
            model.loader.mode = SEPARATE  # the decision stays, also when the model is loaded again
            others = [LoadedModel(self.settings, SEPARATE, self) for _ in range(self.settings.workers - 1)]
            self.models += others
            for each in self.models:
                each.loader.fixed_files = fixed_files
            self.starting = [asyncio.ensure_future(other.start()) for other in others]
            if not self.started:
                loop = asyncio.get_running_loop()
                seconds = max(LOAD_SECONDS, LOAD_FACTOR * len(self.models) * (loop.time() - self.started_at))
                loop.call_later(seconds, self.give_up_loading, seconds)

    def joined(self, model: LoadedModel, worker: WorkerHandle) -> None:
        self.owners[worker] = model
        self.places.free(worker)
        self.watch_workers()
        # Each separate worker takes as long as the first, so the replica is ready only when all of them are.
        if not self.started and all(other.workers for other in self.models):
            self.started = True
            self.start_seconds = asyncio.get_running_loop().time() - self.started_at
            self.decided.set()
            self.on_ready(self.description)

    def failed(self, model: LoadedModel, failure: dict) -> bool:
        """Says whether to load the model again. Before the server was ready, a failure is fatal."""
        self.last_failure = failure["message"]
        if self.stopping:
            return False
        if not self.started:
            self.fail(self.explain(model, failure))
        return self.started

    def explain(self, model: LoadedModel, failure: dict) -> dict:
        if model is self.models[0]:
            return failure
        why = ", ".join(self.description["found"]) or "as its settings say"
        message = (
            f"The model is loaded once per worker ({why}), and the first was, but another was not: "
            f"{failure['message']}. With workers set to one, it is loaded only once"
        )
        return {**failure, "stage": "workers", "message": message}

    def watch_workers(self) -> None:
        """Starts or cancels the timer that ends a server without workers, once it was ready."""
        if self.owners or self.stopping:
            if self.watch is not None:
                self.watch.cancel()
                self.watch = None
        elif self.started and self.watch is None:
            seconds = self.patience
            self.watch = asyncio.get_running_loop().call_later(seconds, self.give_up, seconds)

    def give_up_loading(self, seconds: float) -> None:
        """One that has not loaded yet may wait for ever, for a lock that the first one keeps."""
        late = next((model for model in self.models if not model.workers), None)
        if late is not None and not self.started and not self.stopping:
            ended = {"stage": "workers", "cause": "Stuck", "message": f"it is not there after {seconds:.0f} s"}
            self.fail(self.explain(late, ended))

    def give_up(self, seconds: float) -> None:
        self.stuck = True
        last = self.last_failure or "the process that loads the model does not answer"
        message = f"No worker could be started for {seconds:.0f} s: {last}"
        self.fail({"stage": "workers", "cause": "Stuck", "message": message})

    def fail(self, failure: dict) -> None:
        self.stop()
        self.on_failed(failure)

    def stop(self) -> None:
        self.stopping = True
        self.decided.set()
        for model in self.models:
            model.stop()

    def remove_folders(self) -> None:
        """Removes the folders of the loading processes at once, when nothing waits for their end."""
        for model in self.models:
            model.loader.remove_folder()

    async def gone(self) -> None:
        """Waits for the end of every process, after `stop`."""
        await asyncio.gather(*(model.loader.gone() for model in self.models))
