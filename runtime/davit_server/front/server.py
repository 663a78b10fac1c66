"""Runs one server, from opening the socket to the exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import time
from pathlib import Path

from ..pool.worker_pool import WorkerPool
from ..protocol.log import add_event_descriptor, log
from ..protocol.wire import ONE
from .app import FrontApp
from .drain import Drain
from .listener import open_listener, read_address

MESSAGE_BYTES = 1700


def run(settings: argparse.Namespace) -> int:
    """Returns the exit code: 0 after a complete drain, 1 when the model failed or a request was cut off."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(serve(settings))
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(serve(settings))
    finally:
        loop.close()


async def serve(settings: argparse.Namespace) -> int:
    started = time.perf_counter()
    add_event_descriptor(settings.events_fd)
    try:
        listener = open_listener(settings)
    except OSError as error:
        failure = {"stage": "bind", "message": f"Cannot listen: {error}", "cause": type(error).__name__}
        return log_end(0, [failure], settings.failure_file)
    address, failures, end = read_address(listener), [], asyncio.Event()

    def log_ready(loaded: dict) -> None:
        seconds = {**loaded["seconds"], "total": round(time.perf_counter() - started, 3)}
        log(
            **{
                **loaded,
                **address,
                "event": "ready",
                "seconds": seconds,
                "pid": os.getpid(),
                "workers": 1 if loaded["worker_mode"] == ONE else settings.workers,
                "longest_wait": pool.longest_wait_seconds,
            }
        )

    def record_failure(failure: dict) -> None:
        failures.append(failure)
        end.set()

    pool = WorkerPool(settings, log_ready, record_failure)
    front = FrontApp(settings, pool)
    Drain(settings, front, pool, end.set).install_handlers()
    await pool.start()
    from .http_server import HttpServer  # the import takes 0.25 s, during which the model already loads

    await HttpServer(front, settings, end).serve(sockets=[listener])
    pool.stop()
    await pool.wait_ended()
    if settings.uds:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(settings.uds)
    return log_end(pool.cut, failures, settings.failure_file)


def shorten_message(message: str) -> str:
    """Shortens a message so that its line fits into the 2048 bytes that Kubernetes keeps of the end of a log."""
    while len(json.dumps(message)) > MESSAGE_BYTES:
        message = message[: len(message) * 3 // 4] + "…"
    return message


def log_end(cut: int, failures: list[dict], failure_file: str | None) -> int:
    if failures:
        failed = {**failures[0], "event": "failed", "message": shorten_message(failures[0]["message"])}
        log(**failed)
        if failure_file:
            with contextlib.suppress(OSError):  # the log has the event too
                Path(failure_file).write_text(json.dumps(failed))
        return 1
    log("stopped", cut=cut)
    return 1 if cut else 0
