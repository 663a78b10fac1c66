"""Workers that have loaded the model themselves, with or without numbers that were drawn when it was loaded."""

from __future__ import annotations

import asyncio
import itertools
import json
import unittest

from davit_server.pool.compare_workers import do_workers_differ


class Worker:
    """Answers the example with one number after the other, the last one again and again; None stands for a failure."""

    def __init__(self, *numbers: float | None) -> None:
        self.numbers = itertools.chain(numbers, itertools.repeat(numbers[-1]))

    async def predict(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        number = next(self.numbers)
        return (500, b"{}") if number is None else (200, json.dumps({"predictions": [number]}).encode())


class Comparing(unittest.TestCase):
    def compare(self, *workers):
        return asyncio.run(do_workers_differ(list(workers)))

    def test_workers_that_answer_alike_do_not_differ(self):
        self.assertFalse(self.compare(Worker(0.5), Worker(0.5), Worker(0.5)))
        self.assertFalse(self.compare(Worker(0.1 + 0.2), Worker(0.3)))  # a library may round differently

    def test_workers_that_each_answer_always_the_same_differ(self):
        self.assertTrue(self.compare(Worker(0.5), Worker(0.5), Worker(0.25)))

    def test_workers_that_draw_numbers_in_predictions_do_not_differ(self):
        self.assertFalse(self.compare(Worker(0.1, 0.2), Worker(0.3, 0.4)))
        self.assertFalse(self.compare(Worker(0.0), Worker(1.0, 1.0, 0.0)))

    def test_workers_that_number_their_answers_do_not_differ(self):
        self.assertFalse(self.compare(Worker(1e12, 1e12 + 1), Worker(2e12, 2e12 + 1)))

    def test_a_worker_that_fails_shows_nothing(self):
        self.assertFalse(self.compare(Worker(0.5), Worker(None)))
        self.assertFalse(self.compare(Worker(None), Worker(None)))
        self.assertTrue(self.compare(Worker(None), Worker(0.5), Worker(0.25)))


if __name__ == "__main__":
    unittest.main()
