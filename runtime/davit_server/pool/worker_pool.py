"""The workers of one server. Each lost one is replaced, and each answers one request at a time.

Workers are forks of one loaded model, or each loads the model itself. The first loading process decides which.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable
from typing import Callable

from ..files.shared_files import describe_shared_files, find_shared_files
from ..files.write_locks import EVERYTHING
from ..protocol.log import log
from ..protocol.wire import FOUND, ONE, SEPARATE, SHARED
from ..sharing.worker_mode import DIFFERENT_LOADS
from .client_watch import ClientWatch
from .loaded_model import CANCELLED, DIED, TIME_LIMIT, WAIT_LIMIT, LoadedModel
from .time_limit import TimeLimit
from .try_loads import Trial, try_loads
from .worker_handle import WorkerHandle
from .worker_queue import ClientDisconnected, WorkerQueue

STUCK_SECONDS, STUCK_FACTOR = 60.0, 4
"""The server ends without a worker for this long, or for this many times its start if longer."""

LOAD_SECONDS, LOAD_FACTOR = 60.0, 10
"""Time limit for the other workers to load the model: so many seconds, or so many times the first load for each."""

TRIAL_FACTOR = 2
"""Time limit of trying them: so many times the time without a worker."""


class WorkerLost(Exception):
    """The worker did not answer: `why` is the reason for losing it, or "stopped" when the server ended first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class WorkerPool:
    """Owns the loaded models. `on_ready` gets the first loading process's event, once; `on_failed` a fatal failure."""

    def __init__(
        self, settings: argparse.Namespace, on_ready: Callable[[dict], None], on_failed: Callable[[dict], None]
    ) -> None:
        self.settings, self.on_ready, self.on_failed = settings, on_ready, on_failed
        self.locks_file = tempfile.TemporaryFile()  # noqa: SIM115  # for as long as the server runs
        self.models = [LoadedModel(settings, settings.worker_mode, self)]
        self.queue = WorkerQueue(settings.queue, settings.queue_timeout)
        self.owners: dict[WorkerHandle, LoadedModel] = {}
        self.lost: Counter[str] = Counter()
        self.description: dict | None = None
        self.found: list[str] = []
        self.found_together: list[str] = []
        self.is_started = self.is_stopping = self.is_stuck = False
        self.has_outside, self.trying = False, None
        self.started_at = self.start_seconds = 0.0
        self.watch: asyncio.TimerHandle | None = None
        self.decided = asyncio.Event()  # the server was ready once, or never will be
        self.last_failure = ""
        self.cut = 0

    @property
    def workers(self) -> int:
        return len(self.owners)

    @property
    def locks(self) -> int:
        return self.locks_file.fileno()

    @property
    def stuck_seconds(self) -> float:
        """Seconds without a worker after which the server ends, or a loading process is killed, once it was ready."""
        return self.settings.stuck_after or max(STUCK_SECONDS, STUCK_FACTOR * self.start_seconds)

    @property
    def wait_seconds(self) -> float:
        """Longest time to wait for predictions of other workers: as long as one of each may take."""
        return self.settings.time_limit * self.settings.workers

    @property
    def longest_wait_seconds(self) -> float:
        """Longest time that a request is not predicted: in the queue, and for predictions that write the same file.

        Any model may write one, with a request that is unlike its cases.
        """
        return self.queue.timeout + (self.wait_seconds if self.settings.workers > 1 else 0)

    @property
    def is_loading(self) -> bool:
        """True while no model is loaded, or while workers that load it themselves are not all ready for once."""
        is_starting = not self.is_started and len(self.models) > 1
        return is_starting or all(model.event is None for model in self.models)

    async def start(self) -> None:
        self.started_at = asyncio.get_running_loop().time()
        await self.models[0].start()

    async def predict(
        self, kind: int, request_id: bytes, body: bytes, receive: Callable[[], Awaitable[dict]]
    ) -> tuple[int, bytes]:
        """Returns HTTP status and body of a worker's answer. Raises QueueFull, ClientDisconnected or WorkerLost."""
        worker = await self.acquire_worker(receive)

        def end(is_waiting: bool) -> None:
            self.remove_worker(worker, WAIT_LIMIT if is_waiting else TIME_LIMIT)

        limit = TimeLimit(self.settings.time_limit, self.wait_seconds, end)
        # Only a fork is replaced at once. For clients that come and go, the model would be loaded again and again.
        is_watched = worker in self.owners and self.owners[worker].is_shared
        client = ClientWatch(receive, lambda: self.remove_worker(worker, CANCELLED))

        def switch(is_waiting: bool) -> None:
            limit.switch(is_waiting)
            client.switch(is_waiting and is_watched)

        try:
            answer = await worker.predict(kind, request_id, body, switch)
            if worker in self.owners:
                self.owners[worker].deaths = 0
            return answer
        except (asyncio.IncompleteReadError, OSError):
            if self.is_stopping:
                self.cut += 1
                raise WorkerLost("stopped") from None
            self.remove_worker(worker, DIED)
            if worker.lost == CANCELLED:
                raise ClientDisconnected from None
            raise WorkerLost(worker.lost) from None
        except BaseException:
            self.remove_worker(worker, CANCELLED)  # its answer would go to the next caller
            raise
        finally:
            limit.stop()
            client.switch(False)
            self.queue.release(worker)

    async def acquire_worker(self, receive: Callable[[], Awaitable[dict]]) -> WorkerHandle:
        while True:
            worker = await self.queue.acquire(receive)
            if not worker.has_ended:
                return worker
            self.remove_worker(worker, DIED)
            self.queue.release(worker)

    def remove_worker(self, worker: WorkerHandle, why: str) -> None:
        """Removes a worker for good, ends its process and starts the replacement."""
        if worker.lost or self.is_stopping:
            return
        worker.lost = why
        self.lost[why] += 1
        model = self.owners.pop(worker, None)
        self.queue.remove(worker)
        worker.close()
        log("worker lost", pid=worker.pid, why=why)
        if model is not None:
            model.remove(worker, why)
        self.watch_workers()

    def on_worker_end(self, worker: WorkerHandle) -> None:
        """Removes an idle worker whose connection has ended; `predict` removes a busy one."""
        if worker in self.queue.idle:
            self.remove_worker(worker, DIED)

    def on_loaded(self, model: LoadedModel) -> None:
        """Uses the worker mode of the first loading process. In the mode `separate`, starts the other ones."""
        fixed_files, has_outside = model.event.pop("fixed_files"), model.event.pop("has_outside")
        if model is not self.models[0]:
            return
        self.has_outside = has_outside and self.settings.worker_mode == FOUND
        self.found = model.event["found"] or self.found  # a later load has no findings
        self.description = dict(model.event)
        self.add_finding("")
        if model.event["worker_mode"] != SHARED:
            model.loader.mode = model.event["worker_mode"]  # the decision stays, also when the model is loaded again
        if model.event["worker_mode"] == ONE and self.settings.worker_mode == FOUND:
            self.extend_queue()
        if model.event["worker_mode"] == SEPARATE and len(self.models) < self.settings.workers:
            others = [LoadedModel(self.settings, SEPARATE, self) for _ in range(self.settings.workers - 1)]
            self.models += others
            for each in self.models:
                each.loader.fixed_files, each.loader.begins_alone = fixed_files, has_outside
            self.starting = [asyncio.ensure_future(other.start()) for other in others]
            if not self.is_started:
                loop = asyncio.get_running_loop()
                seconds = max(LOAD_SECONDS, LOAD_FACTOR * len(self.models) * (loop.time() - self.started_at))
                loop.call_later(seconds, self.end_slow_start, seconds)

    def on_joined(self, model: LoadedModel, worker: WorkerHandle) -> None:
        self.owners[worker] = model
        worker.is_alone = self.queue.is_one_at_a_time
        self.watch_workers()
        # Each separate worker takes as long as the first, so the replica is ready only when all of them are.
        if self.is_started:
            self.queue.release(worker)
        elif len(self.models) == 1:
            self.find_shared_files()
            worker.is_alone = self.queue.is_one_at_a_time
            self.queue.release(worker)
            self.finish_start()
        elif all(other.workers for other in self.models) and self.trying is None:
            self.trying = asyncio.ensure_future(self.try_workers())
            self.trying.add_done_callback(self.on_tried)

    async def try_workers(self) -> None:
        """Tries the workers that have loaded the model themselves before clients use them, then finishes the start."""
        trial = Trial()
        self.find_shared_files()
        is_tried = self.has_outside and not self.queue.is_one_at_a_time
        try:
            trial = await try_loads(list(self.owners), self.may_differ, is_tried, TRIAL_FACTOR * self.stuck_seconds)
            if trial.kept is not None:
                await self.keep_one_worker(trial.kept)
            elif trial.found:
                self.predict_one_at_a_time(trial.found)
        except (asyncio.IncompleteReadError, OSError):  # the values of the trial are arbitrary: no reason not to serve
            pass
        if self.is_stopping:
            return
        self.finish_start()
        for worker in list(self.owners):  # also one that has replaced a worker which the trial has killed
            worker.is_alone = self.queue.is_one_at_a_time
            if worker.has_ended or trial.hangs:
                self.remove_worker(worker, TIME_LIMIT if trial.hangs else DIED)
            else:
                self.queue.release(worker)
        self.watch_workers()

    def on_tried(self, task: asyncio.Task) -> None:
        """Fails the start also after an unexpected exception."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.is_stopping:
            message = f"Cannot try the workers: {error}"
            self.fail({"stage": "workers", "cause": type(error).__name__, "message": message})

    @property
    def may_differ(self) -> bool:
        return self.settings.worker_mode == FOUND and len({model.answer for model in self.models}) > 1

    async def keep_one_worker(self, kept: WorkerHandle) -> None:
        """Ends all other workers, because they answer differently. Nothing else uses them yet."""
        others = [model for model in self.models if model is not self.owners[kept]]
        self.models = [self.owners[kept]]
        for model in others:
            for worker in model.workers:
                self.owners.pop(worker, None)
                worker.close()
            model.stop()
        self.models[0].loader.mode = ONE  # also when the model is loaded again
        self.description["worker_mode"] = ONE
        self.add_finding(DIFFERENT_LOADS)
        self.extend_queue()
        await asyncio.gather(*(model.loader.wait_ended() for model in others))

    def find_shared_files(self) -> None:
        is_shared = self.description["worker_mode"] == SHARED
        written = [model.written_files for model in self.models]
        shared = find_shared_files(written, self.settings.workers if is_shared else 1)
        if shared:
            self.predict_one_at_a_time(describe_shared_files(shared))

    def predict_one_at_a_time(self, why: str) -> None:
        """Lets requests wait in the queue where workers would wait for each other. `why` is a finding, or ""."""
        self.add_finding(why)
        self.queue.is_one_at_a_time = True
        self.extend_queue()
        for model in self.models:  # the first prediction of one that loads again waits, too
            model.loader.fixed_files = sorted({*model.loader.fixed_files, EVERYTHING})

    def add_finding(self, why: str) -> None:
        """Adds what is found about all workers, or "", to what the first load has found."""
        self.found_together += [why] if why else []
        self.description["found"] = [*self.found, *self.found_together]

    def extend_queue(self) -> None:
        """Lets a request wait until all others have been predicted: as many still come as there are workers."""
        self.queue.timeout = max(self.queue.timeout, self.wait_seconds)

    def finish_start(self) -> None:
        self.is_started = True
        self.start_seconds = asyncio.get_running_loop().time() - self.started_at
        self.decided.set()
        self.on_ready(self.description)

    def should_reload(self, model: LoadedModel, failure: dict) -> bool:
        """Says whether to load the model again. Before all workers were ready for once, a failure is fatal."""
        self.last_failure = failure["message"]
        if self.is_stopping:
            return False
        if not self.is_started and self.trying is None:
            self.fail(self.describe_start_failure(model, failure))
            return False
        return True

    def describe_start_failure(self, model: LoadedModel, failure: dict) -> dict:
        if model is self.models[0]:
            return failure
        why = ", ".join(self.description["found"]) or "as configured"
        message = (
            f"Each worker loads the model itself ({why}). The first one loaded it, but another one failed: "
            f"{failure['message']}. Set workers to one to load it only once"
        )
        return {**failure, "stage": "workers", "message": message}

    def watch_workers(self) -> None:
        """Starts or cancels the timer that ends a server without workers, once it was ready."""
        if self.owners or self.is_stopping:
            if self.watch is not None:
                self.watch.cancel()
                self.watch = None
        elif self.is_started and self.watch is None:
            seconds = self.stuck_seconds
            self.watch = asyncio.get_running_loop().call_later(seconds, self.end_stuck_server, seconds)

    def end_slow_start(self, seconds: float) -> None:
        """Fails a start in which a loading process may wait forever, for example for a lock of the first one."""
        late = next((model for model in self.models if not model.workers), None)
        if late is not None and not self.is_started and not self.is_stopping:
            ended = {"stage": "workers", "cause": "Stuck", "message": f"it did not load within {seconds:.0f} s"}
            self.fail(self.describe_start_failure(late, ended))

    def end_stuck_server(self, seconds: float) -> None:
        self.is_stuck = True
        last = self.last_failure or "the loading process is not responding"
        message = f"No worker could be started for {seconds:.0f} s: {last}"
        self.fail({"stage": "workers", "cause": "Stuck", "message": message})

    def fail(self, failure: dict) -> None:
        self.stop()
        self.on_failed(failure)

    def stop(self) -> None:
        self.is_stopping = True
        self.decided.set()
        for model in self.models:
            model.stop()

    def remove_folders(self) -> None:
        """Removes the folders of the loading processes at once, when nothing waits for their end."""
        for model in self.models:
            model.loader.remove_folder()

    async def wait_ended(self) -> None:
        """Waits for the end of every process, after `stop`."""
        await asyncio.gather(*(model.loader.wait_ended() for model in self.models))
