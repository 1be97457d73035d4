# SPDX-License-Identifier: GPL-2.0-only
"""PCI functions of a cell's own: their configuration space, and the interrupts they send."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HERE, TOOLS, Root
from monitor import word

BOARD = HERE.parents[1] / "configs/qemu-x86_64/machine.toml"
EDU, NIC = "0000:00:05.0", "0000:00:06.0"
# Where their BARs in memory are: config registers and addresses. The BIOS has them below the APICs, and QEMU (10.0.2 with
# Debian's patches) may then do an access of another CPU's to an APIC nowhere while a function's memory comes or goes: it
# counts what there is from the lowest address on, and that CPU counts as it was (docs/testing.md)
BARS = {EDU: {0x10: 0xff00_0000}, NIC: {0x10: 0xff10_0000, 0x14: 0xff12_0000, 0x1c: 0xff14_0000}}
DEVICES = """
[devices.edu]
pci = "00:05.0"
registers = { start = 0xff00_0000, size = "1M" }

[devices.nic]
pci = "00:06.0"
registers = [
	{ name = "registers", start = 0xff10_0000, size = "128K" },
	{ name = "flash", start = 0xff12_0000, size = "128K" },
	{ name = "msix", start = 0xff14_0000, size = "16K" },
]
"""
TABLE_BAR = 0x1c
# Where the machine has EDU's command register, and its bits for memory and bus mastering
EDU_COMMAND = 0xb000_0000 + (5 << 15) + 4
COMMAND_MEMORY, COMMAND_MASTER, COMMAND_NO_INTX = 0x2, 0x4, 0x400
WORDS = "edu_bar=0xff000000 nic_bar=0xff100000 table=0xff140000"


@pytest.fixture(scope="module")
def qmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qmp") / "socket"


@pytest.fixture
def more_machine(qmp: Path):
    return {"x2apic": False, "qmp": qmp, "extra": ("-device", "edu,addr=5", "-device", "e1000e,addr=6")}


@pytest.fixture
def more_files(tmp_path: Path) -> dict[str, bytes]:
    (tmp_path / "machine.toml").write_text(BOARD.read_text(encoding="utf-8") + DEVICES, encoding="utf-8")
    (tmp_path / "pci.toml").write_text((HERE / "x86_64/pci.toml").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(tmp_path / "pci.toml"),
                    "-o", str(tmp_path / "out")], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"})
    return {f"tests/{'cells' if path.stem == 'system' else 'pci'}/{path.name}": path.read_bytes()
            for path in (tmp_path / "out").glob("*.cell")}


def bar(root: Root, function: str, at: int) -> int:
    return int(root.check(f"od -An -tx4 -j{at} -N4 /sys/bus/pci/devices/{function}/config"), 16)


def write_bar(root: Root, function: str, at: int, address: int) -> None:
    """As Linux has it, past its own word on where it is."""
    text = "".join(f"\\{byte:03o}" for byte in address.to_bytes(4, "little"))
    root.check(f"printf '{text}' | dd of=/sys/bus/pci/devices/{function}/config bs=4 seek={at // 4} conv=notrunc 2>/dev/null")
    assert bar(root, function, at) == address


@pytest.fixture(autouse=True)
def bars(root: Root) -> None:
    """They are where a cell looks for them, since the first test on a machine."""
    for function, registers in BARS.items():
        for at, address in registers.items():
            if bar(root, function, at) != address:
                write_bar(root, function, at, address)


def config_of(root: Root, function: str) -> str:
    """The first 256 bytes of a function's configuration space as Linux reads them now."""
    return root.check(f"od -An -v -tx1 -N256 /sys/bus/pci/devices/{function}/config")


def stable(text: str) -> list[str]:
    """The header without the command and status registers: those, and messages that are off, are
    as who had it last left them."""
    words = text.split()
    return words[:4] + words[8:64]


def test_functions_of_a_cells(root, say):
    functions = root.check("ls /sys/bus/pci/devices").split()
    before = {function: config_of(root, function) for function in functions}
    assert before[EDU].split()[:4] == ["34", "12", "e8", "11"]

    root.run_cell("pci", "pci", WORDS, text="pci")
    root.expect(r"^\[pci\] pci: done")
    said = root.said()
    say(" ".join(line for line in said.splitlines() if "pci: " in line))
    assert "[pci] pci: by ports 2, by ECAM 2\n" in said
    assert "[pci] pci: edu 0x10000ed, BAR 0 of 0x100000\n" in said
    assert "[pci] pci: MSI: own 100, nmi 0, foreign 0\n" in said
    assert "[pci] pci: MSI-X: own 100, foreign 0, masked 1, left 0x0\n" in said

    # Linux: they are gone, the rest is as it was, and what it writes goes nowhere
    for function in functions:
        now = config_of(root, function)
        if function in (EDU, NIC):
            assert set(now.split()) == {"ff"}
        else:
            assert now == before[function]
    root.check(f"printf '\\007' | dd of=/sys/bus/pci/devices/{EDU}/config bs=1 seek=4 conv=notrunc 2>/dev/null")
    root.expect(r'refused to root cell "root": CPU \d: PCI function 00:05.0: ')

    # Its interrupts cost no exit
    cell = root.cell_id("pci")
    root.check("sleep 5")
    first = root.statistics(cell, 3)
    root.check("sleep 2")
    assert root.statistics(cell, 3) == first
    assert first["over_budget"] == 0

    # Started anew it finds nothing it wrote
    root.stop("pci")
    root.rerun("pci", "pci", WORDS)
    root.expect(r"^\[pci\] pci: MSI-X: own 100, foreign 0, masked 1, left 0x0\n")
    root.destroy("pci")
    for function in functions:
        assert stable(config_of(root, function)) == stable(before[function])
    assert root.timers_run() == 4


@pytest.mark.parametrize("end", ("shutdown", "failure"))
def test_a_function_ends_with_its_cell(root, qmp, end):
    """No DMA goes on when the cell does not: not only when it is destroyed."""
    root.run_cell("pci", "pci", WORDS, text="pci")
    root.expect(r"^\[pci\] pci: done")
    assert word(qmp, EDU_COMMAND) & (COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX) == \
        COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX
    if end == "failure":
        # Started once more with a program that fails while its functions are on
        root.stop("pci")
        root.rerun("pci", "pci", WORDS + " fail=1")
        root.wait_state("pci", "failed", 60)
    else:
        root.stop("pci")
    assert word(qmp, EDU_COMMAND) & (COMMAND_MEMORY | COMMAND_MASTER) == 0


def test_a_table_that_lies_in_the_hypervisor(root, say):
    """Linux moves the BAR with the MSI-X table before the cell gets the function: nothing is written there."""
    write_bar(root, NIC, TABLE_BAR, 0x3f10_0000)
    root.run_cell("pci", "pci", WORDS, text="pci")
    root.expect(r"^\[pci\] pci: done")
    said = root.said()
    say(next(line for line in said.splitlines() if "MSI-X" in line))
    assert "[pci] pci: MSI-X: own 0, foreign 0" in said
    root.destroy("pci")
    write_bar(root, NIC, TABLE_BAR, BARS[NIC][TABLE_BAR])
    assert root.timers_run() == 4


def test_function_that_is_not_there(root):
    before = root.state()
    result = root.run("jailhouse cell create /tests/pci/nobody.cell")
    assert result.status != 0 and "00:0d.0: nobody answers" in result.output
    assert root.state() == before
