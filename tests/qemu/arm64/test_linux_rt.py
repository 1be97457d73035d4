# SPDX-License-Identifier: GPL-2.0-only
"""A stock real-time kernel in a cell, with cyclictest in it, while everything else happens around it."""

import re

import pytest
from conftest import Root
from systems import BEGIN, Listener, initrd

from machine import paths, rootfs

CYCLES = 100
# QEMU's CPUs take turns, each for a share of the time until the next timer of any of them, and once more when the host
# interrupts it: nobody's latencies are shorter than these turns. They came to 1 ms on a busy host; 0.2 on one that is not
PERIOD_US = 5000
INIT = BEGIN + """
mkdir -p /dev/shm
echo "cell: $(uname -r) real time $(cat /sys/kernel/realtime)"
cyclictest -q -m -t2 -a0-1 -p95 -i%d -h10000 >/result & pid=$!
sleep 2
echo 'cell: measures'
read -r line
kill -INT $pid
wait $pid
echo "cell: status $?"
grep '^# ' /result | sed 's/^/cell: /'
dmesg | grep -E 'WARNING: |BUG: |Call trace|Oops|detected stall' | sed 's/^/cell: bad /'
echo 'cell: end'
end poweroff
""" % PERIOD_US
# Linux is busy with memory, processes and pipes all the while; what has failed is replaced by a new cell
CRASHES = f"""
(while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/tmp/memory bs=64k count=64 2>/dev/null; done) &
(while [ ! -e /tmp/stop ]; do /bin/busybox true; done) &
(while [ ! -e /tmp/stop ]; do echo 1; done | while read -r line; do :; done) &
n=0
while [ $n -lt {CYCLES} ]; do
	jailhouse cell create /tests/linux-rt/crash.cell || exit 1
	jailhouse cell load crash /inmates/attack.bin -s 'op=read addr=0x40000000' -a 0x1000 || exit 1
	jailhouse cell start crash || exit 1
	while jailhouse cell list | grep -q ' crash .* running '; do usleep 1000; done
	jailhouse cell list | grep -q ' crash .* failed ' || exit 1
	jailhouse cell destroy crash || exit 1
	n=$((n + 1))
done
touch /tmp/stop
wait
"""


@pytest.fixture
def images() -> dict:
    return {"linux/initrd": initrd(INIT, rootfs.measuring()), "linux/kernel": paths.kernel_image("6.12-rt")}


def exits_of(root: Root) -> dict[str, int]:
    both = [root.statistics(root.cell_id("rt"), cpu) for cpu in (2, 3)]
    return {name: both[0][name] + both[1][name] for name in both[0]}


@pytest.mark.slow
def test_nothing_reaches_it(boot, blobs, cell_log, images, say):
    """A cell beside it is created, crashes and is destroyed a hundred times, Linux is loaded: it misses no cycle, no exit is caused for it."""
    root = Root(boot(files={**blobs, **images}, serials=2, icount=True, boot_timeout=600))
    root.create("rt", "linux-rt")
    with Listener(root.machine.serial, cell_log) as cell:
        root.jailhouse("cell linux -c 'panic=-1 quiet' -i /linux/initrd rt /linux/kernel", 300)
        cell.expect(r"^cell: \S+-rt-\S+ real time 1\r?$", 600)
        cell.expect(r"^cell: measures\r?$", 600)
        before = exits_of(root)
        root.check(CRASHES, 1800)
        after = exits_of(root)
        cell.write("stop")
        cell.expect(r"^cell: end\r?$", 600)
        cell.write("arrived")
        root.wait_state("rt", "shut down", 300)
        said = cell.said
    exits = {name: after[name] - before[name] for name in after}
    say(f"exits of the real-time cell meanwhile: {exits}")
    say("; ".join(re.findall(r"^cell: (# .*?)\r?$", said, re.MULTILINE)))
    assert "cell: status 0" in said and "cell: bad" not in said
    assert all(exits[reason] == 0 for reason in ("management", "mmio", "irq", "wfi", "maintenance", "fault", "other", "psci",
                                                 "hypercall", "sysreg", "smccc"))
    # a cycle is missed where one is later than the next is due
    latest = re.search(r"^cell: # Max Latencies: (\d+) (\d+)", said, re.MULTILINE)
    assert latest and all(int(us) < PERIOD_US for us in latest.groups())
