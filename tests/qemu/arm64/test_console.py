# SPDX-License-Identifier: GPL-2.0-only
"""Each cell's console: what it says is kept apart, and what is typed reaches its UART."""

import re

import pytest
from conftest import NO_CELL, STATE, Root

TEXT = "".join(chr(c) for c in range(0x20, 0x7f) if chr(c) not in "'\\%") * 3
EOT = "\\004"


def type_text(root, cell: str, text: str) -> None:
    root.check(f"printf '%b' '{text}' | jailhouse console -i {cell}")


def said_by(root, cell: str, pattern: str) -> re.Match[str]:
    """Waits until the cell's own console has it."""
    for _ in range(100):
        text = root.jailhouse(f"console {cell}")
        if found := re.search(pattern, text):
            return found
        root.check("usleep 50000")
    raise AssertionError(f"cell {cell} does not say {pattern!r}:\n{text}")


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
    type_text(root, cell, "Again" + EOT)
    assert said_by(root, cell, r"(?s)uart: ready\n(?!.*uart: ready)(.*)uart: received=(\d+)")[2] == "6"
    root.destroy(cell)


def test_one_floods_and_nobody_loses_a_word(boot, blobs):
    """A cell that talks without end takes none of another's or the hypervisor's lines away."""
    root = Root(boot(files=blobs))
    own = root.jailhouse("console | grep -v '^\\['")
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 1 ")
    root.run_cell("a", "flood", "lines=100000")
    root.expect(r"^\[a\] \(\d+ lines lost\)$")
    root.expect(r"^\[a\] flood: line 99999 ")
    root.goes_on("b")
    text = root.jailhouse("console")
    assert "".join(line + "\n" for line in text.splitlines() if not line.startswith("[")).startswith(own)
    hellos = [int(n) for n in re.findall(r"^\[b\] hello: (\d+) ", text, re.MULTILINE)]
    assert hellos == list(range(1, len(hellos) + 1))
    # of its own the newest is kept, in order and whole
    lines = [int(n) for n in re.findall(r"^\[a\] flood: line (\d+) of a cell that does not stop talking$", text,
                                        re.MULTILINE)]
    assert len(lines) > 500 and lines == list(range(lines[0], lines[0] + len(lines)))
    root.stop("a", "b")
    last = root.jailhouse("console a").splitlines()
    assert len(last) > 500 and root.jailhouse("console a") == root.jailhouse("console a")
    root.destroy("a", "b")
    root.refused("console a", NO_CELL, "no cell")


def test_lines_come_in_the_order_they_ended(root):
    """Two cells and the hypervisor, seen by one who reads all: each cell's lines in order, none twice."""
    root.run_cell("a", "flood", "lines=300")
    root.expect(r"^\[a\] flood: line 299 ")
    root.run_cell("b", "flood", "lines=300")
    root.expect(r"^\[b\] flood: line 299 ")
    text = root.jailhouse("console --all")
    for cell in ("a", "b"):
        lines = [int(n) for n in re.findall(rf"^\[{cell}\] flood: line (\d+) ", text, re.MULTILINE)]
        assert lines == list(range(300))
    assert text.index('cell "a" created') < text.index("[a] flood: line 0 ") < text.index("[a] flood: line 299 ")
    assert text.index("[a] flood: line 0 ") < text.index('cell "b" created') < text.index("[b] flood: line 0 ")
    root.destroy("a", "b")
