# SPDX-License-Identifier: GPL-2.0-only
"""INIT, SIPI and NMI stay Linux's own under the hypervisor."""

import re

import pytest
from board import HOTPLUG, MODES
from conftest import Root
from monitor import efers

CYCLES = 50
EFER_SVME = 1 << 12
# $n counts; each of the CPUs in turn
COME_AND_GO = """
n=0; while [ $n -lt {cycles} ]; do
	set -- {cpus}; shift $((n % $#))
	echo 0 >/sys/devices/system/cpu/cpu$1/online && echo 1 >/sys/devices/system/cpu/cpu$1/online || exit 1
	n=$((n + 1))
done
"""


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def more_machine(mode):
    return {"x2apic": mode == "x2apic"}


def test_cpus_come_and_go(root, say):
    """All of Linux's, then the one that is left while cells have the others."""
    timers = root.timers()
    root.check(COME_AND_GO.format(cycles=CYCLES, cpus=" ".join(map(str, HOTPLUG))), 200)
    assert root.timers_run() == 4
    assert all(now > timers[cpu] for cpu, now in root.timers().items())
    root.run_cell("a", "hello")
    root.run_cell("b", "hello")
    root.check(COME_AND_GO.format(cycles=CYCLES // 5, cpus="1"), 100)
    assert root.timers_run() == 2
    root.goes_on("a")
    root.goes_on("b")
    say(f"{CYCLES} cycles")


def test_all_at_once(root):
    """Off together, and on again together."""
    for value in (0, 1):
        root.check(f"for cpu in 1 2 3; do echo {value} >/sys/devices/system/cpu/cpu$cpu/online & done; wait")
    assert root.check("cat /sys/devices/system/cpu/online").strip() == "0-3"
    assert root.timers_run() == 4


def test_disable_with_a_cpu_offline(boot, blobs, tmp_path, mode):
    """It sleeps in the guest, as Linux left it: it is taken out, SVM is off on all of them."""
    root = Root(boot(files=blobs, qmp=tmp_path / "qmp", x2apic=mode == "x2apic"))
    assert all(efer & EFER_SVME for efer in efers(tmp_path / "qmp"))
    root.check("echo 0 >/sys/devices/system/cpu/cpu2/online")
    root.jailhouse("disable")
    now = efers(tmp_path / "qmp")
    assert len(now) == 4 and not any(efer & EFER_SVME for efer in now), now
    root.check("echo 1 >/sys/devices/system/cpu/cpu2/online")
    assert root.timers_run() == 4


def test_each_starts_each(root):
    """Linux looks at its local APIC's errors when it has sent INIT and SIPI: a CPU that was started has none."""
    for starter in HOTPLUG:
        for cpu in set(HOTPLUG) - {starter}:
            root.check(f"cd /sys/devices/system/cpu; for value in 0 1; do taskset -c {starter} "
                       f"sh -c 'echo '$value' >cpu{cpu}/online' || exit 1; done")
    assert root.timers_run() == 4


def test_a_cell_leaves_no_error_to_the_next_owner(root):
    """Registers that are not there, tried in a cell, are none of the errors Linux finds when the CPU starts another."""
    for words in ("op=rdmsr msr=0x800", "op=wrmsr msr=0x80e", "op=rdmsr msr=0x82e", "op=rdmsr msr=0x82f",
                  "op=wrmsr msr=0x82f value=0x10000", "op=wrmsr msr=0x831"):
        root.run_cell("a", "attack", words)
        root.expect(r"^\[a\] attack: (rd|wr)msr survived")
        root.destroy("a")
    root.check("cd /sys/devices/system/cpu; for value in 0 1; do taskset -c 3 sh -c 'echo '$value' >cpu2/online' || exit 1; done")
    assert root.timers_run() == 4


def test_nmi_backtrace(boot, blobs, say, mode):
    """Linux's own NMI reaches each of its CPUs, and no cell's."""
    root = Root(boot(files=blobs, x2apic=mode == "x2apic"))
    root.run_cell("a", "hello")
    before = nmis(root)
    for _ in range(5):
        root.check("dmesg -c >/dev/null; echo l >/proc/sysrq-trigger; usleep 200000")
        said = root.check("dmesg")
        assert set(re.findall(r"NMI backtrace for cpu (\d+)", said)) == {"0", "1", "2"}, said
    counts = nmis(root)
    say(f"NMIs by CPU: {before} -> {counts}")
    # The CPU that asks needs none
    assert sum(counts[cpu] > before[cpu] for cpu in counts) >= 2
    root.goes_on("a")
    assert root.timers_run() == 3
    root.destroy("a")
    root.jailhouse("disable")
    assert root.timers_run() == 4


def nmis(root) -> dict[int, int]:
    lines = root.check("cat /proc/interrupts").splitlines()
    cpus = [int(name.removeprefix("CPU")) for name in lines[0].split()]
    counts = next(line.split() for line in lines if line.split()[0] == "NMI:")
    return dict(zip(cpus, map(int, counts[1:])))
