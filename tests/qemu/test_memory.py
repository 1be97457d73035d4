# SPDX-License-Identifier: GPL-2.0-only
"""Memory is zero whenever it changes hands, whoever had it before."""

import pytest
from board import PAIR, A, B
from conftest import Root

PATTERN = 0x5ec2e7da7a5ec2e7


def sampled(region: tuple[int, int], count: int = 24) -> list[int]:
    """Addresses spread over it, its first and last among them."""
    start, size = region
    step = (size - 8) // (count - 1) & ~7
    return [start + n * step for n in range(count - 1)] + [start + size - 8]


def root_reads(root: Root, regions) -> set[int]:
    """The values Linux sees there."""
    addresses = " ".join(f"{at:#x}" for region in regions for at in sampled(region))
    output = root.check(f"for at in {addresses}; do devmem $at 64 || exit 1; done")
    return {int(line, 16) for line in output.split()}


def root_writes(root: Root, regions) -> None:
    addresses = " ".join(f"{at:#x}" for region in regions for at in sampled(region))
    root.check(f"for at in {addresses}; do devmem $at 64 {PATTERN:#x} || exit 1; done")


def check_and_fill(root: Root, cell: str, size: int) -> str:
    """Starts memcheck in the cell, which finds zeros only and leaves its pattern."""
    root.rerun(cell, "memcheck", f"ram={size:#x}")
    said = root.expect(rf"^\[{cell}\] memcheck: (zero ok|dirty|give).*$")[0]
    assert "zero ok" in said, said
    root.expect(rf"^\[{cell}\] memcheck: filled$")
    return said


@pytest.mark.parametrize("cell, text, regions", (("a", "cells", A), ("b", "cells", B), ("pair", "pair", PAIR)))
def test_both_ways(root, say, cell, text, regions):
    """The cell does not see Linux's past, nor Linux the cell's."""
    root_writes(root, regions)
    assert root_reads(root, regions) == {PATTERN}
    root.create(cell, text)
    say(check_and_fill(root, cell, regions[0][1]))
    root.destroy(cell)
    assert root_reads(root, regions) == {0}


def test_memory_that_is_not_loadable(root):
    """`cell load` does not clear it: creating and destroying the cell must."""
    data = A[2]
    last = 0x300_0000 + data[1] - 8
    root_writes(root, (data,))
    root.run_cell("a", "attack", f"op=read addr={last:#x}")
    root.expect(r"^\[a\] attack: read survived value=0x0$")
    root.stop("a")
    root.rerun("a", "attack", f"op=write addr={last:#x} value=0x1234")
    root.expect(r"^\[a\] attack: write survived value=0x1234$")
    root.stop("a")
    # Loading again leaves it alone
    root.rerun("a", "attack", f"op=read addr={last:#x}")
    root.expect(r"^\[a\] attack: read survived value=0x1234$")
    root.destroy("a")
    assert root_reads(root, (data,)) == {0}


def test_loading_opens_zeroed_memory(root):
    """After `cell load` Linux can read the loadable memory: nothing of the cell's is there."""
    root.create("b")
    check_and_fill(root, "b", B[0][1])
    root.stop("b")
    start, size = B[0]
    last = size - 0x40
    # Not loadable now: not Linux's to see
    assert not root.sees(start + size // 2)
    root.jailhouse(f"cell load b -s x -a {last:#x}")
    assert root_reads(root, B) == {0}
    assert root.check(f"devmem {start + last:#x} 64").strip().lower().endswith("78")
    # What is loaded next comes beside it, and that is all the cell finds
    root.rerun("b", "memcheck", f"ram={B[0][1]:#x}")
    root.expect(rf"^\[b\] memcheck: dirty at {last:#x} 0x0{{14}}78$")


def test_failed_cell_leaves_nothing(root):
    """A cell that fills its memory, fails, and is destroyed without being stopped first."""
    root.create("b")
    check_and_fill(root, "b", B[0][1])
    root.stop("b")
    root.start("b")
    # The image finds its own pattern this time: the memory stayed the cell's
    root.expect(r"^\[b\] memcheck: dirty at 0x[0-9a-f]+ 0x0*5ec2e7da7a5ec2e7$")
    root.stop("b")
    root.rerun("b", "attack", "op=write addr=0x10000000")
    root.wait_state("b", "failed")
    root.jailhouse("cell destroy b")
    assert root_reads(root, B) == {0}


def test_from_cell_to_cell(root, say):
    """Two cells' memory together becomes another cell's, word by word zero."""
    root.create("a")
    root.create("b")
    check_and_fill(root, "a", A[0][1])
    check_and_fill(root, "b", B[0][1])
    root.destroy("a", "b")
    root.create("pair", "pair")
    say(check_and_fill(root, "pair", PAIR[0][1]))
