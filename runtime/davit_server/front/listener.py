"""Opens the listening socket: a TCP port or a socket file."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket


def open_listener(settings: argparse.Namespace) -> socket.socket:
    """Returns a socket that is bound and not yet listening. Raises OSError when the address is taken or forbidden."""
    if settings.uds:
        return open_socket_file(settings.uds)
    family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    return listener


def open_socket_file(path: str) -> socket.socket:
    """Binds a socket file that only this user may open, and replaces one that a killed server left behind.

    Raises OSError when another server listens on it.
    """
    with contextlib.suppress(FileNotFoundError), socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
            raise OSError(f"{path} is in use by another server")
        except ConnectionRefusedError:
            os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    return listener


def read_address(listener: socket.socket) -> dict[str, object]:
    """Returns `{"uds": path}` or `{"host", "port"}`, for the log."""
    name = listener.getsockname()
    return {"uds": name} if isinstance(name, str) else {"host": name[0], "port": name[1]}
