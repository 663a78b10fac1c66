"""Lists the modules that a model imports from outside of itself. Executes and imports nothing of the model.

python -I scan_imports.py FOLDER PYTHON CODE SCRIPT LOADER LOADED…

PYTHON is the model's version, CODE its code folder, SCRIPT the file of a model from code and LOADER its loader module
(each perhaps empty). LOADED are the files that MLmodel names and MLflow loads. Starts at what MLflow loads (the
script, the loader, the pickles) and follows the imports of the model's own files from there, so a training script in
the code folder does not count. Prints JSON: the imports, each with file, line, column and when it is made.
"""

import json
import os
import re
import resource
import signal
import sys
from _compat_pickle import IMPORT_MAPPING
from collections import deque

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pickle_imports import scan_model
from source_imports import CALL, LOAD, parse_imports

#: Of the processor, so that a busy machine changes nothing.
SECONDS, MEMORY = 10, 2 << 30
#: Larger files are data in the form of code, and are not parsed.
FILE, TOTAL, FILES, FOUND = 1 << 20, 64 << 20, 20_000, 2_000
#: Modules of Python itself, in any version. Whether a version has one is for the reader of the output to say.
OTHER_VERSIONS = re.findall(
    r"\w+",
    """
    aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils dummy_threading formatter imghdr imp
    lib2to3 macpath mailcap msilib nis nntplib ossaudiodev parser pipes smtpd sndhdr spwd sunau symbol telnetlib uu
    xdrlib _bootlocale _dummy_thread __builtin__ copy_reg commands cPickle cStringIO exceptions annotationlib
    compression concurrent graphlib tomllib zoneinfo
    """,
)
STANDARD = {*sys.stdlib_module_names, *OTHER_VERSIONS, *IMPORT_MAPPING, "__main__", "__mp_main__", "__future__"}
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class TimeUp(BaseException):
    pass


class Scan:
    def __init__(self, folder, code):
        self.folder = os.path.realpath(folder)
        #: Whether a module of the model may change where Python looks, or is not read.
        self.changes_path = False
        #: Where the model server looks first. MLflow before 2.0 adds the folders directly below `code`.
        root = os.path.join(self.folder, code) if code else ""
        self.roots = [root, *list_folders(root)] if root and os.path.isdir(root) else []
        self.found, self.visited, self.todo, self.bytes = {}, set(), deque(), 0

    def follow(self):
        """Parses the files that are to be parsed. The imports of each one's own modules add more."""
        while self.todo:
            path, package, when = self.todo.pop()
            if path in self.visited:
                continue
            if len(self.visited) >= FILES:
                self.changes_path = True
                continue
            self.visited.add(path)
            for found in self.parse(path):
                self.add_import(found, path, package, LOAD if when == found.when == LOAD else CALL)

    def parse(self, path):
        """A file that cannot be read or parsed may do anything, such as change where Python looks for modules."""
        imports, changes_path = self.read(path) or ([], True)
        self.changes_path = self.changes_path or changes_path
        return imports

    def read(self, path):
        real = os.path.realpath(path)
        if not real.startswith(self.folder + os.sep) or not os.path.isfile(real):
            return None
        size = os.path.getsize(real)
        if size > FILE or self.bytes + size > TOTAL:
            return None
        self.bytes += size
        try:
            with open(real, "rb") as file:
                return parse_imports(file.read(FILE))
        except (Exception, RecursionError, MemoryError):
            return None

    def add_import(self, found, path, package, when):
        module = found.module
        if found.level > 0:
            parts = package.split(".") if package else []
            if found.level - 1 > len(parts) or not parts:
                return
            base = parts[: len(parts) - found.level + 1]
            module = ".".join([*base, *([module] if module else [])])
        if self.follow_own(module, found.names, when):
            return
        if found.level == 0:
            self.add((module, found.names, when), os.path.relpath(path, self.folder), found.line, found.column)

    def follow_own(self, module, names, when):
        """Whether the model has the module itself. Its files are then parsed too."""
        own = False
        for root in self.roots:
            folder, parts = root, module.split(".")
            for i, part in enumerate(parts):
                step = find_module(folder, part)
                if step is None:
                    break
                own = True
                self.enqueue(step, ".".join(parts[: i + 1]), when)
                folder = os.path.join(folder, part)
            else:
                for name in names:
                    step = find_module(folder, name) if own else None
                    if step is not None:
                        self.enqueue(step, f"{module}.{name}", when)
        if own or not is_in_folder(self.folder, module.split(".")[0]):
            return own
        self.changes_path = True  # it is not where the model server looks, so nothing of it is read
        return True

    def enqueue(self, path, module, when):
        is_package = os.path.basename(path) == "__init__.py"
        package = module if is_package else module.rpartition(".")[0]
        if path.endswith(".py"):
            # What is imported at load comes first, so that each file is parsed once, with its strongest reason.
            (self.todo.append if when == LOAD else self.todo.appendleft)((path, package, when))
        elif not os.path.isdir(path):
            self.changes_path = True  # compiled, so nothing of it is read

    def add(self, wanted, file, line, column, function=""):
        module, names, when = wanted
        top = module.split(".")[0]
        if not NAME.fullmatch(module):
            return
        key = (module, names if top not in STANDARD else ())
        if key in self.found and (self.found[key]["when"] == LOAD or when == CALL):
            return
        if key not in self.found and len(self.found) >= FOUND:
            return
        self.found[key] = {
            **{"module": module, "names": list(names)[:50], "standard": top in STANDARD, "when": when},
            **{"file": clean(file), "line": line, "column": column, "function": function},
        }

    def scan_pickles(self, loaded, python, code):
        skipped = (code + "/") if code else None
        for path, (module, when, function, line) in scan_model(
            self.folder, loaded, python, lambda path: skipped is not None and path.startswith(skipped)
        ):
            if not self.follow_own(module, (), when):
                self.add((module, (), when), path, line or 1, 1, function)


def list_folders(root):
    if not root or not os.path.isdir(root):
        return []
    with os.scandir(root) as entries:
        return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))[:FILES]


def find_module(folder, name):
    """The file of a module below a folder, or the folder of a namespace package. None: it has none."""
    base = os.path.join(folder, name)
    for path in (os.path.join(base, "__init__.py"), base + ".py"):
        if os.path.isfile(path):
            return path
    if os.path.isdir(base):
        return base
    return base + ".pyc" if os.path.isfile(base + ".pyc") or has_library(folder, name) else None


libraries = {}


def has_library(folder, name):
    if folder not in libraries:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        libraries[folder] = {each.split(".")[0] for each in names if each.endswith((".so", ".pyd", ".zip", ".egg"))}
    return name in libraries[folder]


def is_in_folder(folder, name):
    return os.path.isfile(os.path.join(folder, name + ".py")) or os.path.isdir(os.path.join(folder, name))


def clean(path):
    return re.sub(r"[^\x20-\x7e]", "?", path)[:300]


def main(folder, python, code, script, loader, *loaded):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def stop(*_):
        raise TimeUp

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    scan, complete = Scan(folder, code), True
    try:
        if script:
            scan.todo.append((os.path.join(scan.folder, script), "", LOAD))
        if loader:
            scan.follow_own(loader, (), LOAD)
        scan.scan_pickles(loaded, python, code)
        scan.follow()
    except TimeUp:
        complete = False
    signal.setitimer(signal.ITIMER_PROF, 0)
    imports = list(scan.found.values())
    print(json.dumps({"imports": imports, "changesPath": scan.changes_path, "complete": complete}))
    sys.stdout.flush()
    os._exit(0)  # without freeing what a hostile file has built


if __name__ == "__main__":
    main(*sys.argv[1:])
