"""The HTTP side, as a plain ASGI app: routes, bodies, refusals. /invocations and its errors follow MLflow's server."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import time
import uuid
from dataclasses import dataclass, field

from ..pool.loaded_model import DIED, TIME_LIMIT
from ..pool.worker_pool import LostWorker, Pool
from ..pool.worker_queue import Full, Gone
from ..protocol.wire import EXAMPLE, KINDS
from .content_type import TEXT, content_kind
from .metrics import Metrics

READINESS = ("/ping", "/health", "/ready")
ROUTES = {
    **dict.fromkeys((*READINESS, "/live", "/version", "/metrics", "/status"), "GET"),
    "/invocations": "POST",
}
JSON = b"application/json"
PROMETHEUS = b"text/plain; version=0.0.4; charset=utf-8"
REQUEST_ID_BYTES = 128
LONGEST_WAIT_SECONDS = 30
WAIT = re.compile(rb"(?:^|[,;])\s*wait\s*=\s*(\d{1,4})\s*(?=$|[,;])", re.IGNORECASE)
EXAMPLE_HEADER = b"x-davit-example"
"""Header that requests the answer to the model's own example; gateways remove it from the requests of clients."""


@dataclass
class Answer:
    status: int
    body: bytes = b""
    kind: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class Front:
    """The ASGI app. `draining`: the server is no longer ready; `refusing`: it starts no new prediction either."""

    def __init__(self, settings: argparse.Namespace, pool: Pool) -> None:
        self.settings, self.pool, self.metrics = settings, pool, Metrics()
        name = settings.served_model_name
        self.served = [(b"served-model-name", name.encode())] if name else []
        self.draining = self.refusing = False
        self.in_flight = 0
        self.quiet = asyncio.Event()
        self.quiet.set()

    @property
    def ready(self) -> bool:
        return self.pool.started and self.pool.workers > 0 and not self.draining

    async def __call__(self, scope, receive, send) -> None:
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"")[:REQUEST_ID_BYTES] or uuid.uuid4().hex.encode()
        method = ROUTES.get(scope["path"])
        if method is None:
            await self.send(send, Answer(404, b'{"detail":"Not Found"}'), request_id)
        elif scope["method"] != method:
            headers = [(b"allow", method.encode())]
            answer = Answer(405, b'{"detail":"Method Not Allowed"}', headers=headers)
            await self.send(send, answer, request_id, head=scope["method"] == "HEAD")
        elif method == "GET":
            if scope["path"] in READINESS:
                await self.wait_ready(waiting_seconds(headers))
            await self.send(send, self.look(scope["path"]), request_id)
        else:
            await self.invoke(headers, receive, send, request_id)

    async def send(self, send, answer: Answer, request_id: bytes, head: bool = False) -> None:
        headers = [(b"content-type", answer.kind), (b"content-length", b"%d" % len(answer.body))]
        headers += [(b"x-request-id", request_id), *answer.headers]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else answer.body})

    def look(self, path: str) -> Answer:
        if path == "/metrics":
            return Answer(200, self.metrics.render(self.gauges(), self.pool.lost).encode(), PROMETHEUS)
        if path == "/status":
            return Answer(200, json.dumps(self.status()).encode())
        if path == "/version":
            version = (self.pool.description or {}).get("mlflow", "")
            return Answer(200 if version else 503, version.encode())
        good = not self.pool.stuck if path == "/live" else self.ready
        return Answer(200 if good else 503, b"\n")

    async def wait_ready(self, seconds: float) -> None:
        """Waits up to `seconds` until the server is ready or cannot become so soon: the probe need not retry."""
        if seconds and not self.ready and not self.draining:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.pool.decided.wait(), seconds)

    def drain(self) -> None:
        """Makes the server not ready from now on."""
        self.draining = True
        self.pool.decided.set()

    def status(self) -> dict:
        how = self.pool.description or {}
        mode = {"worker_mode": how.get("worker_mode"), "found": how.get("found", [])}
        return {**self.gauges(), "ready": self.ready, "draining": self.draining, **mode}

    def gauges(self) -> dict[str, int]:
        return {
            "ready": int(self.ready),
            "workers": self.pool.workers,
            "in_flight": self.in_flight,
            "queued": len(self.pool.places.queue),
        }

    async def invoke(self, headers, receive, send, request_id: bytes) -> None:
        started = time.perf_counter()
        self.in_flight += 1
        self.quiet.clear()
        try:
            answer = await self.predict(headers, receive, request_id)
            answer.headers += self.served
            self.metrics.observe(answer.status, time.perf_counter() - started)
            await self.send(send, answer, request_id)
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.quiet.set()

    async def predict(self, headers, receive, request_id: bytes) -> Answer:
        kind, refusal = request_kind(headers)
        if refusal:
            return Answer(415, refusal.encode(), TEXT)
        if self.pool.loading and not self.refusing:
            return error(503, "TEMPORARILY_UNAVAILABLE", "The model is loading.", retry=5)
        if self.pool.places.full:  # checked before the body is read
            return busy()
        try:
            body = await self.read_body(headers, receive)
            if body is None:
                return error(413, "REQUEST_TOO_LARGE", f"The body is larger than {self.settings.max_body} bytes.")
            if self.refusing:  # after the body: closing on unread bytes could reset the connection before the answer
                return error(503, "TEMPORARILY_UNAVAILABLE", "The server is ending.", retry=1)
            status, answer = await self.pool.ask(kind, request_id, body, receive)
            return Answer(status, answer)
        except Full:
            return busy()
        except Gone:
            return error(499, "CANCELLED", "The client went away.")
        except LostWorker as lost:
            return self.lost(lost.why)

    async def read_body(self, headers, receive) -> bytes | None:
        """Returns the whole body, or None when it exceeds `max_body` bytes. Raises Gone when the client leaves."""
        if int(headers.get(b"content-length", b"0")) > self.settings.max_body:
            return None
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > self.settings.max_body:
                return None
        return b"".join(parts)

    def lost(self, why: str) -> Answer:
        if why == TIME_LIMIT:
            limit = f"{self.settings.time_limit:g} s"
            return error(504, "DEADLINE_EXCEEDED", f"The model took longer than {limit} and was stopped.")
        if why == DIED:
            return error(502, "MODEL_PROCESS_DIED", "The process running the model died on this request.")
        # No Retry-After: the model may have begun, and a client that reads the header sends the same request again.
        return error(503, "TEMPORARILY_UNAVAILABLE", "The server ended before the model answered.")


def request_kind(headers: dict[bytes, bytes]) -> tuple[int, str]:
    """Returns the index in KINDS and "", or any index and the reason for a 415. EXAMPLE_HEADER overrides the body."""
    if headers.get(EXAMPLE_HEADER):
        return KINDS.index(EXAMPLE), ""
    return content_kind(headers.get(b"content-type", b"").decode("latin-1"))


def waiting_seconds(headers: dict[bytes, bytes]) -> float:
    """Returns the seconds of `Prefer: wait=5` (RFC 7240), at most LONGEST_WAIT_SECONDS; 0 without a valid header."""
    found = WAIT.search(headers.get(b"prefer", b""))
    return min(int(found[1]), LONGEST_WAIT_SECONDS) if found else 0


def busy() -> Answer:
    return error(429, "RESOURCE_EXHAUSTED", "All workers are busy and the queue is full.", retry=1)


def error(status: int, code: str, message: str, retry: int | None = None) -> Answer:
    """Returns an error in MLflow's JSON form; `retry` is the Retry-After in seconds."""
    headers = [] if retry is None else [(b"retry-after", b"%d" % retry)]
    return Answer(status, json.dumps({"error_code": code, "message": message}).encode(), headers=headers)
