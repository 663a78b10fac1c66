"""A fork only where it is proven harmless: each kind of thing that makes it unsafe, in a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import mmap
import multiprocessing
import os
import random
import resource
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

from davit_server.files.own_folder import MODEL, OwnFolder, enter_folder, restore_folder
from davit_server.files.write_locks import EVERYTHING
from davit_server.processes.pass_sockets import receive_with_socket, send_with_sockets
from davit_server.processes.wait_readable import wait_readable
from davit_server.sharing.try_forks import MIXED_UP, REMEMBERS, Prediction
from davit_server.sharing.worker_mode import ONE_AT_A_TIME, WorkerMode

LINUX = sys.platform.startswith("linux")
SCRATCH = f"davit-test-{os.getpid()}-"
"""Begins the names of folders outside the temporary one; another run at the same time has its own."""
EXAMPLE = b'{"dataframe_split": {"columns": ["a"], "data": [[1]]}}'


class Model:
    """`load` is done once, `answer` in each prediction."""

    seconds = 0.0

    def load(self):
        pass

    def answer(self):
        return "1"

    def predict(self, kind, body):
        return self.answer()


class Session(Model):
    """The state is outside of the process, and all forks have one name for it."""

    path = ""

    @staticmethod
    def read_number(body):
        return json.loads(body)["dataframe_split"]["data"][0][0]

    def predict(self, kind, body):
        with open(self.path, "a") as log:  # opened for appending, which may be shared
            log.write(f"{self.read_number(body)}\n")
        time.sleep(0.01)
        with open(self.path) as log:
            return log.read().split()[-1]


def decide(model, wanted="found", workers=3, threads=1):
    """What becomes of a model: `{"mode", "found"}`, or `{"raised"}`. In a fork of the test, which it may spoil."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.setsid()
        folder = OwnFolder()
        try:
            os.close(reading)
            enter_folder(folder.path, MODEL)
            mode = WorkerMode(wanted, folder.path)
            model.load()
            question = Prediction("json", EXAMPLE, model.predict("json", EXAMPLE), 0.0)
            result = mode.decide(model, question, workers, threads)
        except Exception as error:
            result = {"raised": f"{type(error).__name__}: {error}"}
        folder.remove()
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as result:
        text = result.read()
    for folder in (f"/dev/shm/{SCRATCH}*", f"/var/tmp/{SCRATCH}*"):
        for left in glob.glob(folder):  # what the models made, in a process that ended without clearing up
            if os.stat(left).st_uid == os.getuid() and not os.listdir(left):
                os.rmdir(left)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what the model has started
    os.waitpid(pid, 0)
    return json.loads(text)


def loading(load):
    """A model that does something when it is loaded, and answers the same always."""
    return type("Loading", (Model,), {"load": load})()


def answering(answer, load=lambda self: None):
    return type("Answering", (Model,), {"answer": answer, "load": load})()


def hold(attribute, make):
    return lambda self: setattr(self, attribute, make())


def start_thread(self):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def ignore_hangups(self):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def restore_pipes(self):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def handle_alarms(self):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 60)


def start_child(self):
    self.child = subprocess.Popen(["sleep", "60"])


def ended_child(self):
    subprocess.Popen(["true"])
    time.sleep(0.2)  # its end is not waited for: a zombie, which shares nothing with anybody


def scratch_in_memory(self):
    self.folder = tempfile.mkdtemp(dir="/dev/shm", prefix=SCRATCH)


def scratch_under_a_name(self):
    self.folder = f"/var/tmp/{SCRATCH}{os.getpid()}"
    os.mkdir(self.folder)


def go_elsewhere(self):
    os.chdir("/")


def lose_the_folder(self):
    os.rmdir(tempfile.gettempdir())


def mask_files(self):
    os.umask(0o077 if os.umask(0) != 0o077 else 0o022)


def file_and_threads(self):
    start_thread(self)
    start_thread(self)
    self.file = open("/etc/passwd")  # noqa: SIM115


SEPARATE = {
    "1 open file": hold("file", lambda: open("/etc/passwd", "rb")),  # noqa: SIM115
    "2 pipes": hold("pipe", os.pipe),
    "1 socket": hold("socket", socket.socket),
    "2 sockets": hold("pair", socket.socketpair),
    "1 epoll": hold("epoll", lambda: select.epoll()),
    "1 open folder": hold("folder", lambda: os.open("/", os.O_RDONLY)),
    "1 thread": start_thread,
    "1 child process": start_child,
    "1 signal setting": ignore_hangups,
    "1 shared memory": hold("memory", lambda: mmap.mmap(-1, 4096)),
    "1 temporary file": hold("folder", tempfile.mkdtemp),
    "1 other working folder": go_elsewhere,
    "1 other umask": mask_files,
    "2 threads, 1 open file": file_and_threads,
    "1 signal setting, 1 timer": handle_alarms,
}


@unittest.skipUnless(LINUX, "other systems do not show what a fork shares")
class Looking(unittest.TestCase):
    def test_a_model_that_leaves_nothing_behind_is_shared(self):
        self.assertEqual(decide(Model()), {"mode": "shared", "found": []})

    def test_what_a_fork_would_share_or_lose_is_counted(self):
        for found, load in SEPARATE.items():
            with self.subTest(found):
                self.assertEqual(decide(loading(load)), {"mode": "separate", "found": found.split(", ")})

    def test_a_scratch_folder_outside_the_temporary_one_is_found_too(self):
        for load in (scratch_in_memory, scratch_under_a_name):
            with self.subTest(load.__name__):
                model = loading(load)
                self.assertEqual(decide(model), {"mode": "separate", "found": ["1 temporary file"]})

    def test_byte_code_that_is_kept_below_the_temporary_folder_is_none(self):
        def load(self):
            os.makedirs(os.path.join(sys.pycache_prefix, "package"))

        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, mock.patch.object(sys, "pycache_prefix", folder):
            self.assertEqual(decide(loading(load)), {"mode": "shared", "found": []})

    def test_a_model_that_removes_its_temporary_folder_is_not_forked(self):
        self.assertEqual(decide(loading(lose_the_folder))["mode"], "separate")

    def test_a_signal_setting_that_a_model_takes_back_is_one_too(self):
        self.assertEqual(decide(loading(restore_pipes))["mode"], "separate")

    def test_locks_of_multiprocessing_are_shared_memory(self):
        result = decide(loading(hold("lock", multiprocessing.get_context("fork").Lock)))
        self.assertEqual(result, {"mode": "separate", "found": ["1 shared memory"]})

    def test_what_is_made_in_the_first_prediction_counts_as_well(self):
        def answer(self):
            self.__dict__.setdefault("file", open("/etc/passwd"))  # noqa: SIM115
            return "1"

        self.assertEqual(decide(answering(answer)), {"mode": "separate", "found": ["1 open file"]})

    def test_what_shares_nothing_is_harmless(self):
        store = hold("store", lambda: os.mkdir("mlruns"))  # MLflow's
        nothing = hold("nothing", lambda: open(os.devnull, "w"))  # noqa: SIM115
        logs = [hold("log", lambda path=path: open(path, "a")) for path in ("model.log", "/var/tmp/davit-test.log")]  # noqa: SIM115
        for load in (ended_child, store, nothing, hold("read", read_mapping), *logs):
            self.assertEqual(decide(loading(load))["mode"], "shared")

    def test_what_the_model_has_forgotten_or_is_about_to_end_does_not_count(self):
        def forget(self):
            around = [open("/etc/passwd")]  # noqa: SIM115
            around.append(around)

        def tell(self):
            threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()
            return "1"

        for model in (loading(forget), answering(tell)):
            self.assertEqual(decide(model), {"mode": "shared", "found": []})

    def test_what_trying_leaves_in_the_loading_process_counts_as_well(self):
        def answer(self):
            self.calls += 1
            if self.calls == 2 and os.getpid() == self.process:
                self.file = open("/etc/passwd")  # noqa: SIM115
            return str(random.random()) if self.calls == 1 else "1"

        def load(self):
            self.process, self.calls = os.getpid(), 0

        self.assertEqual(decide(answering(answer, load)), {"mode": "separate", "found": ["1 open file"]})

    def test_a_model_without_an_example_is_not_proven(self):
        folder = OwnFolder()
        for wanted, mode in (("found", "separate"), ("shared", "shared")):
            found = WorkerMode(wanted, folder.path).decide(None, None, 4, 1)
            self.assertEqual(found["mode"], mode)
        folder.remove()

    def test_a_file_that_each_prediction_writes_elsewhere_is_seen_by_looking(self):
        def decided(path):
            folder = OwnFolder()
            mode = WorkerMode("found", folder.path)
            mode.predict(lambda: subprocess.call(["sh", "-c", f"echo 1 > {path}"]))
            result = mode.decide(Model(), Prediction("json", EXAMPLE, "1", 0.0), 3, 1)
            folder.remove()
            return mode.fixed_files, result["mode"]

        with open(__file__) as test, tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
            fcntl.flock(test, fcntl.LOCK_EX)  # the same test with another Python would be seen to write too
            self.assertEqual(decided(file.name), ([file.name], "separate"))
            self.assertEqual(decided("/dev/null"), ([], "shared"))

    @unittest.skipUnless(os.path.exists("/proc/self/io"), "this system does not count what a process writes")
    def test_a_prediction_that_writes_is_noticed_wherever_the_file_is(self):
        def has_written(predict):
            folder = OwnFolder()
            mode = WorkerMode("found", folder.path)
            mode.predict(predict)
            folder.remove()
            return mode.has_written

        with tempfile.NamedTemporaryFile(dir=os.path.dirname(__file__)) as file:
            self.assertTrue(has_written(lambda: file.write(b"1" * 10_000)))
            self.assertTrue(has_written(lambda: subprocess.call(["sh", "-c", f"echo 1 > {file.name}"])))
        if os.path.isdir("/dev/shm"):  # in the sandbox of a proof all that a model can write is in memory
            with tempfile.TemporaryFile(dir="/dev/shm", buffering=0) as file:
                self.assertTrue(has_written(lambda: file.write(b"1")))
        with tempfile.TemporaryDirectory() as folder:  # of this test, so that nobody else changes it
            os.listdir(folder)  # the first time that it is read, the system writes the time of access
            self.assertFalse(has_written(lambda: os.listdir(folder)))

    def test_a_model_without_an_example_is_looked_at_too(self):
        folder = OwnFolder()
        mode = WorkerMode("found", folder.path)
        with open("/etc/passwd"):
            self.assertEqual(mode.decide(None, None, 4, 1), {"mode": "separate", "found": ["1 open file"]})
        folder.remove()


def read_mapping():
    """Memory that nobody writes; its descriptor is closed by mmap only with the mapping, so it is the C library's."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    descriptor = os.open("/etc/passwd", os.O_RDONLY)
    address = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
    os.close(descriptor)
    return address


@unittest.skipUnless(LINUX, "other systems do not show what a fork shares")
class Trying(unittest.TestCase):
    def found(self, model, **options):
        result = decide(model, **options)
        self.assertEqual(result["mode"], "separate", result)
        (found,) = result["found"]
        return found

    def test_forks_that_answer_differently(self):
        parent = os.getpid

        def load(self):
            self.loaded_in = parent()

        def answer(self):
            return str(parent() == self.loaded_in)

        self.assertEqual(self.found(answering(answer, load)), "forks answer differently")

    def test_forks_that_mix_up_what_each_of_them_is_asked(self):
        self.assertEqual(self.found_in_file(Session()), MIXED_UP + ONE_AT_A_TIME)

    def test_forks_that_a_busy_machine_first_runs_one_after_the_other(self):
        class Late(Session):
            process = os.getpid()

            def predict(self, kind, body):
                if self.process != os.getpid():
                    self.process = os.getpid()
                    time.sleep(0.1 * self.read_number(body))
                return super().predict(kind, body)

        self.assertEqual(self.found_in_file(Late()), MIXED_UP + ONE_AT_A_TIME)

    def test_what_they_mix_up_is_outside_of_the_process_so_predictions_run_one_at_a_time(self):
        class Rows(Session):
            """Mixes up rows even if each fork gets the same request; a fork alone is right."""

            def predict(self, kind, body):
                return json.dumps([self.write_and_read(row) for row in range(10)])

            def write_and_read(self, row):
                body = json.dumps({"dataframe_split": {"data": [[row]]}})
                return super().predict("json", body)

        with tempfile.NamedTemporaryFile() as file:
            for model in (Session(), Rows()):
                folder = OwnFolder()
                self.addCleanup(folder.remove)
                model.path = file.name
                os.mkdir(os.path.join(folder.path, MODEL))
                mode = WorkerMode("found", folder.path)
                question = Prediction("json", EXAMPLE, model.predict("json", EXAMPLE), 0.0)
                (found,) = mode.decide(model, question, 3, 1)["found"]
                self.assertTrue(found.endswith(ONE_AT_A_TIME), found)
                self.assertEqual(mode.fixed_files, [EVERYTHING])

    def test_a_model_that_remembers_requests_has_one_worker(self):
        class Ids(Model):
            """Gives each number that it has not seen the next id."""

            def load(self):
                self.ids = {}

            def predict(self, kind, body):
                return str(self.ids.setdefault(Session.read_number(body), len(self.ids)))

        self.assertEqual(decide(Ids()), {"mode": "one", "found": [REMEMBERS]})

    def test_a_fault_of_each_fork_is_no_reason_for_that(self):
        parent, folder = os.getpid(), OwnFolder()
        self.addCleanup(folder.remove)
        mode = WorkerMode("found", folder.path)
        question = Prediction("json", EXAMPLE, "True", 0.0)
        result = mode.decide(answering(lambda self: str(parent == os.getpid())), question, 3, 1)
        self.assertEqual((result["found"], mode.fixed_files), (["forks answer differently"], []))

    def found_in_file(self, model):
        with tempfile.NamedTemporaryFile() as file:
            model.path = file.name
            return self.found(model)

    def test_a_model_that_refuses_what_its_example_is_not_may_be_shared(self):
        class Strict(Model):
            def predict(self, kind, body):
                if body != EXAMPLE:
                    raise ValueError("not in the vocabulary")
                return "1"

        class Crashing(Strict):
            def predict(self, kind, body):
                if body != EXAMPLE:
                    os.kill(os.getpid(), signal.SIGSEGV)
                return "1"

        for model in (Strict(), Crashing()):
            self.assertEqual(decide(model), {"mode": "shared", "found": []})

    def test_a_fork_that_fails_or_dies(self):
        def raise_elsewhere(self):
            if os.getpid() != self.loaded_in:
                raise ValueError("not here")
            return "1"

        def die_elsewhere(self):
            if os.getpid() != self.loaded_in:
                os.kill(os.getpid(), signal.SIGSEGV)
            return "1"

        load = hold("loaded_in", os.getpid)
        self.assertEqual(
            self.found(answering(raise_elsewhere, load)), "a fork fails the example (ValueError: not here)"
        )
        self.assertEqual(self.found(answering(die_elsewhere, load)), "a fork ended by signal 11 (SIGSEGV)")

    def test_forks_that_are_killed_from_outside_are_tried_once_more(self):
        load = hold("loaded_in", os.getpid)
        with tempfile.TemporaryDirectory() as folder:
            often = {"kills": 1}

            def kill_elsewhere(self):
                if os.getpid() != self.loaded_in and len(os.listdir(folder)) < often["kills"]:
                    tempfile.mkdtemp(dir=folder)
                    os.kill(os.getpid(), signal.SIGKILL)
                return "1"

            one_fork = {"model": answering(kill_elsewhere, load), "workers": 1}
            self.assertEqual(decide(**one_fork), {"mode": "shared", "found": []})
            often["kills"] = 3
            self.assertEqual(decide(**one_fork)["found"], ["a fork ended by SIGKILL, probably out of memory"])

    def test_a_fork_that_hangs(self):
        from davit_server.sharing import try_forks

        def wait_elsewhere(self):
            if os.getpid() != self.loaded_in:
                time.sleep(60)
            return "1"

        before, try_forks.LIMIT_SECONDS = try_forks.LIMIT_SECONDS, 0.5
        try:
            found = self.found(answering(wait_elsewhere, hold("loaded_in", os.getpid)))
        finally:
            try_forks.LIMIT_SECONDS = before
        self.assertRegex(found, r"a fork did not answer within \d s")

    def test_forks_that_write_one_temporary_file(self):
        def answer(self):
            path = os.path.join(self.folder, "input.csv")
            with open(path, "w") as file:
                file.write("1")
            with contextlib.suppress(FileNotFoundError):  # another fork has removed it
                os.unlink(path)
            return "1"

        found = self.found(answering(answer, hold("folder", tempfile.gettempdir)))
        self.assertEqual(found, "forks write into the temporary folder of the loading process")

    def test_temporary_and_relative_files_of_a_prediction_are_each_workers_own(self):
        def answer(self):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write("1")
            with open("input.csv", "a") as own:
                own.write("1")
            size = os.path.getsize("input.csv")
            os.unlink("input.csv")
            return str(size)

        self.assertEqual(decide(answering(answer)), {"mode": "shared", "found": []})

    def test_a_prediction_that_writes_a_file_elsewhere(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            path = os.path.join(elsewhere, "input.csv")

            def answer(self):
                with open(path, "w") as file:
                    file.write("1")
                with contextlib.suppress(FileNotFoundError):  # another fork has removed it
                    os.unlink(path)
                return "1"

            def append(self):
                with open(path, "a") as log:
                    log.write("1")
                return "1"

            found = self.found(answering(answer))
            self.assertEqual(found, "a prediction writes a file outside the temporary folder")
            self.assertEqual(decide(answering(append)), {"mode": "shared", "found": []})

    def test_a_prediction_that_writes_a_database_or_replaces_a_file_elsewhere(self):
        def insert(self):
            with contextlib.closing(sqlite3.connect(f"{self.folder}/scratch.db")) as database:
                database.execute("create table if not exists t (x)")
            return "1"

        def replace(self):
            with open("new.csv", "w") as file:
                file.write("1")
            os.replace("new.csv", f"{self.folder}/in.csv")
            return "1"

        with tempfile.TemporaryDirectory() as elsewhere:
            for answer in (insert, replace):
                with self.subTest(answer.__name__):
                    model = answering(answer)
                    model.folder = elsewhere
                    self.assertEqual(decide(model)["mode"], "separate")

    def test_random_numbers_are_each_workers_own_when_the_generator_is_the_modules(self):
        self.assertEqual(decide(answering(lambda self: str(random.random())))["mode"], "shared")

    def test_a_generator_or_a_counter_of_the_model_s_own_would_be_the_same_in_every_fork(self):
        def draw(self):
            return str(self.generator.random())

        def count(self):
            self.number += 1
            return f"{self.process}-{self.number}"

        def load(self):
            self.process, self.number = os.getpid(), 0

        for model in (answering(draw, hold("generator", random.Random)), answering(count, load)):
            self.assertEqual(self.found(model), "the model answers the same input differently each time")

    def test_forks_start_with_signals_numbers_and_a_group_of_their_own(self):
        def load(self):
            signal.pthread_sigmask(signal.SIG_BLOCK, [])
            self.first = None

        def answer(self):
            defaults = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
            wanted = [signal.SIG_DFL, signal.default_int_handler, signal.SIG_DFL]
            return str(defaults == wanted)

        self.assertEqual(decide(answering(answer, load)), {"mode": "shared", "found": []})


@unittest.skipUnless(LINUX, "other systems do not show what a fork shares")
class Wanting(unittest.TestCase):
    def test_shared_workers_can_be_had_though_something_was_found(self):
        result = decide(loading(start_thread), wanted="shared")
        self.assertEqual(result, {"mode": "shared", "found": ["1 thread"]})

    def test_shared_workers_cannot_be_had_when_a_fork_fails(self):
        def answer(self):
            return str(os.getpid())

        self.assertRegex(
            decide(answering(answer), wanted="shared")["raised"],
            "^ForkFailed: Cannot share the loaded model between workers: forks answer differently; set workers to",
        )

    def test_separate_and_one_are_not_looked_at(self):
        for wanted in ("separate", "one"):
            self.assertEqual(decide(loading(start_thread), wanted=wanted), {"mode": wanted, "found": []})


class Folders(unittest.TestCase):
    def setUp(self):
        # In the usual folder, servers of other tests also remove what a killed one has left.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        variables = mock.patch.dict(os.environ, TMPDIR=folder.name)
        variables.start()
        self.addCleanup(lambda: setattr(tempfile, "tempdir", None))
        self.addCleanup(variables.stop)
        tempfile.tempdir = None

    def test_what_a_killed_server_left_is_removed_by_the_next_one_and_nothing_else(self):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(writing, OwnFolder().path.encode())
            os._exit(0)
        os.waitpid(pid, 0)
        left = os.read(reading, 4096).decode()
        self.assertTrue(os.path.isdir(left))
        running = OwnFolder()
        other = OwnFolder()
        self.assertFalse(os.path.exists(left))
        self.assertTrue(os.path.isdir(running.path))
        running.remove()
        other.remove()
        self.assertFalse(os.path.exists(running.path))

    def test_a_folder_that_a_cleaner_removed_is_made_again_and_kept_by_the_next_server(self):
        running, before = OwnFolder(), (os.getcwd(), os.environ.get("TMPDIR"))
        path = enter_folder(running.path, MODEL)
        shutil.rmtree(running.path)
        restore_folder(path)
        self.assertEqual(os.getcwd(), os.path.realpath(path))
        self.assertEqual(os.stat(running.path).st_mode & 0o777, 0o700)
        os.chdir(before[0])
        os.environ.pop("TMPDIR") if before[1] is None else os.environ.update(TMPDIR=before[1])
        tempfile.tempdir = None
        other = OwnFolder()  # it removes what no server has locked
        self.assertTrue(os.path.isdir(path))
        for folder in (other, running):
            folder.remove()
        self.assertFalse(os.path.exists(path))

    def test_a_folder_of_another_user_is_not_used(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a folder of another user")
        folder = tempfile.mkdtemp()
        os.chown(folder, 12345, 12345)
        with self.assertRaises(PermissionError):
            enter_folder(folder, MODEL)
        os.rmdir(folder)


class Sockets(unittest.TestCase):
    def test_waiting_works_above_what_select_can_do(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        ours, theirs = socket.socketpair()
        high = os.dup2(ours.fileno(), 2000)
        self.assertEqual(wait_readable([high], 0), set())
        theirs.sendall(b"x")
        self.assertEqual(wait_readable([high]), {high})
        for each in (ours, theirs):
            each.close()
        os.close(high)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_socket_goes_over_a_socket(self):
        ours, theirs = socket.socketpair()
        one, two = socket.socketpair()
        send_with_sockets(ours, b"F1234", [one.fileno()])
        send_with_sockets(ours, b"K5678", [])
        message, got = receive_with_socket(theirs, 5)
        self.assertEqual(message, b"F1234")
        got.sendall(b"hello")
        self.assertEqual(two.recv(5), b"hello")
        self.assertEqual(receive_with_socket(theirs, 5), (b"K5678", None))
        ours.close()
        self.assertEqual(receive_with_socket(theirs, 5), (b"", None))
        for each in (theirs, one, two, got):
            each.close()


if __name__ == "__main__":
    unittest.main()
