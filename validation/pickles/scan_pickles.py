"""Lists what the pickles of a model would import and call. Imports and loads nothing of the model.

python -I scan_pickles.py FOLDER

Prints JSON: for each file with a pickle, its names (module, name, whether it is called, whether the scanner knows it as
dangerous) and why it could not be read to its end. Two readers look at each pickle: modelaudit-picklescan, which
decodes opcodes without following them and so also sees what a pickle skips, and the machine of stub_machine.py, which
knows the arguments. A hostile file meets limits of time, memory, depth and size.
"""

import ast
import bz2
import gzip
import io
import json
import lzma
import os
import re
import resource
import signal
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keras_configs import HDF5, Unreadable, is_hdf5, list_config, list_embedded, list_hdf5, list_saved_model
from stub_machine import REDUCERS, WRAPPER, Machine

MEBIBYTE = 1 << 20
SECONDS, MEMORY = 40, 2048 * MEBIBYTE
#: Limits for what is unpacked: one member, everything, and archives in archives.
MEMBER, TOTAL, DEPTH, MEMBERS = 256 * MEBIBYTE, 1024 * MEBIBYTE, 3, 20_000
#: The library reads its input at once; larger pickles are only followed.
STATIC = 64 * MEBIBYTE
NAMES, CHARACTERS, FILES = 200, 200, 200
#: Files that Keras finds by their names.
CONFIGS = {"config.json", "keras_metadata.pb", "saved_model.pb"}
#: With the names that Python 2 gave to its modules.
STANDARD = sys.stdlib_module_names | {"__builtin__", "copy_reg", "commands", "cPickle", "distutils", "lib2to3", "imp"}
PICKLES = re.compile(
    r"\.(pkl|pickle|p|pck|pcl|cpkl|cloudpickle|dill|joblib|jbl|pt|pth|bin|ckpt|dat|data|sav|model|z)$", re.I
)
#: Nothing of an honest model loads a pickle by such a name. Their text may begin like one, so only calls count.
UNLIKELY = re.compile(r"\.(py|pyi|md|rst|so|safetensors)$", re.I)
COMPRESSED = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open), (b"\x5d\x00", lzma.open))
#: joblib before 0.10 writes this, then the length in 19 characters, then zlib.
OLD_JOBLIB = (b"ZF0x", 21)
KNOWN_MAGICS = tuple(magic for magic, _ in COMPRESSED)
UNREADABLE = ((b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"7z\xbc\xaf", "7z"), (b"Rar!", "rar"))
TOO_LONG = "it takes too long to read"


class TimeUp(BaseException):
    pass


class Scan:
    def __init__(self):
        #: For each path its names, which of them the library knows as dangerous, and why it was not read to its end.
        self.found, self.unpacked = {}, 0

    def add(self, path, imports, dangerous, why):
        """Several readers may find something in one file."""
        if path not in self.found and len(self.found) >= FILES:
            path, imports, why = next(reversed(self.found)), {}, f"more than {FILES} files have pickles"
        names, known, before = self.found.get(path, ({}, set(), None))
        names = {**names, **{key: called or names.get(key, False) for key, called in imports.items()}}
        self.found[path] = (names, known | set(dangerous), before or why)

    def list_files(self):
        return [self.describe(path, *found) for path, found in self.found.items()]

    def describe(self, path, imports, dangerous, why):
        names = [
            {
                "module": module[:CHARACTERS],
                "name": name[:CHARACTERS],
                "called": called,
                "dangerous": f"{module}.{name}" in dangerous,
                "standard": module.split(".")[0] in STANDARD,
            }
            for (module, name), called in sorted(imports.items())
        ]
        if len(names) > NAMES:
            why = why or f"it names more than {NAMES} imports"
        return {"path": path, "names": names[:NAMES], "incomplete": why}

    def scan(self, path, file, depth=0):
        """Looks into one file, or member of an archive, by what it contains and not by its name alone.

        A file may be valid in several formats, and a model server reads the one that it expects. So every reader runs
        whose format the file could have, and the pickle machine always.
        """
        head = read_head(file)
        marked = is_likely_pickle(head)
        # The bytes of a tensor in an archive may begin like a pickle.
        certain = is_named_like_pickle(path) or (marked and depth == 0 and not UNLIKELY.search(path))
        self.scan_pickle(path, file, certain and (marked or not is_archive(head)))
        if head.startswith(b"\x93NUMPY"):
            file.seek(0)
            self.scan_array(path, file)
        self.scan_configs(path, file)
        for magic, name in UNREADABLE:
            if head.startswith(magic):
                self.add(path, {}, (), f"it is compressed with {name}")
        if zipfile.is_zipfile(file):
            self.scan_zip(path, file, depth)
        for stream in list_unpacked(head, path, file):
            self.unpack(path, stream, depth)
        if is_tar(file):
            file.seek(0)
            self.scan_tar(path, file, depth)

    def scan_configs(self, path, file):
        name = os.path.basename(path)
        if is_hdf5(file):
            self.scan_keras(path, lambda: list_hdf5(file))
        if name == "config.json":  # a `.keras` file that is unpacked
            file.seek(0)
            self.scan_keras(path, lambda: list_config(file))
        if name == "keras_metadata.pb":
            self.scan_keras(path, lambda: list_embedded(file))
        if name == "saved_model.pb":
            self.scan_keras(path, lambda: list_saved_model(file))

    def unpack(self, path, stream, depth):
        """Reads up to the first error, as a model server does that reads a pickle to its end and no further."""
        data = bytearray()
        try:
            while len(data) <= MEMBER and (block := stream.read1(MEBIBYTE)):
                data += block
        except Exception:
            pass  # what begins like a compressed file by chance, or has something else after its end
        if data:
            self.enter(path, bytes(data), depth)

    def enter(self, path, data, depth):
        self.unpacked += len(data)
        if len(data) > MEMBER or self.unpacked > TOTAL:
            return self.add(path, {}, (), "it unpacks to more than the scan reads")
        if depth >= DEPTH:
            return self.add(path, {}, (), "it is an archive in archives")
        self.scan(path, io.BytesIO(data), depth + 1)

    def scan_zip(self, path, file, depth):
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                if len(members) > MEMBERS:
                    return self.add(path, {}, (), f"it has more than {MEMBERS} members")
                for member in members:
                    if member.is_dir() or UNLIKELY.search(member.filename):
                        continue
                    self.scan_member(f"{path}:{member.filename}", archive, member, depth)
        except Exception as error:
            self.add(path, {}, (), f"it is not a readable zip file ({type(error).__name__})")

    def scan_member(self, path, archive, member, depth):
        if os.path.basename(member.filename) == "config.json":
            with archive.open(member) as stream:
                self.scan_keras(path, lambda: list_config(stream))
        if member.filename == "schema.json":
            self.scan_schema(path, archive.read(member) if member.file_size < MEMBER else b"")
        with archive.open(member) as stream:
            # A tensor or a text is not read to its end.
            if not may_be_pickle(member.filename, stream.read(16)) and not calls_something(archive, member):
                return
        with archive.open(member) as stream:
            data = stream.read(MEMBER + 1)
        self.enter(path, data, depth)

    def scan_tar(self, path, file, depth):
        with tarfile.open(fileobj=file) as archive:
            for index, member in enumerate(archive):
                if index >= MEMBERS:
                    return self.add(path, {}, (), f"it has more than {MEMBERS} members")
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and not UNLIKELY.search(member.name):
                    self.enter(f"{path}:{member.name}", stream.read(MEMBER + 1), depth)

    def scan_schema(self, path, data):
        """skops names classes in JSON and imports them when it loads."""
        imports, why = {}, None
        try:
            todo = [json.loads(data)]
        except (ValueError, RecursionError):
            return self.add(path, {}, (), "it is not readable JSON")
        while todo:
            value = todo.pop()
            if isinstance(value, dict):
                if isinstance(value.get("__module__"), str) and isinstance(value.get("__class__"), str):
                    imports[(value["__module__"], value["__class__"])] = True
                todo.extend(value.values())
            elif isinstance(value, list):
                todo.extend(value)
        if imports:
            self.add(path, imports, (), why)

    def scan_keras(self, path, read):
        """Keras names classes in JSON, imports them when it loads, and keeps functions as byte code."""
        try:
            imports, why = read(), None
        except Unreadable as error:
            imports, why = {}, str(error)
        if imports or why is not None:
            self.add(path, imports, (), why)

    def scan_array(self, path, file):
        """An array of objects is a pickle after the header."""
        head = file.read(12)
        wide = head[6:7] != b"\x01"
        length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
        if length > MEBIBYTE:
            return self.add(path, {}, (), "the header of its array is longer than the scan reads")
        file.seek(12 if wide else 10)
        if not has_plain_numbers(file.read(length)):
            self.scan_pickle(path, file, certain=True)

    def scan_pickle(self, path, file, certain):
        start = file.tell()
        imports, why, excused = follow(file)
        if has_array(imports):
            file.seek(start)
            for key, called in list_unskipped(file).items():
                imports[key] = called or imports.get(key, False)
        if why == TOO_LONG and not certain:
            raise TimeUp
        if not certain and (not any(imports.values()) and (why is not None or not imports)):
            return
        if UNLIKELY.search(path) and not any(imports.values()):
            return
        file.seek(start)
        dangerous = set()
        data = file.read(STATIC + 1)
        if len(data) <= STATIC:
            seen, complete = read_statically(data, dangerous)
            if has_array(imports):
                # The library takes the bytes of joblib's arrays for opcodes, and finds names that nobody has written.
                seen = {key: called for key, called in seen.items() if ".".join(key) in dangerous}
            if why is not None or complete:
                imports = {**{key: called for key, called in seen.items() if key not in excused}, **imports}
            why = None if complete else why
        # A file that is only named like a pickle, such as weights.bin, and has nothing of one, does not count.
        if imports or (why is not None and (start > 0 or is_likely_pickle(data))):
            self.add(path, imports, dangerous, why)


def follow(file, skips_arrays=True):
    """Follows one pickle after the other.

    Returns their names, why the first was not read to its end, and the names whose use is harmless (`REDUCERS`).
    """
    imports, count = {}, 0
    while True:
        found, marked = {}, file.read(1)
        if not marked:
            return imports, None if count else "it is empty", REDUCERS - imports.keys()
        file.seek(-1, io.SEEK_CUR)
        try:
            Machine(file, found, skips_arrays=skips_arrays).load()
        except TimeUp:
            return {**imports, **found}, TOO_LONG, set()
        except (MemoryError, RecursionError):
            return {**imports, **found}, "it needs too much memory to read", set()
        except Exception as error:
            # What follows the first pickle may be the bytes of tensors.
            if count == 0 or marked == b"\x80":
                imports.update(found)
            return imports, None if count else f"it is damaged or not a pickle ({type(error).__name__})", set()
        imports.update(found)
        count += 1


def has_array(imports):
    return any(name.split(".")[-1] == WRAPPER for _, name in imports)


def list_unskipped(file):
    """joblib skips the bytes of its arrays, which `pickle.load` executes. Anybody can write either kind of file."""
    imports, why, _ = follow(file, skips_arrays=False)
    if why == TOO_LONG:
        raise TimeUp
    return {key: called for key, called in imports.items() if called or why is None}


def calls_something(archive, member):
    with archive.open(member) as stream:
        imports, why, _ = follow(stream)
    if why == TOO_LONG:
        raise TimeUp
    return any(imports.values())


def read_statically(data, dangerous):
    """The library's view. Returns names, and whether it has read the whole pickle."""
    from modelaudit_picklescan import ScanOptions, scan_bytes

    options = ScanOptions(timeout_s=10, max_opcodes=5_000_000)
    imports = {}
    report = scan_bytes(data, source="", options=options, enrich_call_graph=False)
    for reference in report.metadata.get("import_references", []):
        name = (str(reference.get("module")), str(reference.get("name")))
        if reference.get("is_dangerous"):
            dangerous.add(".".join(name))
        imports.setdefault(name, False)
    for finding in report.findings:
        text = re.search(r"^Nested pickle finding: .*: ([\w.]+)\.(\w+)$", finding.message)
        if text:
            imports[text.groups()] = True
    return imports, report.status.value == "complete" and not report.metadata.get("import_references_truncated")


class Inflated:
    """zlib streams one after the other, as joblib reads them."""

    def __init__(self, file):
        self.file, self.machine, self.rest = file, zlib.decompressobj(), b""

    def read1(self, size):
        while self.rest or (block := self.file.read(MEBIBYTE)):
            data, self.rest = self.rest or block, b""
            if self.machine.eof:
                self.machine = zlib.decompressobj()
            unpacked = self.machine.decompress(data, size)
            self.rest = self.machine.unconsumed_tail or self.machine.unused_data
            if unpacked:
                return unpacked
        return b""


def read_head(file):
    file.seek(0)
    head = file.read(32)
    file.seek(0)
    return head


def list_unpacked(head, path, file):
    """The readers for each compression that the file may have. joblib and pandas also choose by the name."""
    file.seek(0)
    openers = [opener for magic, opener in COMPRESSED if head.startswith(magic)]
    if re.search(r"\.(xz|lzma)$", path, re.I) and lzma.open not in openers:
        openers.append(lzma.open)
    for opener in openers:
        file.seek(0)
        yield opener(file)
    if is_zlib(head):
        file.seek(0)
        yield Inflated(file)
    magic, start = OLD_JOBLIB
    if head.startswith(magic):
        file.seek(start if is_zlib(head[start:]) else start + 1)
        yield Inflated(file)


def is_zlib(head):
    return len(head) > 1 and head[0] & 15 == 8 and (head[0] * 256 + head[1]) % 31 == 0


def is_archive(head):
    """Whether a file that is named like a pickle is something else, whose reader says more about its damage."""
    return is_zlib(head) or any(head.startswith(magic) for magic in (b"PK", b"\x93NUMPY", HDF5, *KNOWN_MAGICS))


def has_plain_numbers(header):
    """Whether NumPy reads the array as bytes: its type is known, and has no objects."""
    try:
        return is_plain(ast.literal_eval(header.decode("latin-1").strip())["descr"])
    except Exception:
        return False


def is_plain(descr):
    if isinstance(descr, str):
        return re.fullmatch(r"[<>|=]?[?biufcSaUVmM]\d*(\[\w+\])?", descr) is not None
    return isinstance(descr, list) and all(is_plain(field[1]) for field in descr)


def may_be_pickle(name, head):
    return (
        is_named_like_pickle(name)
        or head[:1] == b"\x80"
        or head.startswith((b"\x93NUMPY", b"PK\x03\x04", b"c", b"(", b"]", b"}"))
        or any(head.startswith(magic) for magic, _ in (*COMPRESSED, *UNREADABLE))
    )


def is_named_like_pickle(path):
    return PICKLES.search(path) is not None


def is_likely_pickle(data):
    return data[:1] == b"\x80" and data[1:2] <= b"\x05"


def is_tar(file):
    """Also without the mark that old archives do not have: a checksum tells."""
    file.seek(0)
    try:
        tarfile.TarInfo.frombuf(file.read(512), "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        file.seek(257)
        return file.read(5) == b"ustar"
    return True


def list_files(folder):
    """Pairs of a path in the model and a file. A link counts if its name has another meaning than the file's own."""
    folder = os.path.realpath(folder)
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            file = os.path.realpath(path)
            inside = file.startswith(folder + os.sep) and os.path.isfile(file)
            if inside and (file == path or describe_name(path) != describe_name(file)):
                yield os.path.relpath(path, folder), file


def describe_name(path):
    """What a name says about a file's format."""
    name = os.path.basename(path)
    special = name if name in CONFIGS else os.path.splitext(name)[1] in (".xz", ".lzma")
    return special, is_named_like_pickle(path), UNLIKELY.search(path) is not None


def main(folder):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def stop(*_):
        raise TimeUp

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    scan, path = Scan(), ""
    try:
        for path, file in list_files(folder):
            try:
                with open(file, "rb") as stream:
                    scan.scan(path, stream)
            except (Exception, RecursionError) as error:
                scan.add(path, {}, (), f"it cannot be read ({type(error).__name__})")
    except TimeUp:
        scan.add(path, {}, (), f"the scan of the model took longer than {SECONDS} s")
    signal.alarm(0)
    print(json.dumps({"files": scan.list_files()}))
    sys.stdout.flush()
    os._exit(0)  # without freeing what a hostile file has built


if __name__ == "__main__":
    main(sys.argv[1])
