"""The front's handle on one worker: its socket, and one request at a time over it."""

from __future__ import annotations

import asyncio
import json
import socket

from .wire import ANSWER, HELLO, REQUEST


class WorkerHandle:
    """`lost` says why the worker must not be used any more; empty while it is good."""

    def __init__(self) -> None:
        self.pid = 0
        self.lost = ""
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def greet(self, ours: socket.socket) -> dict | None:
        """Waits until the worker can take requests. The answer is what failed in its rehearsal, or None."""
        self.reader, self.writer = await asyncio.open_connection(sock=ours)
        (self.pid,) = HELLO.unpack(await self.reader.readexactly(HELLO.size))
        _, failure = await self.read_answer()
        return json.loads(failure) if failure else None

    async def ask(self, kind: int, request_id: bytes, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. IncompleteReadError or OSError: the worker is gone."""
        self.writer.writelines((REQUEST.pack(kind, len(request_id), len(body)), request_id, body))
        return await self.read_answer()

    async def read_answer(self) -> tuple[int, bytes]:
        status, length = ANSWER.unpack(await self.reader.readexactly(ANSWER.size))
        return status, await self.reader.readexactly(length)

    @property
    def gone(self) -> bool:
        """Dead while it was idle."""
        return self.reader.at_eof()

    def close(self) -> None:
        """Whoever waits for an answer gets an IncompleteReadError."""
        if self.writer is not None:
            self.writer.transport.abort()
