"""Workers that have loaded the model themselves, with or without numbers that were drawn when it was loaded."""

from __future__ import annotations

import asyncio
import itertools
import json
import unittest

from davit_server.pool.compare_workers import find_only_worker


class Worker:
    """Answers the example with one number after the other, the last one again and again; None stands for a failure."""

    def __init__(self, *numbers: float | None) -> None:
        self.numbers = itertools.chain(numbers, itertools.repeat(numbers[-1]))

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        number = next(self.numbers)
        return (500, b"{}") if number is None else (200, json.dumps({"predictions": [number]}).encode())


class Nested(Worker):
    """Answers with a list in a list in a list, and so on."""

    def __init__(self, depth: int, number: int) -> None:
        self.answer = b"[" * depth + b"%d" % number + b"]" * depth

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        return 200, self.answer


class Comparing(unittest.TestCase):
    def compare(self, *workers):
        return asyncio.run(find_only_worker(list(workers)))

    def test_workers_that_answer_alike_do_not_differ(self):
        self.assertIsNone(self.compare(Worker(0.5), Worker(0.5), Worker(0.5)))
        self.assertIsNone(self.compare(Worker(0.1 + 0.2), Worker(0.3)))  # a library may round differently

    def test_workers_that_each_answer_always_the_same_differ(self):
        first = Worker(0.5)
        self.assertIs(self.compare(first, Worker(0.5), Worker(0.25)), first)

    def test_workers_that_draw_numbers_in_predictions_do_not_differ(self):
        self.assertIsNone(self.compare(Worker(0.1, 0.2), Worker(0.3, 0.4)))
        self.assertIsNone(self.compare(Worker(0.0), Worker(1.0, 1.0, 0.0)))

    def test_workers_that_number_their_answers_do_not_differ(self):
        self.assertIsNone(self.compare(Worker(1e12, 1e12 + 1), Worker(2e12, 2e12 + 1)))

    def test_answers_that_are_nested_deeply_are_compared_as_text(self):
        for depth in (600, 100_000):
            numbers = [Nested(depth, 1), Nested(depth, 2)]
            self.assertIs(self.compare(*numbers), numbers[0])
            self.assertIsNone(self.compare(Nested(depth, 1), Nested(depth, 1)))

    def test_a_worker_that_fails_shows_nothing(self):
        self.assertIsNone(self.compare(Worker(0.5), Worker(None)))
        self.assertIsNone(self.compare(Worker(None), Worker(None)))
        second = Worker(0.5)
        self.assertIs(self.compare(Worker(None), second, Worker(0.25)), second)  # and is not the one that stays


if __name__ == "__main__":
    unittest.main()
