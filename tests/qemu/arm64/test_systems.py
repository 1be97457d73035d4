# SPDX-License-Identifier: GPL-2.0-only
"""Systems of other people's in cells, as they are shipped: Debian's kernels, unpatched, and its U-Boot for QEMU's virt."""

import re
from pathlib import Path

import pytest
from conftest import Root
from systems import BEGIN, Listener, Talk, initrd, lives

from machine import paths

# Lives that a kernel ends by a reset of its cell, before the one that it ends for good
REBOOTS = 2
# A CPU still in the guest when another ends its life may find its memory gone before it is interrupted
FAULTS = REBOOTS + 1
INIT = BEGIN + """
cd /sys/devices/system/cpu
echo "cell: $(uname -r) on CPUs $(cat online), $(grep -c GICv3 /proc/interrupts) interrupts"
read -r line; echo "cell: heard $line"
for n in 1 2 3 4 5; do for cpu in 0 1; do echo 0 >cpu$cpu/online && echo 1 >cpu$cpu/online || echo "cell: lost $cpu"; done; done
echo "cell: CPUs $(cat online)"
read -r line
dmesg | grep -E 'WARNING: |BUG: |Call trace|Oops|nobody cared|detected stall|Internal error'
echo "cell: $line"
end $line
"""
# What it says first
FIRST = r"^cell: (\S+) on CPUs 0-1, "


@pytest.fixture
def images(kernel) -> dict[str, bytes | Path]:
    return {"linux/initrd": initrd(INIT), "linux/kernel": paths.kernel_image(kernel)}


@pytest.mark.parametrize(("kernel", "tree"), [("6.12", ""), ("6.12-rt", "-d /tests/linux/linux.dtb")], ids=["6.12", "6.12-rt"])
def test_stock_kernel(boot, blobs, cell_log, kernels, images, say, kernel, tree):
    """
    Two CPUs that come and go, interrupts both ways on its console, reboots and power off by the cell
    itself; none of its interrupts is an exit. With the device tree that the command makes, and with that of `config build`.
    """
    root = Root(boot(files={**blobs, **images}, serials=2))
    before = root.state()
    root.create("linux", "linux")
    with Listener(root.machine.serial, cell_log) as cell:
        root.jailhouse(f"cell linux linux /linux/kernel {tree} -i /linux/initrd -c panic=-1")
        for _ in range(REBOOTS):
            lives(cell, FIRST, kernels[kernel], "reboot")
        lives(cell, FIRST, kernels[kernel], "poweroff")
        root.wait_state("linux", "shut down")
        assert "cell: lost" not in cell.said
        assert not re.search(r"WARNING: |BUG: |Call trace|Oops", cell.said), cell.said
        exits = {cpu: root.statistics(root.cell_id("linux"), cpu) for cpu in (2, 3)}
        say(f"exits: {exits}")
        assert all(counts["irq"] == counts["other"] == 0 for counts in exits.values())
        assert all(counts["fault"] <= FAULTS for counts in exits.values())
        assert root.timers_run() == 2
    root.destroy("linux")
    assert root.state() == before
    assert root.timers_run() == 4


@pytest.mark.parametrize("kernel", ["6.12"])
def test_stock_kernel_without_any_device(boot, blobs, kernels, images, say, kernel):
    """Its tree names a UART and a GIC that the machine does not have, and its CPUs from 0."""
    root = Root(boot(files={**blobs, **images}))
    before = root.state()
    root.create("plain", "linux-plain")
    cell = Talk(root, "plain")
    root.jailhouse("cell linux -i /linux/initrd -c 'panic=-1 quiet' plain /linux/kernel")
    lives(cell, FIRST, kernels[kernel], "reboot")
    lives(cell, FIRST, kernels[kernel], "poweroff")
    root.wait_state("plain", "shut down")
    said = cell.said
    assert "cell: lost" not in said and not re.search(r"WARNING: |BUG: |Call trace|Oops", said), said
    root.destroy("plain")
    assert root.state() == before


def test_u_boot(boot, blobs, cell_log, say):
    """It comes to its prompt, takes commands, has read its device tree and switches itself off: one exit in all."""
    root = Root(boot(files={**blobs, "uboot/image": paths.built(paths.BUILD / "u-boot.bin", "setup")}, serials=2))
    before = root.state()
    root.create("uboot", "uboot")
    root.jailhouse("cell load uboot /uboot/image")
    with Listener(root.machine.serial, cell_log) as cell:
        root.start("uboot")
        cell.expect(r"^Hit any key to stop autoboot")
        root.machine.serial.write(b" ")
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
