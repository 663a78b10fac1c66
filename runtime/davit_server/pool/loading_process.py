"""The front's handle on one loading process: starts it, receives its events and sends it commands."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
from pathlib import Path
from typing import Callable

from ..files.own_folder import OwnFolder
from ..processes.pass_sockets import send_with_sockets
from ..processes.threads import LIMITS, QUIET_LIBRARIES, count_processors, make_single_thread_environment
from ..processes.wait_readable import wait_readable
from ..protocol.wire import COMMAND, FORK, FOUND, KILL, SHARED

RUNTIME = str(Path(__file__).resolve().parents[2])

HASH_SEED = str(int.from_bytes(os.urandom(4), "big"))
"""The same for all loading processes, so that the `hash` of text and the order of sets do not depend on the worker."""


class LoadingProcess:
    """A process that loads the model, then forks workers or is one, depending on `mode` (see worker_mode.py).

    `on_event` gets its events, `on_end` its exit code; `locks` is the file of write_locks.py.
    With `begins_alone`, it predicts its cases while no other one does so.
    """

    def __init__(
        self,
        settings: argparse.Namespace,
        mode: str,
        on_event: Callable[[dict], None],
        on_end: Callable[[int], None],
        locks: int,
    ) -> None:
        self.settings, self.mode, self.on_event, self.on_end = settings, mode, on_event, on_end
        self.locks = locks
        self.fixed_files: list[str] = []
        self.begins_alone = False
        self.workers: set[int] = set()
        self.folder: OwnFolder | None = None
        self.is_stopped = False
        self.process: asyncio.subprocess.Process | None = None
        self.control: socket.socket | None = None
        self.open_end: socket.socket | None = None
        self.buffer = b""

    async def start(self) -> None:
        """Starts the process. Raises OSError when the interpreter cannot be run."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.open_end, front = socket.socketpair()  # nothing is sent on it; it closes with the control socket
        try:
            await self.start_process(theirs, front)
        except OSError:
            ours.close()
            self.open_end.close()
            self.remove_folder()
            raise
        finally:
            theirs.close()
            front.close()
        self.control, self.buffer = ours, b""
        asyncio.get_running_loop().add_reader(ours, self.read_events)
        self.exit_task = asyncio.ensure_future(self.wait_exit(self.process))
        if self.is_stopped:  # `stop` was called during the start
            self.stop()

    async def start_process(self, theirs: socket.socket, front: socket.socket) -> None:
        self.folder = OwnFolder()
        options = {
            "model": os.path.abspath(self.settings.model),
            "control": theirs.fileno(),
            "front": front.fileno(),
            "locks": self.locks,
            "fixed_files": self.fixed_files,
            "begins_alone": self.begins_alone,
            "parent": os.getpid(),
            "threads": self.choose_threads(),
            "mode": self.mode,
            "folder": self.folder.path,
            **{name: getattr(self.settings, name) for name in ("nan", "warm", "workers", "cases")},
        }
        self.process = await asyncio.create_subprocess_exec(
            *(self.settings.python, "-s", "-m", "davit_server.worker", json.dumps(options)),
            env=self.make_environment(options["threads"]),
            pass_fds=[theirs.fileno(), front.fileno(), self.locks],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=2,  # a model that prints must not write to our stdout
            start_new_session=True,  # one signal to the group ends the workers and the processes that the model started
        )

    def choose_threads(self) -> int:
        """Returns the threads of one worker: --threads, else OMP_NUM_THREADS, else its share of the processors."""
        inherited = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        limit = self.settings.threads or (int(inherited) if inherited.isdecimal() else 0)
        return limit or max(1, count_processors() // self.settings.workers)

    def make_environment(self, threads: int) -> dict[str, str]:
        """Returns the environment variables of the model: those of the front and the limits of threads.

        A process that may be forked runs with one thread, because a worker that is forked after GNU OpenMP has started
        its thread pool hangs. Workers raise the limit again. PYTHONPATH adds only the package of this server.
        """
        limits = (
            make_single_thread_environment() if self.mode in (FOUND, SHARED) else dict.fromkeys(LIMITS, str(threads))
        )
        pycache = {"PYTHONPYCACHEPREFIX": self.settings.pycache} if self.settings.pycache else {}
        # Idle threads sleep, because spinning threads take the processors from other workers (16 s became 6 s).
        idle_threads = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
        # The output of a model appears in the log at once and is not lost when its process is killed.
        python = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": RUNTIME}
        defaults = {"PYTHONHASHSEED": HASH_SEED, **QUIET_LIBRARIES}
        return {**defaults, **os.environ, **limits, **idle_threads, **pycache, **python}

    def read_events(self) -> None:
        try:
            got = self.control.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            got = b""
        if not got:
            self.close_control()
            self.stop()  # the process has ended, or must end now
            return
        *lines, self.buffer = (self.buffer + got).split(b"\n")
        for line in lines:
            self.on_event(json.loads(line))

    async def wait_exit(self, process: asyncio.subprocess.Process) -> None:
        """Waits for the end of the process, not for that of its socket, which a child of the model may hold open."""
        code = await process.wait()
        try:
            while self.control is not None and self.has_events():
                self.read_events()  # events that it sent before its end
            self.close_control()
            self.kill_all(process)  # the processes that the model started must end too
            self.remove_folder()
        finally:
            self.on_end(code)

    def kill_all(self, process: asyncio.subprocess.Process) -> None:
        for leader in (process.pid, *self.workers):
            kill_group(leader)
        self.workers.clear()

    def remove_folder(self) -> None:
        if self.folder is not None:
            self.folder.remove()

    def has_events(self) -> bool:
        return bool(wait_readable([self.control.fileno()], 0))

    def send_command(self, command: bytes, pid: int = 0, attached: list[int] | None = None) -> None:
        """Sends FORK or KILL. A process that has ended needs no command, because its workers have ended too."""
        if self.control is not None:
            with contextlib.suppress(ConnectionError, BlockingIOError):
                send_with_sockets(self.control, COMMAND.pack(command, pid), attached or [])

    def request_worker(self) -> socket.socket:
        """Requests a worker; returns the front's end of the socket to it."""
        ours, theirs = socket.socketpair()
        self.send_command(FORK, attached=[theirs.fileno()])
        theirs.close()
        ours.setblocking(False)
        return ours

    def kill_worker(self, pid: int) -> None:
        """Ends one worker, which may be the loading process itself."""
        if self.process is not None and pid == self.process.pid:
            self.stop()
        else:
            self.send_command(KILL, pid)

    def stop(self) -> None:
        """Kills the loading process, every worker, and the processes that the model started in them."""
        if self.process is not None and self.process.returncode is None:
            self.kill_all(self.process)

    async def wait_ended(self) -> None:
        """Waits for the end of the process, after `stop`."""
        if self.process is not None:
            await self.exit_task

    def close_control(self) -> None:
        if self.control is not None:
            asyncio.get_running_loop().remove_reader(self.control)
            self.control.close()
            self.open_end.close()
            self.control = self.open_end = None


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
