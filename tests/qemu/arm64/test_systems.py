# SPDX-License-Identifier: GPL-2.0-only
"""Systems of other people's in cells, as they are shipped: Debian's kernels, unpatched, and its U-Boot for QEMU's virt."""

import re
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import Root
from systems import Listener, initrd

from machine import paths

HERE = Path(__file__).parent
FLASH, RAM = 0, 0x4000_0000
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


def device_tree(name: str, **numbers: int) -> bytes:
    text = (HERE / f"{name}.dts").read_text()
    for word, number in numbers.items():
        text = text.replace(word, hex(number))
    return subprocess.run(["dtc", "-q", "-i", str(HERE), "-I", "dts", "-O", "dtb"], input=text.encode(), capture_output=True,
                          check=True).stdout


@pytest.fixture
def images(kernel) -> dict[str, bytes | Path]:
    archive = initrd(INIT)
    return {"linux/stub": ENTER_KERNEL, "linux/initrd": archive, "linux/kernel": paths.kernel_image(kernel),
            "linux/dtb": device_tree("linux", INITRD_START=INITRD, INITRD_END=INITRD + len(archive))}


@pytest.mark.parametrize("kernel", ["6.12", "6.12-rt"])
def test_stock_kernel(boot, blobs, cell_log, kernels, images, say, kernel):
    """Two CPUs that come and go, interrupts both ways on its console, power off; none of its interrupts is an exit."""
    root = Root(boot(files={**blobs, **images}, serials=2))
    before = root.state()
    root.create("linux", "linux")
    root.jailhouse(f"cell load linux /linux/stub -a {STUB:#x} /linux/dtb -a {DTB:#x} /linux/kernel -a {KERNEL:#x} "
                   f"/linux/initrd -a {INITRD:#x}")
    with Listener(root.machine.serial, cell_log) as cell:
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
    root.destroy("linux")
    assert root.state() == before
    assert root.timers_run() == 4


def test_u_boot(boot, blobs, cell_log, say):
    """It comes to its prompt, takes commands, has read its device tree and switches itself off: one exit in all."""
    root = Root(boot(files={**blobs, "uboot/image": paths.built(paths.BUILD / "u-boot.bin", "setup"),
                            "uboot/dtb": device_tree("uboot")}, serials=2))
    before = root.state()
    root.create("uboot", "uboot")
    root.jailhouse(f"cell load uboot /uboot/image -a {FLASH} /uboot/dtb -a {RAM:#x}")
    with Listener(root.machine.serial, cell_log) as cell:
        root.start("uboot")
        cell.expect(r"^Hit any key to stop autoboot")
        root.machine.serial.write(b"x")
        cell.expect(r"^=> ")
        for command, says in ((b"version", r"^aarch64-linux-gnu-gcc .*"), (b"bdinfo", r"^devicetree  = board"),
                              (b"fdt addr $fdtcontroladdr; fdt print /cpus", r'enable-method = "psci"')):
            root.machine.serial.write(command + b"\r")
            say(cell.expect(says)[0])
        exits = root.statistics(root.cell_id("uboot"), 3)
        assert exits["total"] == 0, exits
        root.machine.serial.write(b"poweroff\r")
        root.wait_state("uboot", "shut down")
        assert root.statistics(root.cell_id("uboot"), 3)["psci"] == 1
    root.destroy("uboot")
    assert root.state() == before
