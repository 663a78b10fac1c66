"""The loop of one worker: it answers one request after the other until the front closes the socket."""

from __future__ import annotations

import contextlib
import os
import socket

from ..files.own_folder import restore_folder
from ..files.write_locks import EVERYTHING, Deadlock, WriteLocks
from ..processes.threads import set_thread_limit
from ..protocol.wire import ALONE, ANSWER, EXAMPLE, HELLO, KINDS, REQUEST, TRIAL, WAITING, WORKING
from .answer_example import answer_example
from .answer_trial import answer_trial
from .wait_notices import WaitNotices


def answer_requests(connection: socket.socket, scorer, options: dict, locks: WriteLocks, folder: str) -> None:
    """Says hello, then answers. Raises EOFError at the end of the connection. `folder` is this process's own."""
    connection.setblocking(True)
    set_thread_limit(options["threads"])
    notices = WaitNotices(lambda waits: connection.sendall(ANSWER.pack(WAITING if waits else WORKING, 0)))
    locks.names.on_wait = notices.report
    locks.begin_answering(folder)
    connection.sendall(HELLO.pack(os.getpid()))
    while True:
        kind, id_length, length = REQUEST.unpack(receive_exactly(connection, REQUEST.size))
        request_id = receive_exactly(connection, id_length).decode("latin-1")
        body = receive_exactly(connection, length)
        restore_folder(folder)
        files, kind = [*options["fixed_files"], *([EVERYTHING] if kind & ALONE else [])], KINDS[kind & ~ALONE]
        locks.has_deadlock = True
        while locks.has_deadlock:
            with contextlib.suppress(Deadlock), notices.allow(), locks.hold(files):
                status, answer = predict(scorer, options, kind, body, request_id)
        connection.sendall(ANSWER.pack(status, len(answer)) + answer)


def predict(scorer, options: dict, kind: str, body: bytes, request_id: str) -> tuple[int, bytes]:
    """Returns HTTP status and body of the answer to one request of the front."""
    if kind == EXAMPLE:
        return answer_example(scorer, options, request_id)
    if kind == TRIAL:
        return answer_trial(scorer, int(body))
    return scorer.answer(kind, body, request_id)


def receive_exactly(connection: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError("the front has closed the connection")
        view = view[got:]
    return bytes(buffer)
