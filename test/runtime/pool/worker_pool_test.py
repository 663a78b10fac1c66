"""Workers that wait for each other, and workers that end or hang while the pool tries them."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import tempfile
import time
import unittest
from argparse import Namespace

from davit_server.files.name_locks import NameLocks
from davit_server.files.write_locks import EVERYTHING, WriteLocks
from davit_server.pool.compare_workers import HANGS
from davit_server.pool.loaded_model import CANCELLED, DIED, TIME_LIMIT, WAIT_LIMIT
from davit_server.pool.time_limit import TimeLimit
from davit_server.pool.try_workers import AT_ONCE
from davit_server.pool.worker_handle import WorkerHandle
from davit_server.pool.worker_pool import WorkerLost, WorkerPool
from davit_server.pool.worker_queue import ClientDisconnected, QueueFull, WorkerQueue
from davit_server.protocol.wire import KINDS, ONE, SEPARATE, SHARED
from davit_server.sharing.worker_mode import DIFFERENT_LOADS
from davit_server.workers.answer_requests import answer_requests

FORK = multiprocessing.get_context("fork")
JSON = KINDS.index("json")


async def wait_forever() -> dict:
    await asyncio.Event().wait()
    return {}


def make_pool(**changes) -> WorkerPool:
    settings = {"workers": 3, "worker_mode": "found", "queue": 16, "queue_timeout": 20.0, "time_limit": 20.0}
    ready: list[dict] = []
    pool = WorkerPool(Namespace(**{**settings, "stuck_after": None, **changes}), ready.append, print)
    pool.ready = ready
    pool.description = {"worker_mode": SEPARATE, "found": [], "seconds": {}}
    return pool


class Model:
    """In place of a loaded model: records which of its workers the pool has removed."""

    def __init__(self, written_files=()):
        self.removed, self.deaths, self.written_files, self.answer = [], 0, set(written_files), ""
        self.loader, self.is_shared, self.workers = Namespace(fixed_files=[], wait_ended=self.end), False, set()

    async def end(self):
        self.stop()

    def stop(self):
        self.is_stopped = True

    def remove(self, worker, why):
        self.removed.append(why)
        worker.process.kill()


class Scorer:
    """Writes a file whose name all workers share and answers what it finds there at the end of its work."""

    path, cases = "", ()

    def answer(self, kind, body, request_id):
        with open(self.path, "wb") as file:
            file.write(body)
        time.sleep(float(body.partition(b" ")[0]))
        with open(self.path, "rb") as file:
            return 200, file.read()


class WaitingForEachOther(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(self.folder.cleanup)
        self.scorer = Scorer()
        self.scorer.path = os.path.join(self.folder.name, "input.csv")

    def answer(self, connection, locks_file, number):
        folder = os.path.join(self.folder.name, f"own-{number}")
        os.makedirs(folder, exist_ok=True)
        options = {"threads": 1, "fixed_files": [], "model": ""}
        answer_requests(connection, self.scorer, options, WriteLocks(locks_file, folder), folder)

    async def start_workers(self, pool):
        models = []
        for number in range(pool.settings.workers):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            worker, model = WorkerHandle(pool.on_worker_end), Model()
            worker.process = FORK.Process(target=self.answer, args=(theirs, pool.locks, number), daemon=True)
            worker.process.start()
            self.addCleanup(worker.process.kill)
            theirs.close()
            await worker.connect(ours)
            pool.owners[worker] = model
            pool.queue.release(worker)
            models.append(model)
        return models

    def predict_together(self, bodies, **settings):
        """Returns the answer to each body, or why its worker was lost; all are sent at the same time."""

        async def run():
            pool = make_pool(workers=len(bodies), **settings)
            await self.start_workers(pool)
            requests = (pool.predict(JSON, b"", body, wait_forever) for body in bodies)
            answers = await asyncio.gather(*requests, return_exceptions=True)
            for worker in pool.owners:
                worker.close()
            return [answer.why if isinstance(answer, WorkerLost) else answer for answer in answers]

        return asyncio.run(run())

    def test_the_time_limit_of_a_prediction_does_not_count_its_wait_for_the_others(self):
        async def run():
            pool = make_pool(workers=2, time_limit=3.0)
            await self.start_workers(pool)
            others = NameLocks(pool.locks)
            others.lock(os.path.realpath(self.scorer.path))
            answers = asyncio.gather(*(pool.predict(JSON, b"", b"0 1", wait_forever) for _ in range(2)))
            await asyncio.sleep(4)
            others.release()
            return await answers

        self.assertEqual(asyncio.run(run()), [(200, b"0 1")] * 2)

    def test_a_prediction_that_has_waited_has_its_time_limit_nevertheless(self):
        self.assertEqual(self.predict_together([b"90 1", b"90 2"], time_limit=2), [TIME_LIMIT] * 2)

    def test_a_prediction_whose_client_goes_while_it_waits_ends(self):
        async def run(is_shared):
            pool = make_pool(workers=1)
            (model,) = await self.start_workers(pool)
            model.is_shared = is_shared
            others, gone, waits = NameLocks(pool.locks), asyncio.Event(), asyncio.Event()
            others.lock(os.path.realpath(self.scorer.path))
            (worker,) = pool.owners
            predict = worker.predict

            def predict_and_tell(kind, request_id, body, on_wait):
                return predict(kind, request_id, body, lambda waiting: (on_wait(waiting), waits.set()))

            async def receive():
                await gone.wait()
                return {"type": "http.disconnect"}

            worker.predict = predict_and_tell
            answer = asyncio.ensure_future(pool.predict(JSON, b"", b"0 1", receive))
            await waits.wait()
            gone.set()
            if not is_shared:  # to load the model again would cost more than the prediction
                await asyncio.sleep(0.1)
                others.release()
            return await asyncio.wait_for(asyncio.gather(answer, return_exceptions=True), 20), model.removed

        (left,), removed = asyncio.run(run(True))
        self.assertIsInstance(left, ClientDisconnected)
        self.assertEqual(removed, [CANCELLED])
        self.assertEqual(asyncio.run(run(False)), ([(200, b"0 1")], []))


class Limits(unittest.TestCase):
    def test_work_and_waiting_have_a_limit_each_also_in_parts(self):
        async def run(work, wait, switches):
            ends = asyncio.get_running_loop().create_future()
            limit = TimeLimit(work, wait, ends.set_result)
            for seconds, is_waiting in switches:
                await asyncio.sleep(seconds)
                limit.switch(is_waiting)
            return await asyncio.wait_for(ends, 20)

        self.assertFalse(asyncio.run(run(0.01, 60, [])))
        self.assertTrue(asyncio.run(run(60, 0.01, [(0, True)])))
        self.assertFalse(asyncio.run(run(0.3, 60, [(0.1, True), (0.5, False), (0, True), (0, False)])))
        self.assertTrue(asyncio.run(run(60, 0.3, [(0, True), (0.2, False), (0.5, True)])))

    def test_a_wait_that_is_too_long_is_reported_as_wait_limit(self):
        async def run():
            pool = make_pool(workers=1, time_limit=0.01)
            worker, model = Worker(), Model()
            pool.owners[worker] = model
            pool.queue.release(worker)
            worker.waits = True
            try:
                await pool.predict(JSON, b"", b"", wait_forever)
            except WorkerLost as lost:
                return lost.why, model.removed

        self.assertEqual(asyncio.run(run()), (WAIT_LIMIT, [WAIT_LIMIT]))

    def test_the_longest_wait_is_that_in_the_queue_and_for_other_workers(self):
        async def find(mode, **settings):
            pool = make_pool(queue_timeout=10.0, time_limit=4.0, **settings)
            pool.description = {"worker_mode": mode, "found": []}
            return pool.longest_wait_seconds

        self.assertEqual([asyncio.run(find(mode)) for mode in (SHARED, SEPARATE)], [22, 22])
        self.assertEqual(asyncio.run(find(SHARED, workers=1)), 10)


class Queueing(unittest.TestCase):
    def test_one_request_at_a_time_has_a_worker_and_the_others_wait_in_the_queue(self):
        async def run():
            queue = WorkerQueue(2, 20)
            queue.is_one_at_a_time = True
            workers = [Worker() for _ in range(3)]
            for worker in workers:
                queue.release(worker)
            first = await queue.acquire(wait_forever)
            waiting = [asyncio.ensure_future(queue.acquire(wait_forever)) for _ in range(2)]
            await asyncio.sleep(0)
            self.assertTrue(queue.is_full)
            with self.assertRaises(QueueFull):
                await queue.acquire(wait_forever)
            queue.release(first)
            second = await waiting[0]
            await asyncio.sleep(0.01)
            self.assertFalse(waiting[1].done())
            second.lost = DIED
            queue.remove(second)
            queue.release(second)
            third = await waiting[1]
            self.assertIsNot(third, second)
            queue.release(third)
            self.assertEqual((len(queue.idle), queue.busy), (2, set()))

        asyncio.run(run())


class Worker:
    """Answers the trial with the number of the request; `fault` is what it does when two predict at the same time."""

    store: dict = {}  # noqa: RUF012  # that of all workers
    pid, has_ended, is_alone, waits = 1, False, False, False

    def __init__(self, fault=None):
        self.lost, self.fault, self.predicted = "", fault, 0
        self.process = Namespace(kill=lambda: None)
        self.closed = asyncio.Event()

    async def predict(self, kind, request_id, body, on_wait=None):
        self.predicted += 1
        if self.waits:
            on_wait(True)
            await self.closed.wait()
            raise asyncio.IncompleteReadError(b"", 6)
        if self.fault == "raises":
            raise RecursionError("too deep")
        if self.fault == "hangs at once":
            await self.closed.wait()
        if self.fault == "fails" or isinstance(self.fault, bytes):
            return (500, b"") if self.fault == "fails" else (200, self.fault)
        if self.predicted > 1 and self.fault == "ends":
            self.has_ended = True
            raise asyncio.IncompleteReadError(b"", 6)
        if self.predicted > 1 and self.fault == "hangs":
            await self.closed.wait()
        if self.fault == "shares":
            self.store["name"] = body
            await asyncio.sleep(0.001)
            return 200, self.store["name"]
        await asyncio.sleep(0)
        return 200, body

    def close(self):
        self.closed.set()


class Trying(unittest.TestCase):
    def try_workers(self, *faults, written_files=((), (), ()), stuck_after=60, answers=("", "", "")):
        """Returns the pool and the models after a trial of workers with these faults."""

        async def run():
            pool = make_pool(stuck_after=stuck_after, workers=len(faults))
            pool.has_outside = True
            workers = [Worker(fault) for fault in faults]
            pool.models = all_models = [Model(written) for written in written_files]
            for worker, model, answer in zip(workers, all_models, answers):
                model.workers, model.answer = {worker}, answer
            pool.owners = dict(zip(workers, pool.models))
            await pool.try_workers()
            if pool.watch:
                pool.watch.cancel()
            return pool, workers, all_models

        pool, workers, all_models = asyncio.run(run())
        self.assertTrue(pool.is_started)
        self.assertEqual(pool.ready, [pool.description])  # the server serves, whatever the trial did
        return pool, workers, [model.removed for model in all_models]

    def test_workers_that_do_not_disturb_each_other_all_serve(self):
        pool, workers, removed = self.try_workers(None, None, None)
        self.assertEqual((pool.description["found"], removed), ([], [[], [], []]))
        self.assertEqual(set(pool.queue.idle), set(workers))

    def test_workers_that_disturb_each_other_predict_one_at_a_time(self):
        pool, workers, removed = self.try_workers("shares", "shares", "shares")
        self.assertEqual((pool.description["found"], removed), ([AT_ONCE], [[], [], []]))
        self.assertTrue(pool.queue.is_one_at_a_time and all(worker.is_alone for worker in workers))
        self.assertEqual(pool.queue.timeout, 60)  # as many requests still come as there are workers
        self.assertEqual([model.loader.fixed_files for model in pool.models], [[EVERYTHING]] * 3)

    def test_a_worker_that_ends_is_replaced_and_the_others_serve(self):
        pool, workers, removed = self.try_workers(None, "ends", None)
        self.assertEqual((pool.description["found"], removed), ([], [[], [DIED], []]))
        self.assertEqual(set(pool.queue.idle), {workers[0], workers[2]})
        self.assertFalse(pool.queue.is_one_at_a_time)

    def test_where_a_worker_hangs_all_are_replaced_and_predict_one_at_a_time(self):
        pool, _, removed = self.try_workers(None, None, "hangs", stuck_after=0.1)
        self.assertEqual((pool.description["found"], removed), ([AT_ONCE], [[TIME_LIMIT]] * 3))
        self.assertEqual((pool.queue.idle, pool.owners), ([], {}))
        self.assertTrue(pool.queue.is_one_at_a_time)

    def test_a_worker_that_hangs_with_the_example_is_said_to_do_so(self):
        answers = ("a", "b", "c")
        pool, _, removed = self.try_workers(None, "hangs at once", None, stuck_after=0.1, answers=answers)
        self.assertEqual((pool.description["found"], removed), ([HANGS], [[TIME_LIMIT]] * 3))

    def test_a_worker_that_answers_stays_where_loads_differ(self):
        pool, workers, _ = self.try_workers("fails", b"1", b"2", answers=("a", "b", "c"))
        self.assertEqual((pool.description["worker_mode"], pool.description["found"]), (ONE, [DIFFERENT_LOADS]))
        self.assertEqual(pool.queue.idle, [workers[1]])

    def test_an_unexpected_exception_fails_the_start(self):
        async def run():
            failures = []
            pool = make_pool()
            pool.on_failed, pool.models = failures.append, [Model(), Model(), Model()]
            pool.has_outside = True
            for model in pool.models:
                model.workers = {Worker("raises")}
                pool.on_joined(model, *model.workers)
            while not failures:
                await asyncio.sleep(0)
            return failures, pool.decided.is_set(), [model.is_stopped for model in pool.models]

        failures, is_decided, stopped = asyncio.run(run())
        message = "Cannot try the workers: too deep"
        self.assertEqual(failures, [{"stage": "workers", "cause": "RecursionError", "message": message}])
        self.assertTrue(is_decided and all(stopped))

    def test_a_file_that_two_workers_keep_open_is_found_without_a_trial(self):
        pool, workers, _ = self.try_workers(None, None, None, written_files=(["/app.log"], ["/app.log"], ["/b"]))
        found = "all workers write the file app.log, so predictions run one at a time"
        self.assertEqual(pool.description["found"], [found])
        self.assertEqual([worker.predicted for worker in workers], [0, 0, 0])
        self.assertTrue(pool.queue.is_one_at_a_time)


if __name__ == "__main__":
    unittest.main()
