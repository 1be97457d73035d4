# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernel in a cell, unpatched, beside the one that is the root cell."""

import re
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import Root

from machine import paths
from machine.cpio import Archive

HERE = Path(__file__).parent
STUB, DTB, KERNEL, INITRD = 0x4000_0000, 0x4001_0000, 0x4020_0000, 0x4a00_0000
# Linux's arm64 boot protocol: x0 is the device tree, x1 to x3 are 0
ENTER_KERNEL = struct.pack("<6I2Q",
                           0x5800_00c0,  # ldr x0, DTB
                           0xaa1f_03e1, 0xaa1f_03e2, 0xaa1f_03e3,  # mov x1, xzr; x2; x3
                           0x5800_0084,  # ldr x4, KERNEL
                           0xd61f_0080,  # br x4
                           DTB, KERNEL)
INIT = """#!/bin/sh
export PATH=/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
cd /sys/devices/system/cpu
echo "cell: $(uname -r) on CPUs $(cat online), $(grep -c GICv3 /proc/interrupts) interrupts"
read -r line; echo "cell: heard $line"
for n in 1 2 3 4 5; do for cpu in 0 1; do echo 0 >cpu$cpu/online && echo 1 >cpu$cpu/online || echo "cell: lost $cpu"; done; done
echo "cell: CPUs $(cat online)"
read -r line
dmesg | grep -E 'WARNING: |BUG: |Call trace|Oops|nobody cared|detected stall|Internal error'
echo "cell: goes"
$line -f
"""


class Listener(threading.Thread):
    """Reads the second UART all the time: QEMU stands still when nobody does."""

    def __init__(self, serial):
        super().__init__(daemon=True)
        self.serial = serial
        self.said = ""
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            self.said += self.serial.read(1, 0.2).decode(errors="replace")

    def expect(self, pattern: str, seconds: float = 120.0) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said, re.MULTILINE)):
            assert time.monotonic() < deadline, f"the cell does not say {pattern!r}:\n{self.said[-4000:]}"
            time.sleep(0.1)
        return found


def initrd() -> bytes:
    archive = Archive()
    archive.add("bin/busybox", paths.built(paths.BUILD / "busybox", "setup").read_bytes(), 0o755)
    archive.symlink("bin/sh", "busybox")
    archive.symlink("bin/mount", "busybox")
    archive.character_device("dev/console", 5, 1)
    archive.directory("sbin")
    archive.add("init", INIT.encode(), 0o755)
    return archive.image()


def device_tree(initrd_size: int) -> bytes:
    text = (HERE / "linux.dts").read_text().replace("INITRD_START", hex(INITRD)).replace("INITRD_END", hex(INITRD + initrd_size))
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=text.encode(), capture_output=True, check=True).stdout


@pytest.fixture
def images(kernel) -> dict[str, bytes | Path]:
    archive = initrd()
    return {"linux/stub": ENTER_KERNEL, "linux/dtb": device_tree(len(archive)), "linux/initrd": archive,
            "linux/kernel": paths.kernel_image(kernel)}


@pytest.mark.parametrize("kernel", ["6.12", "6.12-rt"])
def test_stock_kernel(boot, blobs, kernels, images, say, kernel):
    """Two CPUs that come and go, interrupts both ways on its console, power off; none of its interrupts is an exit."""
    root = Root(boot(files={**blobs, **images}, serials=2))
    before = root.state()
    cell = Listener(root.machine.serial)
    root.create("linux", "linux")
    root.jailhouse(f"cell load linux /linux/stub -a {STUB:#x} /linux/dtb -a {DTB:#x} /linux/kernel -a {KERNEL:#x} "
                   f"/linux/initrd -a {INITRD:#x}")
    cell.start()
    try:
        root.start("linux")
        assert cell.expect(r"^cell: (\S+) on CPUs 0-1, ")[1] == kernels[kernel]
        root.machine.serial.write(b"the root cell\n")
        cell.expect(r"^cell: heard the root cell\r?$")
        cell.expect(r"^cell: CPUs 0-1\r?$")
        assert "cell: lost" not in cell.said
        exits = {cpu: root.statistics(root.cell_id("linux"), cpu) for cpu in (2, 3)}
        say(f"exits until then: {exits}")
        assert all(counts["irq"] == counts["fault"] == counts["other"] == 0 for counts in exits.values())
        assert root.timers_run() == 2
        root.machine.serial.write(b"poweroff\n")
        cell.expect(r"^cell: goes\r?$")
        assert not re.search(r"WARNING: |BUG: |Call trace|Oops", cell.said), cell.said
        root.wait_state("linux", "shut down")
    finally:
        cell.ended = True
        cell.join()
    root.destroy("linux")
    assert root.state() == before
    assert root.timers_run() == 4
