"""A server on this machine for models that keep a connection. Prints its port, and ends when its standard input ends.

Answers each line with one line: "double 4" with "8.0". "set NAME 4" and "get NAME" write and read a value.
"""

from __future__ import annotations

import socketserver
import sys
import threading

VALUES: dict[str, str] = {}


class Lines(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(f"{answer(line.decode().split())}\n".encode())


def answer(words: list[str]) -> str:
    if words[:1] == ["double"]:
        return str(2.0 * float(words[1]))
    if words[:1] == ["set"]:
        VALUES[words[1]] = words[2]
        return "set"
    return VALUES[words[1]]


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Lines) as server:
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
