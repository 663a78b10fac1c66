"""The front of a proof whose workers load the model themselves: loads it a second time and tries both copies together.

python -m davit_server.rehearse OPTIONS, a JSON object (see second_worker.py). Writes one JSON document to stdout:
{"failure": why the second load failed | null, "found": why predictions run one at a time, or ""}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys

from .files.shared_files import describe_shared_files, find_shared_files
from .pool.loading_process import LoadingProcess
from .pool.try_workers import AT_ONCE, do_workers_disturb
from .pool.worker_handle import WorkerHandle
from .processes.exit_code import describe_exit
from .protocol.wire import SEPARATE

TRIAL_SECONDS = 120.0
"""Time limit for trying both copies."""


async def rehearse(options: dict) -> dict:
    """Loads the model as the other workers of the server do, then tries both copies if `is_tried`.

    The proof answers requests at the other end of the socket `worker`.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[dict] = loop.create_future()  # the event `loaded` or `failed`

    def handle_event(event: dict) -> None:
        if event["event"] in ("loaded", "failed") and not ended.done():
            ended.set_result(event)

    def handle_end(code: int) -> None:
        handle_event({"event": "failed", "message": f"its process ended {describe_exit(code)}"})

    process = LoadingProcess(make_settings(options), SEPARATE, handle_event, handle_end, options["locks"])
    process.fixed_files = options["fixed_files"]
    await process.start()
    try:
        event = await asyncio.wait_for(ended, options["limit"])
        if event["event"] == "failed":
            return {"failure": event["message"], "found": ""}
        shared = find_shared_files([set(options["written_files"]), set(event["written_files"])])
        if not shared and options["is_tried"] and await do_copies_disturb(options, process):
            return {"failure": None, "found": AT_ONCE}
        return {"failure": None, "found": describe_shared_files(shared)}
    except asyncio.TimeoutError:
        return {"failure": f"it did not load within {options['limit']:.0f} s", "found": ""}
    finally:
        process.is_stopped = True
        process.stop()
        await process.wait_ended()


async def do_copies_disturb(options: dict, process: LoadingProcess) -> bool:
    """Says whether the copies disturb each other, with what the server takes for it when one hangs or ends."""
    first, second = (WorkerHandle(lambda worker: None) for _ in range(2))
    try:
        await first.connect(socket.socket(fileno=options["worker"]))
        await second.connect(process.request_worker())
        return await asyncio.wait_for(do_workers_disturb([first, second]), TRIAL_SECONDS)
    except asyncio.TimeoutError:  # first, because it is an OSError, too
        return True
    except (asyncio.IncompleteReadError, OSError):
        return False
    finally:
        first.close()


def make_settings(options: dict) -> argparse.Namespace:
    names = ("model", "nan", "cases", "workers", "threads")
    settings = {name: options[name] for name in names}
    return argparse.Namespace(**settings, python=sys.executable, pycache=sys.pycache_prefix, warm="required")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(rehearse(json.loads(sys.argv[1])))))
