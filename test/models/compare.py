"""Sends every form of request (forms.py) to Davit's scoring and to MLflow's own server, and compares the answers.

python compare.py MODEL... prints one JSON line for each model. Runs in the virtualenv of the models. MLflow's server is
the application that `mlflow models serve` starts, without a socket. Each model has a process of its own.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import resource
import sys
import tempfile
import traceback
import warnings
from functools import partial
from pathlib import Path

from differences import find_decision
from forms import make_forms

SHOWN_CHARACTERS = 300
MOST_COLUMNS = 32
MEMORY_BYTES = 4 << 30
"""The memory of a model of the type CPU: a model that forecasts 2**53 periods would take all of the machine's."""


def main(models: list[str]) -> None:
    from davit_server.scoring import scorer  # noqa: F401  # MLflow, once for all models

    for model in models:
        with tempfile.TemporaryFile("w+") as result, tempfile.TemporaryFile("w+") as said:
            child = os.fork()
            if not child:
                run(model, result, said)
            ended = os.waitpid(child, 0)[1]
            result.seek(0)
            said.seek(0)
            text = result.read()
            why = said.read()[-1500:] or f"the process ended with {ended}"
            print(text if text else json.dumps({"model": model, "error": why}), flush=True)


def run(model: str, result, said) -> None:
    os.dup2(said.fileno(), 1)
    os.dup2(said.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        json.dump({"model": model, "forms": compare(model)}, result)
        result.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(0)


def compare(path: str) -> list[dict]:
    """Returns, for each form, its name, both answers and how they differ."""
    import mlflow.pyfunc
    from davit_server.scoring.example import read_example
    from davit_server.scoring.scorer import Scorer

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    scorer = Scorer(path)
    signature = scorer.metadata.signature.to_dict() if scorer.metadata.signature else {}
    example = read_example(path, scorer.metadata)
    good = json.loads(example) if example else None if signature else find_request(scorer)
    if example and scorer.answer("json", example, "")[0] == 200:
        scorer.verify_fast_path(example, scorer.predict("json", example))
    with_null = copy.copy(scorer)
    with_null.nan = "null"
    ask_mlflow = start_mlflow(mlflow.pyfunc.load_model(path))
    found = []
    for name, (content_type, body) in make_forms(Path(path), signature, good).items():
        ours, theirs = ask_davit(scorer, content_type, body), ask_mlflow(content_type, body)
        how = describe_difference(ours, theirs)
        why = how and find_decision(name, ours, theirs, partial(ask_davit, with_null, content_type, body))
        found.append({"form": name, "status": ours[0], "difference": how, "decision": why})
    return found


def find_request(scorer) -> dict | None:
    """Returns a table of numbers with as many columns as a model without a signature takes; None when there is none."""
    bodies = ({"inputs": [[1.5] * width, [2.5] * width]} for width in range(1, MOST_COLUMNS))
    return next((body for body in bodies if scorer.answer("json", json.dumps(body).encode(), "")[0] == 200), None)


def ask_davit(scorer, content_type: str | None, body: bytes) -> tuple[int, str]:
    """Answers as the front and a worker do together (front/app.py, workers/answer_requests.py)."""
    from davit_server.front.content_type import parse_content_type
    from davit_server.protocol.wire import KINDS

    kind, refusal = parse_content_type(content_type or "")
    if refusal:
        return 415, refusal
    status, answer = scorer.answer(KINDS[kind], body, "a request")
    return status, answer.decode()


def start_mlflow(model):
    """Returns a function that sends a request to MLflow's application: Flask in its older versions, else FastAPI."""
    from mlflow.pyfunc import scoring_server

    try:
        app = scoring_server.init(model)
    except (
        AttributeError
    ):  # MLflow 2.22 with the FastAPI of today, with which `mlflow models serve` does not start either
        return partial(ask_function, scoring_server.invocations, model)
    if hasattr(app, "test_client"):
        client = app.test_client()

        def ask(content_type, body):
            answer = client.post("/invocations", data=body, content_type=content_type)
            return answer.status_code, answer.get_data(as_text=True)

        return ask
    return lambda content_type, body: asyncio.run(ask_asgi(app, content_type, body))


def ask_function(invocations, model, content_type: str | None, body: bytes) -> tuple[int, str]:
    """Calls what MLflow's application calls, and answers an exception as the application does."""
    from mlflow.exceptions import MlflowException

    try:
        answer = invocations(body, content_type, model, model.metadata.get_input_schema())
    except MlflowException as error:
        return error.get_http_status_code(), error.serialize_as_json()
    except Exception as error:
        return 500, repr(error)
    return answer.status, answer.response


async def ask_asgi(app, content_type: str | None, body: bytes) -> tuple[int, str]:
    headers = [(b"content-length", str(len(body)).encode())]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    scope = {"type": "http", "method": "POST", "path": "/invocations", "raw_path": b"/invocations", "query_string": b""}
    scope.update({"headers": headers, "http_version": "1.1", "scheme": "http", "asgi": {"version": "3.0"}})
    scope.update({"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": ""})
    sent: list[dict] = []
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return requests.pop() if requests else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # Starlette answers 500 and raises again
        if not sent:
            return 500, repr(error)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode()


def describe_difference(ours: tuple[int, str], theirs: tuple[int, str]) -> str | None:
    """Compares the class of the status, and the answer of a success exactly: 1 and 1.0 differ."""
    if ours[0] // 100 == theirs[0] // 100 and (ours[0] >= 400 or normalize(ours[1]) == normalize(theirs[1])):
        return None
    return f"Davit {ours[0]} {shorten(ours[1])} | MLflow {theirs[0]} {shorten(theirs[1])}"


def normalize(text: str) -> str:
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text


def shorten(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


if __name__ == "__main__":
    main(sys.argv[1:])
