"""Finds the shared libraries of the system that a model's packages have loaded into this process.

An image has other libraries than the machine that proves a model. What is loaded says more than what files name: wheels
contain extensions that nothing loads, and packages open libraries by name.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import sysconfig
from dataclasses import dataclass

MAPS = "/proc/self/maps"
HEADER, SEGMENT, ENTRY = struct.Struct("<32xQ14xHH"), struct.Struct("<I4xQQ8xQ"), struct.Struct("<qQ")
ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
LOAD, DYNAMIC = 1, 2
"""Types of segments."""
NEEDED, STRINGS, OWN_NAME = 1, 5, 14
"""Tags of the dynamic section."""
MOST_ENTRIES, MOST_BYTES = 1000, 200


@dataclass(frozen=True)
class Library:
    """A file that the dynamic linker has loaded."""

    path: str
    name: str
    """What other files call it: `libgomp.so.1`. Empty: nothing links to it."""
    needed: tuple[str, ...]


def list_system_libraries(*folders: str) -> list[dict]:
    """Returns `{"name", "by"}` for each library of the system that files in `folders` have loaded.

    `by` is the file that needs it, relative to its folder; None for a library that was opened by name. Libraries that
    only the interpreter or other libraries of the system need are left out.
    """
    own = [os.path.realpath(folder) for folder in folders]
    interpreter = [os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    loaded = [library for path in list_mapped_files() if (library := read_library(path))]
    packages = [library for library in loaded if is_below(library.path, own)]
    python = [library for library in loaded if library not in packages and is_python(library, interpreter)]
    system = [library for library in loaded if library not in packages and library not in python]
    by_name = {name: library for library in system for name in (library.name, os.path.basename(library.path))}
    users = {}
    for package in packages:
        for name in package.needed:
            if name in by_name:
                users.setdefault(by_name[name].name, locate(package.path, own))
    explained = find_needed([*python, *packages], by_name)
    opened = [library for library in system if library.name not in explained]
    inner = {name for library in opened for name in library.needed}
    users.update(dict.fromkeys(library.name for library in opened if library.name not in inner))
    return [{"name": name, "by": users[name]} for name in sorted(users) if name]


def list_mapped_files() -> list[str]:
    """Returns the files that are mapped into this process; nothing where the system does not tell."""
    try:
        with open(MAPS, encoding="utf-8", errors="surrogateescape") as maps:
            lines = [line.rstrip("\n").split(None, 5) for line in maps]
    except OSError:
        return []
    return list(dict.fromkeys(fields[5] for fields in lines if len(fields) == 6 and fields[5].startswith("/")))


def is_below(path: str, folders: list[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def is_python(library: Library, folders: list[str]) -> bool:
    is_program = library.path == os.path.realpath(sys.executable)
    return is_program or library.name.startswith("libpython") or is_below(library.path, folders)


def locate(path: str, folders: list[str]) -> str:
    """Returns a path below site-packages, or below its folder."""
    _, found, inner = path.rpartition(os.sep + "site-packages" + os.sep)
    return inner if found else next(os.path.relpath(path, folder) for folder in folders if is_below(path, [folder]))


def find_needed(users: list[Library], libraries: dict[str, Library]) -> set[str]:
    """Returns the names of all libraries that files need, directly or through another one."""
    found: set[str] = set()
    left = [name for user in users for name in user.needed]
    while left:
        library = libraries.get(left.pop())
        if library and library.name not in found:
            found.add(library.name)
            left += library.needed
    return found


def read_library(path: str) -> Library | None:
    """Reads the dynamic section of a file; None for a file without one."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return parse_library(path, data)
    except (OSError, ValueError, struct.error):  # ValueError: an empty file
        return None


def parse_library(path: str, data: mmap.mmap) -> Library | None:
    if data[: len(ELF64_LITTLE_ENDIAN)] != ELF64_LITTLE_ENDIAN:
        return None
    start, size, count = HEADER.unpack_from(data)
    segments = [SEGMENT.unpack_from(data, start + i * size) for i in range(count)]
    dynamic = next((offset for kind, offset, _, _ in segments if kind == DYNAMIC), None)
    if dynamic is None:
        return None
    entries = read_entries(data, dynamic)
    address = next((value for tag, value in entries if tag == STRINGS), 0)
    strings = next((o + address - a for kind, o, a, n in segments if kind == LOAD and a <= address < a + n), None)
    if strings is None:
        return None

    def read_names(wanted: int) -> tuple[str, ...]:
        return tuple(read_string(data, strings + value) for tag, value in entries if tag == wanted)

    return Library(path, "".join(read_names(OWN_NAME)[:1]), read_names(NEEDED))


def read_entries(data: mmap.mmap, start: int) -> list[tuple[int, int]]:
    entries = []
    for i in range(MOST_ENTRIES):
        tag, value = ENTRY.unpack_from(data, start + i * ENTRY.size)
        if tag == 0:
            break
        entries.append((tag, value))
    return entries


def read_string(data: mmap.mmap, start: int) -> str:
    return data[start : start + MOST_BYTES].partition(b"\0")[0].decode("utf-8", errors="replace")
