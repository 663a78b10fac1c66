"""Lists what the pickles of a model would import and call. Imports and loads nothing of the model.

python -I scan_pickles.py FOLDER

Prints JSON: for each file with a pickle, its names (module, name, whether it is called, whether the scanner knows it as
dangerous) and why it could not be read to its end. Two readers look at each pickle: modelaudit-picklescan, which
decodes opcodes without following them and so also sees what a pickle skips, and the machine of stub_machine.py, which
knows the arguments. A hostile file meets limits of time, memory, depth and size.
"""

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
from keras_configs import CLASS_NAME, Unreadable, is_hdf5, list_config, list_embedded, list_hdf5
from stub_machine import REDUCERS, WRAPPER, Machine

MEBIBYTE = 1 << 20
SECONDS, MEMORY = 40, 2048 * MEBIBYTE
#: Limits for what is unpacked: one member, everything, and archives in archives.
MEMBER, TOTAL, DEPTH, MEMBERS = 256 * MEBIBYTE, 1024 * MEBIBYTE, 3, 20_000
#: The library reads its input at once; larger pickles are only followed.
STATIC = 64 * MEBIBYTE
NAMES, CHARACTERS, FILES = 200, 200, 200
#: With the names that Python 2 gave to its modules.
STANDARD = sys.stdlib_module_names | {"__builtin__", "copy_reg", "commands", "cPickle", "distutils", "lib2to3", "imp"}
PICKLES = re.compile(
    r"\.(pkl|pickle|p|pck|pcl|cpkl|cloudpickle|dill|joblib|jbl|pt|pth|bin|ckpt|dat|data|sav|model|z)$", re.I
)
#: Nothing of an honest model loads a pickle by such a name. Their text may begin like one, so only calls count.
UNLIKELY = re.compile(r"\.(py|pyi|md|rst|so|safetensors)$", re.I)
COMPRESSED = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open), (b"\x5d\x00\x00", lzma.open))
UNREADABLE = ((b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"7z\xbc\xaf", "7z"), (b"Rar!", "rar"))


class TimeUp(BaseException):
    pass


class Scan:
    def __init__(self):
        self.files, self.unpacked = [], 0

    def add(self, path, imports, dangerous, why):
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
        if len(self.files) < FILES:
            self.files.append({"path": path, "names": names[:NAMES], "incomplete": why})
        else:
            self.files[-1]["incomplete"] = f"more than {FILES} files have pickles"

    def scan(self, path, file, depth=0):
        """Looks into one file, or member of an archive, by what it contains and not by its name alone."""
        head = file.read(16)
        file.seek(0)
        if head[:1] == b"\x80" and head[1:2] <= b"\x05" and len(head) > 1:
            # The bytes of a tensor in an archive may begin like a pickle.
            certain = depth == 0 and not UNLIKELY.search(path)
            return self.scan_pickle(path, file, certain or is_named_like_pickle(path))
        if head.startswith(b"\x93NUMPY"):
            return self.scan_array(path, file)
        if is_hdf5(file):
            return self.scan_keras(path, lambda: list_hdf5(file))
        if os.path.basename(path) == "config.json":  # a `.keras` file that is unpacked
            file.seek(0)
            return self.scan_keras(path, lambda: list_config(file.read(MEMBER)))
        if os.path.basename(path) == "keras_metadata.pb":
            return self.scan_keras(path, lambda: list_embedded(file))
        file.seek(0)
        for magic, name in UNREADABLE:
            if head.startswith(magic):
                return self.add(path, {}, (), f"it is compressed with {name}")
        if zipfile.is_zipfile(file):
            return self.scan_zip(path, file, depth)
        file.seek(0)
        for magic, opener in COMPRESSED:
            if head.startswith(magic):
                return self.unpack(path, lambda opener=opener: opener(file), depth)
        if len(head) > 1 and head[0] == 0x78 and (head[0] * 256 + head[1]) % 31 == 0:
            return self.unpack(path, lambda: io.BytesIO(inflate(file)), depth)
        if head and is_tar(file):
            return self.scan_tar(path, file, depth)
        file.seek(0)
        return self.scan_pickle(path, file, certain=is_named_like_pickle(path))

    def unpack(self, path, opener, depth):
        try:
            with opener() as stream:
                data = stream.read(MEMBER + 1)
        except Exception:
            return self.scan_pickle(path, io.BytesIO(), certain=is_named_like_pickle(path))
        self.enter(path, data, depth)

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
            data = archive.read(member) if member.file_size < MEMBER else CLASS_NAME
            return self.scan_keras(path, lambda: list_config(data))
        if member.filename == "schema.json":
            return self.scan_schema(path, archive.read(member) if member.file_size < MEMBER else b"")
        with archive.open(member) as stream:
            head = stream.read(16)
            # A tensor or a text is not read to its end.
            if not may_be_pickle(member.filename, head):
                return None
            data = head + stream.read(MEMBER + 1 - len(head))
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
        head = file.read(12)
        wide = head[6:7] != b"\x01"
        length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
        file.seek(12 if wide else 10)
        if b"O" in re.sub(rb"'(descr|fortran_order|shape)'", b"", file.read(min(length, MEBIBYTE))):
            self.scan_pickle(path, file, certain=True)

    def scan_pickle(self, path, file, certain):
        start = file.tell()
        imports, why, excused = follow(file)
        if not certain and (not any(imports.values()) and (why is not None or not imports)):
            return
        if UNLIKELY.search(path) and not any(imports.values()):
            return
        file.seek(start)
        dangerous = set()
        data = file.read(STATIC + 1)
        if len(data) <= STATIC:
            seen, complete = read_statically(data, dangerous)
            # The library takes the bytes of joblib's arrays for opcodes, and finds names that nobody has written.
            if why is not None or (complete and WRAPPER not in imports):
                imports = {**{key: called for key, called in seen.items() if key not in excused}, **imports}
            why = None if complete else why
        # A file that is only named like a pickle, such as weights.bin, and has nothing of one, is none.
        if imports or (why is not None and (start > 0 or is_likely_pickle(data))):
            self.add(path, imports, dangerous, why)


def follow(file):
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
            Machine(file, found).load()
        except TimeUp:
            return {**imports, **found}, "it takes too long to read", set()
        except (MemoryError, RecursionError):
            return {**imports, **found}, "it needs too much memory to read", set()
        except Exception as error:
            # What follows the first pickle may be the bytes of tensors.
            if count == 0 or marked == b"\x80":
                imports.update(found)
            return imports, None if count else f"it is damaged or not a pickle ({type(error).__name__})", set()
        imports.update(found)
        count += 1


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


def inflate(file):
    machine = zlib.decompressobj()
    return machine.decompress(file.read(MEMBER), MEMBER + 1)


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
    file.seek(257)
    return file.read(5) == b"ustar" and file.seek(0) == 0


def main(folder):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def stop(*_):
        raise TimeUp

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    scan, path = Scan(), ""
    try:
        for root, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                path = os.path.relpath(os.path.join(root, name), folder)
                if os.path.islink(os.path.join(root, name)):
                    continue
                try:
                    with open(os.path.join(root, name), "rb") as file:
                        scan.scan(path, file)
                except (Exception, RecursionError) as error:
                    scan.add(path, {}, (), f"it cannot be read ({type(error).__name__})")
    except TimeUp:
        scan.add(path, {}, (), f"the scan of the model took longer than {SECONDS} s")
    signal.alarm(0)
    print(json.dumps({"files": scan.files}))
    sys.stdout.flush()
    os._exit(0)  # without freeing what a hostile file has built


if __name__ == "__main__":
    main(sys.argv[1])
