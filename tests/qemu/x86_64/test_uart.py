# SPDX-License-Identifier: GPL-2.0-only
"""A device of a cell's own, ports and line: it costs no exit, and is Linux's again afterwards."""

import pytest
from conftest import CONFIG, STATE, Root
from talk import TEXT, converse, interrupts, ready, root_has_it
from typing_at import EOT, said_by, type_text


@pytest.fixture
def more_machine():
    return {"serials": 2, "x2apic": False}


@pytest.fixture
def given_up(root):
    """Linux has the UART before, and afterwards; meanwhile nobody opens it there."""
    root_has_it(root)
    yield
    root.tidy()
    root_has_it(root)


@pytest.mark.usefixtures("given_up")
def test_device_with_its_interrupt_costs_no_exit(root, say):
    ready(root, "serial", "uart", "wfi")
    # Its settling time is over
    root.check("sleep 3")
    cell = root.cell_id("serial")
    before = root.statistics(cell, 3)
    for _ in range(3):
        converse(root, TEXT)
    received, taken = interrupts(root)
    after = root.statistics(cell, 3)
    say(f"{received} characters, {taken} interrupts, exits before and after: {before}")
    assert received == 3 * len(TEXT) + 1 and taken > received
    assert after == before and after["over_budget"] == 0


def test_linux_has_no_port_of_a_cells(root):
    """Reads give all ones, writes go nowhere, and the log says it once."""
    root.create("serial", "uart")
    root.mark()
    assert root.check("dd if=/dev/port bs=1 skip=$((0x2fb)) count=1 2>/dev/null | od -An -tx1").split() == ["ff"]
    root.check("printf '\\125' | dd of=/dev/port bs=1 seek=$((0x2ff)) 2>/dev/null")
    root.expect(r'^refused to root cell "root": CPU \d: .*port 0x2fb')


def test_line_of_a_machine_that_remaps_interrupts(boot, blobs):
    """Linux's tables decide there where a line goes: the cell is refused, in words."""
    root = Root(boot(files=blobs, serials=2))
    root.refused("cell create /tests/uart/serial.cell", CONFIG, "remap")
    assert root.timers_run() == 4


@pytest.mark.usefixtures("given_up")
def test_the_nearest_of_its_ports_are_named(root):
    root.run_cell("serial", "attack", "op=out port=0x2f7", "uart")
    root.expect(r'^FAILED cell "serial": CPU 3: write to port 0x2f7 at PC 0x[0-9a-f]+; nearest of its ports are 0x2f8..0x2ff$')


def test_a_uart_that_only_the_hypervisor_has(root, say):
    """Both directions, every character once, at the ports where Linux's own console is."""
    text = TEXT.decode().replace("'", "").replace("\\", "").replace("%", "")
    root.run_cell("serial", "uart", "base=0x3f8 poll", "consoles")
    said_by(root, "serial", "^uart: ready\n")
    type_text(root, "serial", text + EOT)
    found = said_by(root, "serial", r"uart: received=(\d+) ")
    assert text.swapcase() in root.jailhouse("console serial")
    assert int(found[1]) == len(text) + 1
    exits = root.statistics(root.cell_id("serial"), 3)
    say(f"{len(text)} characters, exits {exits}")
    # it is asking while its counters are read: they have no exact sum
    assert exits["pio"] > len(text) and all(exits[reason] == 0 for reason in ("fault", "exception", "other", "mmio", "icr"))
    root.stop("serial")
    result = root.run("echo late | jailhouse console -i serial")
    assert result.status == STATE and "does not run" in result.output
    root.rerun("serial", "uart", "base=0x3f8 poll")
    said_by(root, "serial", r"(?s)uart: ready\n.*uart: ready\n")
    type_text(root, "serial", "Again" + EOT)
    assert said_by(root, "serial", r"(?s)uart: ready\n(?!.*uart: ready)(.*)uart: received=(\d+)")[2] == "6"
    root.destroy("serial")
