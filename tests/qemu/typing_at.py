# SPDX-License-Identifier: GPL-2.0-only
"""The console of a cell with inmates/tests/uart.c in it: what is typed there, and what it says."""

import re

from conftest import Root

TEXT = "".join(chr(c) for c in range(0x20, 0x7f) if chr(c) not in "'\\%") * 3
EOT = "\\004"


def type_text(root: Root, cell: str, text: str) -> None:
    root.check(f"printf '%b' '{text}' | jailhouse console -i {cell}")


def said_by(root: Root, cell: str, pattern: str) -> re.Match[str]:
    """Waits until the cell's own console has it."""
    for _ in range(100):
        text = root.jailhouse(f"console {cell}")
        if found := re.search(pattern, text):
            return found
        root.check("usleep 50000")
    raise AssertionError(f"cell {cell} does not say {pattern!r}:\n{text}")
