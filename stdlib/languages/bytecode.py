"""Writes the byte code of every module below the directories it is given to /out, at the place it has in the image."""

import os
import py_compile
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

# Nobody changes a module of an image, so nobody has to look whether it was changed.
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def modules(directories):
    for directory in directories:
        for place, below, names in os.walk(directory):
            below.sort()
            paths = (os.path.join(place, name) for name in sorted(names) if name.endswith(".py"))
            yield from filter(os.path.isfile, paths)  # a link may lead to where something is only when the image runs


def is_there(path):
    """Whether what lies below has the byte code of this very module."""
    try:
        with open(cache_from_source(path), "rb") as cached, open(path, "rb") as module:
            start = cached.read(16)
            return start[:4] == MAGIC_NUMBER and start[4] & 1 and start[8:] == source_hash(module.read())
    except OSError:
        return False


def compile_module(path):
    if is_there(path):
        return
    os.makedirs(os.path.dirname("/out" + cache_from_source(path)), exist_ok=True)
    try:
        py_compile.compile(path, cfile="/out" + cache_from_source(path), doraise=True, invalidation_mode=UNCHECKED)
    except (py_compile.PyCompileError, UnicodeDecodeError, ValueError) as error:
        # Templates and data that are called like modules: they would not be imported either.
        print(f"no byte code: {path}: {type(error).__name__}", flush=True)
    except RecursionError:
        print(f"no byte code: {path}: nested too deeply", flush=True)


def main(directories):
    # A process for each module, all with the same past: what is marshalled depends on which objects there were before
    # (cpython issue 78274).
    running, most = set(), len(os.sched_getaffinity(0))
    for path in modules(directories):
        if len(running) == most:
            running.remove(finished())
        child = os.fork()
        if child == 0:
            compile_module(path)
            os._exit(0)
        running.add(child)
    for _ in running:
        finished()


def finished():
    child, status = os.wait()
    if status != 0:
        sys.exit(f"a process ended with {os.waitstatus_to_exitcode(status)}")
    return child


main(sys.argv[1:])
