"""One server, from the open socket to the exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import time

from .drain import Drain
from .front import Front
from .listener import address_of, open_listener
from .log import log
from .pool import Pool

MESSAGE_BYTES = 1700


def run(settings: argparse.Namespace) -> int:
    """The exit code: 0 after a clean drain, 1 when the model did not start or a request was cut."""
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
    try:
        listener = open_listener(settings)
    except OSError as error:
        log("failed", stage="bind", message=f"Cannot listen: {error}", cause=type(error).__name__)
        return 1
    address, failures, end = address_of(listener), [], asyncio.Event()

    def say_ready(loaded: dict) -> None:
        seconds = {**loaded["seconds"], "total": round(time.perf_counter() - started, 3)}
        log(
            **{
                **loaded,
                **address,
                "event": "ready",
                "seconds": seconds,
                "pid": os.getpid(),
                "workers": settings.workers,
            }
        )

    def say_failed(failure: dict) -> None:
        failures.append(failure)
        end.set()

    pool = Pool(settings, say_ready, say_failed)
    front = Front(settings, pool)
    Drain(settings, front, pool, end.set).listen()
    await pool.start()
    from .http_server import HttpServer  # a quarter of a second, in which the model is being loaded already

    await HttpServer(front, settings, end).serve(sockets=[listener])
    pool.stop()
    await pool.loader.gone()
    if settings.uds:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(settings.uds)
    return say_end(pool, failures)


def fitting(message: str) -> str:
    """So much of a message that its line is whole in the 2048 bytes that Kubernetes keeps of a log's end."""
    while len(json.dumps(message)) > MESSAGE_BYTES:
        message = message[: len(message) * 3 // 4] + "…"
    return message


def say_end(pool: Pool, failures: list[dict]) -> int:
    if failures:
        log(**{**failures[0], "event": "failed", "message": fitting(failures[0]["message"])})
        return 1
    log("stopped", cut=pool.cut)
    return 1 if pool.cut else 0
