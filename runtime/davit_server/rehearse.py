"""The front of a proof whose workers load the model themselves: loads it a second time and tries both copies together.

python -m davit_server.rehearse OPTIONS, a JSON object (see second_worker.py). Writes one JSON document to stdout:
{"failure": why the second load failed | null, "found": why predictions run one at a time, or in one worker, or ""}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys

from .files.shared_files import describe_shared_files, find_shared_files
from .pool.loaded_model import WORKER_SECONDS
from .pool.loading_process import LoadingProcess
from .pool.try_loads import try_loads
from .pool.worker_handle import WorkerHandle
from .processes.exit_code import describe_exit
from .protocol.wire import SEPARATE


async def rehearse(options: dict) -> dict:
    """Loads the model as the other workers of the server do, then tries both copies if `is_tried`.

    If `answer`, the digest of the first copy's answer to the first case, is not that of the second one, they are
    compared. It is None where that does not matter.

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
    late = f"it did not load within {options['limit']:.0f} s"
    await process.start()
    try:
        event = await asyncio.wait_for(ended, options["limit"])
        if event["event"] == "failed":
            return {"failure": event["message"], "found": ""}
        written = [set(options["written_files"]), set(event["written_files"])]
        shared = describe_shared_files(find_shared_files(written))
        may_differ = options["answer"] not in (None, event["answer"])
        is_tried = options["is_tried"] and not shared
        late = f"it did not become a worker within {WORKER_SECONDS:.0f} s"
        found = await try_copies(options, process, may_differ, is_tried) if may_differ or is_tried else ""
        return {"failure": None, "found": found or shared}
    except asyncio.TimeoutError:
        return {"failure": late, "found": ""}
    finally:
        process.is_stopped = True
        process.stop()
        await process.wait_ended()


async def try_copies(options: dict, process: LoadingProcess, may_differ: bool, is_tried: bool) -> str:
    """Returns what is found about both copies, as the server finds it, also when one hangs or ends.

    Raises TimeoutError when one takes no requests.
    """
    first, second = (WorkerHandle(lambda worker: None) for _ in range(2))
    try:
        await asyncio.wait_for(first.connect(socket.socket(fileno=options["worker"])), WORKER_SECONDS)
        await asyncio.wait_for(second.connect(process.request_worker()), WORKER_SECONDS)
        return (await try_loads([first, second], may_differ, is_tried, options["trial"])).found
    except asyncio.TimeoutError:  # first, because it is an OSError, too
        raise
    except (asyncio.IncompleteReadError, OSError):
        return ""
    finally:
        first.close()


def make_settings(options: dict) -> argparse.Namespace:
    names = ("model", "nan", "cases", "workers", "threads")
    settings = {name: options[name] for name in names}
    return argparse.Namespace(**settings, python=sys.executable, pycache=sys.pycache_prefix, warm="required")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(rehearse(json.loads(sys.argv[1])))))
