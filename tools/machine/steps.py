# SPDX-License-Identifier: GPL-2.0-only
"""Steps told one line each, with a moving display on a terminal."""

import sys
import threading
import time
from collections.abc import Callable

TURN = "|/-\\"
PERIOD = 0.2
# What ends quickly needs no display
PATIENCE = 0.5


class Steps:
    """Prints each step with a tick, or a cross, and its time."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        encoding = sys.stdout.encoding or "ascii"
        try:
            "✓✗█".encode(encoding)
            self._tick, self._cross, self.block = "✓", "✗", "█"
        except UnicodeEncodeError:
            self._tick, self._cross, self.block = "ok", "FAILED", "#"

    def run(self, text: str, action: Callable[[], str | None]) -> None:
        """Does `action`; a string it returns is shown behind the step."""
        began = time.monotonic()
        ended = threading.Event()
        display = threading.Thread(target=self._turn, args=(text, began, ended), daemon=True)
        if self._tty:
            display.start()
        mark, note = self._cross, None
        try:
            note = action()
            mark = self._tick
        finally:
            ended.set()
            if self._tty:
                display.join()
            behind = f": {note}" if note else ""
            print(f"{self._start()}{mark} {text}{behind} ({time.monotonic() - began:.1f} s)", flush=True)

    def _start(self) -> str:
        """Back to an empty line."""
        return "\r\033[K" if self._tty else ""

    def _turn(self, text: str, began: float, ended: threading.Event) -> None:
        turns = 0
        if ended.wait(PATIENCE):
            return
        while not ended.wait(PERIOD):
            print(f"{self._start()}{TURN[turns % 4]} {text} {time.monotonic() - began:.0f} s", end="", flush=True)
            turns += 1
