# SPDX-License-Identifier: GPL-2.0-only
"""Systems of other people's in cells, as they are shipped: Debian's kernels, unpatched, and its memtest86+."""

import re
from pathlib import Path

import pytest
from conftest import Root
from systems import BEGIN, Listener, Talk, initrd, lives

from machine import paths, rootfs

# Lives that a kernel ends by a reset of its cell, before the one that it ends for good
REBOOTS = 1
# A CPU still in the guest when another ends its life may find its memory gone before it is interrupted
FAULTS = REBOOTS + 1
INIT = BEGIN + """
cd /sys/devices/system
echo "cell: $(uname -r) on CPUs $(cat cpu/online), $(cat clocksource/clocksource0/current_clocksource)"
read -r line; echo "cell: heard $line"
for n in 1 2 3 4 5; do echo 0 >cpu/cpu1/online && echo 1 >cpu/cpu1/online || echo "cell: lost 1"; done
echo "cell: CPUs $(cat cpu/online)"
read -r line
dmesg | grep -E '(WARNING|BUG): [^S]|Call Trace|Oops|nobody cared|detected stall|Firmware Bug|unchecked MSR|ACPI.*(Error|Warning)'
echo "cell: $line"
end $line
"""
COMPLAINT = r"WARNING: CPU|BUG: |Call Trace|Oops|Firmware Bug|unchecked MSR|ACPI.*(?:Error|Warning)|cell: lost"
# What it says first
FIRST = r"^cell: (\S+) on CPUs 0-1, tsc\r?$"


@pytest.fixture
def images(kernel) -> dict[str, bytes | Path]:
    return {"linux/initrd": initrd(INIT), "linux/kernel": paths.kernel_image(kernel)}


def lives_all(root: Root, name: str, cell: Listener | Talk, release: str) -> dict[int, dict[str, int]]:
    """It restarts itself, comes up again from what was loaded once, and powers itself off. The exits of all that."""
    for _ in range(REBOOTS):
        lives(cell, FIRST, release, "reboot")
        root.expect(rf'^cell "{name}" restarts itself$')
        root.mark()
    lives(cell, FIRST, release, "poweroff")
    root.wait_state(name, "shut down", 120)
    root.expect(rf'^cell "{name}" powered itself off$')
    assert not re.search(COMPLAINT, cell.said), cell.said
    exits = {cpu: root.statistics(root.cell_id(name), cpu) for cpu in (2, 3)}
    assert all(counts["exception"] == 0 and counts["fault"] <= FAULTS for counts in exits.values()), exits
    return exits


@pytest.mark.parametrize("kernel", ["6.12", "6.12-rt"])
def test_stock_kernel(boot, blobs, cell_log, kernels, images, say, kernel):
    """Two CPUs, one of which comes and goes; both ways on its console, by the second UART and its interrupt."""
    root = Root(boot(files={**blobs, **images}, serials=2, x2apic=False))
    before = root.state()
    root.create("linux", "linux")
    with Listener(root.machine.serial, cell_log) as cell:
        root.jailhouse("cell linux linux /linux/kernel -i /linux/initrd -c 'panic=-1 loglevel=5'")
        say(f"exits: {lives_all(root, 'linux', cell, kernels[kernel])}")
        assert root.timers_run() == 2
    root.destroy("linux")
    assert root.state() == before
    assert root.timers_run() == 4


@pytest.mark.parametrize("kernel", ["6.12"])
def test_stock_kernel_without_any_device(boot, blobs, kernels, images, say, kernel):
    """Its UART is none of the machine's, and Linux in x2APIC mode, where no cell has an interrupt of a device."""
    root = Root(boot(files={**blobs, **images}, x2apic=True))
    before = root.state()
    root.create("plain", "linux-plain")
    root.jailhouse("cell linux -i /linux/initrd -c 'panic=-1 quiet' plain /linux/kernel")
    say(f"exits: {lives_all(root, 'plain', Talk(root, 'plain'), kernels[kernel])}")
    root.destroy("plain")
    assert root.state() == before


CYCLIC = BEGIN + """
mkdir -p /dev/shm
echo "cell: real time $(cat /sys/kernel/realtime)"
cyclictest -q -m -t2 -a0-1 -p95 -i1000 -l2000 -h1000000 | grep '^# ' | sed 's/^/cell: /'
end poweroff
"""


def test_cyclictest_in_a_real_time_kernel(boot, blobs, say):
    """It runs on both CPUs, and its result comes out of the cell."""
    root = Root(boot(files={**blobs, "linux/initrd": initrd(CYCLIC, rootfs.measuring()),
                            "linux/kernel": paths.kernel_image("6.12-rt")}))
    root.create("plain", "linux-plain")
    root.jailhouse("cell linux -i /linux/initrd -c 'panic=-1 quiet' plain /linux/kernel")
    cell = Talk(root, "plain")
    cell.expect(r"^cell: real time 1\r?$")
    # the first to have all its cycles ends the other's; a busy emulator keeps CPUs waiting
    cycles = [int(n) for n in cell.expect(r"^cell: # Total: (\d+) (\d+)").groups()]
    assert max(cycles) == 2000 and min(cycles) > 1
    say(cell.expect(r"^cell: (# Max Latencies: .*?) *\r?$")[1])
    cell.write("arrived")
    root.wait_state("plain", "shut down", 120)
    assert not re.search(COMPLAINT, cell.said), cell.said
    root.destroy("plain")


def test_memtest(boot, blobs, say):
    """As Debian ships it: its page on a UART that only the hypervisor has; nothing of a PC's that it looks for ends the cell."""
    root = Root(boot(files={**blobs, "memtest/memtest.bin": paths.built(paths.BUILD / "memtest.bin", "setup")}))
    before = root.state()
    root.create("memtest", "memtest")
    root.jailhouse("cell linux -c 'nopause keyboard=legacy nosm' memtest /memtest/memtest.bin")
    cell = Talk(root, "memtest")
    cell.expect(r"Memtest86\+ v\d")
    cell.expect(r"#0 +\[Address test")
    cell.expect(r"50% #")
    assert "Errors: 0" in cell.said
    exits = root.statistics(root.cell_id("memtest"), 3)
    say(f"exits until then: {exits}")
    assert root.cell_state("memtest") == "running" and exits["fault"] == exits["exception"] == 0
    root.stop("memtest")
    root.destroy("memtest")
    assert root.state() == before
    assert root.timers_run() == 4
