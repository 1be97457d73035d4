# SPDX-License-Identifier: GPL-2.0-only
"""Over and over again, CPUs coming and going meanwhile: nothing is lost."""

import pytest
from board import HOTPLUG
from conftest import Root

ENABLES, ENABLE_BLOCK = 50, 10
# All that comes in turn has come after 60
CREATES, CREATE_BLOCK = 125, 25

# $n counts. Every second time a CPU is switched off under the hypervisor and comes back
# through the firmware alone.
ENABLE_CYCLE = """
n={first}; while [ $n -lt {end} ]; do
	set -- {hotplug}; shift $((n / 2 % $#))
	cpu=/sys/devices/system/cpu/cpu$1/online
	jailhouse enable /tests/cells/system.cell || exit 1
	cat /sys/devices/jailhouse/mem_pool_used
	[ $((n % 2)) = 0 ] || echo 0 >$cpu || exit 1
	jailhouse disable || exit 1
	[ $((n % 2)) = 0 ] || echo 1 >$cpu || exit 1
	n=$((n + 1))
done
"""

# The cells in turn, some run, some are loaded only; a CPU of Linux goes and comes while
# the cell is there, or the cell's own is off already when it is created.
CREATE_CYCLE = """
cpus=/sys/devices/system/cpu
n={first}; while [ $n -lt {end} ]; do
	case $((n % 3)) in
	0) cell=a file=cells/a own=3 other=1 ;;
	1) cell=b file=cells/b own=2 other=3 ;;
	2) cell=pair file=pair/pair own=2; set -- {linux}; shift $((n / 3 % $#)); other=$1 ;;
	esac
	off=
	[ $((n % 4)) != 3 ] || {{ off=$own; echo 0 >$cpus/cpu$off/online || exit 1; }}
	jailhouse cell create /tests/$file.cell || exit 1
	[ $((n % 5)) -gt 1 ] || jailhouse cell load $cell /inmates/hello.bin || exit 1
	[ $((n % 5)) != 0 ] || jailhouse cell start $cell || exit 1
	echo 0 >$cpus/cpu$other/online && echo 1 >$cpus/cpu$other/online || exit 1
	jailhouse cell shutdown $cell && jailhouse cell destroy $cell || exit 1
	[ -z "$off" ] || echo 1 >$cpus/cpu$off/online || exit 1
	n=$((n + 1))
done
"""


# CPUs that can be switched off, and of these the ones that stay Linux's
CPUS = {"hotplug": " ".join(map(str, HOTPLUG)), "linux": " ".join(str(cpu) for cpu in HOTPLUG if cpu < 2)}


def in_blocks(root: Root, say, script: str, count: int, block: int) -> str:
    """Runs the script's cycles; after each block all is as it was at first. What it printed."""
    printed = ""
    before = root.state()
    for first in range(0, count, block):
        timers = root.timers()
        printed += root.check(script.format(first=first, end=first + block, **CPUS), 400)
        assert root.state() == before, f"after {first + block} cycles"
        assert root.timers_run() == 4
        # A CPU's count goes on where it was, however often the CPU was away
        assert all(now > timers[cpu] for cpu, now in root.timers().items())
        say(f"{first + block} of {count} cycles: CPUs {before.online}, {before.pool_used} pages used")
    return printed


@pytest.mark.slow
def test_enable_and_disable(boot, blobs, say):
    root = Root(boot(files=blobs), enable=False)
    pages = in_blocks(root, say, ENABLE_CYCLE, ENABLES, ENABLE_BLOCK).split()
    assert len(pages) == ENABLES and len(set(pages)) == 1, pages


@pytest.mark.slow
def test_create_and_destroy(boot, blobs, say):
    root = Root(boot(files=blobs))
    in_blocks(root, say, CREATE_CYCLE, CREATES, CREATE_BLOCK)
    root.jailhouse("disable")
    assert root.timers_run() == 4


def test_cpus_that_were_off_stay_off(root):
    """What Linux switched off it does not get back switched on."""
    root.check("echo 0 >/sys/devices/system/cpu/cpu3/online")
    root.run_cell("pair", "hello", text="pair")
    root.expect(r"^\[pair\] hello: 1")
    root.destroy("pair")
    assert root.check("cat /sys/devices/system/cpu/online").strip() == "0-2"
    assert root.timers_run() == 3
    root.check("echo 1 >/sys/devices/system/cpu/cpu3/online")
    assert root.timers_run() == 4
