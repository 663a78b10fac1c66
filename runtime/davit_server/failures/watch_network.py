"""Notes which services a model asks for, from Python's audit events. A library in C that asks itself is not seen."""

from __future__ import annotations

import re
import socket
import sys

HOSTS = "/etc/hosts"
OWN_NAMES = ("", "localhost", "0.0.0.0", "::", "::1")
SERVICES = "127.8."
"""The addresses of this network that mean services which the sandbox may reach (sandbox/network/relay.ts)."""
HOST = re.compile(r"[a-z0-9][a-z0-9._-]{0,252}|[0-9a-f:]{2,45}")
MOST_ADDRESSES = 20


class NetworkWatch:
    """The services that were asked for. `start` is for programs that run a model once: it cannot be undone."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}  # from host:port, or a host alone, to the host
        self.services = False  # whether a service was asked for that the sandbox may reach

    def start(self) -> None:
        sys.addaudithook(self.note)

    def note(self, event: str, arguments: tuple) -> None:
        """Notes one audit event. Never raises, because that would stop what the model does."""
        if event == "socket.getaddrinfo":
            self.add(arguments[0], arguments[1])
        elif event == "socket.gethostbyname":
            self.add(arguments[0], None)
        elif event == "socket.connect" and arguments[0].type == socket.SOCK_STREAM:
            address = arguments[1]
            if isinstance(address, tuple) and len(address) >= 2:
                self.add(*address[:2])

    def add(self, host: object, port: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
        if type(name) is not str:
            return
        name = name.lower().rstrip(".")
        if name.startswith(SERVICES):
            self.services = True
        if is_own(name) or not HOST.fullmatch(name) or len(self.asked) >= MOST_ADDRESSES:
            return
        shown = f"[{name}]" if ":" in name else name
        number = port if type(port) is int else int(port) if type(port) is str and re.fullmatch(r"\d{1,5}", port) else 0
        self.asked[f"{shown}:{number}" if number > 0 else name] = name

    def list_asked(self) -> list[str]:
        """Returns the services that were asked for, without a host alone that is also there with a port."""
        ported = {host for address, host in self.asked.items() if address != host}
        return [address for address, host in self.asked.items() if address != host or host not in ported]

    def list_unreachable(self) -> set[str]:
        """Returns the hosts that were asked for, without those that the sandbox has an address for."""
        return set(self.asked.values()) - read_hosts()


def is_own(host: str) -> bool:
    return host in OWN_NAMES or host.startswith("127.") or host == socket.gethostname().lower()


def read_hosts() -> set[str]:
    try:
        with open(HOSTS, encoding="utf-8") as file:
            return {name.lower() for line in file for name in line.partition("#")[0].split()[1:]}
    except (OSError, ValueError):
        return set()


NETWORK = NetworkWatch()
"""That of this process."""
