"""Sends requests from several clients at once and compares every answer with MLflow's.

python ask.py PORT REQUESTS CLIENTS SECONDS ANSWERS prints {"asked", "wrong", "failed", "first", "seconds"}: the number
of requests, of answers that differ from MLflow's and of requests without an answer of status 200, a sentence for each
of the first three wrong answers and failed requests, and the time. ANSWERS is the file of MLflow's answers, or
"distinct" if all values must differ. The run ends when no answer has arrived for SECONDS; requests that were not sent
count as failed.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from questions import make_body

SHOWN = 3


class Run:
    def __init__(self, port: int, count: int, limit: float) -> None:
        self.port, self.limit, self.end = port, limit, time.monotonic() + limit
        self.numbers = iter(range(count))
        self.lock = threading.Lock()
        self.answers: list[tuple[int, bytes] | None] = [None] * count

    def ask(self) -> None:
        """Runs one client, which sends one request at a time over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while time.monotonic() < self.end:
            with self.lock:
                number = next(self.numbers, None)
            if number is None:
                return
            try:
                connection.request("POST", "/invocations", make_body(number), {"content-type": "application/json"})
                response = connection.getresponse()
                self.answers[number] = (response.status, response.read())
                self.end = time.monotonic() + self.limit
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.answers[number] = (0, repr(error).encode())


def compare(answers: list[tuple[int, bytes] | None], expected: list | None) -> dict:
    wrong, failed, first = 0, 0, []
    values: Counter[float] = Counter()
    for number, answer in enumerate(answers):
        sentence = None
        if answer is None or answer[0] != 200:
            failed += 1
            said = f"failed: {answer[0]} {answer[1][:200].decode()}" if answer else "was not sent"
            sentence = f"request {number} {said}"
        else:
            predictions = json.loads(answer[1])["predictions"]
            values.update(predictions if expected is None else ())
            right = max(values[v] for v in predictions) == 1 if expected is None else predictions == expected[number]
            wrong += not right
            told = "values of their own" if expected is None else json.dumps(expected[number])
            sentence = None if right else f"request {number}: {json.dumps(predictions)}, expected {told}"
        if sentence and len(first) < SHOWN:
            first.append(sentence)
    return {"asked": len(answers), "wrong": wrong, "failed": failed, "first": first}


def main(port: int, count: int, clients: int, limit: float, answers: str) -> None:
    run = Run(port, count, limit)
    threads = [threading.Thread(target=run.ask) for _ in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = round(time.monotonic() - started, 3)
    expected = None if answers == "distinct" else json.loads(Path(answers).read_text())
    print(json.dumps({**compare(run.answers, expected), "seconds": seconds}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
