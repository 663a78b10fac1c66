"""What a process has loaded from the system. Uses only the standard library."""

import ctypes
import os
import shutil
import sys
import sysconfig
import tempfile
import unittest

from davit_server.processes.loaded_libraries import list_system_libraries, read_library

OF_THE_C_LIBRARY = "libBrokenLocale.so.1"
"""Part of every glibc, and nothing links to it."""


@unittest.skipUnless(sys.platform.startswith("linux"), "only Linux says what is mapped")
class ListSystemLibraries(unittest.TestCase):
    def test_a_library_is_named_with_the_file_that_needs_it_or_with_none_if_it_was_opened_by_name(self):
        extensions = os.path.join(sysconfig.get_path("stdlib"), "lib-dynload")
        with tempfile.TemporaryDirectory() as folder:
            before = list_system_libraries(folder)
            self.assertNotIn("libc.so.6", {library["name"] for library in before})  # only the interpreter needs it
            files = [os.path.join(extensions, name) for name in sorted(os.listdir(extensions)) if name.endswith(".so")]
            extension = next(file for file in files if "libc.so.6" in read_library(file).needed)
            shutil.copyfile(extension, os.path.join(folder, "own.so"))
            ctypes.CDLL(os.path.join(folder, "own.so"))
            ctypes.CDLL(OF_THE_C_LIBRARY)
            found = {library["name"]: library["by"] for library in list_system_libraries(folder)}
        self.assertEqual(found.get("libc.so.6"), "own.so")
        self.assertIn(OF_THE_C_LIBRARY, found)
        self.assertIsNone(found[OF_THE_C_LIBRARY])

    def test_a_file_that_is_no_library_or_is_cut_off_is_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            with open(os.path.realpath(sys.executable), "rb") as program:
                start = program.read(100)
            for content in (b"", b"text", start[:8], start):
                with open(path, "wb") as file:
                    file.write(content)
                self.assertIsNone(read_library(path))
        self.assertIsNone(read_library(path))


if __name__ == "__main__":
    unittest.main()
