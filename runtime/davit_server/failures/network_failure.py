"""Says whether a model failed because it has no network, from the classes of its exceptions and never from their words.

Words prove nothing: "could not connect to node 12 of the graph" is a fault of the model.
"""

from __future__ import annotations

import errno
import re
import socket
import sys
import traceback

from .root_cause import MOST_LINKS, find_root_cause, flatten_group, is_of_model

UNREACHABLE = (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH)

CLASSES = (
    ("requests.exceptions", "ConnectionError"),
    ("urllib3.exceptions", "MaxRetryError"),
    ("urllib3.exceptions", "NewConnectionError"),
    ("urllib3.exceptions", "ConnectTimeoutError"),
    ("httpx", "ConnectError"),
    ("httpx", "ConnectTimeout"),
    ("httpcore", "ConnectError"),
    ("httpcore", "ConnectTimeout"),
    ("aiohttp", "ClientConnectorError"),
    ("botocore.exceptions", "EndpointConnectionError"),
    ("botocore.exceptions", "ConnectTimeoutError"),
    ("openai", "APIConnectionError"),
    ("anthropic", "APIConnectionError"),
    ("google.auth.exceptions", "TransportError"),
    ("azure.core.exceptions", "ServiceRequestError"),
    ("pymongo.errors", "ServerSelectionTimeoutError"),
    ("redis.exceptions", "ConnectionError"),
    ("elastic_transport", "ConnectionError"),
)
"""Exceptions that mean a failed connection, as (module, class). A class counts only from the loaded module itself."""

OWN_MACHINE = re.compile(r"\b127\.\d+\.\d+\.\d+|\blocalhost\b|::1\b")
"""Text that excludes a failure: a model reaches a program of its own without a network."""


def needs_network(error: BaseException, model: str) -> bool:
    """Says whether the model in the directory `model` failed only because it reaches no network."""
    try:
        members = flatten_group(find_root_cause(error, model))
        return all(is_network_failure(member, model) for member in members)
    except BaseException:  # a model's exception may raise another one when it is read
        return False


def is_network_failure(error: BaseException, model: str) -> bool:
    """Says it for one exception: its own class, or the class of an exception that it was raised from.

    It is never an exit, nor what this server says about an answer.
    """
    if Exception not in type(error).__mro__ or type(error).__module__.startswith("davit_server."):
        return False
    links = list_reported(error, model)
    if not any(is_network_class(link) for link in links):
        return False
    return not any(is_own_machine(link) for link in list_linked(error))


def list_reported(error: BaseException, model: str) -> list[BaseException]:
    """Returns the exception and its causes.

    An exception that was being handled counts only where a library raised the next one: a library rewords it, and a
    model's own `except` may continue with something else that fails.
    """
    links = [error]
    while len(links) < MOST_LINKS:
        last = links[-1]
        frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(last.__traceback__)]
        restated = frames and not is_of_model(frames[-1], model)
        inner = last.__cause__ or (last.__context__ if restated else None) or find_reason(last)
        if inner is None:
            break
        links.append(inner)
    return links


def list_linked(error: BaseException) -> list[BaseException]:
    """Returns every exception that this one refers to, itself included."""
    found, waiting = [], [error]
    while waiting and len(found) < MOST_LINKS:
        one = waiting.pop()
        if any(one is other for other in found):
            continue
        found.append(one)
        inner = (one.__cause__, one.__context__, find_reason(one), *one.args)
        waiting.extend(link for link in inner if isinstance(link, BaseException))
    return found


def find_reason(error: BaseException) -> BaseException | None:
    """Returns the exception that urllib and urllib3 keep in an attribute."""
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else None


def is_network_class(error: BaseException) -> bool:
    kinds = type(error).__mro__  # not isinstance(), because an object can claim another class
    if socket.gaierror in kinds:
        return True
    if OSError in kinds and error.errno in UNREACHABLE:
        return True
    if any(find_class(module, name) in kinds for module, name in CLASSES):
        return True
    return find_class("grpc", "RpcError") in kinds and error.code().name == "UNAVAILABLE"


def find_class(module: str, name: str) -> object:
    return getattr(sys.modules.get(module), name, None)


def is_own_machine(error: BaseException) -> bool:
    """Says whether a program of this machine refused the connection. Without a network, no other machine can."""
    return isinstance(error, ConnectionRefusedError) or OWN_MACHINE.search(str(error)) is not None
