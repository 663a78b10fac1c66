"""Workers that have loaded the model themselves and disturb each other through something with a fixed name."""

from __future__ import annotations

import asyncio
import unittest

from davit_server.pool.try_workers import do_workers_disturb


class Worker:
    """Writes its number under a name, works a moment, and answers what is there."""

    store: dict = {}  # noqa: RUF012  # that of all workers

    def __init__(self, name: str, status: int = 200) -> None:
        self.name, self.status = name, status

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        self.store[self.name] = body
        await asyncio.sleep(0.001)
        return self.status, self.store[self.name]


class Counter(Worker):
    """Answers the same request differently each time."""

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        self.count = getattr(self, "count", 0) + 1
        return 200, b"%d" % self.count


class Busy(Worker):
    """Is refused once by the service that it asks, and another time gets an answer of another age."""

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        self.count = getattr(self, "count", 0) + 1
        return (501, b"") if self.count == 2 else (200, b"older" if self.count == 3 else body)


class Locking(Worker):
    """Fails while another worker predicts, because each opens a database that allows one process."""

    users = 0

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        if Locking.users:
            await asyncio.sleep(0)
            return 501, b""
        Locking.users += 1
        await asyncio.sleep(0.001)
        Locking.users -= 1
        return 200, body


class Ended(Worker):
    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        raise asyncio.IncompleteReadError(b"", 6)


class Trying(unittest.TestCase):
    def try_workers(self, *workers):
        return asyncio.run(do_workers_disturb(list(workers)))

    def test_workers_with_one_name_disturb_each_other(self):
        self.assertTrue(self.try_workers(Worker("a"), Worker("a"), Worker("a")))

    def test_workers_with_names_of_their_own_do_not(self):
        self.assertFalse(self.try_workers(Worker("a"), Worker("b"), Worker("c")))

    def test_a_worker_that_refuses_its_request_shows_nothing(self):
        self.assertFalse(self.try_workers(Worker("a"), Worker("a", 501)))
        self.assertTrue(self.try_workers(Worker("a"), Worker("a", 501), Worker("a")))

    def test_workers_of_which_only_one_can_predict_at_a_time_disturb_each_other(self):
        self.assertTrue(self.try_workers(Locking("a"), Locking("b")))

    def test_an_answer_that_is_always_another_shows_nothing(self):
        self.assertFalse(self.try_workers(Counter("a"), Counter("b")))

    def test_a_single_other_answer_shows_nothing(self):
        self.assertFalse(self.try_workers(Busy("a"), Busy("b")))

    def test_the_end_of_a_worker_is_reported(self):
        with self.assertRaises(asyncio.IncompleteReadError):
            self.try_workers(Worker("a"), Ended("b"))


if __name__ == "__main__":
    unittest.main()
