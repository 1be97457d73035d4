# SPDX-License-Identifier: GPL-2.0-only
"""What the scenarios with other people's systems in cells share: their UART's other end, and an initial file system."""

import re
import threading
import time
from pathlib import Path

from conftest import Root

from machine import paths
from machine.cpio import Archive
from machine.machine import Serial


# How every /init begins. `end reboot` and `end poweroff` wait for a line, which says that all words have arrived:
# what is still in the kernel's buffer would go with its power
BEGIN = """#!/bin/sh
export PATH=/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
end() { read -r arrived; $1 -f; }
"""


class Listener(threading.Thread):
    """Reads the second UART all the time: QEMU stands still when nobody does. What it read is in `said` and in the log."""

    def __init__(self, serial: Serial, log: Path):
        super().__init__(daemon=True)
        self.serial = serial
        self.log = log
        self.said = ""
        self.heard = 0
        self.ended = False

    def __enter__(self) -> "Listener":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True
        self.join()

    def run(self) -> None:
        with open(self.log, "w", encoding="utf-8", buffering=1) as log:
            while not self.ended:
                more = self.serial.read(1, 0.2).decode(errors="replace")
                self.said += more
                log.write(more)

    def write(self, line: str) -> None:
        self.serial.write(line.encode() + b"\n")

    def expect(self, pattern: str, seconds: float = 120.0) -> re.Match[str]:
        """What it says next, and has not yet been waited for."""
        deadline = time.monotonic() + seconds
        while not (found := re.compile(pattern, re.MULTILINE).search(self.said, self.heard)):
            assert time.monotonic() < deadline, f"the cell does not say {pattern!r}:\n{self.said[-4000:]}"
            time.sleep(0.1)
        self.heard = found.end()
        return found


class Talk:
    """The same on a UART that only the hypervisor has."""

    def __init__(self, root: Root, cell: str):
        self.root, self.cell, self.heard = root, cell, 0

    @property
    def said(self) -> str:
        return self.root.jailhouse(f"console {self.cell}")

    def expect(self, pattern: str, seconds: float = 240.0) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.compile(pattern, re.MULTILINE).search(said := self.said, self.heard)):
            assert time.monotonic() < deadline, f"the cell does not say {pattern!r}:\n{said[-4000:]}"
            time.sleep(0.5)
        self.heard = found.end()
        return found

    def write(self, line: str) -> None:
        self.root.check(f"echo '{line}' | jailhouse console -i {self.cell}")


def initrd(init: str, programs: dict[str, bytes] | None = None) -> bytes:
    """Busybox, what the kernel starts, and more programs by their paths."""
    archive = Archive()
    archive.add("bin/busybox", paths.built(paths.BUILD / "busybox", "setup").read_bytes(), 0o755)
    archive.symlink("bin/sh", "busybox")
    archive.symlink("bin/mount", "busybox")
    archive.character_device("dev/console", 5, 1)
    archive.directory("sbin")
    archive.add("init", init.encode(), 0o755)
    for path, program in (programs or {}).items():
        archive.add(path, program, 0o755)
    return archive.image()


def lives(cell: Listener | Talk, first: str, release: str, end: str) -> None:
    """
    One life of a kernel in a cell whose /init talks, from its `first` word, the pattern of a line with the kernel's
    release, to its last.
    """
    assert cell.expect(first)[1] == release
    cell.write("the root cell")
    cell.expect(r"^cell: heard the root cell\r?$")
    cell.expect(r"^cell: CPUs 0-1\r?$")
    cell.write(end)
    cell.expect(rf"^cell: {end}\r?$")
    cell.write("arrived")
