# SPDX-License-Identifier: GPL-2.0-only
"""ACPI's tables: what they say, and that no bytes whatever break their readers."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import facts_tree as made
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jailhouse.probe import acpi
from jailhouse.probe.raw import Malformed


def test_madt_of_a_pc() -> None:
    found = acpi.madt(made.madt([made.lapic(0), made.lapic(2, False), made.x2apic(0x120),
                                 made.ioapic(8, 0xfec0_0000, 0), made.ioapic(9, 0xfec0_1000, 24),
                                 made.override(0, 2), made.override(9, 20),
                                 struct.pack("<BBHQ", 5, 12, 0, 0xfe_fee0_0000), b"\x7f\x04ab"]))
    assert [(c.apic_id, c.enabled) for c in found.cpus] == [(0, True), (2, False), (0x120, True)]
    assert found.ioapics == (acpi.MadtIoApic(8, 0xfec0_0000, 0), acpi.MadtIoApic(9, 0xfec0_1000, 24))
    assert [found.gsi(n) for n in (0, 1, 9)] == [2, 1, 20]
    assert found.local_apic == 0xfe_fee0_0000


def test_madt_of_an_arm64_server() -> None:
    found = acpi.madt(made.madt([made.gicc(0, 0x8100_0000, 0x1000_0000), made.gicc(1, 0x1_0000_0200, flags=8),
                                 made.gicd(0x800_0000), made.gicr(0x80a_0000, 0xf6_0000), made.its(0, 0x808_0000)]))
    assert [(c.apic_id, c.uid, c.enabled, c.online_capable, c.gicr, c.maintenance_irq) for c in found.cpus] == [
        (0x100_0000 & 0xff_ffff, 0, True, False, 0x1000_0000, 25), (0x1_0000_0200, 1, False, True, 0, 25)]
    assert found.gicds == (acpi.Gicd(0x800_0000, 3),)
    assert found.gicrs == (acpi.Gicr(0x80a_0000, 0xf6_0000),)
    assert found.itses == (acpi.Its(0, 0x808_0000),)


def test_mcfg() -> None:
    first, second = acpi.mcfg(made.mcfg((0xe000_0000, 0, 0, 255), (0x8000_0000, 1, 64, 127)))
    assert (first.start, first.size) == (0xe000_0000, 256 << 20)
    assert (second.segment, second.start, second.size) == (1, 0x8400_0000, 64 << 20)


def test_fadt() -> None:
    found = acpi.fadt(made.fadt(0x1800, sci=9))
    assert (found.sci, found.pm_timer) == (9, 0x1808)
    assert found.ports == (range(0x1800, 0x1804), range(0x1804, 0x1806), range(0x1808, 0x180c), range(0x1820, 0x1830),
                           range(0xb2, 0xb4))


def test_fadt_of_reduced_hardware_has_no_ports() -> None:
    found = acpi.fadt(made.fadt(0x1800, flags=1 << 20))
    assert found.hardware_reduced and (found.pm_timer, found.ports) == (0, ())


def test_fadt_before_acpi_2_ends_early() -> None:
    data = bytearray(made.fadt(0x600)[:116])
    data[4:8] = struct.pack("<I", 116)
    assert acpi.fadt(made.summed(bytes(data))).pm_timer == 0x608


def test_hpet_and_spcr() -> None:
    assert acpi.hpet(made.hpet(0xfed0_0000)) == acpi.Address(0, 32, 0, 0xfed0_0000)
    assert acpi.spcr(made.spcr(3, 0, 0x900_0000, 33)) == acpi.Spcr(3, acpi.Address(0, 8, 0, 0x900_0000), 33)


def test_dmar() -> None:
    found = acpi.dmar(made.dmar(made.drhd(0xfed9_0000, False, made.scope(1, 0, (2, 0))),
                                made.drhd(0xfed9_1000, True, made.scope(2, 0, (0x1c, 0), (0, 1))),
                                made.rmrr(0x7a00_0000, 0x7a01_ffff, made.scope(1, 0, (0x14, 0)))))
    assert [(u.address, u.size, u.rest) for u in found.units] == [(0xfed9_0000, 4096, False), (0xfed9_1000, 4096, True)]
    assert found.units[1].scopes == (acpi.Scope(2, 0, ((0x1c, 0), (0, 1))),)
    assert (found.reserved[0].start, found.reserved[0].end) == (0x7a00_0000, 0x7a01_ffff)


def test_ivrs_says_an_iommu_once() -> None:
    acpi_hid = struct.pack("<BHB8s8sBB", 0xf0, 0xa5, 0, b"AMDI0020", b"", 2, 4) + b"UART"
    found = acpi.ivrs(made.ivrs(
        made.ivhd(0x10, 2, 0xf410_0000, made.ivhd_range(3, 0xfffe)),
        made.ivhd(0x40, 2, 0xf410_0000, struct.pack("<BHB", 2, 0x10, 0), acpi_hid, made.ivhd_range(0x18, 0x1ff)),
        made.ivhd(0x11, 2, 0xf410_0000, made.ivhd_range(3, 0xfffe)),
        made.ivmd(0xa0, 0xa900_0000, 0x1000)))
    assert [(u.kind, u.id, u.address, u.functions) for u in found.units] == [
        (0x40, 2, 0xf410_0000, (range(0x10, 0x11), range(0xa5, 0xa6), range(0x18, 0x200)))]
    assert found.reserved == (acpi.Ivmd(range(0xa0, 0xa1), 0xa900_0000, 0x1000),)


def test_ivrs_ranges_that_do_not_begin_or_end() -> None:
    end, start = struct.pack("<BHB", 4, 9, 0), struct.pack("<BHB", 3, 5, 0)
    for entries in ((end,), (start,), (start, end, end), (made.ivhd_range(9, 3),)):
        found = acpi.ivrs(made.ivrs(made.ivhd(0x11, 2, 1, *entries)))
        assert found.units[0].functions == ((range(5, 10),) if len(entries) == 3 else ())


def test_gtdt() -> None:
    block = struct.pack("<BHBQII", 0, 20 + 40, 0, 0x2a81_0000, 1, 20)
    block += struct.pack("<B3sQQIIIII", 0, b"", 0x2a83_0000, (1 << 64) - 1, 60, 0, 61, 0, 0)
    watchdog = struct.pack("<BHBQQII", 1, 28, 0, 0x2a44_0000, 0x2a45_0000, 59, 0)
    body = struct.pack("<QI8IQII", 0, 0, *[0] * 8, 0, 2, 96) + block + watchdog
    found = acpi.gtdt(made.table("GTDT", body))
    assert found.control == 0x2a81_0000
    assert found.frames == (acpi.TimerFrame("timer", 0x2a83_0000, 0, (60, 61)),
                            acpi.TimerFrame("watchdog", 0x2a44_0000, 0x2a45_0000, (59,)))


def node(kind: int, body: bytes, *mappings: tuple[int, int, int, int, int]) -> bytes:
    at = 16 + len(body)
    return struct.pack("<BHBIII", kind, at + 20 * len(mappings), 1, 0, len(mappings), at if mappings else 0) + body + \
        b"".join(struct.pack("<IIIII", *m) for m in mappings)


def iort(*nodes: bytes) -> bytes:
    return made.table("IORT", struct.pack("<III", len(nodes), 48, 0) + b"".join(nodes))


def test_iort() -> None:
    its = node(0, struct.pack("<II", 1, 0))
    smmu = node(4, struct.pack("<QIIQIIIIIII", 0x905_0000, 1, 0, 0, 0, 106, 107, 109, 0, 0, 0), (0, 0xffff, 0, 48, 0))
    old = node(3, struct.pack("<QQII5I6I", 0x2b40_0000, 0x1_0000, 1, 0, 60, 1, 76, 0, 0, 65, 0, 0, 0, 66, 0))
    root = node(2, struct.pack("<QIIB3s", 1, 0, 2, 64, b""), (0, 0xffff, 0, 48 + len(its), 0))
    name = node(1, struct.pack("<IQB", 0, 0, 40) + b"\\_SB.NET0\0\0", (0, 0, 7, 48 + len(its), 1))
    found = acpi.iort(iort(its, smmu, old, root, name))
    assert [n.kind for n in found] == [acpi.IORT_ITS, acpi.IORT_SMMUV3, acpi.IORT_SMMU, acpi.IORT_ROOT, acpi.IORT_NAMED]
    assert (found[1].address, found[1].interrupts) == (0x905_0000, (106, 107, 109))
    assert found[1].mappings == (acpi.Mapping(0, 0x1_0000, 0, 48, False),)
    assert (found[2].address, found[2].size, found[2].interrupts) == (0x2b40_0000, 0x1_0000, (65, 66))
    assert found[3].segment == 2 and found[3].mappings[0].to == found[1].at
    assert found[4].name == "\\_SB.NET0" and found[4].mappings[0].single


# --- what is no table -----------------------------------------------------------------

GOOD: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "APIC": (acpi.madt, made.madt([made.lapic(0), made.x2apic(1), made.ioapic(0, 0xfec0_0000, 0), made.gicc(0, 0),
                                   made.gicd(1), made.gicr(1, 2), made.its(0, 1), made.override(0, 2)])),
    "MCFG": (acpi.mcfg, made.mcfg((0xe000_0000, 0, 0, 255))),
    "FACP": (acpi.fadt, made.fadt(0x600)),
    "HPET": (acpi.hpet, made.hpet(0xfed0_0000)),
    "SPCR": (acpi.spcr, made.spcr(0, 1, 0x3f8)),
    "DMAR": (acpi.dmar, made.dmar(made.drhd(1, True, made.scope(1, 0, (2, 0))),
                                  made.rmrr(0, 1, made.scope(1, 0, (2, 0))))),
    "IVRS": (acpi.ivrs, made.ivrs(made.ivhd(0x11, 2, 1, made.ivhd_range(3, 9)), made.ivmd(1, 2, 3))),
    "GTDT": (acpi.gtdt, made.table("GTDT", struct.pack("<QI8IQII", 0, 0, *[0] * 8, 0, 1, 96) +
                                   struct.pack("<BHBQQII", 1, 28, 0, 1, 2, 59, 0))),
    "IORT": (acpi.iort, iort(node(0, bytes(8)), node(3, struct.pack("<QQII5I", 1, 2, 1, 0, 60, 1, 76, 0, 0) + bytes(24),
                                                     (0, 1, 0, 48, 0)), node(1, bytes(16)), node(2, bytes(20)))),
}
TABLE = pytest.mark.parametrize("name", list(GOOD))


@TABLE
def test_header_is_checked(name: str) -> None:
    read, data = GOOD[name]
    read(data + b"behind it")
    for bad, word in ((b"", "0 bytes"), (data[:20], "20 bytes"), (b"XXXX" + data[4:], "calls itself"),
                      (data[:-1], "says that it has"), (data[:-1] + bytes([data[-1] ^ 0x40]), "checksum"),
                      (made.summed(data[:4] + struct.pack("<I", 35) + data[8:]), "says that it has 35")):
        with pytest.raises(Malformed, match=word):
            read(bad)


@pytest.mark.parametrize("data", [
    made.madt([b"\x00\x00"]), made.madt([b"\x00\x01"]), made.madt([b"\x01\x06\0\0\0\0"]), made.madt([b"\x09"]),
    made.madt([made.lapic(0)[:-1]])])
def test_madt_with_wrong_lengths(data: bytes) -> None:
    with pytest.raises(Malformed, match="APIC"):
        acpi.madt(data)


def test_other_wrong_lengths() -> None:
    scope_without_length = struct.pack("<HHBBHQ", 0, 22, 0, 0, 0, 0) + bytes(6)
    for read, data in ((acpi.dmar, made.dmar(struct.pack("<HH", 0, 0))), (acpi.dmar, made.dmar(scope_without_length)),
                       (acpi.ivrs, made.ivrs(struct.pack("<BBH", 0x10, 0, 2))),
                       (acpi.ivrs, made.ivrs(made.ivhd(0x11, 2, 1, b"\x40\0\0"))),
                       (acpi.mcfg, made.mcfg((0, 0, 9, 3))),
                       (acpi.iort, made.table("IORT", struct.pack("<III", 1, 0, 0))),
                       (acpi.gtdt, made.table("GTDT", struct.pack("<QI8IQII", 0, 0, *[0] * 8, 0, 1, 0)))):
        with pytest.raises(Malformed):
            read(data)


@TABLE
@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
       cut=st.integers(0, 400))
@example(changes=[(36 + 4 + 4, 0)], cut=0)
def test_mutated_tables_are_read_or_refused(name: str, changes: list[tuple[int, int]], cut: int) -> None:
    read, data = GOOD[name]
    raw = bytearray(data)
    for at, value in changes:
        raw[at % len(raw)] = value
    raw[:4] = data[:4]
    shorter = bytes(raw[:max(36, len(raw) - cut)]) if cut % 3 == 0 else bytes(raw)
    shorter = shorter[:4] + struct.pack("<I", len(shorter)) + shorter[8:]
    try:
        read(made.summed(shorter))
    except Malformed as error:
        assert name in str(error)


@TABLE
@given(st.binary(max_size=300))
def test_any_bytes_behind_a_header(name: str, body: bytes) -> None:
    try:
        GOOD[name][0](made.table(name, body))
    except Malformed as error:
        assert name in str(error)


@pytest.mark.skipif(shutil.which("iasl") is None, reason="iasl (acpica-tools) is not there")
@pytest.mark.parametrize("name", ["APIC", "MCFG", "FACP", "HPET", "SPCR", "DMAR", "IVRS", "GTDT", "IORT"])
def test_a_table_that_another_made(name: str, tmp_path: Path) -> None:
    """ACPICA's own examples of the tables have the layout that is read here."""
    subprocess.run(["iasl", "-T", name], cwd=tmp_path, check=True, capture_output=True)
    source = next(tmp_path.glob("*.asl"))
    # the example of GTDT says 0x60, and its timers are behind the two fields of ACPI 6.3 that begin there
    text = source.read_text().replace("Platform Timer Offset : 00000060", "Platform Timer Offset : 00000068")
    source.write_text(text)
    subprocess.run(["iasl", "-p", "table", source.name], cwd=tmp_path, check=True, capture_output=True)
    found = GOOD[name][0]((tmp_path / "table.aml").read_bytes())
    shown = repr(found)
    # what the examples say, where they say anything but 0
    assert {"APIC": "maintenance_irq=0", "MCFG": "last_bus=0", "FACP": "hardware_reduced=False",
            "HPET": "Address(space=0", "SPCR": "width=8", "DMAR": "end=4095", "IVRS": "kind=16", "GTDT": "'watchdog'",
            "IORT": "\\\\_SB.PCI0.DEV0"}[name] in shown
