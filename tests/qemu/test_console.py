# SPDX-License-Identifier: GPL-2.0-only
"""Each cell's console: what it says is kept apart, and shown together in order."""

import re

from conftest import NO_CELL, Root


def test_one_floods_and_nobody_loses_a_word(boot, blobs):
    """A cell that talks without end takes none of another's or the hypervisor's lines away."""
    root = Root(boot(files=blobs))
    own = root.jailhouse("console | grep -v '^\\['")
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 1 ")
    root.run_cell("a", "flood", "lines=20000")
    root.expect(r"^\[a\] \(\d+ lines lost\)$")
    root.expect(r"^\[a\] flood: line 19999 ", 240)
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
