"""What is being worked on, told on a terminal to somebody who has waited two seconds."""
from __future__ import annotations

import sys
from threading import Lock, Timer
from typing import Any

PATIENT = 2.0


class Waiting:
    """A spinner with words on a terminal, from two seconds on; nothing in a pipe. Call it with the words of the next stage.

    >>> with Waiting("deriving") as tell:
    ...     tell("drawing")
    """

    def __init__(self, words: str) -> None:
        self.words, self.lock, self.over = words, Lock(), False
        self.status: Any = None
        self.timer = Timer(PATIENT, self._begin)
        self.timer.daemon = True

    def __call__(self, words: str) -> None:
        """What is worked on now."""
        with self.lock:
            self.words = words
            if self.status is not None:
                self.status.update(words)

    def _begin(self) -> None:
        from rich.console import Console
        with self.lock:
            if not self.over:
                self.status = Console(stderr=True).status(self.words)
                self.status.start()

    def __enter__(self) -> "Waiting":
        if sys.stderr.isatty():
            self.timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.timer.cancel()
        with self.lock:
            self.over = True
            if self.status is not None:
                self.status.stop()
