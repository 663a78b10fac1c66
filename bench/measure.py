"""Runs a command and prints its cost as the last line of stderr: {"wall_seconds", "cpu_seconds"}.

python measure.py PROGRAM [ARGUMENT…]

CPU seconds include all processes that have ended, even if their parent did not wait for them, as in a sandbox: on
Linux they become children of this process.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGTERM, lambda number, frame: os.kill(child, number))
    signal.signal(signal.SIGINT, lambda number, frame: None)  # the terminal sends SIGINT to the command too
    code = wait_for(child)
    wall = time.perf_counter() - started
    wait_for_ended()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stderr.write("\n" + json.dumps({"wall_seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime}))
    return code


def wait_for(child: int) -> int:
    while True:
        ended, status = os.wait()
        if ended == child:
            return abs(os.waitstatus_to_exitcode(status))


def wait_for_ended() -> None:
    """Reaps processes that have ended, without waiting for servers that keep running."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
