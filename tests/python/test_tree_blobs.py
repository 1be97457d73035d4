# SPDX-License-Identifier: GPL-2.0-only
"""Blobs that are no device trees, and trees that cannot be meant: described, or refused with a reason, no more."""

import struct

import libfdt  # type: ignore[import]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import CPUS, Said, check, compiled, machine

from jailhouse.probe.description import Refused
from jailhouse.probe.from_tree import describe_tree
from jailhouse.probe.tree import DEPTH_MAX, NAME_MAX, NODES_MAX, read_tree

# Something of everything that is followed
MACHINE = machine("""
    aliases { serial0 = &uart; };
    chosen { stdout-path = "serial0:115200n8"; };
    reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
        tf-a@41000000 { reg = <0 0x41000000 0 0x1000>; no-map; }; };
    osc: oscillator { compatible = "fixed-clock"; #clock-cells = <0>; clocks = <&ccu 1>; };
    vbat: regulator { compatible = "regulator-fixed"; gpio = <&gpio 1 0>; vin-supply = <&vbat>; };
    smmu: iommu@2b400000 { compatible = "arm,mmu-500"; reg = <0 0x2b400000 0 0x20000>; #iommu-cells = <2>; };
    soc { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges = <0x1000 0 0x1000 0x100000>;
        ccu: syscon@1000 { compatible = "acme,ccu", "syscon", "simple-mfd"; reg = <0x1000 0x1000>; #clock-cells = <1>;
            #address-cells = <1>; #size-cells = <1>; ranges = <0 0x1000 0x1000>;
            reset@10 { compatible = "acme,reset"; reg = <0x10 0x10>; interrupts = <0 7 4>; }; };
        uart: serial@2000 { compatible = "snps,dw-apb-uart"; reg = <0x2000 0x100>; reg-shift = <2>;
            reg-io-width = <4>; interrupts = <0 1 4>; clocks = <&osc>, <&ccu 2>; vcc-supply = <&vbat>; };
        gpio: gpio@3000 { compatible = "acme,gpio"; reg = <0x3000 0x800>, <0x3800 0x100>; reg-names = "a", "b";
            #gpio-cells = <2>; interrupt-controller; #interrupt-cells = <2>; interrupts-extended = <&gic 0 3 4>; };
        ethernet@4000 { compatible = "acme,eth"; reg = <0x4000 0x1000>; interrupts-extended = <&gic 0 4 4>, <&gpio 1 2>;
            iommus = <&smmu 0x10 3>; reset-gpios = <&gpio 3 0>; phy-mode = "rgmii"; };
    };
    pcie@10000000 { compatible = "pci-host-ecam-generic"; device_type = "pci"; #address-cells = <3>; #size-cells = <2>;
        #interrupt-cells = <1>; reg = <0 0x10000000 0 0x1000000>; iommu-map = <0 &smmu 0x100 0x1000>;
        ranges = <0x01000000 0 0 0 0x2fff0000 0 0x10000>, <0x02000000 0 0x20000000 0 0x20000000 0 0x1000000>;
        interrupt-map-mask = <0x1800 0 0 7>;
        interrupt-map = <0 0 0 1 &gic 0 0 0 8 4>, <0 0 0 2 &gic 0 0 0 9 4>; };
    """, cpus=CPUS.replace("reg = <0>;", "reg = <0>; d-cache-size = <0x8000>; next-level-cache = <&l2>;").replace(
    "cpu@1", """
        l2: l2 { compatible = "cache"; cache-size = <0x80000>; };
        cpu-map { cluster0 { core0 { cpu = <&c0>; }; core1 { cpu = <&c1>; }; }; };
        c1: cpu@1""").replace("cpu@0", "c0: cpu@0"), before="/memreserve/ 0x42000000 0x1000;")
BLOB = compiled(MACHINE)


def described(blob: bytes) -> bool:
    """Whatever it is, it is one of the two, and what is described is sound."""
    try:
        check(describe_tree(Said({"sys/firmware/fdt": blob})))
    except Refused as refused:
        assert refused.what and refused.why and refused.fix
        return False
    return True


def test_the_machine_itself_is_described() -> None:
    assert described(BLOB)
    assert described(BLOB + b"what is behind it")


def test_every_truncation_is_refused() -> None:
    assert not [length for length in range(len(BLOB)) if described(BLOB[:length])]


# Offsets in the header
TOTAL, STRUCT, STRINGS, RESERVED, VERSION, STRINGS_SIZE, STRUCT_SIZE = 4, 8, 12, 16, 20, 32, 36


@pytest.mark.parametrize("field", [0, TOTAL, STRUCT, STRINGS, RESERVED, STRINGS_SIZE, STRUCT_SIZE])
@pytest.mark.parametrize("value", [0, 3, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_headers_that_lie(field: int, value: int) -> None:
    blob = bytearray(BLOB)
    struct.pack_into(">I", blob, field, value)
    assert not described(bytes(blob))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(changes=st.lists(st.tuples(st.integers(0, len(BLOB) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_other_bytes(changes: list[tuple[int, int]]) -> None:
    blob = bytearray(BLOB)
    for at, byte in changes:
        blob[at] = byte
    described(bytes(blob))


def properties() -> list[tuple[int, str]]:
    """Each of the tree, as libfdt knows it: the node's offset, and the name."""
    data = bytearray(BLOB)
    found: list[tuple[int, str]] = []
    node, depth = 0, 0
    while node >= 0 and depth >= 0:
        at = libfdt.fdt_first_property_offset(data, node)
        while at >= 0:
            found.append((node, libfdt.fdt_get_property_by_offset(data, at)[0]))
            at = libfdt.fdt_next_property_offset(data, at)
        following = libfdt.fdt_next_node(data, node, depth)
        node, depth = following if isinstance(following, list) else (following, depth)
    return found


CELLS = st.one_of(st.integers(0, 16), st.sampled_from([0x1000, 0x4000_0000, 0x8000_0000, 0xFFFF_FFFF]),
                  st.integers(0, 0xFFFF_FFFF))
VALUES = st.one_of(st.lists(CELLS, max_size=12).map(lambda cells: struct.pack(f">{len(cells)}I", *cells)),
                   st.binary(max_size=9))


@settings(deadline=None, derandomize=True, max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(st.tuples(st.sampled_from(properties()), VALUES), min_size=1, max_size=4))
def test_other_values(changes: list[tuple[tuple[int, str], bytes]]) -> None:
    """Of properties, in a tree that is whole."""
    tree = libfdt.Fdt(BLOB)
    tree.resize(len(BLOB) + 1024)
    # From the last on, as a value of another length moves what is behind it
    for (node, name), value in sorted(changes, key=lambda change: -change[0][0]):
        tree.setprop(node, name, value)
    described(bytes(tree.as_bytearray()))


def test_versions() -> None:
    """A later one says for itself whether it can be read as 17."""
    blob = bytearray(BLOB)
    struct.pack_into(">I", blob, VERSION, 16)
    assert not described(bytes(blob))
    struct.pack_into(">I", blob, VERSION, 18)
    assert described(bytes(blob))
    struct.pack_into(">I", blob, VERSION + 4, 18)
    assert not described(bytes(blob))


def nested(depth: int) -> str:
    return "n { " * depth + "};" * depth


def described_with(nodes: str) -> bool:
    return described(compiled(machine(nodes)))


def test_nodes_too_deep() -> None:
    # The root is one of them
    assert described_with(nested(DEPTH_MAX - 1))
    assert not described_with(nested(DEPTH_MAX + 1))
    assert not described_with(nested(1000))


def test_names_too_long() -> None:
    assert described_with(f"{'n' * NAME_MAX} {{ }};")
    assert not described_with(f"{'n' * (NAME_MAX + 1)} {{ }};")


def test_too_many_nodes() -> None:
    leaves = "".join(f"n{n} {{ }};" for n in range(256))
    assert described_with(f"n {{ {leaves} }};")
    assert not described_with("".join(f"n{n} {{ {leaves} }};" for n in range(NODES_MAX // 256)))


def test_phandles_of_two() -> None:
    """dtc does not make such a tree."""
    blob = compiled(machine("a { phandle = <0x701>; }; b { phandle = <0x702>; };"))
    assert described(blob)
    assert not described(blob.replace(struct.pack(">I", 0x702), struct.pack(">I", 0x701)))
    nobodys = struct.pack(">I", 0)
    assert described(blob.replace(struct.pack(">I", 0x702), nobodys).replace(struct.pack(">I", 0x701), nobodys))


def test_a_tree_without_a_root() -> None:
    empty = libfdt.Fdt.create_empty_tree(256).as_bytearray()
    assert "no CPUs" in str(pytest.raises(Refused, describe_tree, Said({"sys/firmware/fdt": bytes(empty)})).value)
    start = libfdt.fdt_off_dt_struct(empty)
    struct.pack_into(">I", empty, start, 9)
    assert not described(bytes(empty))


def test_reserved_memory_at_0() -> None:
    tree = read_tree(compiled("/dts-v1/; /memreserve/ 0 0x1000; /memreserve/ 0x100000000 0x2000; / { };"), "a test")
    assert tree.reserved == ((0, 0x1000), (1 << 32, 0x2000))
