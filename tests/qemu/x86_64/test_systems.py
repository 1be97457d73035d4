# SPDX-License-Identifier: GPL-2.0-only
"""Systems of other people's in cells, as they are shipped: Debian's kernels, unpatched, and its memtest86+."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from acpi import Guest, Uart, boot_area
from conftest import HERE, TOOLS, Root
from systems import Listener, initrd

from machine import paths

RAM, BOOT, IOAPIC = 224 << 20, 0xc00_0000, 0xfec0_0000
COMMAND_LINE = "console=ttyS1,115200 tsc_early_khz={khz} tsc=reliable pci=off io_delay=none reboot=acpi"
INIT = """#!/bin/sh
export PATH=/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
cd /sys/devices/system
echo "cell: $(uname -r) on CPUs $(cat cpu/online), $(cat clocksource/clocksource0/current_clocksource)"
read -r line; echo "cell: heard $line"
for n in 1 2 3 4 5 6 7 8 9 10; do echo 0 >cpu/cpu1/online && echo 1 >cpu/cpu1/online || echo "cell: lost 1"; done
echo "cell: CPUs $(cat cpu/online)"
read -r line
dmesg | grep -E '(WARNING|BUG): [^S]|Call Trace|Oops|nobody cared|detected stall|Firmware Bug|unchecked MSR'
echo "cell: goes"
$line -f
"""
COMPLAINT = r"WARNING: CPU|BUG: |Call Trace|Oops|Firmware Bug|unchecked MSR"


def tsc_khz(root: Root) -> int:
    """As the root cell's Linux measured it."""
    return round(float(re.findall(r"tsc: .* (\d+\.\d+) MHz", root.check("dmesg"))[-1]) * 1000)


def without_line(folder: Path) -> bytes:
    """The cell of linux.toml with a second UART that has no interrupt: where Linux remaps them, no cell has any."""
    board = (HERE.parents[1] / "configs/qemu-x86_64/machine.toml").read_text()
    text = (HERE / "x86_64/linux.toml").read_text()
    (folder / "machine.toml").write_text(board.replace("interrupts = [3]\n", ""))
    (folder / "linux.toml").write_text(re.sub(r'"[./]*configs/qemu-x86_64/machine.toml"', '"machine.toml"', text))
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(folder / "linux.toml"),
                    "-o", str(folder)], check=True, stdout=subprocess.PIPE,
                   env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"})
    return (folder / "linux.cell").read_bytes()


def load(root: Root, name: str, area: dict[int, bytes]) -> None:
    root.jailhouse(f"cell load {name} " + " ".join(f"/{name}/{at:x} -a {at:#x}" for at in area))


@pytest.mark.parametrize(("kernel", "x2apic"), [("6.12", False), ("6.12-rt", False), ("6.12", True)])
def test_stock_kernel(boot, blobs, cell_log, kernels, tmp_path, say, kernel, x2apic):
    """
    Two CPUs, one of which comes and goes; both ways on its console; it restarts itself and comes up again from
    what was loaded once; power off. With Linux's local APICs in x2APIC mode and in xAPIC mode.
    """
    guest = Guest(RAM, BOOT, (2, 3), None if x2apic else IOAPIC, Uart(0x2f8, None if x2apic else 3))
    # The frequency is known when the machine is: in its place as many digits
    line, digits = COMMAND_LINE.format(khz="9999999"), b"tsc_early_khz=9999999"
    area = boot_area(guest, paths.kernel_image(kernel).read_bytes(), initrd(INIT), line)
    params = next(at for at, data in area.items() if digits in data)
    files = {**blobs, **{f"linux/{at:x}": data for at, data in area.items()}}
    if x2apic:
        files["tests/linux/linux.cell"] = without_line(tmp_path)
    root = Root(boot(files=files, serials=2, x2apic=x2apic))
    before = root.state()
    root.create("linux", "linux")
    root.check(f"sed -i s/{digits.decode()}/tsc_early_khz={tsc_khz(root):07d}/ /linux/{params:x}")
    load(root, "linux", area)
    with Listener(root.machine.serial, cell_log) as cell:
        root.start("linux")
        for command in ("reboot", "reboot", "poweroff"):
            assert cell.expect(r"^cell: (\S+) on CPUs 0-1, tsc\r?$")[1] == kernels[kernel]
            root.machine.serial.write(b"the root cell\n")
            cell.expect(r"^cell: heard the root cell\r?$")
            cell.expect(r"^cell: CPUs 0-1\r?$")
            assert "cell: lost" not in cell.said and not re.search(COMPLAINT, cell.said), cell.said
            exits = {cpu: root.statistics(root.cell_id("linux"), cpu) for cpu in (2, 3)}
            say(f"exits until then: {exits}")
            assert all(counts["fault"] == counts["exception"] == 0 for counts in exits.values())
            cell.said = ""
            root.machine.serial.write(f"{command}\n".encode())
            if command == "reboot":
                root.expect(r'^cell "linux" restarts itself$')
                assert root.cell_state("linux") == "running"
                root.mark()
        root.wait_state("linux", "shut down", 120)
        assert root.timers_run() == 2
    root.expect(r'^cell "linux" powered itself off$')
    root.destroy("linux")
    assert root.state() == before
    assert root.timers_run() == 4


def test_memtest(boot, blobs, cell_log, say):
    """It shows its page on the cell's UART and tests memory: nothing of a PC's that it looks for ends the cell."""
    guest = Guest(32 << 20, 0x1e0_0000, (3,), IOAPIC, Uart(0x2f8, 3))
    program = paths.built(paths.BUILD / "memtest.bin", "setup-all").read_bytes()
    area = boot_area(guest, program, b"", "console=ttyS1,115200 nopause keyboard=legacy nosm")
    root = Root(boot(files={**blobs, **{f"memtest/{at:x}": data for at, data in area.items()}}, serials=2, x2apic=False))
    before = root.state()
    root.create("memtest", "memtest")
    load(root, "memtest", area)
    with Listener(root.machine.serial, cell_log) as cell:
        root.start("memtest")
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
