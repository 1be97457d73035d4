# SPDX-License-Identifier: GPL-2.0-only
"""What /proc and /sys list as text, sets of addresses, and how devices come to theirs."""

import facts_tree as made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailhouse.config.model import Span
from jailhouse.config.spans import as_ranges, merged, minus, whole_pages
from jailhouse.probe import cpus
from jailhouse.probe.board import Board, plain
from jailhouse.probe.description import Piece, Refused
from jailhouse.probe.listings import Interrupt, Pnp, cpu_list, entries, interrupts, pnp_devices
from jailhouse.probe.names import unique
from jailhouse.probe.pc_memory import RAM, divide

SPANS = st.lists(st.builds(Span, st.integers(0, 60), st.integers(1, 20)), max_size=6)


def numbers(spans: list[Span]) -> set[int]:
    return {n for s in spans for n in range(s.start, s.end)}


@given(span=st.builds(Span, st.integers(0, 60), st.integers(1, 20)), others=SPANS)
def test_minus(span: Span, others: list[Span]) -> None:
    left = minus([span], others)
    assert numbers(left) == numbers([span]) - numbers(others)
    assert sum(s.size for s in left) == len(numbers(left))


@given(SPANS)
def test_merged(spans: list[Span]) -> None:
    found = merged(spans)
    assert numbers(found) == numbers(spans)
    assert all(a.end < b.start for a, b in zip(found, found[1:]))


def test_pages_and_ranges() -> None:
    assert whole_pages(Span(0x1001, 0x2fff)) == Span(0x2000, 0x2000)
    assert whole_pages(Span(0x1001, 0x100)).size == 0
    assert as_ranges([3, 1, 2, 9, 2]) == (range(1, 4), range(9, 10))


def test_entries() -> None:
    text = "00000000-00000fff : Reserved\n00001000-0009ffff : System RAM\n  00002000-00002fff : Kernel code\n" \
           "    00002800-000028ff : deeper\n  00003000-00003fff : \n000a0000-000bffff : PCI Bus 0000:00\n"
    found = entries(made.Memory({"proc/iomem": text}), "proc/iomem")
    assert [(e.name, len(e.children)) for e in found] == [("Reserved", 0), ("System RAM", 2), ("PCI Bus 0000:00", 0)]
    assert [e.name for e in found[1].all()] == ["System RAM", "Kernel code", "deeper", ""]
    assert found[1].children[0].children[0].span == Span(0x2800, 0x100)


def test_entries_that_are_too_many() -> None:
    text = "".join(f"{n:08x}-{n:08x} : x\n" for n in range(2, 6000))
    with pytest.raises(Refused, match="more entries than any machine"):
        entries(made.Memory({"proc/iomem": text}), "proc/iomem")


def test_cpu_lists() -> None:
    assert cpu_list("0-3,8,10-11") == (0, 1, 2, 3, 8, 10, 11)
    for bad in ("", "-", "x", "3-1", "0-99999999999", "1-2-3", "-5"):
        assert cpu_list(bad) == ()


def test_interrupts_of_all_kernels() -> None:
    text = """\
            CPU0       CPU1
   0:         44          0  IR-IO-APIC    2-edge      timer
   8:          1          0   IO-APIC   8-fasteoi   rtc0, other
  16:          0          3   IO-APIC  16-fasteoi
  24:          0          0  PCI-MSI-0000:00:00.2    0-edge      AMD-Vi
  25:          0          0   PCI-MSI 524288-edge      enp1s0
  13:         10          0     GICv3  33 Level     uart-pl011
 NMI:          0          0   Non-maskable interrupts
"""
    assert interrupts(made.Memory({"proc/interrupts": text})) == (
        Interrupt(0, "IR-IO-APIC", 2, ("timer",)), Interrupt(8, "IO-APIC", 8, ("rtc0", "other")),
        Interrupt(16, "IO-APIC", 16, ()), Interrupt(24, "PCI-MSI-0000:00:00.2", 0, ("AMD-Vi",)),
        Interrupt(25, "PCI-MSI", 524288, ("enp1s0",)), Interrupt(13, "GICv3", 33, ("uart-pl011",)))


def test_pnp() -> None:
    path = "sys/bus/pnp/devices/00:02"
    files = {f"{path}/id": "PNP0501\nPNP0500\n", f"{path}/resources":
             "state = disabled\nio 0x3f8-0x3ff\nio disabled\nio 0x10-0x8\nio 0xfff0-0x1000f\n"
             "mem 0xfed00000-0xfed003ff\nmem 0xa0000-0xbffff window\nirq 4\n"
             "irq disabled\nirq 7 disabled\ndma 2\nbus 0x0-0xff\n"}
    assert pnp_devices(made.Memory(files)) == (Pnp(
        "00:02", ("PNP0501", "PNP0500"), False, (Span(0xfed0_0000, 1024), Span(0xa_0000, 0x2_0000)),
        (range(0x3f8, 0x400),), (4,)),)


def test_cpus_that_are_not_there_are_in_no_set() -> None:
    base = "sys/devices/system/cpu"
    cache = {f"{base}/cpu0/cache/index2/{name}": text for name, text in
             (("level", "2"), ("type", "Unified"), ("size", "1M"), ("shared_cpu_list", "0,64"))}
    facts = made.Memory({f"{base}/cpu0/topology/thread_siblings_list": "0,64\n", **cache,
                         **{f"{base}/cpu{n}/topology/die_cpus_list": "0-1\n" for n in range(2)}})
    assert cpus.threads(facts, (0, 1)) == ()
    found = cpus.caches(facts, (0, 1))
    assert [(c.level, c.size, c.cpus) for c in found] == [(2, 1 << 20, (0,))]
    # without a cache of level 3 it is the die
    assert cpus.clusters(facts, (0, 1), found) == ((0, 1),)


def test_low_ram_is_a_pcs_alone() -> None:
    known = ((Span(0, 0x4000_0000), RAM), (Span(0x4000_0000, 0x1800), "Reserved"))
    hole = Span(0x4000_1000, 16)
    assert divide(known, [hole], pc=False) == (
        (Span(0, 0x4000_1000),), (Piece("reserved", Span(0x4000_0000, 0x1000)),))
    assert divide(known, [hole], pc=True) == (
        (Span(0, 0xa_0000), Span(0xc_0000, 0x3ff4_1000)),
        (Piece("bios", Span(0xc_0000, 0x4_0000)), Piece("reserved", Span(0x4000_0000, 0x1000))))


def test_names() -> None:
    assert plain("PNP0C09:00 / x") == "PNP0C09-00-x"
    assert plain("::") == "device"
    assert len(plain("a" * 99)) == 24
    assert unique("mmio", "", 24, {"mmio", "mmio-2"}) == "mmio-3"
    assert unique("mmio", "f00", 24, {"mmio"}) == "mmio-f00"
    assert unique("mmio", "f00", 24, {"mmio", "mmio-f00"}) == "mmio-f00-2"
    assert len(unique("a" * 24, "", 24, {"a" * 24})) == 24


def test_board_gives_each_address_once() -> None:
    board = Board([Span(0, 0x1000)], range(0xcf8, 0xd00), [4], 1 << 40)
    first, second = board.draft("first"), board.draft("second")
    assert board.give_registers(first, "bar0", Span(0x800, 0x1000)) == [Span(0x1000, 0x800)]
    assert board.give_registers(second, "bar0", Span(0x1000, 0x2000)) == [Span(0x1800, 0x1800)]
    assert board.give_registers(second, "bar1", Span((1 << 40) - 16, 64)) == [Span((1 << 40) - 16, 16)]
    assert board.give_ports(first, range(0xcf0, 0xd08)) == [range(0xcf0, 0xcf8), range(0xd00, 0xd08)]
    assert board.give_ports(second, range(0xcf4, 0xcf8)) == []
    board.give_interrupt(second, 4)
    board.give_interrupt(second, 5)
    assert [d.name for d in board.devices()] == ["first", "second"]
    assert board.devices()[0].registers == (Piece("", Span(0x1000, 0x800)),)
    assert (board.devices()[1].interrupts, len(board.devices()[1].notes)) == ((4,), 1)
    assert [p.name for p in board.devices()[1].registers] == ["bar0", "bar1"]


def test_what_has_nothing_is_no_device() -> None:
    board = Board([], range(0), [], 1 << 40)
    board.draft("nothing").note("a note")
    assert board.devices() == ()


def test_pieces_of_firmware_on_one_page_are_one() -> None:
    known = ((Span(0x10_0000, 0xf800), RAM), (Span(0x10_f800, 0x400), "ACPI Tables"),
             (Span(0x10_fc00, 0x400), "Reserved"),
             (Span(0x11_0000, 0x1000), "Persistent Memory"))
    assert divide(known, [], pc=True) == (
        (Span(0x10_0000, 0x1_0000),), (Piece("acpi-tables", Span(0x10_f000, 0x1000)),))
