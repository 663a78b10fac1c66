"""Sends sockets over a socket: `socket.send_fds` and `recv_fds`, which Python 3.8 lacks."""

from __future__ import annotations

import array
import socket

Socket = socket.socket
"""Read before the model is loaded, because a model that must not use the network may replace the class."""


def send_with_sockets(connection: socket.socket, message: bytes, descriptors: list[int]) -> None:
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([message], ancillary)


def receive_with_socket(connection: socket.socket, size: int) -> tuple[bytes, socket.socket | None]:
    """Returns a message of up to `size` bytes, empty at the connection's end, and the socket sent with it, if any."""
    one = array.array("i", [0])
    message, ancillary, _, _ = connection.recvmsg(size, socket.CMSG_SPACE(one.itemsize))
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            one.frombytes(data[: one.itemsize])
            return message, Socket(fileno=one[-1])
    return message, None
