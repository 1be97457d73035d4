# SPDX-License-Identifier: GPL-2.0-only
"""What a stock kernel pays for being in a cell: instructions to boot, and exits a second when it has nothing to do and when it has."""

import base64
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import Root
from systems import BEGIN, Listener, initrd

from machine import paths
from machine.target import TARGET

MOST = 1.02
ARGUMENTS = "panic=-1"
RUN_INIT = r"\[ *([0-9.]+)\] Run /init as init process"
# As it is told, if anybody tells it
AGAIN = BEGIN + "read -r -t 60 line || line=poweroff\n$line -f\n"
LIVES = 3
# Nothing; then system calls, processes, memory and a timer that is set again and again
WORK = BEGIN + """
echo 'cell: idle'
read -r line
(while :; do usleep 1000; done) &
(while :; do dd if=/dev/zero of=/tmp/memory bs=64k count=64 2>/dev/null; done) &
(while :; do /bin/busybox true; done) &
echo 'cell: busy'
read -r line
poweroff -f
"""
SECONDS = 10
QUIET_SECONDS = 8


def kernels_clock(said: str) -> float:
    """Seconds of its own clock, which are instructions here, until it starts the first program; the least of its lives."""
    times = re.findall(RUN_INIT, said)
    assert times, said[-2000:]
    return min(map(float, times))


def natively(folder: Path, kernel: Path, archive: bytes, tree: bytes) -> float:
    """The same kernel on the bare machine: one CPU of the kind, and a device tree that shows what the cell's shows."""
    (folder / "initrd").write_bytes(archive)
    (folder / "tree").write_bytes(tree)
    said = subprocess.run(
        [TARGET.qemu, "-M", "virt,gic-version=3", "-cpu", TARGET.cpu, "-smp", "1", "-m", "160M", "-display", "none",
         "-no-reboot", "-nic", "none", "-monitor", "none", "-serial", "null", "-serial", "stdio", "-icount", TARGET.icount,
         "-kernel", str(kernel), "-initrd", str(folder / "initrd"), "-dtb", str(folder / "tree"),
         "-append", f"{ARGUMENTS} console=ttyAMA0"], capture_output=True, text=True, check=True, timeout=600).stdout
    return kernels_clock(said)


def test_instructions_to_boot(boot, blobs, cell_log, tmp_path, say):
    """
    The stock kernel takes no more than 1.02 times what it takes natively. It waits for its ticks here and there, and how long
    hangs on a few instructions: 4 % more or less from life to life, or with a few bytes more of initrd. So the best of several.
    """
    kernel, archive = paths.kernel_image("6.12"), initrd(AGAIN)
    root = Root(boot(files={**blobs, "linux/initrd": archive, "linux/kernel": kernel}, serials=2, icount=True, boot_timeout=600))
    root.create("one", "linux-one")
    linux = f"cell linux -c '{ARGUMENTS}' -i /linux/initrd"
    tree = base64.b64decode(root.jailhouse(f"{linux} --print-dtb one /linux/kernel | base64", 300))
    with Listener(root.machine.serial, cell_log) as cell, ThreadPoolExecutor(1) as beside:
        # The clock counts what any CPU does: Linux sleeps while the cell boots
        quiet = beside.submit(root.jailhouse, f"{linux} one /linux/kernel && sleep {QUIET_SECONDS}", 600)
        for life in range(LIVES):
            cell.expect(RUN_INIT, 600)
            cell.write("reboot" if life + 1 < LIVES else "poweroff")
        quiet.result()
        root.wait_state("one", "shut down", 120)
        in_cell = kernels_clock(cell.said)
    exits = root.statistics(root.cell_id("one"), 3)
    alone = min(natively(tmp_path, kernel, archive + bytes(512 * n), tree) for n in range(LIVES))
    say(f"in the cell {in_cell:.6f} s of its clock, alone {alone:.6f} s: {in_cell / alone:.4f} times; exits {exits}")
    assert in_cell / alone <= MOST
    assert exits["irq"] == exits["fault"] == exits["other"] == 0


def test_exits_a_second(boot, blobs, cell_log, say):
    """An idle kernel, and one at work: no exit is an interrupt's, its timer's least of all, nor its sleep."""
    root = Root(boot(files={**blobs, "linux/initrd": initrd(WORK), "linux/kernel": paths.kernel_image("6.12")}, serials=2,
                     icount=True, boot_timeout=600))
    root.create("one", "linux-one")
    with Listener(root.machine.serial, cell_log) as cell:
        root.jailhouse(f"cell linux -c '{ARGUMENTS} quiet' -i /linux/initrd one /linux/kernel", 300)
        for kind in ("idle", "busy"):
            cell.expect(rf"^cell: {kind}\r?$", 300)
            root.check("sleep 2", 300)
            before = root.statistics(root.cell_id("one"), 3)
            root.check(f"sleep {SECONDS}", 600)
            after = root.statistics(root.cell_id("one"), 3)
            exits = {name: after[name] - before[name] for name in after}
            say(f"{kind}: {exits['total'] / SECONDS:.1f} exits a second: {exits}")
            assert all(exits[reason] == 0 for reason in ("irq", "wfi", "maintenance", "fault", "other", "management"))
            # a program that exits once for each of its ticks would have thousands
            assert exits["total"] < SECONDS * 20
            cell.write("go on")
        root.wait_state("one", "shut down", 300)
