# SPDX-License-Identifier: GPL-2.0-only
"""A cell's device tree twice: as `config build` writes it, and as `cell linux` makes it from the files alone."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libfdt
import pytest
import specs
from conftest import ROOT
from hypothesis import given, settings
from specs import Spec
from test_solve import BOARD, SYSTEMS, cell, solved, write
from verdict import SLOW_IS_FINE

from jailhouse.config import abi, blob, emit
from jailhouse.config.emit import Section
from jailhouse.config.guest_tree import guest_tree
from jailhouse.config.model import Cell, System

sys.path.append(str(ROOT / "tests" / "cli"))

from parts import boot_harness  # noqa: E402

# Of nodes by their paths, properties by their names
Nodes = dict[str, dict[str, bytes]]
# Properties that are numbers of nodes and nothing else
REFERENCES = ("interrupt-parent", "clocks")
ARM64 = [file for file in SYSTEMS if "arm64" in str(file)]


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return boot_harness(tmp_path_factory.mktemp("boot"))


# --- trees as what they say -----------------------------------------------------------

def nodes(tree: bytes) -> Nodes:
    """Other nodes are named by their paths, so that two trees that number them differently can be the same."""
    fdt = libfdt.FdtRo(tree)
    found: Nodes = {}
    _walk(fdt, 0, "", found)
    numbers = {properties["phandle"]: path for path, properties in found.items() if "phandle" in properties}
    assert len(numbers) == sum("phandle" in properties for properties in found.values()), "a number of two nodes"
    for properties in found.values():
        properties.pop("phandle", None)
        for name in properties.keys() & set(REFERENCES):
            value = properties[name]
            properties[name] = " ".join(numbers[value[n:n + 4]] for n in range(0, len(value), 4)).encode()
    return found


def _walk(fdt: Any, node: int, path: str, found: Nodes) -> None:
    assert (path or "/") not in found, "a node stands there twice"
    properties = found[path or "/"] = {}
    at = fdt.first_property_offset(node, libfdt.QUIET_NOTFOUND)
    while at >= 0:
        one = fdt.get_property_by_offset(at)
        assert one.name not in properties
        properties[one.name] = bytes(one)
        at = fdt.next_property_offset(at, libfdt.QUIET_NOTFOUND)
    child = fdt.first_subnode(node, libfdt.QUIET_NOTFOUND)
    while child >= 0:
        _walk(fdt, child, f"{path}/{fdt.get_name(child)}", found)
        child = fdt.next_subnode(child, libfdt.QUIET_NOTFOUND)


def without(tree: Nodes, node: str, *names: str) -> Nodes:
    return tree | {node: {name: value for name, value in tree[node].items() if name not in names}}


def longs(value: bytes) -> list[int]:
    return [int.from_bytes(value[n:n + 8], "big") for n in range(0, len(value), 8)]


def interrupts(value: bytes) -> list[tuple[int, bool]]:
    """Of triples (0, SPI, 1 or 4): the number, and whether it is an edge."""
    cells = [int.from_bytes(value[n:n + 4], "big") for n in range(0, len(value), 4)]
    assert set(cells[::3]) <= {0} and set(cells[2::3]) <= {1, 4}
    return [(n + 32, flags == 1) for n, flags in zip(cells[1::3], cells[2::3], strict=True)]


# --- both of them ---------------------------------------------------------------------

@dataclass
class Both:
    """Of one cell. `written` is compiled with symbols; laid: what the command makes of that, and of the same without them."""
    text: str
    written: Nodes
    made: Nodes
    laid: list[Nodes]


def compiled(text: str, *words: str) -> bytes:
    done = subprocess.run(["dtc", *words, "-I", "dts", "-O", "dtb"], input=text.encode(), capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", f"{done.stderr.decode()}\n{text}"
    return done.stdout


def made(harness: Path, folder: Path, *words: object) -> Nodes:
    done = subprocess.run([harness, "tree", folder / "cell", folder / "system", folder / "tree", *map(str, words)],
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and not done.stdout.startswith("refused"), done.stdout + done.stderr
    return nodes((folder / "tree").read_bytes())


def both(harness: Path, folder: Path, one: Cell, system: System) -> Both:
    (folder / "cell").write_bytes(blob.encode_cell(emit.emit_cell(one, system.machine)))
    (folder / "system").write_bytes(blob.encode_system(emit.emit_system(system)))
    text = guest_tree(one, system.machine)
    (folder / "symbols.dtb").write_bytes(compiled(text, "-@"))
    (folder / "plain.dtb").write_bytes(compiled(text))
    return Both(text, nodes((folder / "symbols.dtb").read_bytes()), made(harness, folder),
                [made(harness, folder, "-d", folder / name) for name in ("symbols.dtb", "plain.dtb")])


def assert_same(harness: Path, folder: Path, one: Cell, system: System) -> Both:
    found = both(harness, folder, one, system)
    section = emit.emit_cell(one, system.machine).cell
    _assert_laid_over(found)
    console = _console_of_the_machine(section)
    with_devices, alone = found.written, without(found.made, "/chosen", "bootargs")
    if console is not None:
        _assert_says_more(with_devices[console], alone[console])
        with_devices, alone = (without(tree, console, "interrupts", "reg") for tree in (with_devices, alone))
    more = with_devices.keys() - alone.keys()
    assert {path: with_devices[path] for path in with_devices.keys() - more} == alone
    _assert_devices({path: found.written[path] for path in more | ({console} if console else set())}, one, system)
    return found


def _assert_laid_over(found: Both) -> None:
    """The command adds its words for the kernel, and nothing else."""
    words = {"bootargs": found.made["/chosen"]["bootargs"]} if "bootargs" in found.made["/chosen"] else {}
    wanted = found.written | {"/chosen": found.written["/chosen"] | words}
    for laid in found.laid:
        assert laid == wanted


def _console_of_the_machine(section: Section) -> str | None:
    """Its path, if it is a device."""
    console = section.console
    if not console.get("type") or section.uart["type"] and console["address"] == section.uart["address"]:
        return None
    return f"/serial@{console['address']:x}"


def _assert_says_more(written: dict[str, bytes], alone: dict[str, bytes]) -> None:
    """The text may know more registers and lines than a file says to be the console's, but no others."""
    assert written["reg"].startswith(alone["reg"])
    if "interrupts" in alone:
        assert written["interrupts"] == alone["interrupts"]


def _assert_devices(tree: Nodes, one: Cell, system: System) -> None:
    """Each is there, with all of its registers and lines."""
    numbers = emit.cell_numbers(one, system.machine)
    console = _console_of_the_machine(emit.emit_cell(one, system.machine).cell)
    wanted = {}
    for named in one.devices:
        device = system.machine.devices[named.name]
        if device.registers:
            start = device.registers[0].span.start + emit.guest_offset(named, device)
            wanted[start] = (len(device.registers), [(numbers[n], n in device.edges) for line in device.lines for n in line.numbers])
    assert {int(path.rpartition("@")[2], 16) for path in tree} == wanted.keys() and len(tree) == len(wanted)
    for path, properties in tree.items():
        count, lines = wanted[int(path.rpartition("@")[2], 16)]
        assert len(longs(properties["reg"])) == 2 * count
        if lines or path != console:
            assert interrupts(properties.get("interrupts", b"")) == lines


# --- cells ----------------------------------------------------------------------------

@pytest.mark.parametrize("file", ARM64, ids=lambda path: str(path.relative_to(ROOT)))
def test_cells_of_this_repository(file: Path, harness: Path, tmp_path: Path) -> None:
    system = solved(file)
    for one in system.cells:
        assert_same(harness, tmp_path, one, system)


@settings(SLOW_IS_FINE, max_examples=30)
@given(spec=specs.systems("arm64"))
def test_any_cell(spec: Spec, harness: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    system = solved(spec.write(folder))
    for one in system.cells:
        assert_same(harness, folder, one, system)


PL011 = {"registers": {"start": 0x907_0000, "size": "4K"}, "interrupts": [50], "uart": "pl011"}
DEVICES: dict[str, Any] = {
    "uart1": PL011,
    "far": {"registers": [{"name": "a", "start": 0x90a_0000, "size": "64K"}, {"name": "b", "start": 0x90c_0000, "size": "4K"}],
            "interrupts": [60, 61], "uart": "8250-32", "about": "snps,dw-apb-uart, /serial@90a0000"},
    "near": {"registers": {"start": 0x90d_0100, "size": 0x100}, "uart": "8250", "needs": {"clocks": ["clock"]}},
    "net": {"about": "acme,net-2, /soc/net", "registers": {"start": 0x904_0000, "size": "4K"}, "interrupts": [40]},
    # as nodes are called that are in each tree
    "clock": {"registers": {"start": 0x906_0000, "size": "4K"}},
    "chosen": {"registers": {"start": 0x908_0000, "size": "4K"}},
    "*/ \" \\": {"registers": {"start": 0x90f_0000, "size": "4K"}},
    "watch": {"interrupts": [70, "72-74"]},
}
ALL = list(DEVICES)
OWN = {"guest": 0x900_0000, "interrupt": 33}
WIDE = [0, 1, 0x1_0000_0000, 0x1_0000_0001, 0x100, 0x101, 0x102, 0x103]


def one_cell(folder: Path, board: dict[str, Any], **keys: Any) -> tuple[Cell, System]:
    system = solved(write(folder, BOARD | {"devices": DEVICES} | board, cell=[cell("a", **keys)]))
    return system.cells[0], system


@pytest.mark.parametrize(("board", "keys"), [
    ({}, {}),
    ({}, {"devices": ALL}),
    ({}, {"devices": ALL, "console": "uart1"}),
    ({}, {"devices": ALL, "console": "far"}),
    ({}, {"devices": ALL, "console": "near"}),
    ({}, {"devices": ["near"], "console": "near"}),
    ({}, {"devices": ["near"], "console": "near", "lines": [90]}),
    ({"devices": DEVICES | {"half": {"registers": {"start": 0xb20_0800, "size": 0x100}, "uart": "pl011"}}}, {"devices": ["half"], "console": "half"}),
    ({}, {"devices": ["near"], "console": "near", "lines": [90, 91]}),
    ({}, {"devices": ["uart1"], "console": "uart1", "lines": [90]}),
    ({}, {"devices": [{"name": "far", "guest": 0x900_0000}], "console": "far", "renumber": {"60": 32}}),
    ({}, {"devices": ["uart1"], "uart": OWN}),
    ({}, {"devices": ["uart1"], "uart": OWN, "console": "uart"}),
    ({}, {"devices": ["uart1"], "uart": OWN, "console": "uart1"}),
    ({}, {"devices": ["near"], "uart": OWN, "console": "near", "lines": [90]}),
    ({}, {"uart": {"guest": 0x900_0000}, "console": "uart"}),
    ({"devices": DEVICES | {"net": {"registers": {"start": 0xa00_0000, "size": "4K"}, "interrupts": ["112-115"], "edges": [113, "114-115"]}}},
     {"devices": ["net"], "renumber": {"114": 33}}),
    ({"cpus": WIDE}, {"cpus": [1, 2]}),
    ({"cpus": WIDE}, {"cpus": [4, 1]}),
    ({"cpus": WIDE}, {"cpus": [7, 3, 2], "cpu_ids": "counted"}),
    ({}, {"cpus": 3, "cpu_ids": "counted", "gic": {"gicd": 0x1000_0000, "gicr": 0x1100_0000}}),
    ({}, {"gic": {"gicd": 0x1000_0000, "gicr": 0x1100_0000}}),
    ({"gic": BOARD["gic"] | {"gicd": {"start": 0x800_0000, "size": 0x2_0000}}}, {}),
    ({"gic": BOARD["gic"] | {"gicr": {"start": 0x80a_0000, "size": 0x40_0000}}}, {}),
    ({}, {"platform": "qemu-virt", "ram": "32M", "memory": []}),
])
def test_cells(board: dict[str, Any], keys: dict[str, Any], harness: Path, tmp_path: Path) -> None:
    one, system = one_cell(tmp_path, board, **keys)
    assert_same(harness, tmp_path, one, system)


def test_memory_of_all_kinds(harness: Path, tmp_path: Path) -> None:
    kinds = [{"name": f"{access}{n}", "guest": n << 24, "size": "64K", "access": access, "loadable": loadable}
             for n, (access, loadable) in enumerate((a, b) for a in ("r", "rw", "rx", "rwx") for b in (False, True))]
    kinds.append({"name": "boot */", "guest": 0x2_0000_0000, "size": "1M", "boot": True})
    file = write(tmp_path, BOARD, shared={"box": {"size": "64K"}},
                 cell=[cell("a", memory=kinds, shared=[{"name": "box", "guest": 0x7000_0000}])])
    system = solved(file)
    found = assert_same(harness, tmp_path, system.cells[0], system)
    assert [path for path in found.written if path.startswith("/memory")] == ["/memory@6000000", "/memory@7000000"]
    assert " * 0x70000000+64K box, rw, shared\n" in found.text.replace("\t", "")


def test_as_many_cpus_as_there_can_be(harness: Path, tmp_path: Path) -> None:
    gicr = {"start": 0x1000_0000, "size": abi.MAX_CPUS * 0x2_0000}
    board = {"cpus": abi.MAX_CPUS, "gic": BOARD["gic"] | {"gicr": gicr}}
    for number, ids in enumerate(("machine", "counted")):
        one, system = one_cell(tmp_path, board, cpus=[f"1-{abi.MAX_CPUS - 1}"], cpu_ids=ids, memory="16M")
        found = assert_same(harness, tmp_path, one, system)
        assert ("/cpus/cpu@f0f" in found.written) == (number == 0)


def test_a_line_of_anothers_is_not_the_consoles(harness: Path, tmp_path: Path) -> None:
    """A file does not say whose its only line is: that is a guess, which the text takes back."""
    one, system = one_cell(tmp_path, {}, devices=["near", "net"], console="near")
    found = both(harness, tmp_path, one, system)
    console = "/serial@90d0100"
    assert interrupts(found.made[console]["interrupts"]) == [(40, False)]
    assert "interrupts" not in found.written[console] and interrupts(found.written["/net@9040000"]["interrupts"]) == [(40, False)]
    _assert_laid_over(found)


def test_a_guess_is_called_one(tmp_path: Path) -> None:
    for lines, said in (([90], True), ([90, 91], False)):
        one, system = one_cell(tmp_path, {}, devices=["near"], console="near", lines=lines)
        text = guest_tree(one, system.machine)
        assert ("the only interrupt of the cell is taken for its" in text) == said == ("interrupts = <0 58 4>;\n" in text)


def test_the_commands_words_are_added(harness: Path, tmp_path: Path) -> None:
    one, system = one_cell(tmp_path, {}, devices=ALL, console="uart1")
    found = both(harness, tmp_path, one, system)
    laid = made(harness, tmp_path, "-d", tmp_path / "plain.dtb", "-c", "quiet", "-i", "0x43000000", "0x1000")
    added = {"bootargs": b"quiet console=ttyAMA0\0", "linux,initrd-start": (0x4300_0000).to_bytes(8, "big"),
             "linux,initrd-end": (0x4300_1000).to_bytes(8, "big")}
    assert laid == found.written | {"/chosen": found.written["/chosen"] | added}


def test_a_users_words_behind_it(harness: Path, tmp_path: Path) -> None:
    """As the documentation has it: a file that begins with the text, and refers to its labels."""
    example = re.search(r'```\n(/include/ "guest.dts"\n.*?)```', (ROOT / "docs/linux-cells.md").read_text(), re.DOTALL)
    assert example
    one, system = one_cell(tmp_path, {}, devices=["uart1", "clock"], console="uart1")
    found = both(harness, tmp_path, one, system)
    (tmp_path / "guest.dts").write_text(found.text)
    (tmp_path / "mine.dts").write_text(example[1])
    subprocess.run(["dtc", "-@", "-O", "dtb", "-o", tmp_path / "mine.dtb", tmp_path / "mine.dts"], check=True)
    laid = made(harness, tmp_path, "-d", tmp_path / "mine.dtb")
    assert laid["/serial@9070000"].pop("clocks") == b"/oscillator /oscillator"
    assert laid["/clock"] == found.made["/clock"] and laid["/oscillator"]["clock-frequency"] == (50_000_000).to_bytes(4, "big")


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    one, system = one_cell(tmp_path, {}, devices=ALL, lines=[90, 91], console="far")
    text = " ".join(guest_tree(one, system.machine).split())
    for words in ('/* to be written: compatible = "..."; */', '/* "far": "snps,dw-apb-uart" on the machine */',
                  '/* it needs clocks of "clock" */', "not known: interrupts = <0 58 4>, <0 59 4>;",
                  '"watch" has no registers; interrupts = <0 38 4>, <0 40 4>, <0 41 4>, <0 42 4>;'):
        assert words in text, words
