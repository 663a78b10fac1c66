"""The model's side: load once, predict once, then fork workers on demand. Runs in the model's virtualenv.

The front sends wishes over the control socket; events go back, one JSON object a line. When solo nothing is forked: the
first wish makes this very process the worker.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import signal
import socket
import sys
import traceback

from .family import adopt_orphans, die_with_parent, end_group, outlive_parent
from .import_scorer import import_scorer
from .rehearsal import answer_example, try_example
from .stages import Stages, describe_failure
from .threads import use_threads
from .wire import ANSWER, EXAMPLE, FORK, HELLO, KILL, KINDS, REHEARSE, REQUEST, WISH

REHEARSAL = "rehearsal"


def main() -> None:
    options = json.loads(sys.argv[1])
    die_with_parent(options["parent"])
    os.set_inheritable(options["control"], False)
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]  # put there by `python -m`
    control = socket.socket(fileno=options["control"])
    stages = Stages(lambda name: say(control, event="stage", stage=name))
    try:
        scorer, warmed = load(options, stages)
    except BaseException as error:  # a model may raise anything, SystemExit too
        traceback.print_exc()
        say(control, event="failed", **describe_failure(stages.name, error, options["model"], trace=False))
        sys.stderr.flush()
        os._exit(1)
    gc.collect()
    gc.freeze()  # the collector never touches what is shared: fewer pages are copied
    say(control, event="loaded", mlflow=scorer.version, seconds=stages.seconds, **warmed)
    if not options["solo"]:
        adopt_orphans()  # a container's first process is the front, which would leave them as zombies
        outlive_parent()  # it waits at the control socket from here on, and ends the group when that closes
    try:
        Nursery(control, scorer, options).run()
    except (EOFError, ConnectionError):
        pass
    finally:
        end_group()  # the front is gone, whatever told us so


def say(control: socket.socket, **event: object) -> None:
    control.sendall(json.dumps(event).encode() + b"\n")


def load(options: dict, stages: Stages):
    """The scorer, and what became of its first prediction."""
    with stages("import"):
        Scorer = import_scorer()
    with stages("load"):
        scorer = Scorer(options["model"], options["nan"])
    if scorer.example is None:
        return scorer, {"rehearsed": False, "fast": False, "why": "the model has no input example"}
    try:
        with stages("predict"):
            answer = scorer.predict("json", scorer.example)
            scorer.prove_fast_way(answer)
        with stages("signature"):
            scorer.check(answer)
    except Exception as error:
        if options["warm"] == "required":
            raise
        traceback.print_exc()
        failure = describe_failure(stages.name, error, options["model"], trace=False)
        return scorer, {"rehearsed": False, "fast": False, "why": failure["message"]}
    return scorer, {"rehearsed": True, "fast": scorer.fast.usable, "why": ""}


class Nursery:
    """The loading process once it has loaded: forks, reaps and kills, until the front is gone."""

    def __init__(self, control: socket.socket, scorer, options: dict) -> None:
        self.control, self.scorer, self.options = control, scorer, options
        self.children: set[int] = set()

    def run(self) -> None:
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # the front says when to end
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())
        while True:
            ready, _, _ = select.select([self.control, woken], [], [])
            if woken in ready:
                woken.recv(4096)
                self.reap()
            if self.control in ready:
                self.grant()

    def grant(self) -> None:
        """One wish of the front."""
        record, attached, _, _ = socket.recv_fds(self.control, WISH.size, 1)
        if not record:
            raise EOFError("the front is gone")
        wish, pid = WISH.unpack(record)
        if wish == KILL:
            if pid in self.children:  # not reaped yet, so the number cannot be another process's
                os.kill(pid, signal.SIGKILL)
        elif wish in (FORK, REHEARSE):
            self.fork(socket.socket(fileno=attached[0]), wish == REHEARSE)

    def fork(self, conn: socket.socket, rehearse: bool) -> None:
        parent = os.getpid()
        try:
            pid = 0 if self.options["solo"] else os.fork()
        except OSError:  # no memory or no process number left: the front sees its socket close, and asks again later
            conn.close()
            return
        if pid:
            self.children.add(pid)
            conn.close()
            return
        try:
            if not self.options["solo"]:
                die_with_parent(parent)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self.control.close()
            work(conn, self.scorer, self.options, rehearse)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid in self.children:
                self.children.discard(pid)
                say(self.control, event="ended", pid=pid, status=os.waitstatus_to_exitcode(status))


def work(conn: socket.socket, scorer, options: dict, rehearse: bool) -> None:
    """One worker: answers one request after the other until the front closes the socket."""
    conn.setblocking(True)
    conn.sendall(HELLO.pack(os.getpid()))
    draw_anew()
    use_threads(options["threads"])
    failure = try_example(scorer, options) if rehearse and scorer.example else b""
    conn.sendall(ANSWER.pack(200, len(failure)) + failure)
    while True:
        kind, id_length, length = REQUEST.unpack(read(conn, REQUEST.size))
        request_id = read(conn, id_length).decode("latin-1")
        body = read(conn, length)
        if KINDS[kind] == EXAMPLE:
            status, body = answer_example(scorer, options, request_id)
        else:
            status, body = scorer.answer(KINDS[kind], body, request_id)
        conn.sendall(ANSWER.pack(status, len(body)) + body)


def draw_anew() -> None:
    """Else every worker draws the same random numbers."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


def read(conn: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        got = conn.recv_into(view)
        if not got:
            os._exit(0)  # the front is gone, or has done with this worker
        view = view[got:]
    return bytes(buffer)


if __name__ == "__main__":
    main()
