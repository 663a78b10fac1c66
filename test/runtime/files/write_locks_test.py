"""Predictions that write one file take locks, whichever process they run in; others do not wait."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import mmap
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from argparse import Namespace
from contextlib import closing
from unittest import mock

from davit_server.files.name_locks import WRITTEN, NameLocks
from davit_server.files.shared_files import describe_shared_files, find_shared_files
from davit_server.files.watch_folders import predict_with_watch
from davit_server.files.write_locks import EVERYTHING, Deadlock, WriteLocks, find_touched_paths
from davit_server.pool.loading_process import LoadingProcess
from davit_server.protocol.wire import ANSWER, HELLO, KINDS, REQUEST, WAITING, WORKING
from davit_server.sharing.vary_request import vary_request
from davit_server.workers.answer_requests import answer_requests, receive_exactly
from davit_server.workers.wait_notices import WaitNotices

LINUX = sys.platform.startswith("linux")
SECONDS = 0.3
FORK = multiprocessing.get_context("fork")


def predict(locks_file, own, always, path, number, results):
    locks = WriteLocks(locks_file, own)
    with locks.hold(always):
        if not always:
            with open(path, "w") as file:
                file.write(str(number))
        else:  # as a C library does it
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            os.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), str(number).encode())
        time.sleep(SECONDS)
        with open(path) as file:
            results.put((number, file.read()))


class WaitingForALock(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "input.csv")

    def run_together(self, paths, always=()):
        results = FORK.Queue()
        with tempfile.TemporaryFile() as file:
            arguments = [
                (file.fileno(), os.path.join(self.folder.name, f"own-{number}"), list(always), path, number, results)
                for number, path in enumerate(paths)
            ]
            processes = [FORK.Process(target=predict, args=each) for each in arguments]
            started = time.monotonic()
            for process in processes:
                process.start()
            found = sorted(results.get(timeout=20) for _ in paths)
            for process in processes:
                process.join()
        self.assertEqual(found, [(number, str(number)) for number in range(len(paths))])
        return time.monotonic() - started

    def test_a_file_of_all_is_one_prediction_s_until_its_end(self):
        self.assertGreater(self.run_together([self.path] * 4), 4 * SECONDS)

    def test_files_of_their_own_are_written_at_the_same_time(self):
        self.assertLess(self.run_together([f"{self.path}-{number}" for number in range(4)]), 4 * SECONDS)

    def test_a_file_that_is_known_is_waited_for_though_nothing_tells_of_its_writing(self):
        self.assertGreater(self.run_together([self.path] * 3, [self.path]), 3 * SECONDS)

    def test_predictions_that_may_share_anything_wait_for_each_other(self):
        paths = [f"{self.path}-{number}" for number in range(3)]
        self.assertGreater(self.run_together(paths, [EVERYTHING]), 3 * SECONDS)

    def test_a_process_that_a_prediction_forks_does_not_wait_for_it(self):
        with tempfile.TemporaryFile() as file:

            def write():
                with open(self.path, "w"):
                    pass

            def run():
                with WriteLocks(file.fileno(), os.path.join(self.folder.name, "own")).hold():
                    write()
                    child = FORK.Process(target=write)
                    child.start()
                    child.join(10)
                    os._exit(child.exitcode or 0 if child.exitcode is not None else 1)

            process = FORK.Process(target=run)
            process.start()
            process.join(20)
            self.assertEqual(process.exitcode, 0)

    def test_a_model_with_a_lock_of_its_own_does_not_wait_for_a_turn_while_it_holds_it(self):
        def lock_each_row(locks_file, own, lock, results):
            with WriteLocks(locks_file, own).hold():
                for _ in range(5):
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    with open(self.path, "w") as file:
                        file.write("1")
                    time.sleep(0.01)
                    fcntl.flock(lock, fcntl.LOCK_UN)
            results.put("done")

        results = FORK.Queue()
        with tempfile.TemporaryFile() as file:
            for number in range(2):
                own = os.path.join(self.folder.name, f"own-{number}")
                lock = os.open(self.folder.name, os.O_RDONLY)
                FORK.Process(target=lock_each_row, args=(file.fileno(), own, lock, results), daemon=True).start()
                os.close(lock)
            self.assertEqual([results.get(timeout=10) for _ in range(2)], ["done"] * 2)

    def list_held_after(self, load):
        """Returns the names that the predictions of a process hold whose model has opened something at load."""
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with locks.hold(is_loading=True):
                kept = load()
            with locks.hold():
                held = list(locks.names.held)
            os.close(kept)
            with locks.hold(is_loading=True):
                pass
            self.assertEqual(locks.kept, set())  # it is closed
            return held

    def load_and_fork(self, load, predict):
        """Loads a model, then predicts in two workers that are its forks, at the same time. Returns their results."""
        results = FORK.Queue()
        with tempfile.TemporaryFile() as file:
            own = os.path.join(self.folder.name, "own")
            locks = WriteLocks(file.fileno(), own)
            with locks.hold(is_loading=True):
                kept = load()

            def answer(number):
                locks.begin_answering(f"{own}-{number}")
                for _ in range(5):
                    with locks.hold():
                        results.put(predict(kept, number))

            workers = [FORK.Process(target=answer, args=(number,)) for number in (1, 2)]
            for worker in workers:
                worker.start()
            found = [results.get(timeout=20) for _ in range(10)]
            for worker in workers:
                worker.join()
            return found

    @unittest.skipUnless(LINUX, "other systems do not show what is open")
    def test_forks_lock_the_files_that_were_kept_open_since_the_load(self):
        def predict(file, number):
            file.seek(0)
            file.write(str(number))
            file.flush()
            time.sleep(0.02)
            file.seek(0)
            return (number, int(file.read()))

        own = os.path.join(self.folder.name, "own")
        os.mkdir(own)
        for load in (
            lambda: open(self.path, "w+"),  # noqa: SIM115
            lambda: tempfile.TemporaryFile("w+", dir=self.folder.name),  # noqa: SIM115  # removed
            lambda: open(os.path.join(own, "scratch"), "w+"),  # noqa: SIM115  # in the folder of the loading process
        ):
            found = self.load_and_fork(load, predict)
            self.assertEqual([pair for pair in found if pair[0] != pair[1]], [])

    @unittest.skipUnless(LINUX, "other systems do not show what is open")
    def test_what_the_model_has_kept_open_for_writing_since_it_was_loaded_is_locked(self):
        real, pipe = os.path.realpath(self.path), f"{os.path.realpath(self.path)}-pipe"
        os.mkfifo(pipe)
        self.assertEqual(self.list_held_after(lambda: os.open(self.path, os.O_RDWR | os.O_CREAT)), [real])
        self.assertEqual(self.list_held_after(lambda: os.open(pipe, os.O_RDWR)), [pipe])

    @unittest.skipUnless(LINUX, "other systems do not show what is open")
    def test_a_log_or_a_file_of_its_own_or_one_that_was_never_written_is_not_locked(self):
        with open(self.path, "w"):
            pass
        os.utime(self.path, (1, 1))
        os.mkdir(os.path.join(self.folder.name, "own"))
        own = os.path.join(self.folder.name, "own", "scratch")
        for path, flags in ((f"{self.path}.log", os.O_APPEND | os.O_WRONLY), (own, os.O_RDWR), (self.path, os.O_RDWR)):
            with self.subTest(path):
                self.assertEqual(self.list_held_after(lambda p=path, f=flags: os.open(p, f | os.O_CREAT)), [])

    @unittest.skipUnless(LINUX, "other systems do not show what is open")
    def test_a_file_that_was_open_for_long_is_waited_for_since_it_was_first_written(self):
        with open(self.path, "w"):
            pass
        os.utime(self.path, (1, 1))
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with open(self.path, "r+") as kept:
                locks.find_open_files()
                with locks.hold():
                    self.assertEqual(list(locks.names.held), [])
                    kept.write("1")
                    kept.flush()
                with locks.hold():
                    self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])

    @unittest.skipUnless(LINUX, "other systems do not show what is open")
    def test_no_load_writes_a_file_again_while_a_prediction_uses_what_it_has_open_or_mapped(self):
        def map_as_a_library():
            libc = ctypes.CDLL(None)
            libc.mmap.restype = ctypes.c_void_p
            with open(self.path, "rb") as file:
                return libc.mmap(None, 1, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)

        own, real = os.path.join(self.folder.name, "own"), os.path.realpath(self.path)
        for use, held in (
            (lambda: open(self.path, "rb"), {real: False}),  # noqa: SIM115
            (lambda: None, {}),
            (map_as_a_library, {real: False}),
        ):
            with tempfile.TemporaryFile() as file:
                locks = WriteLocks(file.fileno(), own)
                with locks.hold(is_loading=True):
                    with open(self.path, "wb") as weights:
                        weights.write(b"1")
                    used = use()
                with locks.hold():
                    self.assertEqual(locks.names.held, held)
                locks.begin_answering(own)
                with locks.hold():
                    self.assertEqual(locks.names.held, held)
                del used

    def test_who_reads_a_file_that_predictions_write_waits_for_them(self):
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            real = os.path.realpath(self.path)

            def read():
                with open(self.path) as written:
                    written.read()

            with locks.hold(is_loading=True), open(self.path, "w"):
                pass
            with locks.hold():
                read()
                self.assertEqual(locks.names.held, {real: False})  # several may read it, until a prediction writes it
                with open(self.path, "w"):
                    pass
                self.assertEqual(locks.names.held, {real: True})
            self.assertEqual(locks.names.held, {})
            with locks.hold():
                read()
                self.assertEqual(locks.names.held, {real: True})
            other = WriteLocks(file.fileno(), os.path.join(self.folder.name, "other"))  # any worker
            with other.hold(), open(__file__):
                read()
                self.assertEqual(other.names.held, {real: True})

    def test_a_database_is_waited_for_unless_predictions_only_read_it(self):
        with tempfile.TemporaryDirectory(dir=os.path.expanduser("~")) as elsewhere, tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            store = os.path.realpath(os.path.join(elsewhere, "features.db"))

            def run(statement):
                with locks.hold():
                    with closing(sqlite3.connect(store, isolation_level=None)) as database:
                        database.execute(statement).fetchall()
                    return list(locks.names.held)

            with closing(sqlite3.connect(store)) as database:
                database.execute("create table t (x)")
            self.assertEqual(run("select * from t"), [store])  # it may be going to change it
            self.assertEqual(run("select * from t"), [])
            self.assertEqual(run("insert into t values (1)"), [])
            self.assertEqual(run("select * from t"), [store])

    def test_a_lock_of_the_model_s_own_is_enough_only_until_it_is_released(self):
        with tempfile.TemporaryFile() as file, open(__file__) as own:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with locks.hold():
                fcntl.flock(own, fcntl.LOCK_EX)
                with open(self.path, "w"):
                    self.assertEqual(locks.names.held, {})
                fcntl.flock(own, fcntl.LOCK_UN)
                with open(self.path, "w"):
                    self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])

    def test_a_lock_of_the_model_s_own_ends_when_its_file_is_closed(self):
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with locks.hold():
                with open(__file__) as own:
                    fcntl.flock(own, fcntl.LOCK_EX)
                with open(self.path, "w"):
                    self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])

    def test_a_shared_lock_of_the_model_s_own_is_not_enough(self):
        with tempfile.TemporaryFile() as file, open(__file__) as own:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with locks.hold():
                fcntl.flock(own, fcntl.LOCK_SH)
                with open(self.path, "w"):
                    self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])

    def test_predictions_that_write_files_in_another_order_are_made_again_one_after_the_other(self):
        begun = [FORK.Event() for _ in range(2)]

        def write(path, text):
            with open(path, "w") as file:
                file.write(text)

        class Scorer:
            def answer(self, kind, body, request_id):
                number = int(body)
                paths = [f"{path}-{each}" for each in (number, 1 - number)]
                write(paths[0], request_id)
                begun[number].set()
                begun[1 - number].wait()
                write(paths[1], request_id)
                return 200, "".join(open(each).read() for each in paths).encode()

        path = self.path
        with tempfile.TemporaryFile() as file:

            def work(number, connection):
                own = os.path.join(self.folder.name, f"own-{number}")
                os.mkdir(own)
                options = {"threads": 1, "fixed_files": []}
                with contextlib.suppress(EOFError):
                    answer_requests(connection, Scorer(), options, WriteLocks(file.fileno(), own), own)

            fronts = []
            for number in range(2):
                ours, theirs = socket.socketpair()
                FORK.Process(target=work, args=(number, theirs), daemon=True).start()
                theirs.close()
                fronts.append(ours)
                receive_exactly(ours, HELLO.size)
                ours.sendall(REQUEST.pack(KINDS.index("json"), 1, 1) + b"%d%d" % (number + 5, number))
            for number, ours in enumerate(fronts):
                with ours:
                    status, length = WAITING, 0
                    while status in (WAITING, WORKING):
                        status, length = ANSWER.unpack(receive_exactly(ours, ANSWER.size))
                    self.assertEqual((status, receive_exactly(ours, length)), (200, b"%d" % (number + 5) * 2))
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with locks.hold():
                self.assertEqual(list(locks.names.held), [EVERYTHING])

    def test_a_prediction_that_is_made_again_never_goes_before_one_that_has_begun_earlier(self):
        held, entered, waits, results = FORK.Event(), FORK.Event(), FORK.Event(), FORK.Queue()
        first, second = f"{self.path}-1", f"{self.path}-2"

        @contextlib.contextmanager
        def report():
            waits.set()
            yield

        def predict(paths, begin, continued):
            own = os.path.join(self.folder.name, f"own-{os.getpid()}")
            os.mkdir(own)
            locks = WriteLocks(file.fileno(), own)
            locks.begin_answering(own)
            locks.names.on_wait = report if paths[0] == first else contextlib.nullcontext
            begin(locks)
            with contextlib.suppress(Deadlock), locks.hold():
                write(paths[0])
                continued()
                write(paths[1])
            results.put(locks.has_deadlock)

        def write(path):
            with open(path, "w"):
                pass

        def begin_again(locks):
            held.wait()
            locks.names.mark(EVERYTHING, WRITTEN)

        with tempfile.TemporaryFile() as file:
            for arguments in (
                ([first, second], lambda locks: None, lambda: (held.set(), entered.wait())),
                ([second, first], begin_again, lambda: (entered.set(), waits.wait())),
            ):
                FORK.Process(target=predict, args=arguments, daemon=True).start()
            self.assertEqual(sorted(results.get(timeout=20) for _ in range(2)), [False, True])

    def test_a_file_that_is_appended_to_and_read_is_waited_for(self):
        def predict(mode):
            with locks.hold():
                with open(self.path, mode) as journal:
                    journal.write("1")
                if mode == "a":
                    with open(self.path) as journal:
                        journal.read()
                return list(locks.names.held)

        for mode in ("a", "a+"):
            with self.subTest(mode), tempfile.TemporaryFile() as file:
                locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
                self.assertEqual([predict(mode) for _ in range(2)], [[os.path.realpath(self.path)]] * 2)

    def test_a_log_that_each_prediction_opens_is_waited_for_only_until_it_is_known_to_be_one(self):
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))

            def append():
                with locks.hold():
                    with open(self.path, "a"):
                        pass
                    return list(locks.names.held)

            self.assertEqual([append(), append()], [[os.path.realpath(self.path)], []])
            with locks.hold(), open(self.path):  # it is no log after all
                self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])
            self.assertEqual(append(), [os.path.realpath(self.path)])

    def test_a_log_that_stays_open_is_waited_for_from_the_beginning_once_a_prediction_has_read_it(self):
        with tempfile.TemporaryFile() as file:
            locks = WriteLocks(file.fileno(), os.path.join(self.folder.name, "own"))
            with contextlib.ExitStack() as kept:
                with locks.hold(is_loading=True):
                    kept.enter_context(open(self.path, "a"))
                with locks.hold():
                    self.assertEqual(list(locks.names.held), [])
                    with open(self.path):
                        pass
                with locks.hold():
                    self.assertEqual(list(locks.names.held), [os.path.realpath(self.path)])

    def test_what_a_program_and_a_database_write(self):
        command = ["ffmpeg", "-i", "in.wav", "/tmp/out.wav"]
        self.assertEqual(find_touched_paths("subprocess.Popen", ("ffmpeg", command, None, None)), ["/tmp/out.wav"])
        self.assertEqual(
            find_touched_paths("os.system", (b"sort /data/a > /var/tmp/b; cat '/tmp/c'",)), ["/var/tmp/b", "/tmp/c"]
        )
        with tempfile.TemporaryDirectory(dir=os.path.expanduser("~")) as elsewhere:
            store = os.path.join(elsewhere, "features.db")
            self.assertEqual(find_touched_paths("sqlite3.connect", (store,)), [store])
        self.assertEqual(find_touched_paths("sqlite3.connect", ("/tmp/scratch.db",)), ["/tmp/scratch.db"])
        self.assertEqual(find_touched_paths("shutil.rmtree", ("/tmp/work", None)), ["/tmp/work"])
        self.assertEqual(find_touched_paths("os.remove", (3, -1)), [])

    @unittest.skipUnless(LINUX, "inotify")
    def test_a_file_that_every_prediction_writes_is_seen_whoever_writes_it(self):
        self.expect_written_files_seen()

    def test_such_a_file_is_seen_where_the_system_watches_no_more_folders(self):
        with mock.patch("ctypes.CDLL", lambda name: mock.Mock(inotify_init1=lambda flags: -1)):
            self.expect_written_files_seen()

    def expect_written_files_seen(self):
        numbers = iter(range(9))

        def write(path):
            subprocess.run(["sh", "-c", f"echo 1 > {path}"], check=True)
            return "1"

        def watch(path):
            return predict_with_watch(lambda: write(path()), self.folder.name + "/own", [self.folder.name])

        self.assertEqual(watch(lambda: self.path)[2], [self.path])
        self.assertEqual(watch(lambda: f"{self.path}-{next(numbers)}")[2], [])
        self.assertEqual(len(list(numbers)), 6)  # predicted again, for it had written something
        self.assertEqual(predict_with_watch(lambda: "1", self.folder.name, [])[0], "1")


class Waiting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(self.folder.cleanup)
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self.addCleanup(self.file.close)
        self.path = os.path.join(self.folder.name, "weights.bin")
        self.processes = []
        self.addCleanup(self.end_processes)

    def end_processes(self):
        for process in self.processes:
            process.kill()
            process.join()

    def start(self, run, *arguments):
        process = FORK.Process(target=run, args=arguments, daemon=True)
        process.start()
        self.processes.append(process)
        return process

    def make_locks(self, is_worker=True):
        locks = WriteLocks(self.file.fileno(), os.path.join(self.folder.name, f"own-{os.getpid()}"))
        if is_worker:
            locks.begin_answering(os.path.join(self.folder.name, f"own-{os.getpid()}"))
        return locks

    def load(self):
        with self.make_locks(is_worker=False).hold(is_loading=True), open(self.path, "w") as file:
            file.write("1")

    def read_until(self, end, started, pause):
        locks = self.make_locks()
        time.sleep(pause)
        while not end.is_set():
            with locks.hold(), open(self.path) as file:
                file.read()
                started.release()
                time.sleep(4 * SECONDS / 3)

    def start_readers(self):
        """Starts three workers whose predictions overlap, so that one of them reads at any time."""
        self.load()
        end, started = FORK.Event(), FORK.Semaphore(0)
        self.addCleanup(end.set)
        for number in range(3):
            self.start(self.read_until, end, started, number * SECONDS / 2)
        for _ in range(6):
            self.assertTrue(started.acquire(timeout=20))
        return started

    def test_a_model_that_loads_again_gets_its_turn_while_predictions_read_without_a_pause(self):
        started = self.start_readers()
        loading = self.start(self.load)
        loading.join(10)
        self.assertEqual(loading.exitcode, 0)
        while started.acquire(block=False):
            pass
        self.assertTrue(started.acquire(timeout=20))  # and predictions continue

    def test_predictions_continue_when_the_one_who_closed_the_gate_dies(self):
        self.load()
        reads, end, waits = FORK.Event(), FORK.Event(), FORK.Event()
        self.addCleanup(end.set)

        def read_long():
            with self.make_locks().hold(), open(self.path):
                reads.set()
                end.wait()

        def load():
            locks = self.make_locks(is_worker=False)

            def on_wait():
                waits.set()
                return contextlib.nullcontext()

            locks.names.on_wait = on_wait
            with locks.hold(is_loading=True), open(self.path, "w"):
                pass

        def read():
            with self.make_locks().hold(), open(self.path):
                pass

        self.start(read_long)
        self.assertTrue(reads.wait(20))
        loading = self.start(load)
        self.assertTrue(waits.wait(20))
        reading = self.start(read)
        reading.join(SECONDS)
        self.assertIsNone(reading.exitcode)  # the gate is closed
        loading.kill()
        reading.join(20)
        self.assertEqual(reading.exitcode, 0)

    def test_a_prediction_that_holds_a_lock_passes_the_gate(self):
        other = f"{self.path}-2"
        self.load()
        held, gate, done = FORK.Event(), FORK.Event(), FORK.Event()

        def read_both():
            with self.make_locks().hold(), open(self.path):
                held.set()
                gate.wait()
                time.sleep(SECONDS)
                with open(other):
                    done.set()

        def load():
            locks = self.make_locks(is_worker=False)

            def on_wait():
                gate.set()
                return contextlib.nullcontext()

            with locks.hold(is_loading=True):
                locks.names.on_wait = on_wait
                with open(self.path, "w"):
                    pass

        with self.make_locks(is_worker=False).hold(is_loading=True), open(other, "w"):
            pass
        self.start(read_both)
        self.assertTrue(held.wait(20))
        loading = self.start(load)
        self.assertTrue(done.wait(20))
        loading.join(20)
        self.assertEqual(loading.exitcode, 0)

    def test_a_prediction_that_waits_says_so_until_it_continues(self):
        said, begun, end = [], FORK.Event(), FORK.Event()

        def write():
            with self.make_locks().hold(), open(self.path, "w"):
                begun.set()
                end.wait()

        @contextlib.contextmanager
        def on_wait():
            said.append("waits")
            end.set()
            yield
            said.append("continues")

        self.start(write)
        self.assertTrue(begun.wait(20))
        locks = self.make_locks()
        locks.names.on_wait = on_wait
        with locks.hold():
            self.assertEqual(said, [])
            with open(self.path, "w"):
                self.assertEqual(said, ["waits", "continues"])

    def test_the_last_of_two_threads_that_wait_at_load_opens_the_gate(self):
        tried = FORK.Queue()

        def read():
            names = NameLocks(self.file.fileno())
            names.on_wait = lambda: tried.put("waits") or contextlib.nullcontext()
            names.lock("other", is_shared=True)
            tried.put("reads")

        names = NameLocks(self.file.fileno())
        with names.close_gate():
            with names.close_gate():
                pass
            self.start(read)
            self.assertEqual(tried.get(timeout=20), "waits")
        self.assertEqual(tried.get(timeout=20), "reads")

    def test_a_name_that_would_be_a_deadlock_is_not_said_to_be_held(self):
        steps, results = [FORK.Event() for _ in range(2)], FORK.Queue()

        def lock_both(number):
            names = NameLocks(self.file.fileno())
            names.lock(str(number))
            steps[number].set()
            steps[1 - number].wait()
            is_locked = names.lock(str(1 - number))
            results.put((len(names.held), is_locked))
            names.release()

        for number in range(2):
            self.start(lock_both, number)
        self.assertEqual(sorted(results.get(timeout=20) for _ in range(2)), [(1, False), (2, True)])

    def test_a_descriptor_that_is_closed_is_no_deadlock(self):
        with tempfile.TemporaryFile() as file:
            names = NameLocks(file.fileno())
        self.assertEqual((names.lock("a"), names.held), (True, {}))

    def test_the_model_does_not_see_that_the_front_has_ended(self):
        ours, theirs = socket.socketpair()
        ours.close()
        notices = WaitNotices(lambda waits: theirs.sendall(b"1"), is_allowed=True)
        with theirs, notices.report(), notices.report():
            self.assertEqual(notices.waiting, 2)

    def test_the_last_of_two_threads_that_wait_says_that_work_continues(self):
        said = []
        notices = WaitNotices(said.append, is_allowed=True)
        with notices.report():
            with notices.report():
                pass
            self.assertEqual(said, [True])
        self.assertEqual(said, [True, False])


class Sharing(unittest.TestCase):
    def test_a_file_of_several_workers_is_named(self):
        shared = find_shared_files([{"/a/app.log", "/b"}, {"/a/app.log", "/c"}])
        self.assertEqual(shared, ["/a/app.log"])
        self.assertEqual(
            describe_shared_files(shared), "all workers write the file app.log, so predictions run one at a time"
        )

    def test_forks_have_the_same_files(self):
        self.assertEqual(find_shared_files([{"/b", "/a"}], 2), ["/a", "/b"])
        self.assertEqual(find_shared_files([{"/b", "/a"}], 1), [])

    def test_the_finding_is_short_and_can_be_shown(self):
        found = describe_shared_files(["/x/\x1b[31m" + "y" * 200, "/z"])
        self.assertNotIn("\x1b", found)
        self.assertIn("… and 1 more, so", found)
        self.assertLessEqual(len(found), 100)
        self.assertEqual(describe_shared_files([EVERYTHING]), "")  # another finding says why


class Environment(unittest.TestCase):
    def test_libraries_are_quiet_unless_the_endpoint_says_otherwise(self):
        for set_value, value in ((None, "1"), ("0", "0")):
            with mock.patch.dict(os.environ, {} if set_value is None else {"ORT_DISABLE_TELEMETRY": set_value}):
                for mode in ("found", "separate"):
                    environment = LoadingProcess(Namespace(pycache=None), mode, print, print, -1).make_environment(1)
                    self.assertEqual(environment["ORT_DISABLE_TELEMETRY"], value)

    def test_libraries_are_quiet_in_programs_that_run_a_model_once(self):
        code = (
            "import os; from davit_server.run_once import run_once; "
            "run_once(lambda *_: {'failed': None, 'value': os.environ['ORT_DISABLE_TELEMETRY']})"
        )
        for given, value in (({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")):
            environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"], **given}
            ran = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True)
            self.assertEqual(json.loads(ran.stdout)["value"], value)

    def test_hash_is_the_same_in_all_processes_that_load_the_model(self):
        settings = Namespace(pycache=None)
        one, other = (
            LoadingProcess(settings, mode, print, print, -1).make_environment(1)["PYTHONHASHSEED"]
            for mode in ("found", "separate")
        )
        self.assertEqual(one, other)
        self.assertNotEqual(one, "0")


class Varying(unittest.TestCase):
    def test_numbers_or_else_texts_of_the_rows_change(self):
        cases = {
            b'{"dataframe_split": {"columns": ["a", 1], "data": [[1, 2.0, "x", true, null]]}}': (
                b'{"dataframe_split": {"columns": ["a", 1], "data": [[3, 2.25, "x", true, null]]}}'
            ),
            b'{"dataframe_records": [{"a": -3}], "params": {"n": 1}}': (
                b'{"dataframe_records": [{"a": -1}], "params": {"n": 1}}'
            ),
            b'{"inputs": {"t": [["x"], ["y"]]}}': b'{"inputs": {"t": [["2 x 2"], ["2 y 2"]]}}',
            b'{"instances": [true, null]}': b'{"instances": [true, null, true, null]}',
            b'{"messages": [{"role": "user", "content": "Hi"}], "stop": "a"}': (
                b'{"messages": [{"role": "user", "content": "2 Hi 2"}], "stop": "a"}'
            ),
            b'{"input": [{"content": [{"type": "input_text", "text": "Hi"}]}]}': (
                b'{"input": [{"content": [{"type": "input_text", "text": "2 Hi 2"}]}]}'
            ),
            b'{"prompt": ["a", "b"], "n": 1}': b'{"prompt": ["2 a 2", "2 b 2"], "n": 1}',
        }
        for body, varied in cases.items():
            self.assertEqual(vary_request(body, 2), varied)

    def test_what_has_no_rows_or_nothing_in_them_stays(self):
        for body in (b"", b"[1]", b"{}", b'{"messages": []}', b'{"instances": []}', b'{"question": "1"}'):
            self.assertIsNone(vary_request(body, 1))


if __name__ == "__main__":
    unittest.main()
