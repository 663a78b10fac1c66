"""The front's handle on one worker: its socket, which carries one request at a time."""

from __future__ import annotations

import asyncio
import socket
from typing import Callable

from ..protocol.wire import ALONE, ANSWER, HELLO, REQUEST, WAITING, WORKING


class WorkerHandle:
    """`lost` is the reason why the worker must not be used any more, or "". `on_end` is called when it has ended.

    With `is_alone`, it predicts only while no other worker does.
    """

    def __init__(self, on_end: Callable[[WorkerHandle], None]) -> None:
        self.on_end = on_end
        self.pid = 0
        self.lost = ""
        self.is_alone = False
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def connect(self, ours: socket.socket) -> None:
        """Waits until the worker takes requests. Raises IncompleteReadError or OSError when it has ended.

        `ours` is the front's end of the socket.
        """
        loop = asyncio.get_running_loop()
        self.reader = asyncio.StreamReader(loop=loop)
        protocol = WorkerProtocol(self.reader, lambda: self.on_end(self))
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        (self.pid,) = HELLO.unpack(await self.reader.readexactly(HELLO.size))

    async def predict(
        self, kind: int, request_id: bytes, body: bytes, on_wait: Callable[[bool], object] = lambda is_waiting: None
    ) -> tuple[int, bytes]:
        """Returns HTTP status and body of the answer. Raises IncompleteReadError or OSError when the worker ended.

        Calls `on_wait` when the prediction begins to wait for those of other workers, and when it continues.
        """
        kind |= ALONE if self.is_alone else 0
        self.writer.writelines((REQUEST.pack(kind, len(request_id), len(body)), request_id, body))
        status, length = ANSWER.unpack(await self.reader.readexactly(ANSWER.size))
        while status in (WAITING, WORKING):
            on_wait(status == WAITING)
            status, length = ANSWER.unpack(await self.reader.readexactly(ANSWER.size))
        return status, await self.reader.readexactly(length)

    @property
    def has_ended(self) -> bool:
        """Says whether the worker has ended while it was idle."""
        return self.reader.at_eof()

    def close(self) -> None:
        """Closes the socket. A pending `predict` raises IncompleteReadError."""
        if self.writer is not None:
            self.writer.transport.abort()


class WorkerProtocol(asyncio.StreamReaderProtocol):
    """Reports the end of the stream at once, not at the next read, because a dead worker must not count as ready."""

    def __init__(self, reader: asyncio.StreamReader, on_end: Callable[[], None]) -> None:
        super().__init__(reader)
        self.on_end = on_end

    def eof_received(self) -> bool:
        super().eof_received()
        asyncio.get_running_loop().call_soon(self.on_end)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.on_end()
