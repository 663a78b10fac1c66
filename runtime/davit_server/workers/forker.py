"""Forks, reaps and kills shared workers in their loading process, after loading, until the front ends."""

from __future__ import annotations

import os
import signal
import socket
import traceback

from ..files.own_folder import remove_folder
from ..files.write_locks import WriteLocks
from ..processes.become_worker import become_worker, kill_worker
from ..processes.exit_code import read_exit_code
from ..processes.pass_sockets import receive_with_socket
from ..processes.process_tree import end_group
from ..processes.wait_readable import wait_readable
from ..protocol.send_event import send_event
from ..protocol.wire import COMMAND, FORK, KILL
from .answer_requests import answer_requests


class Forker:
    """Executes the commands FORK and KILL, which the front sends over the control socket (see wire.py)."""

    def __init__(self, control: socket.socket, scorer, options: dict, locks: WriteLocks) -> None:
        self.control, self.scorer, self.options, self.locks = control, scorer, options, locks
        self.children: set[int] = set()

    def run(self) -> None:
        wake_reader, wake_writer = os.pipe()
        os.set_blocking(wake_reader, False)
        os.set_blocking(wake_writer, False)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # the front decides when to end
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_writer)
        while True:
            ready = wait_readable([self.control.fileno(), wake_reader])
            if wake_reader in ready:
                os.read(wake_reader, 4096)
                self.reap_children()
            if self.control.fileno() in ready:
                self.execute_command()

    def execute_command(self) -> None:
        """Executes one command of the front. Raises EOFError when the front has ended."""
        record, connection = receive_with_socket(self.control, COMMAND.size)
        if not record:
            raise EOFError("the front has ended")
        command, pid = COMMAND.unpack(record)
        if command == KILL and pid in self.children:  # not reaped yet, so no other process can have this id
            kill_worker(pid)
        elif command == FORK and connection is not None:
            self.fork_worker(connection)

    def fork_worker(self, connection: socket.socket) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:  # no memory or process id left: the front sees its socket close and retries later
            connection.close()
            return
        if pid:
            self.children.add(pid)
            connection.close()
            return
        try:
            folder = become_worker(parent, self.options["folder"], str(os.getpid()))
            self.control.close()
            answer_requests(connection, self.scorer, self.options, self.locks, folder)
        except EOFError:
            end_group()  # the front wants this worker and the processes of its model to end
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def reap_children(self) -> None:
        """Reaps every child that has ended: workers, and orphans of workers, which this process has adopted."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # there is no child
                return
            if ended is None:
                return
            pid = ended.si_pid
            if pid in self.children:
                kill_worker(pid)  # and its model's children; until it is reaped, no other process can have its id
            _, status = os.waitpid(pid, 0)
            if pid in self.children:
                self.children.discard(pid)
                remove_folder(self.options["folder"], str(pid))
                send_event(self.control, event="ended", pid=pid, status=read_exit_code(status))

    def end_workers(self) -> None:
        for pid in self.children:
            kill_worker(pid)
