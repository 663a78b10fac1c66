"""Compiles Python files, whose paths it reads from stdin, one per line, to byte code below PYTHONPYCACHEPREFIX.

Runs none of their code. A file that cannot be compiled is skipped, because Python itself will say so. A stranger may
have written it: a megabyte of source can need a gigabyte, so this process has limits, and huge files are skipped.
"""

import os
import py_compile
import resource
import sys

MEMORY, FILE_BYTES = 1 << 30, 1 << 20

sys.pycache_prefix = sys.argv[1]  # -I makes Python ignore its environment variables
os.umask(0o022)  # the sandbox of root reads it as another user
resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        if os.path.getsize(path) <= FILE_BYTES:
            py_compile.compile(path, doraise=True)
    except Exception:
        continue
