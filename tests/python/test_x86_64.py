# SPDX-License-Identifier: GPL-2.0-only
"""What is x86_64's own: its texts, what is built of them, and QEMU's PC itself."""

import json
import re
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PC_DEMO

from jailhouse.config import abi, blob
from jailhouse.config.command import checked_system, main
from jailhouse.config.emit import CellFile, Irq, Mem, Pio, SystemFile
from jailhouse.config.model import Machine, Span
from jailhouse.config.problems import Problems
from jailhouse.config.read import read_system

Edited = Callable[..., Path]
RW = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE
RTOS, COMPUTE = "cpus = [3]", "cpus = [2]"
BOOT, BOOT_AT = '\t{{ name = "flash", guest = {}, size = "{}", boot = true }},\n', '\t{ name = "low ram",'
SILENT_RTOS = 'cpus = [3]\nconsole = "putc"'


def built(file: Path, out: Path, name: str) -> SystemFile | CellFile:
    assert main(["build", str(file), "-o", str(out)]) == 0
    return blob.decode((out / name).read_bytes())


def test_demo_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = built(PC_DEMO, tmp_path, "system.cell")
    assert isinstance(system, SystemFile)
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("kernel parameters: memmap=256M$0x30000000")
    assert lines[at + 1] == \
        r"note: GRUB has its own use for $: write \$ in grub.cfg, \\\$ in /etc/default/grub"
    assert (system.console["type"], system.console["address"], system.console["size"],
            system.console["flags"]) == (abi.ABI_CONSOLE_8250, 0x3f8, 8, 0)
    assert system.hwids == (0, 1, 2, 3)
    assert system.root.irqs == (Irq(0, 24, 0),)
    assert system.root.pios == (Pio(0, 0xcf8), Pio(0xd00, 0xf300))
    assert system.root.pcis == ()
    platform = abi.PLATFORM_X86_64.unpack(system.platform)
    assert platform["mmconfig"] == {"start": 0xb000_0000, "size": 256 << 20}
    assert platform["ioapic"][0] == {"address": 0xfec0_0000, "first": 0, "count": 24}
    assert not any(platform["ioapic"][1].values())
    assert (platform["apic_khz"], platform["pm_timer"]) == (1_000_000, 0x608)
    for m in system.root.mem:		# the APICs, ECAM and the hypervisor are nobody's
        for start, size in ((0xfec0_0000, 0x1000), (0xfee0_0000, 0x1000),
                            (0xb000_0000, 256 << 20), (0x3f00_0000, 16 << 20)):
            assert m.phys + m.size <= start or start + size <= m.phys
    assert "sata" not in [m.name for m in system.root.mem]		# within pcie's window


def test_demo_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rtos = built(PC_DEMO, tmp_path, "rtos.cell")
    assert isinstance(rtos, CellFile)
    assert "rtos: CPU 3, interrupts direct, sleep direct, exits at most 10000/s after 1000 ms " \
        "(then: log)" in capsys.readouterr().out.splitlines()
    assert rtos.cell.flags == abi.ABI_CELL_PUTC | abi.ABI_CELL_PUTC_CONSOLE
    assert (rtos.cell.irqs, rtos.cell.pios, rtos.cell.pcis) == ((), (), ())
    assert rtos.cell.mem[1] == Mem("comm page", 0, 0x10_0000, 4096, RW | abi.ABI_MEM_COMM)
    compute = blob.decode((tmp_path / "compute.cell").read_bytes())
    assert isinstance(compute, CellFile)
    assert [(m.virt, m.size) for m in compute.cell.mem] == \
        [(0, 1 << 20), (2 << 20, 62 << 20), (1 << 20, 4096)]


def test_device(edited_pc: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ('console = "uart1"\ndevices = ["uart1", "sata"]\nports = [0x5658, "0xf0-0xf1"]\n'
            'pci = ["01:02.3"]\n')
    file = edited_pc((SILENT_RTOS, f"{RTOS}\n{more}"))
    cell = built(file, tmp_path / "out", "rtos.cell")
    assert isinstance(cell, CellFile)
    assert cell.cell.irqs == (Irq(3, 1, 3),)
    assert cell.cell.pios == (Pio(0xf0, 2), Pio(0x2f8, 8), Pio(0x5658, 1), Pio(0xc040, 0x20))
    assert cell.cell.pcis == (0x00fa, 0x0113)
    assert Mem("sata", 0xfebf_1000, 0xfebf_1000, 4096, RW | abi.ABI_MEM_IO) in cell.cell.mem
    assert (cell.cell.console["address"], cell.cell.console["flags"]) == (0x2f8, 0)
    assert "PCI function 00:1f.2 and 1 more: no IOMMU stands between" in capsys.readouterr().err
    assert main(["show", str(tmp_path / "out" / "rtos.cell")]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in ("  ports 0x2f8-0x2ff", "  ports 0x5658", "  pci 00:1f.2", "  pci 01:02.3",
                 "  console 8250 port 0x2f8+8 flags 0x0"):
        assert line in lines


def test_none_needs_no_word_about_sleep(edited_pc: Edited) -> None:
    text = f'{RTOS}\ndevices = ["uart1"]\nconsole = "uart1"\n'
    file = edited_pc((SILENT_RTOS, text), ("exits = 10_000", 'exits = "none"'))
    system, problems = checked_system(str(file))
    assert system is not None
    assert list(problems) == []


# What is replaced by what ..., (file, words of the line it is said of), words of it
CASES: list[tuple[tuple[tuple[str, str], ...], tuple[str, str], tuple[str, ...]]] = [
    (((RTOS, "cpus = [0]"),), ("demo.toml", "cpus = [0]"),
     ('cell "rtos": CPU 0 stays the root cell\'s', "boot processor", "choose another")),
    (((RTOS, RTOS + '\nwfi = "trusted"'),), ("demo.toml", "wfi ="),
     ("sleeping never exits here", "remove it")),
    (((BOOT_AT, BOOT.format("0x1000_1000", "1M") + BOOT_AT),), ("demo.toml", '"flash"'),
     ("0x10001000 is no multiple of 64K", "real mode", "correct `guest`")),
    (((BOOT_AT, BOOT.format("0xffff_0000", "1M") + BOOT_AT),), ("demo.toml", '"flash"'),
     ("it reaches beyond 0x100000000", "another `guest`")),
    (((RTOS, RTOS + '\ninterrupts = "direct"'),), ("demo.toml", "interrupts ="),
     ("interrupts always arrive directly here",)),
    (((RTOS, RTOS + '\nrenumber = { "3" = 4 }'),), ("demo.toml", "renumber ="),
     ("interrupts always arrive directly here",)),
    (((RTOS, RTOS + '\ncpu_ids = "counted"'),), ("demo.toml", "cpu_ids ="),
     ("CPUs have their APIC ids here", "remove it")),
    (((RTOS, RTOS + "\ngic = { gicd = 0x5000_0000, gicr = 0x5010_0000 }"),), ("demo.toml", "gic ="),
     ("there is none here",)),
    (((RTOS, RTOS + "\nports = [0x3f8]"),), ("demo.toml", "ports ="),
     ("port 0x3f8:", 'root cell "root", device "uart0"', "a port answers one cell")),
    (((RTOS, RTOS + '\nports = ["0xcf0-0xcfc"]'),), ("demo.toml", "ports ="),
     ("port 0xcf8 is mediated", "leave it out")),
    (((RTOS, RTOS + '\nother_ports = "none"'),), ("demo.toml", "other_ports ="), ("refused", "absent")),
    (((RTOS, RTOS + "\nports = [0x1_0000]"),), ("demo.toml", "ports ="), ("write ports below",)),
    (((RTOS, RTOS + '\nports = ["a-b"]'),), ("demo.toml", "ports ="), ("is no range",)),
    (((RTOS, RTOS + '\npci = ["1f.2"]'),), ("demo.toml", "pci ="),
     ("'1f.2' is no PCI function", '"00:1f.2"')),
    (((RTOS, RTOS + '\npci = ["00:1f.2"]'),), ("demo.toml", "pci ="),
     ("PCI function 00:1f.2:", 'root cell "root", device "sata"')),
    (((RTOS, RTOS + '\npci = ["02:00.0"]'), (COMPUTE, COMPUTE + '\npci = ["02:00.0"]')),
     ("demo.toml", "pci ="), ("PCI function 02:00.0:", 'cell "compute"', 'cell "rtos"')),
    (((RTOS, RTOS + "\nlines = [24]"),), ("demo.toml", "lines ="), ("24 is outside 0..23",)),
    ((("pins = 24 }]", "pins = 10 }, { address = 0xfec0_1000, first = 12, pins = 12 }]"),
      (RTOS, RTOS + "\nlines = [10]")), ("demo.toml", "lines ="),
     ("interrupt 10 is none of the machine's",)),
    ((("pins = 24 }]", "pins = 24 }, { address = 0xfec0_1000, first = 23, pins = 12 }]"),),
     ("machine.toml", "ioapics ="), ("23 is a pin of two",)),
    ((("pins = 24", "pins = 257"),), ("machine.toml", "pins ="), ("give 1 to 240 pins",)),
    ((("address = 0xfec0_0000", "address = 0xfec0_0010"),), ("machine.toml", "ioapics ="),
     ("is not where an IOAPIC is",)),
    ((('0xb000_0000, size = "256M"', '0xb008_0000, size = "256M"'),),
     ("machine.toml", "mmconfig ="), ("is not made of buses of 1M",)),
    ((("pm_timer = 0x608", "pm_timer = 0x1_0000"),), ("machine.toml", "pm_timer ="),
     ("0x10000 is more than fits",)),
    ((('ports = ["0x378-0x37f"]', 'ports = ["0x3f0-0x3f8"]'),), ("machine.toml", "ports ="),
     ("overlap at 0x3f8",)),
    ((('pci = "00:1f.3"', 'pci = "00:1f.2"'),), ("machine.toml", 'pci = "00:1f.2"'),
     ('device "smbus": PCI function 00:1f.2 is device "sata"',)),
    ((('ports = ["0x2f8-0x2ff"]\ninterrupts = [3]\nuart = "8250"',
       'ports = ["0x2f8-0x2ff"]\ninterrupts = [3]\nuart = "8250-32"'),),
     ("machine.toml", "uart ="), ('or say uart = "8250"',)),
    ((("cpus = 4", "cpus = [0, 1, 2, 0xffff_ffff]"),), ("machine.toml", "cpus ="),
     ("0xffffffff is no APIC id",)),
    (((RTOS, RTOS + '\ndevices = [{ name = "sata", guest = 0xa000_0000 }]'),), ("demo.toml", "devices ="),
     ('device "sata" cannot be moved: it is a PCI function', "its BARs say", "remove its `guest`")),
    (((RTOS, RTOS + '\ndevices = [{ name = "uart1", guest = 0xa000_0000 }]'),), ("demo.toml", "devices ="),
     ('device "uart1" cannot be moved: it has no registers in memory', "remove its `guest`")),
    (((RTOS, RTOS + "\nentry = 0x1_0000_0000"),), ("demo.toml", "entry ="),
     ("entry 0x100000000 is not below 0x100000000",)),
]


@pytest.mark.parametrize(("changes", "place", "words"), CASES)
def test_mistake(edited_pc: Edited, changes: tuple[tuple[str, str], ...], place: tuple[str, str],
                 words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited_pc(*changes)))
    assert system is None
    found = [(Path(p.where.file).name, Path(p.where.file).read_text().splitlines()[
        p.where.line - 1], str(p)) for p in problems if not p.warning]
    assert any(file == place[0] and place[1] in line and all(word in text for word in words)
               for file, line, text in found), found


def test_more_cpus_send_each_other_interrupts(edited_pc: Edited) -> None:
    text = 'cpus = [1, 3]\ndevices = ["uart1"]\nconsole = "uart1"\n'
    file = edited_pc((SILENT_RTOS, text), ("exits = 10_000", 'exits = "none"'))
    _, problems = checked_system(str(file))
    assert ["(IPI) is an exit" in str(p) for p in problems] == [True]


def test_what_is_not_linux_is_reserved(edited_pc: Edited, tmp_path: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    """Neighbours in one parameter, and one for each where there is something between."""
    file = edited_pc(('size = 0x2ff4_0000', 'size = 0xff4_0000'),
                     ('0x3000_0000, size = "240M"', '0x1000_0000, size = "240M"'),
                     ('{ start = 0x4000_0000, size = "1G" }',
                      '{ start = 0x2000_0000, size = "256M" },\n'
                      '{ start = 0x4000_0000, size = "1G" }'))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert "kernel parameters: memmap=256M$0x10000000 memmap=256M$0x30000000" \
        in capsys.readouterr().out.splitlines()


class Qemu:
    """QEMU's PC, run until its firmware is done with ACPI and PCI."""

    def __init__(self, acpi: Path) -> None:
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "q35", "-cpu", "EPYC-v4,+svm,+npt,+x2apic", "-smp", "4",
             "-m", "2G", "-display", "none", "-nic", "none", "-serial", "null", "-serial", "null",
             "-qmp", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.process.stdout.readline()
        self.command("qmp_capabilities")
        for _ in range(120):
            time.sleep(0.5)
            self.command("pmemsave", val=0x7ffd_f000, size=0x2_1000, filename=str(acpi))
            self.acpi = acpi.read_bytes()
            self.pci = self.monitor("info pci")
            if b"MCFG" in self.acpi and "febf1000" in self.pci:
                return
        self.quit()
        raise AssertionError("the firmware does not come to an end")

    def command(self, name: str, **arguments: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer = json.loads(line)
            if "event" not in answer:
                return answer["return"]
        raise AssertionError("QEMU ended")

    def monitor(self, line: str) -> str:
        answer = self.command("human-monitor-command", **{"command-line": line})
        return str(answer).replace("\r", "")

    def quit(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def qemu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    machine = Qemu(tmp_path_factory.mktemp("acpi") / "tables")
    yield machine
    machine.quit()


@pytest.fixture(scope="module")
def machine() -> Machine:
    system = read_system(str(PC_DEMO), Problems())
    assert system is not None
    return system.machine


REGION = re.compile(r"^  ([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, [\w/]+\): (.+)$", re.MULTILINE)


def regions(qemu: Qemu, space: str) -> list[tuple[Span, str]]:
    views = qemu.monitor("info mtree -f").split("FlatView #")
    view = next(v for v in views if f' AS "{space}"' in v)
    return [(Span(int(first, 16), int(last, 16) - int(first, 16) + 1), name)
            for first, last, name in REGION.findall(view)]


def test_every_address_is_somebodys(qemu: Qemu, machine: Machine) -> None:
    assert machine.platform is not None
    known = [p.span for p in [*machine.ram, *machine.platform.mediated]]
    known += [p.span for d in machine.devices.values() for p in d.registers]
    found = regions(qemu, "memory")
    assert len(found) > 10
    for span, name in found:
        if name == "apic-msi":		# beyond the first page only what devices write to
            span = Span(span.start, 4096)
        assert any(span.within(k) for k in known), (str(span), name)


def test_ram(qemu: Qemu, machine: Machine) -> None:
    assert all(any(span.within(p.span) for p in machine.ram)
               for span, name in regions(qemu, "memory") if name.startswith("pc.ram"))
    ram = sum(span.size for span, name in regions(qemu, "memory") if name.startswith("pc.ram"))
    assert ram == sum(p.span.size for p in machine.ram)


def test_every_port_is_somebodys(qemu: Qemu, machine: Machine) -> None:
    assert machine.platform is not None and machine.platform.mediated_ports is not None
    known = set(machine.platform.mediated_ports.numbers)
    known |= {n for d in machine.devices.values() for line in d.ports for n in line.numbers}
    emulators = {"kvmvapic", "vmport", "ioportF0"}	# of QEMU's own, and the FPU's
    found = [(span, name) for span, name in regions(qemu, "I/O")
             if not name.startswith("io @") and name not in emulators]
    assert len(found) > 30
    for span, name in found:
        assert known.issuperset(range(span.start, span.end)), (str(span), name)


def table(qemu: Qemu, signature: bytes) -> bytes:
    """The ACPI table: the one of that signature whose bytes sum up to 0."""
    for found in re.finditer(re.escape(signature), qemu.acpi):
        at = found.start()
        size = struct.unpack_from("<I", qemu.acpi, at + 4)[0]
        data = qemu.acpi[at:at + size]
        if 36 < size <= len(data) and sum(data) % 256 == 0:
            return data
    raise AssertionError(f"no table {signature!r}")


def test_acpi(qemu: Qemu, machine: Machine) -> None:
    assert machine.platform is not None
    platform = abi.PLATFORM_X86_64.unpack(machine.platform.encoded)
    base, segment, first, last = struct.unpack_from("<QHBB", table(qemu, b"MCFG"), 44)
    assert (segment, first) == (0, 0)
    assert platform["mmconfig"] == {"start": base, "size": (last + 1) << 20}
    assert struct.unpack_from("<I", table(qemu, b"FACP"), 76)[0] == platform["pm_timer"]
    hpet = struct.unpack_from("<Q", table(qemu, b"HPET"), 44)[0]
    assert machine.devices["hpet"].registers[0].span.start == hpet
    madt, at = table(qemu, b"APIC"), 44
    assert struct.unpack_from("<I", madt, 36)[0] in [p.span.start
                                                     for p in machine.platform.mediated]
    ids, ioapics = [], []
    while at < len(madt):
        kind, size = madt[at:at + 2]
        if kind == 0:
            ids.append(madt[at + 3])
        elif kind == 1:
            ioapics.append(struct.unpack_from("<II", madt, at + 4))
        at += size
    assert ids == list(machine.hwids)
    assert ioapics == [(i["address"], i["first"]) for i in platform["ioapic"] if i["address"]]


def test_functions(qemu: Qemu, machine: Machine) -> None:
    for name, at in (("sata", "device  31, function 2"), ("smbus", "device  31, function 3")):
        part = qemu.pci.split(at)[1].split("Bus ")[0]
        device = machine.devices[name]
        spans = [Span(int(a, 16), int(b, 16) - int(a, 16) + 1)
                 for a, b in re.findall(r"memory at 0x(\w+) \[0x(\w+)\]", part)]
        ports = [range(int(a, 16), int(b, 16) + 1)
                 for a, b in re.findall(r"I/O at 0x(\w+) \[0x(\w+)\]", part)]
        assert [p.span for p in device.registers] == spans
        assert [line.numbers for line in device.ports] == ports


@pytest.mark.parametrize(("place", "shared"), [
    ('ports = ["0x3f8-0x3ff"]', True),
    # the same by a page of memory, where the hypervisor does not print
    ('registers = { start = 0xfd00_0000, size = "4K" }', False)])
def test_a_console_of_the_hypervisors(edited_pc: Edited, place: str, shared: bool) -> None:
    given = (SILENT_RTOS, 'cpus = [3]\nconsole = "uart0"\ndevices = ["uart0"]')
    _, problems = checked_system(str(edited_pc(given, ('ports = ["0x3f8-0x3ff"]', place))))
    assert any("is the hypervisor's too" in str(p) for p in problems) == shared
