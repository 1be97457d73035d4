# SPDX-License-Identifier: GPL-2.0-only
"""Every kernel the driver is built for, on CPUs old and new."""

import re

import pytest
from conftest import Root

MATRIX = (("6.1", "cortex-a57"), ("6.1", "max"), ("6.12", "cortex-a57"), ("6.12", "max"),
          ("6.1-rt", "cortex-a72"), ("6.12-rt", "cortex-a72"), ("6.12-rt", "max"))


@pytest.mark.parametrize("kernel, cpu", MATRIX)
def test_whole_life(boot, blobs, kernels, say, kernel, cpu):
    """Enable, cells, disable, all of it twice, and nothing is left behind."""
    root = Root(boot(kernel=kernel, cpu=cpu, files=blobs), enable=False)
    assert root.check("uname -r").strip() == kernels[kernel]
    before = root.state()
    for image, ends in (("regs", r"\[b\] regs: clean$"), ("isv", r"\[b\] isv: ok \d+ forms$")):
        root.jailhouse(f"enable {root.SYSTEM}")
        root.run_cell("a", "hello")
        root.run_cell("b", image)
        root.expect(r"^\[a\] hello: ([2-9]|\d\d+) from CPU 0x3$")
        root.check(f"cmp {root.SYSFS}/cells/{root.cell_id('a')}/config {root.CELLS}/a.cell && "
                   f"cmp {root.SYSFS}/cells/0/config {root.SYSTEM}")
        said = root.expect(ends)[0]
        assert re.search(r"^\d+ +a +running +3$", root.listed(), re.MULTILINE)
        root.destroy("a", "b")
        assert root.timers_run() == 4
        root.jailhouse("disable")
        assert root.state() == before
        say(said)
    root.check("rmmod jailhouse")
    root.insert()
    assert root.state() == before
    assert root.timers_run() == 4


# Each kernel and each CPU
TWO_STATES = (("6.1", "cortex-a72"), ("6.12", "cortex-a72"), ("6.12", "max"), ("6.12-rt", "max"))
HOTPLUG = """
n=0; while [ $n -lt 5 ]; do
	n=$((n + 1))
	for cpu in 0 1; do
		echo 0 >/sys/devices/system/cpu/cpu$cpu/online && echo 1 >/sys/devices/system/cpu/cpu$cpu/online || exit 1
	done
done
"""


@pytest.mark.parametrize("kernel, cpu", TWO_STATES)
def test_whole_life_with_two_security_states(boot, blobs, say, kernel, cpu):
    """As on boards with EL3, where Group 0 is not the hypervisor's: twice, and CPUs come and go."""
    root = Root(boot(kernel=kernel, cpu=cpu, files=blobs, secure=True), enable=False)
    before = root.state()
    for image, ends in (("regs", r"\[b\] regs: clean$"), ("isv", r"\[b\] isv: ok \d+ forms$")):
        root.jailhouse(f"enable {root.SYSTEM}")
        assert re.search(r"^GIC: two security states: .+$", root.check("jailhouse console"), re.MULTILINE)
        root.run_cell("a", "hello")
        root.run_cell("b", image)
        root.expect(r"^\[a\] hello: ([2-9]|\d\d+) from CPU 0x3$")
        say(root.expect(ends)[0])
        timers = root.timers()
        root.check(HOTPLUG)
        assert root.timers_run() == 2
        assert all(now > timers[number] for number, now in root.timers().items())
        root.destroy("a", "b")
        root.check(HOTPLUG)
        assert root.timers_run() == 4
        root.jailhouse("disable")
        assert root.state() == before
    assert root.timers_run() == 4
    root.check("rmmod jailhouse")


@pytest.mark.parametrize("kernel, cpu", (("6.12", "max"),))
def test_cells_have_what_the_cpu_has(boot, blobs, kernel, cpu):
    """PSCI, both ways, with two CPUs that have every extension there is."""
    root = Root(boot(kernel=kernel, cpu=cpu, files=blobs))
    root.run_cell("pair", "psci", "cpus=2 second=3 foreign=1", "pair")
    root.expect(r"^\[pair\] psci: ok \d+ checks$")
    root.stop("pair")
    root.rerun("pair", "latency", "samples=50")
    root.expect(r"^\[pair\] latency: done samples=50 ")
    root.destroy("pair")
    root.jailhouse("disable")
    assert not root.state().complaints
