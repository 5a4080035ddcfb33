"""A worker process: reads pickled calls from stdin, writes pickled answers to stdout, ends when its parent does.

Run as a script, never imported by the package: sympy and z3 cannot be stopped in a thread, a process can.
"""
from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from importlib import import_module
from typing import BinaryIO

MEMORY = 6 << 30


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _limit_memory() -> None:
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, ValueError, OSError):
        pass                                                             # no such limit on this system


def _answer(module: str, function: str, args: tuple) -> tuple[bool, object]:
    try:
        return True, getattr(import_module(module), function)(*args)
    except Exception as error:                                           # told to the parent, which decides
        return False, f"{type(error).__name__}: {error}"


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer calls until the other side closes."""
    sys.path[:] = pickle.load(source)
    while True:
        try:
            call = pickle.load(source)
        except EOFError:
            return
        pickle.dump(_answer(*call), sink, protocol=pickle.HIGHEST_PROTOCOL)
        sink.flush()


if __name__ == "__main__":
    _limit_memory()
    if hasattr(os, "getppid"):
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)                                                        # a stray print must not reach the answers
    serve(sys.stdin.buffer, channel)
