"""The front's handle on the loading process: starts it, hears its events, sends it wishes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import select
import signal
import socket
from pathlib import Path
from typing import Callable

from .threads import LIMITS, available_processors
from .wire import KILL, WISH

RUNTIME = str(Path(__file__).resolve().parent.parent)


class Loader:
    """A process that loads the model and forks workers. `on_event` gets its events, `on_end` its exit code."""

    def __init__(
        self, settings: argparse.Namespace, on_event: Callable[[dict], None], on_end: Callable[[int], None]
    ) -> None:
        self.settings, self.on_event, self.on_end = settings, on_event, on_end
        self.process: asyncio.subprocess.Process | None = None
        self.control: socket.socket | None = None
        self.buffer = b""

    async def start(self) -> None:
        """Raises OSError when the interpreter cannot be run."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        options = {
            "model": os.path.abspath(self.settings.model),
            "control": theirs.fileno(),
            "parent": os.getpid(),
            "threads": self.threads(),
            **{name: getattr(self.settings, name) for name in ("nan", "warm", "solo")},
        }
        with theirs:
            self.process = await asyncio.create_subprocess_exec(
                *(self.settings.python, "-s", "-m", "davit_server.worker", json.dumps(options)),
                env=self.environment(options["threads"]),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=2,  # a model that prints must not write to our stdout
                start_new_session=True,  # one signal to the group ends the workers, and what a model started itself
            )
        self.control, self.buffer = ours, b""
        asyncio.get_running_loop().add_reader(ours, self.hear)
        self.watching = asyncio.ensure_future(self.watch(self.process))

    def threads(self) -> int:
        """Threads of one worker: as told, as the endpoint's OMP_NUM_THREADS says, or its share of the processors."""
        inherited = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        told = self.settings.threads or (int(inherited) if inherited.isdecimal() else 0)
        return told or max(1, available_processors() // self.settings.workers)

    def environment(self, threads: int) -> dict[str, str]:
        """The model sees the package of this server beside its own virtualenv, and nothing else of the front's.

        The loading process runs with one thread: the pool of GNU OpenMP does not survive a fork, and a worker forked
        after it has started hangs. Workers raise their own limit. Nothing is forked when solo.
        """
        limit = str(threads) if self.settings.solo else "1"
        pycache = {"PYTHONPYCACHEPREFIX": self.settings.pycache} if self.settings.pycache else {}
        # Idle threads sleep: spinning, those of busy workers take the processors from each other (16 s became 6).
        calm = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
        # What a model prints is in the log at once, and not lost with a process that is killed.
        said = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": RUNTIME}
        return {**os.environ, **dict.fromkeys(LIMITS, limit), **calm, **pycache, **said}

    def hear(self) -> None:
        try:
            got = self.control.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            got = b""
        if not got:
            self.close()
            self.stop()  # it is gone, or must go
            return
        *lines, self.buffer = (self.buffer + got).split(b"\n")
        for line in lines:
            self.on_event(json.loads(line))

    async def watch(self, process: asyncio.subprocess.Process) -> None:
        """To the end of the process: not to that of its socket, which a child of the model may hold open."""
        code = await process.wait()
        while self.control is not None and self.pending():
            self.hear()  # its last words
        self.close()
        kill_group(process.pid)  # what it started itself must go too
        self.on_end(code)

    def pending(self) -> bool:
        return bool(select.select([self.control], [], [], 0)[0])

    def wish(self, wish: bytes, pid: int = 0, attached: list[int] | None = None) -> None:
        """Sends one wish; a loading process that is gone has ended its workers, so nothing is lost with the wish."""
        if self.control is not None:
            with contextlib.suppress(ConnectionError, BlockingIOError):
                socket.send_fds(self.control, [WISH.pack(wish, pid)], attached or [])

    def fork(self, wish: bytes) -> socket.socket:
        """Wishes for a worker; the answer is our end of the socket to it."""
        ours, theirs = socket.socketpair()
        self.wish(wish, attached=[theirs.fileno()])
        theirs.close()
        ours.setblocking(False)
        return ours

    def kill(self, pid: int) -> None:
        if self.settings.solo:
            self.stop()
        else:
            self.wish(KILL, pid)

    def stop(self) -> None:
        """Ends the loading process and every worker at once."""
        if self.process is not None and self.process.returncode is None:
            kill_group(self.process.pid)

    async def gone(self) -> None:
        """Waits for the end, after `stop`."""
        if self.process is not None:
            await self.process.wait()

    def close(self) -> None:
        if self.control is not None:
            asyncio.get_running_loop().remove_reader(self.control)
            self.control.close()
            self.control = None


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
