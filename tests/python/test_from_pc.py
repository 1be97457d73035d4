# SPDX-License-Identifier: GPL-2.0-only
"""A PC's facts become a description that says all that its Linux uses, and that the checker of texts accepts."""

from collections.abc import Callable, Iterable
from pathlib import Path

import facts_tree as made
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pc_machines import MACHINES, epyc, industrial, qemu

from jailhouse.config.command import checked_system
from jailhouse.config.model import Machine, Span
from jailhouse.config.problems import Problems
from jailhouse.config.read import read_system
from jailhouse.config.spans import merged, minus
from jailhouse.config.units import MIB
from jailhouse.probe import acpi
from jailhouse.probe.command import write_checked
from jailhouse.probe.description import Apic, Description, Device, IoApic, Refused, Streams
from jailhouse.probe.facts import Facts
from jailhouse.probe.from_pc import describe_pc
from jailhouse.probe.listings import Entry, entries, interrupts
from jailhouse.probe.pc_apic import Lines

Files = made.Files
Links = dict[str, str]
MACHINE = pytest.mark.parametrize("name", list(MACHINES))


def described(root: Path, machine: tuple[Files, Links], **changes: str | bytes | None) -> Description:
    return describe_pc(written(root, machine, changes))


def written(root: Path, machine: tuple[Files, Links], changes: dict[str, str | bytes | None] | None = None) -> Facts:
    """None takes a file out."""
    files, links = machine
    files = dict(files)
    for path, content in (changes or {}).items():
        if content is None:
            files = {p: c for p, c in files.items() if p != path and not p.startswith(path + "/")}
        else:
            files[path] = content
    return made.write(root, files, links)


def device(found: Description, name: str) -> Device:
    return next(d for d in found.devices if d.name == name)


def spans(owner: Device) -> list[Span]:
    return [p.span for p in owner.registers]


# --- as a text ------------------------------------------------------------------------

def checked(found: Description, folder: Path) -> Machine:
    """Through the reader and the checker, in a system without cells."""
    assert list(write_checked(found, str(folder / "machine.toml"))) == []
    (folder / "system.toml").write_text('machine = "machine.toml"\n')
    system, problems = checked_system(str(folder / "system.toml"))
    assert [str(p) for p in problems] == [] and system is not None
    return system.machine


@MACHINE
def test_the_checker_accepts_it(name: str, tmp_path: Path) -> None:
    machine = checked(described(tmp_path / "facts", MACHINES[name]()), tmp_path)
    assert len(machine.devices) > 10


# --- nothing that is used is missing --------------------------------------------------

def flat(tree: Iterable[Entry]) -> list[Entry]:
    return [e for top in tree for e in top.all()]


def mediated(apic: Apic) -> list[Span]:
    found = [Span(0xfee0_0000, 4096), *(Span(i.address, 4096) for i in apic.ioapics)]
    return [*found, apic.mmconfig] if apic.mmconfig else found


@MACHINE
def test_all_addresses_in_use_are_somebodys(name: str, tmp_path: Path) -> None:
    facts = written(tmp_path, MACHINES[name]())
    found = describe_pc(facts)
    assert isinstance(found.platform, Apic)
    # devices are the root cell's in whole pages
    owned = merged([*found.ram, *mediated(found.platform), *(s.pages() for d in found.devices for s in spans(d))])
    # AMD's HyperTransport has it, and nothing can be there
    nothing = Span(0xfd_0000_0000, 0x3_0000_0000)
    used = [e for e in flat(entries(facts, "proc/iomem")) if e.span != nothing]
    assert len(used) > 20
    assert [(e.name, str(part)) for e in used for part in minus([e.span], owned)] == []


@MACHINE
def test_all_ports_in_use_are_somebodys(name: str, tmp_path: Path) -> None:
    facts = written(tmp_path, MACHINES[name]())
    found = describe_pc(facts)
    owned = {n for d in found.devices for ports in d.ports for n in ports} | set(range(0xcf8, 0xd00))
    used = [e for e in flat(entries(facts, "proc/ioports")) if not e.name.startswith("PCI Bus")]
    assert len(used) > 15
    assert [e.name for e in used if not owned.issuperset(range(e.span.start, e.span.end))] == []


@MACHINE
def test_all_pins_in_use_are_somebodys(name: str, tmp_path: Path) -> None:
    facts = written(tmp_path, MACHINES[name]())
    owned = {n for d in describe_pc(facts).devices for n in d.interrupts}
    used = [i for i in interrupts(facts) if i.controller.endswith("IO-APIC")]
    assert len(used) > 5
    # pin 3 of the second IOAPIC is Linux's interrupt 45
    assert {27 if i.irq == 45 else i.pin for i in used} <= owned


@MACHINE
def test_names_fit_and_are_unique(name: str, tmp_path: Path) -> None:
    found = described(tmp_path, MACHINES[name]())
    names = [d.name for d in found.devices]
    assert len(set(names)) == len(names)
    for owner in found.devices:
        assert len(owner.name) <= 24 and owner.name.replace("-", "").replace("_", "").isalnum()
        pieces = [p.name for p in owner.registers]
        assert len(set(pieces)) == len(pieces)
    kept = [p.name for p in found.firmware]
    assert len(set(kept)) == len(kept)


# --- QEMU's, beside the text that was written by hand ---------------------------------

@pytest.fixture(scope="module")
def by_hand() -> Machine:
    system = read_system(str(ROOT / "configs/qemu-x86_64/demo.toml"), Problems())
    assert system is not None
    return system.machine


def test_qemu_is_what_the_text_says(by_hand: Machine, tmp_path: Path) -> None:
    found = checked(described(tmp_path / "facts", qemu()), tmp_path)
    assert [p.span for p in found.ram] == [p.span for p in by_hand.ram]
    assert found.hwids == by_hand.hwids
    assert found.console is not None and by_hand.console is not None and found.console.name == by_hand.console.name
    assert found.platform is not None and by_hand.platform is not None
    # apic_khz is written nowhere, so it is left to be measured
    assert found.platform.encoded != by_hand.platform.encoded
    known = 1_000_000
    assert found.platform.encoded == by_hand.platform.encoded.replace(known.to_bytes(4, "little"), bytes(4))
    assert found.platform.mediated_ports is not None and by_hand.platform.mediated_ports is not None


# Of the text's devices, which of the description's it is
SAME = {**{name: name for name in ("pcie", "hpet", "chipset", "iommu", "i8042", "rtc", "dma", "uart0", "parallel",
                                   "fw_cfg")}, "sata": "sata-00-1f-2", "smbus": "smbus-00-1f-3"}


@pytest.mark.parametrize("name", list(SAME))
def test_qemu_device_is_what_the_text_says(name: str, by_hand: Machine, tmp_path: Path) -> None:
    found = checked(described(tmp_path / "facts", qemu()), tmp_path).devices[SAME[name]]
    written_so = by_hand.devices[name]
    assert [p.span for p in found.registers] == [p.span for p in written_so.registers]
    # pci's lines that no link of the made-up log names are found as nobody else's
    assert {n for i in found.lines for n in i.numbers} == {n for i in written_so.lines for n in i.numbers}
    assert [p.numbers for p in found.ports] == [p.numbers for p in written_so.ports]
    assert [f.bdf for f in found.functions] == [f.bdf for f in written_so.functions]
    assert found.uart == written_so.uart


def test_qemu_where_the_text_knows_more(by_hand: Machine, tmp_path: Path) -> None:
    """Ports that Linux does not claim, and flash that is not there."""
    found = checked(described(tmp_path / "facts", qemu()), tmp_path).devices
    assert found["flash"].registers[0].span.within(by_hand.devices["flash"].registers[0].span)
    for name in ("pic", "acpi", "vga"):
        ports = {n for line in found[name].ports for n in line.numbers}
        assert ports < {n for line in by_hand.devices[name].ports for n in line.numbers}
    assert [line.numbers for line in found["pit"].lines] == [range(2, 3)]


def test_qemu_streams_and_groups(tmp_path: Path) -> None:
    sata = device(described(tmp_path, qemu()), "sata-00-1f-2")
    assert (sata.group, sata.dma, sata.streams) == (2, True, (Streams("iommu", (range(0xfa, 0xfb),)),))
    assert sata.notes == ()


def test_qemu_firmware(tmp_path: Path) -> None:
    found = described(tmp_path, qemu())
    assert [(p.name, p.span) for p in found.firmware] == [
        ("reserved", Span(0x9_f000, 0x1000)), ("bios", Span(0xc_0000, 0x4_0000)),
        ("reserved-2", Span(0x7ffd_f000, 0x2_1000))]
    assert any("interrupt remapping" in note for note in found.notes)


# --- the server -----------------------------------------------------------------------

def test_epyc_cpus(tmp_path: Path) -> None:
    found = described(tmp_path, epyc())
    assert found.hwids == (0, 2, 8, 10, 1, 3, 9, 11)
    assert found.threads == ((0, 4), (1, 5), (2, 6), (3, 7))
    assert found.clusters == ((0, 1, 4, 5), (2, 3, 6, 7))
    assert {(c.level, c.size, c.cpus) for c in found.caches} == {(3, 16 * MIB, c) for c in found.clusters}
    assert found.cpu_names[0] == "AMD EPYC 7232P 8-Core Processor"


def test_epyc_apic(tmp_path: Path) -> None:
    apic = described(tmp_path, epyc()).platform
    assert apic == Apic((IoApic(0xfec0_0000, 0, 24), IoApic(0xf418_0000, 24, 32)), Span(0xb000_0000, 256 * MIB), 0x408,
                        99998)


def test_epyc_memory(tmp_path: Path) -> None:
    found = described(tmp_path, epyc())
    # 0xff000000 is flash, though RAM goes on behind it
    assert found.ram == (Span(0, 0xa_0000), Span(0xc_0000, 0xb000_0000 - 0xc_0000), Span(1 << 32, 0x1f_5000_0000))
    assert ("acpi-nvs", Span(0xaa50_d000, 0x5f_f000)) in [(p.name, p.span) for p in found.firmware]
    assert spans(device(found, "flash")) == [Span(0xff00_0000, 16 * MIB)]


def test_epyc_bridges(tmp_path: Path) -> None:
    """A window for each host bridge, without what in it is no PCI function's."""
    found = described(tmp_path, epyc())
    # the IOMMU and the second IOAPIC lie in it
    assert spans(device(found, "pcie-00")) == [Span(0xe000_0000, 0x1410_0000), Span(0xf418_1000, 0xa97_f000)]
    assert spans(device(found, "pcie-40")) == [Span(0xc000_0000, 512 * MIB), Span(1 << 40, 15 << 40)]
    assert device(found, "iommu").iommu == "amd-vi"
    assert spans(device(found, "iommu")) == [Span(0xf410_0000, 512 << 10)]
    assert not any(f == 2 for d in found.devices for f in d.functions)


def test_epyc_functions(tmp_path: Path) -> None:
    found = described(tmp_path, epyc())
    first, second = device(found, "ethernet-01-00-0"), device(found, "ethernet-01-00-1")
    assert [(p.name, p.span.start) for p in first.registers] == [("bar0", 0xf000_0000), ("bar3", 0xf002_0000)]
    assert first.ports == (range(0x2000, 0x2020),)
    assert [n.split(" 0x")[0] for n in first.notes] == ["its option ROM", "firmware wants its DMA to reach"]
    assert [n.split(":")[0].split(" BAR")[0] for n in second.notes] == ["its MSI-X table lies in", "disabled"]
    nvme = device(found, "nvme-41-00-0")
    assert nvme.about == "144d:a808, class 0108, nvme, driver nvme"
    assert (nvme.group, nvme.notes) == (17, ())


def test_epyc_offline_cpus(tmp_path: Path) -> None:
    """Their APIC ids are those of ACPI's that nobody has yet, in its order."""
    files, links = epyc()
    blocks = str(files["proc/cpuinfo"]).split("\n\n")
    found = described(tmp_path, (files, links), **{"proc/cpuinfo": "\n\n".join(blocks[:5] + blocks[6:7])})
    assert found.hwids == (0, 2, 8, 10, 1, 3, 9, 11)
    assert any("CPUs 5, 7 were offline" in note for note in found.notes)


def test_epyc_offline_cpus_that_cannot_be_told(tmp_path: Path) -> None:
    files, links = epyc()
    known = [made.x2apic(i) for i in (0, 2, 8, 10, 1, 3)]
    files |= made.tables(APIC=made.madt([*known, made.ioapic(0, 0xfec0_0000, 0)]))
    blocks = str(files["proc/cpuinfo"]).split("\n\n")
    with pytest.raises(Refused, match="bring all CPUs online"):
        described(tmp_path, (files, links), **{"proc/cpuinfo": "\n\n".join(blocks[:4])})


# --- the industrial PC ----------------------------------------------------------------

def test_industrial_uarts(tmp_path: Path) -> None:
    found = described(tmp_path, industrial())
    assert found.console == "uart1"
    uarts = sorted((d.name, d.ports[0].start, d.interrupts) for d in found.devices if d.uart)
    assert uarts == [("uart0", 0x3f8, (4,)), ("uart1", 0x2f8, (3,)), ("uart2", 0x3e8, (10,)), ("uart3", 0x2e8, (11,))]


def test_industrial_console_of_spcr(tmp_path: Path) -> None:
    files, links = industrial()
    files |= made.tables(SPCR=made.spcr(0, 1, 0x3e8)) | {"proc/cmdline": "quiet\n"}
    assert described(tmp_path, (files, links)).console == "uart2"


def test_industrial_devices_of_acpi(tmp_path: Path) -> None:
    """Within the window, and not of it."""
    found = described(tmp_path, industrial())
    assert spans(device(found, "int3452-01")) == [Span(0xd0c4_0000, 0x764)]
    assert device(found, "int3452-01").interrupts == (14,)
    assert spans(device(found, "tpm")) == [Span(0xfed4_0000, 0x5000)]
    assert not any(s.overlaps(Span(0xd0c4_0000, 1)) for s in spans(device(found, "pcie")))


def test_industrial_iommus(tmp_path: Path) -> None:
    found = described(tmp_path, industrial())
    streams = {d.name: d.streams[0].iommu for d in found.devices if d.streams}
    assert streams.pop("vga-00-02-0") == "iommu0"
    assert set(streams.values()) == {"iommu1"} and "ethernet-03-00-0" in streams
    assert "firmware wants its DMA to reach 0x7ad00000+128K" in device(found, "usb-00-15-0").notes
    assert not any("remapping" in note for note in found.notes)


def test_industrial_interrupts_of_pci(tmp_path: Path) -> None:
    """IRQ 3 and 11 are UARTs', whatever links are named; 4 is what the BIOS wrote into a function nobody drives."""
    assert device(described(tmp_path, industrial()), "pcie").interrupts == (5, *range(16, 24))


def test_industrial_interrupt_that_pci_shares(tmp_path: Path) -> None:
    path = "sys/bus/pci/devices/0000:00:1f.1/irq"
    assert 4 in device(described(tmp_path, industrial(), **{path: "4\n"}), "pcie").interrupts


def test_industrial_shared_page(tmp_path: Path) -> None:
    found = described(tmp_path, industrial())
    assert "shares the page 0x91213000 with smbus-00-1f-1" in device(found, "signal-00-18-0").notes
    assert any("INTA only" in note for note in device(found, "signal-00-18-0").notes)


def test_industrial_says_that_it_is_intels(tmp_path: Path) -> None:
    notes = described(tmp_path, industrial()).notes
    assert any("Intel" in note for note in notes)
    assert any("24 pins are a guess" in note for note in notes)


def test_iommus_by_the_bridge_and_by_a_path(tmp_path: Path) -> None:
    """All behind a bridge, and one function at a path's end; what leads nowhere is nobody's."""
    files, links = industrial()
    files |= made.tables(DMAR=made.dmar(
        made.drhd(0xfed6_4000, False, made.scope(2, 0, (0x13, 0)), made.scope(1, 0, (2, 0), (0, 0))),
        made.drhd(0xfed6_5000, False, made.scope(1, 0, (0x13, 1), (0, 0)), made.scope(4, 0, (0x15, 0)))))
    found = described(tmp_path, (files, links))
    streams = {d.name: d.streams[0].iommu for d in found.devices if d.streams}
    assert streams == {"ethernet-02-00-0": "iommu0", "ethernet-03-00-0": "iommu1"}


def test_iommu_of_all_that_no_other_has(tmp_path: Path) -> None:
    """An AMD one without entries."""
    files, links = epyc()
    files |= made.tables(IVRS=made.ivrs(made.ivhd(0x10, 0x4002, 0xc010_0000, made.ivhd_range(0x4000, 0x41ff)),
                                        made.ivhd(0x10, 2, 0xf410_0000)))
    found = described(tmp_path, (files, links))
    streams = {d.name: d.streams[0].iommu for d in found.devices if d.streams}
    assert streams == {"nvme-41-00-0": "iommu0", "ethernet-01-00-0": "iommu1", "ethernet-01-00-1": "iommu1"}
    # the first has no other place to say its size
    assert [spans(device(found, n)) for n in ("iommu0", "iommu1")] == [
        [Span(0xc010_0000, 16 << 10)], [Span(0xf410_0000, 512 << 10)]]


@pytest.mark.parametrize(("kind", "interface", "size", "uart"), [
    (0x0700, 2, 8, "8250"), (0x0700, 0, 8, None), (0x0700, 2, 16, None), (0x0780, 2, 8, None)])
def test_uart_behind_pci(kind: int, interface: int, size: int, uart: str | None, tmp_path: Path) -> None:
    files, links = industrial()
    files |= made.function("0000:03:01.0", made.config("1415:c158", kind, {0: 0xd041}, interface=interface),
                           {0: (0xd040, 0xd040 + size - 1, 0x40101)})
    found = described(tmp_path, (files, links))
    assert [d.uart for d in found.devices if d.functions == (0x308,)] == [uart]


def test_bars_that_no_bridge_passes_on(tmp_path: Path) -> None:
    files, links = industrial()
    path = "sys/bus/pci/devices/0000:00:13.0/config"
    space = made.config("8086:1533", 0x0200, {0: 0x9130_0000}, capabilities=[made.MSI])
    files |= made.function("0000:02:01.0", space, {0: (0x9130_0000, 0x9130_0fff, 0x40200)})
    found = described(tmp_path / "closed", (files, links))
    assert device(found, "ethernet-02-01-0").notes == ("0x91300000+4K is in no window of its bridge 00:13.0",)
    files[path] = made.config("8086:5ad8", 0x0604, header=1, buses=(2, 2), interface=1)
    assert device(described(tmp_path / "all", (files, links)), "ethernet-02-01-0").notes == ()


def test_bars_without_an_address(tmp_path: Path) -> None:
    files, links = industrial()
    files |= made.function("0000:02:01.0", made.config("8086:1533", 0x0200, {0: 0x9130_0000}, capabilities=[made.MSI]),
                           {0: (0, 0xfff, 0x2004_0200), 2: (0x9108_4000, 0x9108_4fff, 0x40200),
                            3: (0x1_fff0, 0x1_ffff, 0x40101)})
    owner = device(described(tmp_path, (files, links)), "ethernet-02-01-0")
    assert spans(owner) == [Span(0x9108_4000, 0x1000)] and owner.ports == ()
    assert owner.notes == ("BAR 0 (0x1000 bytes) has no address",
                           "BAR 3, ports 0x1fff0-0x1ffff: not all of them are its own")


def test_a_function_that_moved(tmp_path: Path) -> None:
    files, links = industrial()
    files |= made.function("0000:02:01.0", made.config("8086:1533", 0x0200, {0: 0x9108_8000}, capabilities=[made.MSI]),
                           {0: (0x9108_4000, 0x9108_4fff, 0x40200)})
    assert device(described(tmp_path, (files, links)), "ethernet-02-01-0").notes == (
        "BAR 0 reads 0x91088000, and Linux has it at 0x91084000",)


def test_pins_of_linuxs_interrupts() -> None:
    """Beyond the first IOAPIC Linux counts on as it likes, and says the pin of an interrupt alone."""
    files: Files = {"proc/interrupts": "  7: 0 IO-APIC 7-edge x\n 16: 0 IO-APIC 16-fasteoi x\n"
                    " 40: 0 IO-APIC 5-fasteoi x\n 41: 0 IO-APIC 30-fasteoi x\n"
                    " 18: 0 IO-APIC 2-fasteoi x\n 50: 0 PCI-MSI 1-edge x\n"}
    madt = acpi.madt(made.madt([made.override(0, 2), made.override(7, 20)]))
    two = Lines(made.Memory(files), madt, (IoApic(0xfec0_0000, 0, 24), IoApic(0xfec0_1000, 24, 32)))
    assert [two.of_irq(n) for n in (0, 1, 7, 16, 17, 18, 40, 41, 42, 50)] == [2, 1, 20, 16, 17, 26, 29, 54, None, None]
    three = Lines(made.Memory(files), madt, (IoApic(1 << 12, 0, 24), IoApic(2 << 12, 24, 8), IoApic(3 << 12, 32, 32)))
    # both of the others have a pin 5, and one a pin 30
    assert [three.of_irq(n) for n in (40, 41)] == [None, 62]
    ends = Lines(made.Memory(files), madt, (IoApic(1 << 12, 0, 24), IoApic(2 << 12, 24, 5), IoApic(3 << 12, 32, 6)))
    assert [ends.of_irq(n) for n in (40, 41)] == [37, None]


# --- what is missing ------------------------------------------------------------------

REFUSED = {
    "no MADT": ("sys/firmware/acpi/tables/APIC", None, "MADT"),
    "a torn MADT": ("sys/firmware/acpi/tables/APIC", made.madt([made.lapic(0)])[:-3], "says that it has"),
    "no IOAPIC": ("sys/firmware/acpi/tables/APIC", made.madt([made.lapic(n) for n in range(4)]), "no IOAPIC"),
    "no good IOAPIC": ("sys/firmware/acpi/tables/APIC", made.madt([made.lapic(0), made.ioapic(0, 0xfec0_0010, 0)]),
                       "its address is no whole page's"),
    "no iomem": ("proc/iomem", None, "proc/iomem is missing"),
    "not root": ("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n", "run it as root"),
    "no ioports": ("proc/ioports", "", "run it as root"),
    "no listing": ("proc/iomem", "00001000-0009ffff System RAM\n", "line 1"),
    "backwards": ("proc/iomem", "00001000-00000fff : System RAM\n00000000-0009ffff : x\n", "line 1"),
    "no cpuinfo": ("proc/cpuinfo", None, "CPU 0"),
    "a CPU twice": ("proc/cpuinfo", "processor: 0\napicid: 0\n\nprocessor: 1\napicid: 0\n\nprocessor: 2\napicid: 2\n\n"
                    "processor: 3\napicid: 3\n", "the same APIC id"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case: str, tmp_path: Path) -> None:
    path, content, word = REFUSED[case]
    with pytest.raises(Refused, match=word) as error:
        described(tmp_path, qemu(), **{path: content})
    assert error.value.what and error.value.why and error.value.fix


def test_a_gap_in_the_cpus_numbers(tmp_path: Path) -> None:
    info = "\n".join(f"processor : {n}\napicid : {n}\n" for n in (0, 2, 3, 4))
    with pytest.raises(Refused, match="not numbered from 0 to 3"):
        described(tmp_path, qemu(), **{"proc/cpuinfo": info, "sys/devices/system/cpu/present": "0,2-4"})


def test_ram_without_the_firmwares_map(tmp_path: Path) -> None:
    """Then what memmap= took from Linux looks like firmware's; it is RAM all the same."""
    full = described(tmp_path / "full", qemu())
    found = described(tmp_path / "less", qemu(), **{"sys/firmware/memmap": None})
    assert found.ram == full.ram
    assert Span(0x3000_0000, 256 * MIB) in [p.span for p in found.firmware]
    assert any("memmap is missing" in note for note in found.notes)


@pytest.mark.parametrize(("table", "word"), [("MCFG", "MCFG"), ("FACP", "FACP"), ("HPET", "HPET"), ("DMAR", "DMAR")])
def test_a_damaged_table_is_left_out(table: str, word: str, tmp_path: Path) -> None:
    path = f"sys/firmware/acpi/tables/{table}"
    damaged = bytearray(made.bytes_of(qemu()[0], path))
    damaged[-1] ^= 1
    found = described(tmp_path / "facts", qemu(), **{path: bytes(damaged)})
    assert any(word in note and "checksum" in note for note in found.notes)
    checked(found, tmp_path)


def test_mmconfig_that_cannot_be_mediated(tmp_path: Path) -> None:
    files, links = qemu()
    files |= made.tables(MCFG=made.mcfg((0xb000_0000, 0, 32, 255), (0x4000_0000, 0, 0, 15), (0xc000_0000, 1, 0, 15)))
    found = described(tmp_path, (files, links))
    assert isinstance(found.platform, Apic) and found.platform.mmconfig is None
    assert [n.split(": ")[1] for n in found.notes if n.startswith("MCFG")] == [
        "it begins with bus 32, and not with 0", "it is no place for configuration space, or is RAM", "segment 1"]


def test_pm_timer_in_memory_is_none(tmp_path: Path) -> None:
    files, links = qemu()
    files |= made.tables(FACP=made.fadt(0x600, timer_space=0))
    apic = described(tmp_path, (files, links)).platform
    assert isinstance(apic, Apic) and apic.pm_timer == 0


def test_config_space_without_privileges(tmp_path: Path) -> None:
    files, links = qemu()
    path = "sys/bus/pci/devices/0000:00:1f.2/config"
    files[path] = made.bytes_of(files, path)[:64]
    assert "whether it has MSI was not to be seen: gather the facts as root" in device(
        described(tmp_path, (files, links)), "sata-00-1f-2").notes


def test_other_segments_are_not_mixed_in(tmp_path: Path) -> None:
    files, links = qemu()
    files |= made.function("0001:00:1f.2", made.config("8086:2922", 0x0106, {5: 0xfebf_4000}),
                           {5: (0xfebf_4000, 0xfebf_4fff, 0x40200)})
    found = described(tmp_path / "facts", (files, links))
    assert any("0001:00:1f.2" in note for note in found.notes)
    assert [d.name for d in found.devices if d.functions == (0xfa,)] == ["sata-00-1f-2"]
    checked(found, tmp_path)


def test_bars_that_cannot_be(tmp_path: Path) -> None:
    """In RAM, at an IOAPIC, at another's, over a window's end: the rest of them is right."""
    files, links = qemu()
    for number, (start, end) in enumerate(((0x2000_0000, 0x2000_0fff), (0xfec0_0000, 0xfec0_0fff),
                                           (0xfebf_1000, 0xfebf_1fff), (0xfebf_f000, 0xfec0_1fff))):
        space = made.config("1af4:1000", 0x0200, {0: start}, capabilities=[made.MSI])
        files |= made.function(f"0000:02:0{number}.0", space, {0: (start, end, 0x40200)})
    found = described(tmp_path / "facts", (files, links))
    for number in range(4):
        assert any("not all of it is its own" in note for note in device(found, f"ethernet-02-0{number}-0").notes)
    checked(found, tmp_path)


# --- bad bytes ------------------------------------------------------------------------

FUZZED = ["proc/iomem", "proc/ioports", "proc/interrupts", "proc/cpuinfo", "dmesg.txt",
          "sys/bus/pnp/devices/00:03/resources", "sys/firmware/memmap/3/end",
          *(f"sys/bus/pci/devices/{f}" for f in ("0000:00:1f.2/resource", "0000:00:1f.2/config", "0000:41:00.0/config",
                                                 "0000:00:13.0/config")),
          *(f"sys/firmware/acpi/tables/{t}" for t in ("APIC", "DMAR", "FACP", "IVRS", "MCFG"))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_nothing_that_is_read_breaks_it(data: st.DataObject) -> None:
    """A description without overlaps, or a reason; never anything else."""
    files = dict(MACHINES[data.draw(st.sampled_from(list(MACHINES)))]()[0])
    path = data.draw(st.sampled_from([p for p in FUZZED if p in files]))
    raw = bytearray(made.bytes_of(files, path))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        change: Callable[[], bytes] = data.draw(st.sampled_from([
            lambda: bytes([data.draw(st.integers(0, 255))]),
            lambda: data.draw(st.sampled_from([b"0", b"f", b"\n", b" ", b""])),
            lambda: bytes(raw[:data.draw(st.integers(0, 64))])]))
        raw[at:at + 1] = change()
        if not raw:
            break
    files[path] = made.summed(bytes(raw)) if "/tables/" in path and len(raw) >= 36 else bytes(raw)
    try:
        found = describe_pc(made.Memory(files))
    except Refused as refused:
        assert refused.fix
        return
    windows = [s for d in found.devices if not d.functions for s in spans(d)]
    bars = [s for d in found.devices if d.functions for s in spans(d)]
    inner = [s for s in bars if any(s.within(w) for w in windows)]
    outer = [*windows, *found.ram, *(s for s in bars if s not in inner)]
    for level in (inner, outer):
        level.sort(key=lambda s: s.start)
        assert all(a.end <= b.start for a, b in zip(level, level[1:]))
    ports = [n for d in found.devices for p in d.ports for n in p]
    assert len(ports) == len(set(ports)) and not set(ports) & set(range(0xcf8, 0xd00))
