"""Tests of davit_server.failures.network_failure: only the class of an exception counts. Standard library only."""

import errno
import os
import socket
import sys
import tempfile
import types
import unittest
import urllib.error
from unittest import mock

from davit_server.failures import network_failure, watch_network
from davit_server.failures.network_failure import has_lost_connection, needs_network
from davit_server.failures.stages import describe_failure

MODEL = os.path.realpath(tempfile.gettempdir()) + "/davit-model"
RESOLVER = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNREACHABLE = OSError(errno.ENETUNREACH, "Network is unreachable")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def chain(error, cause):
    error.__cause__ = cause
    return error


def context(error, cause):
    error.__context__ = cause
    return error


def raise_in(file, error):
    """Raises the error from a function that seems to be in a file."""
    names = {"error": error}
    try:
        exec(compile("raise error", file, "exec"), names)
    except BaseException as raised:
        return raised


class Requests(OSError):
    """In the place of requests.exceptions.ConnectionError."""


class Child(Requests):
    pass


class Connect(Exception):
    """In the place of httpx.ConnectError."""


class Rpc(Exception):
    """In the place of grpc.RpcError."""

    def __init__(self, name, details):
        super().__init__(details)
        self.code = lambda: types.SimpleNamespace(name=name)


LIBRARIES = {
    "requests.exceptions": types.SimpleNamespace(ConnectionError=Requests),
    "httpx": types.SimpleNamespace(ConnectError=Connect),
    "grpc": types.SimpleNamespace(RpcError=Rpc),
}


class NetworkFailure(unittest.TestCase):
    def check(self, expected, *errors):
        with mock.patch.dict(sys.modules, LIBRARIES):
            for error in errors:
                with self.subTest(kind=type(error).__name__, arguments=len(error.args)):
                    self.assertIs(needs_network(error, MODEL), expected)

    def test_the_system_and_libraries_report_it(self):
        self.check(True, RESOLVER, UNREACHABLE, OSError(errno.EHOSTUNREACH, "x"), urllib.error.URLError(RESOLVER))
        self.check(True, Requests("x"), Child("x"), Connect("x"), Rpc("UNAVAILABLE", "ipv4:10.0.0.1:1"))
        self.check(True, chain(RuntimeError("the service is away"), RESOLVER))
        self.check(True, raise_in(os.path.dirname(os.__file__) + "/x.py", context(ValueError("x"), RESOLVER)))

    def test_words_and_names_do_not_count(self):
        named = type("ConnectionError", (Exception,), {"__module__": "requests.exceptions"})
        for words in (
            "connection refused",
            "could not connect to node 12 of the graph",
            "connection error in pipe segment",
            "no address associated with customer 7",
            "TransportError: load factor",
            "[Errno 101] Network is unreachable",
        ):
            self.check(False, ValueError(words), RuntimeError(words), OSError(words), named(words))
        self.check(False, KeyError("host"), ConnectionResetError(errno.ECONNRESET, "x"), TimeoutError("x"))
        self.check(False, OSError(errno.ENOENT, "x"), urllib.error.URLError("unknown url type"))
        self.check(False, Rpc("INVALID_ARGUMENT", "x"))

    def test_what_the_model_handled_does_not_count(self):
        self.check(False, raise_in(f"{MODEL}/code/model.py", context(ValueError("too small"), RESOLVER)))

    def test_this_machine_is_not_the_network(self):
        self.check(False, REFUSED, chain(Requests("x"), REFUSED), context(Connect("x"), REFUSED), Requests(REFUSED))
        self.check(False, urllib.error.URLError(REFUSED), Rpc("UNAVAILABLE", "ipv4:127.0.0.1:1: refused"))
        self.check(False, Requests("HTTPConnectionPool(host='localhost', port=1)"))

    def test_hostile_exceptions(self):
        class Hostile(Exception):
            reason = property(lambda self: 1 / 0)
            __str__ = __repr__ = None

        class Liar(Exception):
            __class__ = socket.gaierror  # isinstance() believes it

        loop = chain(ValueError("a"), ValueError("b"))
        loop.__cause__.__cause__ = loop
        self.check(False, Hostile(), Liar(), loop, chain(Requests(Hostile()), Hostile()))
        self.check(False, SystemExit(1), chain(SystemExit(1), RESOLVER), chain(GeneratorExit(), RESOLVER))
        own = type("InvalidOutput", (Exception,), {"__module__": "davit_server.scoring.strict_json"})
        self.check(False, chain(own("x"), RESOLVER))

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups are of Python 3.11")
    def test_every_member_of_a_group(self):
        group = __builtins__.ExceptionGroup
        self.check(True, group("x", [RESOLVER, UNREACHABLE]))
        self.check(False, group("x", [RESOLVER, ValueError("x")]))

    def test_the_words_of_a_resolver_count_whatever_library_says_them(self):
        for words in (
            'could not translate host name "db" to address: Temporary failure in name resolution',
            "Generic S3 error: dns error: failed to lookup address information: Name or service not known",
            "curl: (6) Could not resolve host: api.example.com",
            "DNS resolution failed for api.example.com:443: C-ares status is not ARES_SUCCESS",
        ):
            self.check(True, RuntimeError(words), OSError(words))
        self.check(False, RuntimeError("could not resolve host localhost"))

    def test_other_words_count_after_a_host_was_asked_for_that_is_not_there(self):
        watch = watch_network.NetworkWatch()
        with mock.patch.object(network_failure, "NETWORK", watch):
            self.check(False, RuntimeError("call failed: Connection refused"))
            watch.note("socket.getaddrinfo", ("api.example.com", 443, 0, 0, 0))
            self.check(True, RuntimeError("call failed: Connection refused"), ValueError("api.example.com is away"))
            self.check(False, ValueError("too small"), REFUSED, RuntimeError("127.0.0.1: Connection refused"))
            with mock.patch.object(watch_network, "read_hosts", lambda: {"api.example.com"}):
                self.check(False, ValueError("404 for https://api.example.com/x"))
            with socket.socket() as stream:
                watch.note("socket.connect", (stream, ("127.8.0.1", 444)))
            self.check(True, chain(Requests("x"), REFUSED))

    def test_a_lost_connection_is_told_from_other_failures(self):
        lost = RuntimeError("server closed the connection unexpectedly")
        for error in (ConnectionResetError(errno.ECONNRESET, "x"), TimeoutError("x"), REFUSED, RESOLVER, lost):
            self.assertIs(has_lost_connection(error, MODEL), True)
            self.assertIs(has_lost_connection(chain(RuntimeError("no answer"), error), MODEL), True)
        self.assertIs(describe_failure("predict", REFUSED, MODEL)["lost_connection"], True)
        for error in (KeyError("city"), ValueError("too small"), SystemExit(1), AttributeError("x")):
            self.assertIs(has_lost_connection(error, MODEL), False)
        handled = raise_in(f"{MODEL}/code/model.py", context(KeyError("city"), REFUSED))
        self.assertIs(has_lost_connection(handled, MODEL), False)

    def test_services_are_noted(self):
        watch = watch_network.NetworkWatch()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as stream:
            watch.note("socket.connect", (datagrams, ("8.8.8.8", 80)))
            watch.note("socket.connect", (stream, ("10.0.0.1", 5432)))
            watch.note("socket.connect", (stream, "/tmp/socket"))
        for host, port in (
            *((b"A.Example.", "443"), ("a.example", None), ("b.example", "https"), ("fd00::7", 80), ("127.8.0.1", 443)),
            *(("localhost", 1), (None, 1), ("", 1), (socket.gethostname(), 1), ("a b", 1), ("x" * 999, 1), (1, 2)),
        ):
            watch.note("socket.getaddrinfo", (host, port, 0, 0, 0))
        self.assertEqual(watch.list_asked(), ["10.0.0.1:5432", "a.example:443", "b.example", "[fd00::7]:80"])
        for number in range(99):
            watch.note("socket.gethostbyname", (f"n{number}.example",))
        self.assertEqual(len(watch.list_asked()), watch_network.MOST_ADDRESSES - 1)

    def test_the_failure_says_it(self):
        self.assertIs(describe_failure("predict", RESOLVER, MODEL)["needs_network"], True)
        self.assertIs(describe_failure("predict", ValueError("connection refused"), MODEL)["needs_network"], False)
        self.assertNotIn("needs_network", describe_failure("predict", RESOLVER, MODEL, trace=False))


if __name__ == "__main__":
    unittest.main()
