"""Gives a sandboxed program the few services that it may reach, though it has no network. Standard library only.

relay.py start SPEC COMMAND…    listens in the sandbox's own network, starts the relay, and becomes the command
relay.py serve FOLDER FD:INDEX… relays what is accepted from the descriptors

Runs as the first program of a sandbox, with the capabilities to listen on ports below 1024 and to add addresses to the
loopback interface. Neither the relay nor the command keeps them: SPEC names the program that drops them. Each service
has a Unix socket in FOLDER, behind which Davit connects to that service and to no other, so nothing here is trusted.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time

SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891C
ONE_ADDRESS = b"\xff\xff\xff\xff"
ADDRESS_SECONDS = 1.0
"""An IPv6 address is usable a moment after it was added."""
CONNECTED = b"\x01"
"""What the Unix socket sends once the service is connected."""
BLOCK = 1 << 16
STACK_BYTES = 256 << 10


def start(spec, command):
    listeners = []
    for index, service in enumerate(spec["services"]):
        for address in service["addresses"]:
            listener = listen(address, service["port"], number=len(listeners) + 1)
            if listener is not None:
                listeners.append((listener, index))
    start_relay(spec, listeners)
    os.environ.pop("LC_CTYPE", None)  # Python sets it where there is no locale
    os.execvp(command[0], command)


def start_relay(spec, listeners):
    """Starts the relay as a child of the sandbox's first process, so that it is no child of the command."""
    between = os.fork()
    if between > 0:
        os.waitpid(between, 0)
        return
    if os.fork() > 0:
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for listener, _ in listeners:
        listener.set_inheritable(True)
    descriptors = [f"{listener.fileno()}:{index}" for listener, index in listeners]
    program = [sys.executable, "-I", "-S", "-B", os.path.abspath(__file__), "serve", spec["folder"]]
    serving = [*spec["drop"], *program, *descriptors]
    os.execvp(serving[0], serving)


def listen(address, port, number):
    """Listens on an address and adds it where it is missing. Returns None where the machine cannot have it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            add_address(family, address, number)
            bind_soon(listener, address, port)
        listener.listen(128)
        return listener
    except OSError:
        return None


def add_address(family, address, number):
    packed = socket.inet_pton(family, address)
    with socket.socket(family, socket.SOCK_DGRAM) as control:
        if family == socket.AF_INET6:
            fcntl.ioctl(control, SIOCSIFADDR, packed + struct.pack("Ii", 128, socket.if_nametoindex("lo")))
            return
        for request, value in ((SIOCSIFADDR, packed), (SIOCSIFNETMASK, ONE_ADDRESS)):
            fcntl.ioctl(control, request, struct.pack("16sHH4s8x", b"lo:%d" % number, family, 0, value))


def bind_soon(listener, address, port):
    until = time.monotonic() + ADDRESS_SECONDS
    while True:
        try:
            return listener.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > until:
                raise
        time.sleep(0.02)


def serve(folder, descriptors):
    threading.stack_size(STACK_BYTES)
    threads = []
    for text in descriptors:
        number, _, index = text.partition(":")
        listener = socket.socket(fileno=int(number))
        path = os.path.join(folder, index)
        threads.append(threading.Thread(target=accept_all, args=(listener, path)))
    for thread in threads:
        thread.start()


def accept_all(listener, path):
    while True:
        try:
            client, _ = listener.accept()
            threading.Thread(target=relay, args=(client, path), daemon=True).start()
        except (OSError, RuntimeError):  # too many descriptors or threads
            time.sleep(0.1)


def relay(client, path):
    with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
        try:
            service.connect(path)
            connected = service.recv(1) == CONNECTED
        except OSError:
            connected = False
        if not connected:  # a reset, so that no client waits or reads an empty answer
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        back = threading.Thread(target=pump, args=(service, client), daemon=True)
        back.start()
        pump(client, service)
        back.join()


def pump(source, sink):
    """Copies until the end, which it passes on, or until one of the two fails, which ends both."""
    try:
        while True:
            block = source.recv(BLOCK)
            if not block:
                break
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(json.loads(sys.argv[2]), sys.argv[3:])
    serve(sys.argv[2], sys.argv[3:])
