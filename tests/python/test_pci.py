# SPDX-License-Identifier: GPL-2.0-only
"""A PCI function's configuration space and its `resource` file, and that no bytes whatever break their readers."""

import struct

import facts_tree as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jailhouse.probe.pci import (Bar, Bridge, Msix, Resource, is_rom, parse_address, parse_config, parse_resources)
from jailhouse.probe.raw import Malformed

NIC = made.config("8086:1533", 0x0200, {0: 0x9100_0000, 2: 0xe001, 3: 0x9108_0000}, command=6,
                  capabilities=[(0x01, bytes(6)), made.MSI, made.msix(5, 3, 0x2000), (0x10, bytes(18))])
BRIDGE = made.config("8086:5ad8", 0x0604, header=1, buses=(2, 5), window=(0x9100_0000, 0x912f_ffff),
                     wide=(0x40_0000_0000, 0x40_1fff_ffff))


def test_addresses() -> None:
    assert parse_address("0000:00:1f.2") == (0, 0xfa)
    assert parse_address("10000:e0:06.0") == (0x1_0000, 0xe030)
    for bad in ("", "00:1f.2", "0000:00:3f.2", "0000:00:1f.8", "0000:00:1f.2x", "0000:0G:1f.2"):
        assert parse_address(bad) is None


def test_function() -> None:
    found = parse_config(NIC)
    assert (found.id, found.kind, found.pin) == ("8086:1533", 0x0200, 1)
    assert (found.decodes_io, found.decodes_memory, found.master) == (False, True, True)
    assert found.bars == (Bar(0, False, False, False, 0x9100_0000), Bar(2, True, False, False, 0xe000),
                          Bar(3, False, False, False, 0x9108_0000))
    assert found.whole and found.msi and found.bridge is None
    assert found.msix == Msix(5, 3, 0x2000) and found.msix.size == 80


def test_wide_bars() -> None:
    bars = {0: 0x4, 1: 0x100, 2: 0xf000_000c, 3: 0, 4: 0x8000_000c}
    found = parse_config(made.config("144d:a808", 0x0108, bars)).bars
    assert found == (Bar(0, False, True, False, 0x100_0000_0000), Bar(2, False, True, True, 0xf000_0000),
                     Bar(4, False, True, True, 0x8000_0000))


def test_wide_bar_without_an_upper_half() -> None:
    found = parse_config(made.config("144d:a808", 0x0108, {5: 0x8000_0004}))
    assert found.bars == (Bar(5, False, False, False, 0x8000_0000),)


def test_bridge() -> None:
    found = parse_config(BRIDGE)
    assert found.bridge == Bridge(2, 5, (range(0x9100_0000, 0x9130_0000), range(0x40_0000_0000, 0x40_2000_0000)))
    closed = parse_config(made.config("8086:5ad8", 0x0604, header=1, buses=(2, 2)))
    assert closed.bridge == Bridge(2, 2, ())


def test_without_privileges_only_the_header_is_there() -> None:
    found = parse_config(NIC[:64])
    assert not found.whole and not found.msi and found.msix is None
    assert len(found.bars) == 3


def test_virtual_function() -> None:
    found = parse_config(b"\xff\xff\xff\xff" + made.config("8086:1520", 0x0200)[4:])
    assert found.virtual


def test_nobody_answers() -> None:
    for data in (b"\xff" * 256, b"", bytes(63)):
        with pytest.raises(Malformed, match="configuration space"):
            parse_config(data)


def test_unknown_header() -> None:
    with pytest.raises(Malformed, match="type 3"):
        parse_config(made.config("8086:1533", 0x0200, header=3))


def test_capabilities_in_a_circle_end() -> None:
    space = bytearray(NIC)
    # the second points to the first again
    space[space[0x34] + 8 + 1] = space[0x34]
    found = parse_config(bytes(space))
    assert found.msi and found.msix is None


def test_msix_at_the_spaces_end_is_cut() -> None:
    space = bytearray(NIC)
    space[0x34], space[0xfc], space[0xfd] = 0xfc, 0x11, 0
    with pytest.raises(Malformed, match="bytes"):
        parse_config(bytes(space))


def test_resources() -> None:
    text = made.resources({0: (0x9100_0000, 0x9107_ffff, 0x40200), 2: (0xe000, 0xe01f, 0x40101),
                           3: (0x100_0000_0000, 0x100_0000_3fff, 0x14220c), 4: (0, 0xffff, 0x2004_0200),
                           6: (0x9110_0000, 0x9117_ffff, 0x46200), 7: (0x9120_0000, 0x9121_ffff, 0x140204)})
    found = parse_resources(text)
    assert found == (Resource(0, 0x9100_0000, 0x8_0000, False, False), Resource(2, 0xe000, 32, True, False),
                     Resource(3, 0x100_0000_0000, 0x4000, False, False), Resource(4, 0, 0x1_0000, False, True),
                     Resource(6, 0x9110_0000, 0x8_0000, False, False))
    assert [is_rom(r) for r in found] == [False] * 4 + [True]


def test_a_shadowed_rom_is_none() -> None:
    assert parse_resources(made.resources({6: (0xc_0000, 0xd_ffff, 0x212)})) == ()


@pytest.mark.parametrize("text", ["0x0 0x0\n", "nonsense", "0x10 0x0 0x200\n", "0x0 0x0 0x0 0x0",
                                  "0x" + "f" * 17 + " 0x0 0x0"])
def test_no_resources(text: str) -> None:
    with pytest.raises(Malformed, match="resource: line 1"):
        parse_resources(text)


@settings(max_examples=500, deadline=None)
@given(base=st.sampled_from([NIC, BRIDGE]),
       changes=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=12),
       size=st.sampled_from([64, 65, 255, 256, 4096]))
def test_mutated_spaces_are_read_or_refused(base: bytes, changes: list[tuple[int, int]], size: int) -> None:
    space = bytearray(base.ljust(size, b"\0")[:size])
    for at, value in changes:
        space[at % size] = value
    try:
        found = parse_config(bytes(space))
    except Malformed as error:
        assert str(error)
        return
    assert all(0 <= b.address < 1 << 64 for b in found.bars) and len(found.bars) <= 6
    assert found.msix is None or 1 <= found.msix.vectors <= 2048 and found.msix.bar < 8


@settings(deadline=None)
@given(st.binary(min_size=60, max_size=300))
def test_any_bytes(data: bytes) -> None:
    try:
        found = parse_config(data)
    except Malformed:
        return
    assert struct.unpack_from("<H", data)[0] == found.vendor


@settings(deadline=None)
@given(st.text(alphabet="0123456789abcdefx \n-", max_size=200))
def test_any_resource_text(text: str) -> None:
    try:
        found = parse_resources(text)
    except Malformed:
        return
    assert all(r.size > 0 for r in found)
