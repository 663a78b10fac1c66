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

from ..pool.loaded_model import DIED, TIME_LIMIT, WAIT_LIMIT
from ..pool.worker_pool import WorkerLost, WorkerPool
from ..pool.worker_queue import ClientDisconnected, QueueFull
from ..protocol.wire import EXAMPLE, KINDS
from .content_type import TEXT, find_encoding_fault, parse_content_type
from .marks import MARK_HEADER, MarkVerifier
from .metrics import Metrics

READINESS = ("/ping", "/health", "/ready")
ROUTES = {
    **dict.fromkeys((*READINESS, "/live", "/version", "/metrics", "/status"), "GET"),
    "/invocations": "POST",
}
MARKED = ("/invocations", "/status")
"""What only requests with a mark get. Probes come from the kubelet and from Knative, which have none."""
JSON = b"application/json"
PROMETHEUS = b"text/plain; version=0.0.4; charset=utf-8"
REQUEST_ID_BYTES = 128
LONGEST_WAIT_SECONDS = 30
WAIT = re.compile(rb"(?:^|[,;])\s*wait\s*=\s*(\d{1,4})\s*(?=$|[,;])", re.IGNORECASE)
UNMARKED = (
    "Cannot accept the request: it has not come through the edge, which decides who may query this endpoint. "
    "Send it to the edge's address."
)
EXAMPLE_HEADER = b"x-davit-example"
"""Header that requests the answer to the model's own example; gateways remove it from the requests of clients."""


@dataclass
class Answer:
    status: int
    body: bytes = b""
    kind: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class FrontApp:
    """The ASGI app. `draining`: the server is no longer ready; `refusing`: it starts no new prediction either."""

    def __init__(self, settings: argparse.Namespace, pool: WorkerPool) -> None:
        self.settings, self.pool, self.metrics = settings, pool, Metrics()
        name = settings.served_model_name
        self.served = [(b"served-model-name", name.encode())] if name else []
        self.marks = MarkVerifier(settings.mark_key, settings.mark_for) if settings.mark_key else None
        self.is_draining = self.is_refusing = False
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()

    @property
    def is_ready(self) -> bool:
        return self.pool.is_started and self.pool.workers > 0 and not self.is_draining

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
        elif self.marks and scope["path"] in MARKED and not self.marks.accepts(headers.get(MARK_HEADER, b"")):
            await self.send(send, make_error(403, "PERMISSION_DENIED", UNMARKED), request_id)
        elif method == "GET":
            if scope["path"] in READINESS:
                await self.wait_ready(read_wait_seconds(headers))
            await self.send(send, self.answer_get(scope["path"]), request_id)
        else:
            await self.answer_invocation(headers, receive, send, request_id)

    async def send(self, send, answer: Answer, request_id: bytes, head: bool = False) -> None:
        headers = [(b"content-type", answer.kind), (b"content-length", b"%d" % len(answer.body))]
        headers += [(b"x-request-id", request_id), *answer.headers]
        if self.is_draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else answer.body})

    def answer_get(self, path: str) -> Answer:
        if path == "/metrics":
            return Answer(200, self.metrics.render(self.read_gauges(), self.pool.lost).encode(), PROMETHEUS)
        if path == "/status":
            return Answer(200, json.dumps(self.read_status()).encode())
        if path == "/version":
            version = (self.pool.description or {}).get("mlflow", "")
            return Answer(200 if version else 503, version.encode())
        good = not self.pool.is_stuck if path == "/live" else self.is_ready
        return Answer(200 if good else 503, b"\n")

    async def wait_ready(self, seconds: float) -> None:
        """Waits up to `seconds` until the server is ready or cannot become so soon: the probe need not retry."""
        if seconds and not self.is_ready and not self.is_draining:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.pool.decided.wait(), seconds)

    def drain(self) -> None:
        """Makes the server not ready from now on."""
        self.is_draining = True
        self.pool.decided.set()

    def read_status(self) -> dict:
        how = self.pool.description or {}
        mode = {name: how.get(name) for name in ("worker_mode", "rehearsed")}
        mode["found"] = how.get("found", [])
        return {**self.read_gauges(), "ready": self.is_ready, "draining": self.is_draining, **mode}

    def read_gauges(self) -> dict[str, int]:
        return {
            "ready": int(self.is_ready),
            "workers": self.pool.workers,
            "in_flight": self.in_flight,
            "queued": len(self.pool.queue.waiting),
        }

    async def answer_invocation(self, headers, receive, send, request_id: bytes) -> None:
        started = time.perf_counter()
        self.in_flight += 1
        self.idle.clear()
        try:
            answer = await self.predict(headers, receive, request_id)
            answer.headers += self.served
            self.metrics.observe(answer.status, time.perf_counter() - started)
            await self.send(send, answer, request_id)
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()

    async def predict(self, headers, receive, request_id: bytes) -> Answer:
        kind, refusal = read_request_kind(headers)
        if refusal:
            return Answer(415, refusal.encode(), TEXT)
        if self.pool.is_loading and not self.is_refusing:
            return make_error(503, "TEMPORARILY_UNAVAILABLE", "The model is loading.", retry=5)
        if self.pool.queue.is_full:  # checked before the body is read
            return make_busy_answer()
        try:
            body = await self.read_body(headers, receive)
            if body is None:
                return make_error(413, "REQUEST_TOO_LARGE", f"The body is larger than {self.settings.max_body} bytes.")
            if self.is_refusing:  # after the body: closing on unread bytes could reset the connection before the answer
                return make_error(503, "TEMPORARILY_UNAVAILABLE", "The server is shutting down.", retry=1)
            status, answer = await self.pool.predict(kind, request_id, body, receive)
            return Answer(status, answer)
        except QueueFull:
            return make_busy_answer()
        except ClientDisconnected:
            return make_error(499, "CANCELLED", "The client disconnected.")
        except WorkerLost as lost:
            return self.describe_loss(lost.why)

    async def read_body(self, headers, receive) -> bytes | None:
        """Returns the whole body, or None when it exceeds `max_body` bytes. Raises ClientDisconnected."""
        if int(headers.get(b"content-length", b"0")) > self.settings.max_body:
            return None
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > self.settings.max_body:
                return None
        return b"".join(parts)

    def describe_loss(self, why: str) -> Answer:
        if why == TIME_LIMIT:
            limit = f"{self.settings.time_limit:g} s"
            return make_error(504, "DEADLINE_EXCEEDED", f"The model took longer than {limit} and was stopped.")
        if why == WAIT_LIMIT:
            limit = f"{self.pool.wait_seconds:g} s"
            message = f"The request waited longer than {limit} for others that write the same file, and was stopped."
            return make_error(504, "DEADLINE_EXCEEDED", message)
        if why == DIED:
            return make_error(502, "MODEL_PROCESS_DIED", "The process running the model died on this request.")
        # No Retry-After: the model may have begun, and a client that reads the header sends the same request again.
        return make_error(503, "TEMPORARILY_UNAVAILABLE", "The server ended before the model answered.")


def read_request_kind(headers: dict[bytes, bytes]) -> tuple[int, str]:
    """Returns the index in KINDS and "", or any index and the reason for a 415. EXAMPLE_HEADER overrides the body."""
    if headers.get(EXAMPLE_HEADER):
        return KINDS.index(EXAMPLE), ""
    fault = find_encoding_fault(headers.get(b"content-encoding", b"").decode("latin-1"))
    return (0, fault) if fault else parse_content_type(headers.get(b"content-type", b"").decode("latin-1"))


def read_wait_seconds(headers: dict[bytes, bytes]) -> float:
    """Returns the seconds of `Prefer: wait=5` (RFC 7240), at most LONGEST_WAIT_SECONDS; 0 without a valid header."""
    found = WAIT.search(headers.get(b"prefer", b""))
    return min(int(found[1]), LONGEST_WAIT_SECONDS) if found else 0


def make_busy_answer() -> Answer:
    return make_error(429, "RESOURCE_EXHAUSTED", "All workers are busy and the queue is full.", retry=1)


def make_error(status: int, code: str, message: str, retry: int | None = None) -> Answer:
    """Returns an error in MLflow's JSON form; `retry` is the Retry-After in seconds."""
    headers = [] if retry is None else [(b"retry-after", b"%d" % retry)]
    return Answer(status, json.dumps({"error_code": code, "message": message}).encode(), headers=headers)
