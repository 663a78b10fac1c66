"""Says whether a model failed because it has no network, from the classes and the words of its exceptions.

The resolver's words are certain. Other words prove nothing ("could not connect to node 12 of the graph" is a fault of
the model) unless the model has asked for a host that it cannot reach.
"""

from __future__ import annotations

import errno
import re
import socket
import sys
import traceback

from .root_cause import MOST_LINKS, find_root_cause, flatten_group, is_of_model
from .watch_network import NETWORK

SEARCHED_CHARACTERS = 20_000
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
    ("botocore.exceptions", "ProxyConnectionError"),
    ("openai", "APIConnectionError"),
    ("anthropic", "APIConnectionError"),
    ("google.auth.exceptions", "TransportError"),
    ("google.api_core.exceptions", "ServiceUnavailable"),
    ("azure.core.exceptions", "ServiceRequestError"),
    ("pymongo.errors", "ServerSelectionTimeoutError"),
    ("redis.exceptions", "ConnectionError"),
    ("elastic_transport", "ConnectionError"),
    ("elasticsearch.exceptions", "ConnectionError"),
    ("opensearchpy.exceptions", "ConnectionError"),
    ("huggingface_hub.errors", "LocalEntryNotFoundError"),
    ("huggingface_hub.errors", "OfflineModeIsEnabled"),
    ("kafka.errors", "NoBrokersAvailable"),
    ("cassandra.cluster", "NoHostAvailable"),
    ("neo4j.exceptions", "ServiceUnavailable"),
    ("pika.exceptions", "AMQPConnectionError"),
)
"""Exceptions that mean a failed connection, as (module, class). A class counts only from the loaded module itself."""

RESOLVER = re.compile(
    r"temporary failure in name resolution|name or service not known|no address associated with hostname"
    r"|failed to lookup address information|could not (?:resolve|translate) host|dns resolution failed"
    r"|domain name not found|getaddrinfo failed",
    re.IGNORECASE,
)
"""What resolvers say, in the words of the C library, Rust, curl, libpq, c-ares and their kind."""

CONNECTION = re.compile(
    r"network is unreachable|no route to host|connection (?:refused|reset|aborted|timed out|error|failed|failure)"
    r"|(?:cannot|can't|could not|couldn't|failed to|unable to) (?:connect|establish|reach|resolve)|max retries exceeded"
    r"|failed to connect|timed out|offline",
    re.IGNORECASE,
)
"""What libraries say of a failed connection. It counts only after a host was asked for that cannot be reached."""

LOST = re.compile(r"closed (?:the )?connection|lost connection|connection (?:was )?(?:closed|lost)", re.IGNORECASE)
"""What libraries in C say when the relay of the sandbox closes a connection that it cannot make."""

OWN_MACHINE = re.compile(r"\b127\.(?!8\.)\d+\.\d+\.\d+|\blocalhost\b|::1\b")
"""Text that excludes a failure: a model reaches a program of its own without a network."""


def needs_network(error: BaseException, model: str) -> bool:
    """Says whether the model in the directory `model` failed only because it reaches no network."""
    try:
        members = flatten_group(find_root_cause(error, model))
        return all(is_network_failure(member, model) for member in members)
    except BaseException:  # a model's exception may raise another one when it is read
        return False


def has_lost_connection(error: BaseException, model: str) -> bool:
    """Says whether only a connection failed, to whatever service. It counts where a service did not answer."""
    try:
        members = flatten_group(find_root_cause(error, model))
        return all(Exception in type(m).__mro__ and any(map(is_lost, list_reported(m, model))) for m in members)
    except BaseException:  # a model's exception may raise another one when it is read
        return False


def is_lost(error: BaseException) -> bool:
    kinds = type(error).__mro__
    if any(kind in kinds for kind in (ConnectionError, TimeoutError, socket.timeout)) or is_network_class(error):
        return True
    text = str(error)[:SEARCHED_CHARACTERS]
    return any(words.search(text) for words in (LOST, RESOLVER, CONNECTION))


def is_network_failure(error: BaseException, model: str) -> bool:
    """Says it for one exception: its own class and words, or those of an exception that it was raised from.

    It is never an exit, nor what this server says about an answer.
    """
    if Exception not in type(error).__mro__ or type(error).__module__.startswith("davit_server."):
        return False
    links = list_reported(error, model)
    if not any(is_network_class(link) or has_network_words(link) for link in links):
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


def has_network_words(error: BaseException) -> bool:
    text = str(error)[:SEARCHED_CHARACTERS]
    if RESOLVER.search(text):
        return True
    hosts = NETWORK.list_unreachable()
    return bool(hosts) and (CONNECTION.search(text) is not None or any(host in text.lower() for host in hosts))


def find_class(module: str, name: str) -> object:
    return getattr(sys.modules.get(module), name, None)


def is_own_machine(error: BaseException) -> bool:
    """Says whether a program of this machine refused the connection.

    Without a network no other machine can. With one, ports of a service that the sandbox may not reach are refused.
    """
    if isinstance(error, ConnectionRefusedError) and not NETWORK.services:
        return True
    return OWN_MACHINE.search(str(error)[:SEARCHED_CHARACTERS]) is not None
