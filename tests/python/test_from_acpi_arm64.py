# SPDX-License-Identifier: GPL-2.0-only
"""An arm64 server's facts become a description that says all that its Linux uses."""

import struct
from pathlib import Path

import facts_tree as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jailhouse.config.command import checked_system
from jailhouse.config.model import Span
from jailhouse.config.spans import merged, minus
from jailhouse.probe.command import write_checked
from jailhouse.probe.description import Description, Device, Gic, Refused, Streams
from jailhouse.probe.from_acpi_arm64 import describe_acpi_arm64
from jailhouse.probe.listings import entries

IOMEM = """\
08000000-0800ffff : GICD
08080000-0809ffff : ITS
080a0000-0811ffff : GICR
09000000-09000fff : ARMH0011:00
  09000000-09000fff : ARMH0011:00 ARMH0011:00
09050000-0906ffff : arm-smmu-v3.0.auto
  09050000-0905ffff : arm-smmu-v3.0.auto
0a000000-0a0001ff : LNRO0005:00
0a000200-0a0003ff : LNRO0005:01
10000000-3efeffff : PCI Bus 0000:00
  10000000-10003fff : 0000:00:01.0
40000000-bbffffff : System RAM
  40210000-41ffffff : Kernel code
  42a00000-42ffffff : reserved
bc000000-bc4bffff : reserved
bc4c0000-bfffffff : System RAM
4010000000-401fffffff : PCI ECAM 0000 [bus 00-ff]
8000000000-ffffffffff : PCI Bus 0000:00
"""
INTERRUPTS = """\
           CPU0       CPU1
 11:       5000       4000     GICv3  27 Level     arch_timer
 13:         10          0     GICv3  33 Level     ARMH0011:00
 17:          4          0     GICv3  48 Edge      LNRO0005:00
 20:          0          0   ITS-MSI   0 Edge      nvme0q0
"""
LOG = """\
[    0.000000] Booting Linux on physical CPU 0x0000000100 [0x411fd0c0]
[    0.000000] DMI: Example Arm Server/Board, BIOS 1.0 01/01/2022
[    0.000000] GICv3: 256 SPIs implemented
"""


def iort() -> bytes:
    its = struct.pack("<BHBIII", 0, 24, 1, 0, 0, 0) + struct.pack("<II", 1, 0)
    smmu = struct.pack("<BHBIII", 4, 88, 1, 1, 1, 68)
    smmu += struct.pack("<QIIQIIIIIII", 0x905_0000, 1, 0, 0, 0, 106, 107, 109, 110, 0, 0)
    smmu += struct.pack("<IIIII", 0, 0xffff, 0, 48, 0)
    root = struct.pack("<BHBIII", 2, 56, 1, 2, 1, 36) + struct.pack("<QIIB3s", 1, 0, 0, 64, b"")
    root += struct.pack("<IIIII", 0, 0xffff, 0, 48 + 24, 0)
    named = struct.pack("<BHBIII", 1, 60, 1, 3, 1, 40) + struct.pack("<IQB", 0, 0, 40) + b"\\_SB.VR00\0\0"
    named += struct.pack("<IIIII", 0, 0, 0x1_0000, 48 + 24, 1)
    return made.table("IORT", struct.pack("<III", 4, 48, 0) + its + smmu + root + named)


def gtdt() -> bytes:
    return made.table("GTDT", struct.pack("<QI8IQII", 0, 0, *[0] * 8, 0, 1, 96) +
                      struct.pack("<BHBQQII", 1, 28, 0, 0x904_0000, 0x904_1000, 59, 0))


def server(**changes: bytes) -> made.Files:
    files: made.Files = {"proc/iomem": IOMEM, "proc/interrupts": INTERRUPTS, "dmesg.txt": LOG,
                         "sys/devices/system/cpu/present": "0-3\n",
                         "sys/bus/acpi/devices/LNRO0005:00/path": "\\_SB_.VR00\n"}
    known = dict(
        APIC=made.madt([*(made.gicc(n, mpidr) for n, mpidr in enumerate((0, 0x100, 0x1_0000_0000, 0x8000_0200))),
                        made.gicd(0x800_0000), made.gicr(0x80a_0000, 0x8_0000), made.its(0, 0x808_0000)]),
        MCFG=made.mcfg((0x40_1000_0000, 0, 0, 255)), SPCR=made.spcr(3, 0, 0x900_0000, 33), IORT=iort(), GTDT=gtdt())
    files |= made.tables(**(known | changes))
    space = made.config("144d:a808", 0x0108, {0: 0x1000_0004}, capabilities=[made.MSI])
    return files | made.function("0000:00:01.0", space, {0: (0x1000_0000, 0x1000_3fff, 0x140204)})


@pytest.fixture
def found(tmp_path: Path) -> Description:
    return describe_acpi_arm64(made.write(tmp_path / "facts", server()))


def device(found: Description, name: str) -> Device:
    return next(d for d in found.devices if d.name == name)


def test_cpus_are_in_linuxs_order(found: Description) -> None:
    """The one that booted is CPU 0, wherever it stands in the table."""
    assert found.hwids == (0x100, 0, 0x1_0000_0000, 0x200)


def test_gic(found: Description) -> None:
    assert found.platform == Gic(Span(0x800_0000, 0x1_0000), Span(0x80a_0000, 0x8_0000), 25, 256)


def test_memory(found: Description) -> None:
    assert found.ram == (Span(0x4000_0000, 0x8000_0000),)
    assert [(p.name, p.span) for p in found.firmware] == [("reserved", Span(0xbc00_0000, 0x4c_0000))]


def test_console(found: Description) -> None:
    uart = device(found, "uart0")
    assert (found.console, uart.uart, uart.interrupts) == ("uart0", "pl011", (33,))


def test_devices_of_acpi(found: Description) -> None:
    first, second = device(found, "lnro0005-00"), device(found, "lnro0005-01")
    assert (first.interrupts, second.interrupts) == ((48,), ())
    assert (first.streams, first.dma) == ((Streams("iommu", (range(0x1_0000, 0x1_0001),)),), True)
    assert device(found, "watchdog").interrupts == (59,)
    assert [p.span.start for p in device(found, "watchdog").registers] == [0x904_0000, 0x904_1000]


def test_iommu_and_pci(found: Description) -> None:
    iommu, pcie = device(found, "iommu"), device(found, "pcie")
    assert (iommu.iommu, iommu.interrupts) == ("smmuv3", (106, 107, 109, 110))
    assert [p.span.start for p in pcie.registers] == [0x1000_0000, 0x40_1000_0000, 0x80_0000_0000]
    assert pcie.streams == (Streams("iommu", (range(0, 0x1_0000),)),)
    assert "0000:00:01.0: 144d:a808 nvme" in pcie.notes


def test_all_addresses_in_use_are_somebodys(tmp_path: Path) -> None:
    facts = made.write(tmp_path, server())
    found = describe_acpi_arm64(facts)
    assert isinstance(found.platform, Gic)
    owned = merged([*found.ram, found.platform.gicd, found.platform.gicr,
                    *(p.span.pages() for d in found.devices for p in d.registers)])
    used = [e for top in entries(facts, "proc/iomem") for e in top.all()]
    assert len(used) > 15
    assert [(e.name, str(part)) for e in used for part in minus([e.span], owned)] == []


def test_the_checker_accepts_it(found: Description, tmp_path: Path) -> None:
    assert list(write_checked(found, str(tmp_path / "machine.toml"))) == []
    (tmp_path / "system.toml").write_text('machine = "machine.toml"\n')
    system, problems = checked_system(str(tmp_path / "system.toml"))
    assert [str(p) for p in problems] == [] and system is not None


@pytest.mark.parametrize(("table", "word"), [
    (made.madt([made.gicd(1)]), "names no CPUs"),
    (made.madt([made.gicc(0, 0x100), made.gicc(1, 0x100), made.gicd(1)]), "one of them twice"),
    (made.madt([*(made.gicc(n, n << 8) for n in range(4)), made.gicd(0x800_0000, 2)]), "no GICv3"),
    (made.madt([*(made.gicc(n, n << 8, (n + 1) << 28) for n in range(4)), made.gicd(0x800_0000)]), "at 4 places"),
    (made.madt([*(made.gicc(n, n << 8) for n in range(5)), made.gicd(0x800_0000)]), "Linux has 4 CPUs")])
def test_refused(table: bytes, word: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=word):
        describe_acpi_arm64(made.write(tmp_path, server(APIC=table)))


def test_without_a_log(tmp_path: Path) -> None:
    """The table's first CPU, and as many SPIs as there can be; both are said."""
    files = server()
    del files["dmesg.txt"]
    found = describe_acpi_arm64(made.write(tmp_path, files))
    assert found.hwids[0] == 0 and isinstance(found.platform, Gic) and found.platform.spis == 988
    assert len([n for n in found.notes if "not in the log" in n]) == 2


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(["APIC", "IORT", "GTDT", "MCFG", "SPCR"]),
       changes=st.lists(st.tuples(st.integers(36, 600), st.integers(0, 255)), min_size=1, max_size=5))
def test_mutated_tables_are_read_or_refused(name: str, changes: list[tuple[int, int]]) -> None:
    files = server()
    path = f"sys/firmware/acpi/tables/{name}"
    raw = bytearray(made.bytes_of(files, path))
    for at, value in changes:
        raw[36 + at % (len(raw) - 36)] = value
    try:
        found = describe_acpi_arm64(made.Memory(files | {path: made.summed(bytes(raw))}))
    except Refused as refused:
        assert refused.fix
        return
    owned = sorted([*found.ram, *(p.span for d in found.devices for p in d.registers)], key=lambda s: s.start)
    assert all(a.end <= b.start for a, b in zip(owned, owned[1:]))
