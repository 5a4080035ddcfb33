"""Warm worker processes with time limits that end a process: what is not decided in time is given up, never waited for."""
from __future__ import annotations

import atexit
import os
import pickle
import queue
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("worker.py")
SIZE = 2
SMALL = 3                                                                # states that are handled without a process
PATIENCE = max(1.0, float(os.environ.get("DYNOPT_PATIENCE") or 1))       # a slow or busy machine needs this many times the limits
START = 60.0                                                             # seconds that starting a process may take


class OutOfTime(Exception):
    """The work was not finished within its limit and its process was ended."""


class WorkFailed(Exception):
    """The work raised an error in its process."""


class Worker:
    """One process that answers one call at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-I", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=os.name == "posix")   # Ctrl-C is the parent's
        self.answers: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        self._send(sys.path)
        self._send((f"{__package__}.smt", "ready", ()))                  # loads z3 while the parent goes on
        self.ready = False

    def _read(self, stream: Any) -> None:
        try:
            while True:
                self.answers.put(pickle.load(stream))
        except Exception:                                                # closed or killed in the middle of an answer
            self.answers.put(None)

    def _send(self, message: Any) -> None:
        pickle.dump(message, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        self.process.stdin.flush()

    def call(self, module: str, function: str, args: tuple, seconds: float) -> Any:
        """The function's value; the process is ended if it does not come in time."""
        try:
            if not self.ready:
                self.answers.get(timeout=START)
                self.ready = True
            self._send((module, function, args))
            answer = self.answers.get(timeout=seconds*PATIENCE)
        except queue.Empty:
            self.end()
            raise OutOfTime(f"{function} did not end within {seconds*PATIENCE:g} s") from None
        except BaseException:                                            # Ctrl-C, or a process that is gone
            self.end()
            raise
        if answer is None:
            self.end()
            raise WorkFailed(f"the process of {function} ended before it answered")
        done, value = answer
        if not done:
            raise WorkFailed(value)
        return value

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Kill the process and wait for it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass


_idle: list[Worker] = []
_all: list[Worker] = []
_lock = threading.Lock()
_owner = os.getpid()


def _take() -> Worker:
    global _owner
    with _lock:
        if _owner != os.getpid():                                        # a fork: the workers are its parent's
            _idle.clear()
            _all.clear()
            _owner = os.getpid()
        while _idle:
            worker = _idle.pop()
            if worker.alive:
                return worker
        worker = Worker()
        _all[:] = [w for w in _all if w.alive] + [worker]
        return worker


def call(module: str, function: str, *args: Any, seconds: float) -> Any:
    """`module.function(*args)` in a worker process, ended after `seconds`; raises OutOfTime or WorkFailed."""
    worker = _take()
    try:
        return worker.call(module, function, args, seconds)
    finally:
        with _lock:
            if worker.alive and len(_idle) < SIZE:
                _idle.append(worker)
            elif worker.alive:
                worker.end()


def limited(size: int, module: str, function: str, *args: Any, seconds: float = 15.0) -> Any:
    """A function of this package, run here where the problem is small, else in a worker with a time limit."""
    name = f"{__package__}.{module}"
    if size <= SMALL:
        return getattr(import_module(name), function)(*args)
    return call(name, function, *args, seconds=seconds)


def warm() -> None:
    """Start a worker now, so that it is ready when the first question comes."""
    with _lock:
        started = bool(_idle) and _owner == os.getpid()
    if not started:
        worker = _take()
        with _lock:
            _idle.append(worker)


@atexit.register
def close() -> None:
    """End every worker."""
    with _lock:
        if _owner == os.getpid():
            for worker in _all:
                if worker.alive:
                    worker.end()
        _idle.clear()
        _all.clear()
