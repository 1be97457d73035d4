# SPDX-License-Identifier: GPL-2.0-only
"""configs/qemu-arm64/machine.toml against the device tree QEMU itself gives out."""

import re
import subprocess

import pytest
from conftest import DEMO

from jailhouse.config.model import Machine, Span
from jailhouse.config.problems import Problems
from jailhouse.config.read import read_system

PROPERTY = re.compile(r"([\w,#-]+) = <([^>]*)>;")
NODE = re.compile(r"([\w,-]+)(?:@\w+)? \{")
Node = dict[str, list[int]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Node]]:
    """Nodes by their name, each with its properties of numbers."""
    blob = tmp_path_factory.mktemp("tree") / "virt.dtb"
    subprocess.run(
        ["qemu-system-aarch64", "-M", f"virt,virtualization=on,gic-version=3,dumpdtb={blob}",
         "-cpu", "cortex-a72", "-smp", "4", "-m", "2G", "-display", "none", "-nic", "none",
         "-serial", "null", "-serial", "null"], check=True, capture_output=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", blob], check=True,
                          capture_output=True, text=True).stdout
    return _nodes(text)


def _nodes(text: str) -> dict[str, list[Node]]:
    nodes: dict[str, list[Node]] = {}
    stack: list[Node] = []
    for line in map(str.strip, text.splitlines()):
        if node := NODE.fullmatch(line):
            stack.append({})
            nodes.setdefault(node.group(1), []).append(stack[-1])
        elif line == "/ {":
            stack.append({})
        elif line == "};":
            stack.pop()
        elif found := PROPERTY.fullmatch(line):
            stack[-1][found.group(1)] = [int(cell, 0) for cell in found.group(2).split()]
    return nodes


@pytest.fixture(scope="module")
def machine() -> Machine:
    system = read_system(str(DEMO), Problems())
    assert system is not None
    return system.machine


def reg(node: Node) -> list[Span]:
    """Two address cells and two size cells, as virt has everywhere but for CPUs."""
    c = node["reg"]
    return [Span(c[n] << 32 | c[n + 1], c[n + 2] << 32 | c[n + 3]) for n in range(0, len(c), 4)]


def spis(node: Node) -> set[int]:
    c = node.get("interrupts", [])
    return {c[n + 1] + 32 for n in range(0, len(c), 3) if c[n] == 0}


def device(machine: Machine, name: str) -> tuple[list[Span], set[int]]:
    found = machine.devices[name]
    return ([p.span for p in found.registers],
            {n for line in found.lines for n in line.numbers})


@pytest.mark.parametrize(("name", "node", "index"), [
    ("uart0", "pl011", 0x0900_0000), ("uart1", "pl011", 0x0904_0000),
    ("rtc", "pl031", 0x0901_0000), ("fw_cfg", "fw-cfg", 0x0902_0000),
    ("gpio", "pl061", 0x0903_0000), ("its", "its", 0x0808_0000)])
def test_device(tree: dict[str, list[Node]], machine: Machine, name: str, node: str,
                index: int) -> None:
    found = next(n for n in tree[node] if reg(n)[0].start == index)
    assert device(machine, name) == (reg(found), spis(found))


def test_virtio(tree: dict[str, list[Node]], machine: Machine) -> None:
    nodes = tree["virtio_mmio"]
    (span,), lines = device(machine, "virtio")
    spans = sorted((reg(n)[0] for n in nodes), key=lambda s: s.start)
    assert (span.start, span.end) == (spans[0].start, spans[-1].end)
    assert lines == set().union(*map(spis, nodes))
    assert len(nodes) == 32


def test_flash(tree: dict[str, list[Node]], machine: Machine) -> None:
    first, second = reg(tree["flash"][0])
    assert device(machine, "flash")[0] == [Span(first.start, first.size + second.size)]


def test_platform_bus(tree: dict[str, list[Node]], machine: Machine) -> None:
    ranges = tree["platform-bus"][0]["ranges"]
    assert device(machine, "platform_bus")[0] == [Span(ranges[1] << 32 | ranges[2], ranges[3])]


def test_pcie(tree: dict[str, list[Node]], machine: Machine) -> None:
    node = tree["pcie"][0]
    r = node["ranges"]
    windows = [Span(r[n + 3] << 32 | r[n + 4], r[n + 5] << 32 | r[n + 6])
               for n in range(0, len(r), 7)]
    # Each entry: 3 cells of child address, 1 pin, 1 phandle, 2 parent address, 3 interrupt
    entries = node["interrupt-map"]
    lines = {entries[n + 8] + 32 for n in range(0, len(entries), 10)}
    spans, ours = device(machine, "pcie")
    assert sorted(map(str, spans)) == sorted(map(str, [*windows, *reg(node)]))
    assert ours == lines


def test_gic_ram_and_cpus(tree: dict[str, list[Node]], machine: Machine) -> None:
    node = tree["intc"][0]
    assert machine.platform is not None
    assert [p.span for p in machine.platform.mediated] == reg(node)
    assert machine.platform.encoded[36] == node["interrupts"][1] + 16
    assert [p.span for p in machine.ram] == reg(tree["memory"][0])
    assert list(machine.hwids) == [n["reg"][0] for n in tree["cpu"]]


def test_no_device_is_left_out(tree: dict[str, list[Node]], machine: Machine) -> None:
    """Every register span of the tree lies in a device, the GIC or RAM of the text."""
    known = [p.span for d in machine.devices.values() for p in d.registers]
    assert machine.platform is not None
    known += [p.span for p in [*machine.platform.mediated, *machine.ram]]
    for name, nodes in tree.items():
        for node in nodes:
            for span in reg(node) if "reg" in node and name != "cpu" else []:
                assert any(span.within(k) for k in known) or name == "flash", (name, span)
