"""Notices that a model connects to something outside of its process. Python 3.8, standard library only."""

from __future__ import annotations

import sys

CONNECTING = ("socket.connect", "subprocess.Popen")


class ConnectionWatch:
    """Watches from now on until `stop`. An audit hook cannot be removed, so it is switched off instead."""

    def __init__(self) -> None:
        self.has_connected, self.is_watching = False, True
        sys.addaudithook(self.handle_audit_event)

    def handle_audit_event(self, event: str, arguments: tuple) -> None:
        if self.is_watching and event in CONNECTING:
            self.has_connected = True

    def stop(self) -> bool:
        """Says whether the model has connected to a server or has started a program."""
        self.is_watching = False
        return self.has_connected
