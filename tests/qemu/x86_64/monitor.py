# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's own word on the machine, past everything that runs in it."""

import json
import re
import socket
from pathlib import Path


def ask(path: Path, command: str) -> str:
    """What QEMU's monitor answers, by the QMP socket there."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        stream = connection.makefile("rw", encoding="utf-8")
        stream.readline()
        for request in ({"execute": "qmp_capabilities"},
                        {"execute": "human-monitor-command", "arguments": {"command-line": command}}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            while "return" not in (answer := json.loads(stream.readline())):
                assert "error" not in answer, answer
        return str(answer["return"])


def word(path: Path, address: int) -> int:
    """16 bits of physical memory or of a device."""
    answer = ask(path, f"xp /1hx {address:#x}")
    found = re.search(r": 0x([0-9a-f]+)", answer)
    assert found, answer
    return int(found[1], 16)


def efers(path: Path) -> list[int]:
    """EFER of each CPU, as the CPU has it."""
    return [int(value, 16) for value in re.findall(r"EFER=([0-9a-f]+)", ask(path, "info registers -a"))]
