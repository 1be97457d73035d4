# SPDX-License-Identifier: GPL-2.0-only
"""Where a node's interrupts arrive: `interrupts`, `interrupts-extended`, and what `interrupt-map` makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.probe.tree import DEPTH_MAX, Flaw, Node, Tree

ENTRIES_MAX = 4096
_SPECIFIER_MAX = 8
# Controllers whose `interrupt-map` is for their own drivers and not what the specification says. Linux has the same
# list (drivers/of/irq.c)
_OWN_MAPS = {"fsl,ls1021a-extirq", "fsl,ls1043a-extirq", "fsl,ls1088a-extirq", "realtek,rtl-intc",
             "renesas,rza1-irqc", "CBEA,platform-spider-pic", "sti,platform-spider-pic"}


@dataclass(frozen=True)
class Interrupt:
    controller: Node
    cells: tuple[int, ...]


@dataclass(frozen=True)
class _Entry:
    """Of an `interrupt-map`: what arrives as `match` goes on to the parent as `cells`, from what is `unit` there."""
    match: tuple[int, ...]
    parent: Node
    unit: tuple[int, ...]
    cells: tuple[int, ...]


class Interrupts:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._maps: dict[Node, tuple[_Entry, ...]] = {}
        self._lookups: dict[Node, dict[tuple[int, ...], _Entry]] = {}

    def of(self, node: Node) -> Iterator[Interrupt]:
        """What stands before a Flaw has been yielded."""
        if node.has("interrupts-extended"):
            for reference in self.tree.references(node, "interrupts-extended", "#interrupt-cells"):
                yield self._arrival(node, reference.node, reference.args)
        elif node.has("interrupts"):
            parent = self.parent(node)
            count, cells = _specifier(parent), node.cells("interrupts")
            if len(cells) % count:
                raise Flaw(f"interrupts has {len(cells)} cells, no multiple of the {count} that {parent.path} wants")
            for at in range(0, len(cells), count):
                yield self._arrival(node, parent, cells[at:at + count])

    def of_map(self, node: Node) -> Iterator[Interrupt]:
        """Where all that a PCI host's `interrupt-map` names arrives. What stands before a Flaw has been yielded."""
        for entry in self._entries(node):
            yield self._mapped(entry.parent, entry.unit, entry.cells)

    def parent(self, node: Node) -> Node:
        """The controller that understands the node's `interrupts`; the same search as Linux's."""
        at: Node | None = node
        for _ in range(2 * DEPTH_MAX):
            if at is None:
                break
            above = self.tree.pointer(at, "interrupt-parent") if at.has("interrupt-parent") else at.parent
            if above is not None and above.has("#interrupt-cells"):
                return above
            at = above
        raise Flaw("it has interrupts, and no controller is found for them")

    def _arrival(self, node: Node, controller: Node, cells: tuple[int, ...]) -> Interrupt:
        width = controller.width("#address-cells", 0)
        unit = node.cells("reg")[:width]
        return self._mapped(controller, unit + (0,) * (width - len(unit)), cells)

    def _mapped(self, controller: Node, unit: tuple[int, ...], cells: tuple[int, ...]) -> Interrupt:
        """Through every `interrupt-map` on the way."""
        for _ in range(DEPTH_MAX):
            if not controller.has("interrupt-map") or _OWN_MAPS.intersection(controller.compatible):
                return Interrupt(controller, cells)
            entry = self._lookup(controller).get(_masked(unit + cells, controller.cells("interrupt-map-mask")))
            if entry is None:
                raise Flaw(f"an interrupt that interrupt-map of {controller.path} does not have")
            controller, unit, cells = entry.parent, entry.unit, entry.cells
        raise Flaw("an interrupt goes in a circle of interrupt-maps")

    def _lookup(self, node: Node) -> dict[tuple[int, ...], _Entry]:
        """By what is matched, as far as the mask has it. Of several the first counts."""
        if node not in self._lookups:
            mask = node.cells("interrupt-map-mask")
            self._lookups[node] = {_masked(e.match, mask): e for e in reversed(self._entries(node))}
        return self._lookups[node]

    def _entries(self, node: Node) -> tuple[_Entry, ...]:
        if node not in self._maps:
            self._maps[node] = tuple(self._read(node))
        return self._maps[node]

    def _read(self, node: Node) -> Iterator[_Entry]:
        cells = node.cells("interrupt-map")
        match = node.width("#address-cells", 0) + _specifier(node)
        at = count = 0
        while at < len(cells):
            parent = self.tree.phandles.get(cells[at + match]) if at + match < len(cells) else None
            count += 1
            if parent is None or count > ENTRIES_MAX:
                raise Flaw(f"interrupt-map of {node.path} names no controller, or has more than {ENTRIES_MAX} entries")
            unit = at + match + 1
            specifier = unit + parent.width("#address-cells", 0)
            end = specifier + _specifier(parent)
            if end > len(cells):
                raise Flaw(f"interrupt-map of {node.path} ends within an entry")
            yield _Entry(cells[at:at + match], parent, cells[unit:specifier], cells[specifier:end])
            at = end


def _specifier(controller: Node) -> int:
    count = controller.number("#interrupt-cells")
    if not 1 <= count <= _SPECIFIER_MAX:
        raise Flaw(f"#interrupt-cells is {count} in {controller.path}")
    return count


def _masked(cells: tuple[int, ...], mask: tuple[int, ...]) -> tuple[int, ...]:
    """All of it matters where there is no mask."""
    return tuple(c & m for c, m in zip(cells, mask, strict=False)) if mask else cells
