# SPDX-License-Identifier: GPL-2.0-only
"""A PL011 that only the hypervisor has: what is typed reaches its cell, what that says its console."""

import pytest
from conftest import STATE
from typing_at import EOT, TEXT, said_by, type_text


@pytest.mark.parametrize("cell, line", [("direct", 250), ("injected", 33)])
def test_a_uart_that_only_the_hypervisor_has(root, say, cell, line):
    """Both directions by interrupts, every character once; a direct cell takes no exit for them."""
    root.run_cell(cell, "uart", f"base=0x9000000 line={line} wfi", "consoles")
    said_by(root, cell, "^uart: ready\n")
    type_text(root, cell, TEXT + EOT)
    found = said_by(root, cell, r"uart: received=(\d+) interrupts=(\d+)\n")
    assert TEXT.swapcase() in root.jailhouse(f"console {cell}")
    assert int(found[1]) == len(TEXT) + 1
    exits = root.statistics(root.cell_id(cell), 3 if cell == "direct" else 2)
    say(f"{cell}: {len(TEXT)} characters, {found[2]} interrupts, exits {exits}")
    assert (exits["irq"] > 0) == (cell == "injected")
    assert root.timers_run() == 3
    # started again it is as new: what was typed meanwhile is refused, and nothing is left over
    root.stop(cell)
    result = root.run(f"echo late | jailhouse console -i {cell}")
    assert result.status == STATE and "does not run" in result.output
    root.rerun(cell, "uart", f"base=0x9000000 line={line}")
    said_by(root, cell, r"(?s)uart: ready\n.*uart: ready\n")
    type_text(root, cell, "Again" + EOT)
    assert said_by(root, cell, r"(?s)uart: ready\n(?!.*uart: ready)(.*)uart: received=(\d+)")[2] == "6"
    root.destroy(cell)
