# SPDX-License-Identifier: GPL-2.0-only
"""Every kernel the driver is built for, its local APICs in either mode."""

import re

import pytest
from board import MODES
from conftest import Root

from machine import paths

# CPUs that come and go under the hypervisor, while cells have the others
HOTPLUG = """
n=0; while [ $n -lt 5 ]; do
	n=$((n + 1))
	echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online || exit 1
done
"""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kernel", paths.KERNELS)
def test_whole_life(boot, blobs, kernels, say, kernel, mode):
    """Enable, cells, disable, all of it twice, and nothing is left behind."""
    root = Root(boot(kernel=kernel, files=blobs, x2apic=mode == "x2apic"), enable=False)
    assert root.check("uname -r").strip() == kernels[kernel]
    assert ("x2apic enabled" in root.check("dmesg")) == (mode == "x2apic")
    before = root.state()
    for _ in range(2):
        root.jailhouse(f"enable {root.SYSTEM}")
        root.run_cell("a", "hello")
        root.run_cell("b", "regs")
        root.expect(r"^\[a\] hello: ([2-9]|\d\d+) from CPU 0x3$")
        said = root.expect(r"^\[b\] regs: (clean|\d+ not clean)$")[0]
        assert said.endswith(" clean") and "not" not in said, root.said()
        assert re.search(r"^\d+ +a +running +3$", root.listed(), re.MULTILINE)
        timers = root.timers()
        root.check(HOTPLUG)
        assert root.timers_run() == 2
        assert all(now > timers[cpu] for cpu, now in root.timers().items())
        root.destroy("a", "b")
        assert root.timers_run() == 4
        assert "refused to root cell" not in root.check("jailhouse console")
        root.jailhouse("disable")
        assert root.state() == before
        say(said)
    root.check("rmmod jailhouse")
    root.insert()
    assert root.state() == before
    assert root.timers_run() == 4
