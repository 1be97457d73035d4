# SPDX-License-Identifier: GPL-2.0-only
"""
Where on the CPUs' bus a node's registers are: `reg`, translated by the `ranges` of every bus above it. Below a bus
without `ranges` (I2C, SPI, MDIO), and on PCI, are no registers that a CPU reaches by an address.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.config.model import Span
from jailhouse.probe.tree import Flaw, Node, Tree, number_of

WINDOWS_MAX = REGISTERS_MAX = 1024
_ADDRESS_CELLS, _SIZE_CELLS = 2, 1	# of a bus that does not say
_CPU_END = 1 << 64

# PCI Bus Binding to Open Firmware 2.2.1.1: ss of phys.hi
PCI_SPACES = {0: "config", 1: "pio", 2: "mmio", 3: "mmio64"}


@dataclass(frozen=True)
class Window:
    """Addresses on a bus, and where a CPU finds the first of them."""
    span: Span
    cpu: int


@dataclass(frozen=True)
class Registers:
    """spans: one for each element of `reg`; None where it cannot be reached. flaws: why not."""
    spans: tuple[Span | None, ...] = ()
    flaws: tuple[str, ...] = ()


def is_pci(node: Node) -> bool:
    """A PCI bus, whose `reg` of children are no addresses of the CPUs'."""
    return node.strings("device_type")[:1] in (("pci",), ("pciex",))


class Buses:
    def __init__(self, tree: Tree) -> None:
        self._windows: dict[Node, tuple[Window, ...]] = {tree.root: (Window(Span(0, _CPU_END), 0),)}

    def windows(self, bus: Node) -> tuple[Window, ...]:
        """What of the addresses below it a CPU reaches; nothing where there are none."""
        if bus not in self._windows:
            assert bus.parent is not None
            try:
                self._windows[bus] = () if is_pci(bus) else tuple(self._below(bus, self.windows(bus.parent)))
            except Flaw:
                self._windows[bus] = ()
        return self._windows[bus]

    def _below(self, bus: Node, above: tuple[Window, ...]) -> Iterator[Window]:
        assert bus.parent is not None
        if bus.has("ranges") and not bus.cells("ranges"):
            yield from above
        for child, parent, size in _ranges(bus):
            cpu, reached = _translate(above, parent, size)
            if cpu is not None:
                yield Window(Span(number_of(child), reached), cpu)

    def registers(self, node: Node) -> Registers:
        bus = node.parent
        if bus is None or not node.has("reg"):
            return Registers()
        windows = self.windows(bus)
        try:
            address, size = bus.width("#address-cells", _ADDRESS_CELLS), bus.width("#size-cells", _SIZE_CELLS)
            cells = node.cells("reg")
        except Flaw as flaw:
            return Registers((), (str(flaw),) if windows else ())
        if not windows or address == 0 or size == 0:
            return Registers()
        spans: list[Span | None] = []
        flaws: list[str] = []
        if len(cells) // (address + size) > REGISTERS_MAX:
            return Registers((), (f"reg has more than {REGISTERS_MAX} elements",))
        for at in range(0, len(cells) - address - size + 1, address + size):
            start, length = number_of(cells[at:at + address]), number_of(cells[at + address:at + address + size])
            spans.append(_register(windows, start, length, flaws))
        if len(cells) % (address + size):
            flaws.append(f"reg has {len(cells)} cells, no multiple of {address} for an address and {size} for a size")
        return Registers(tuple(spans), tuple(flaws))

    def pci_windows(self, host: Node) -> Iterator[tuple[str, Span]]:
        """A PCI host's `ranges`: the space, and where a CPU finds it."""
        if host.parent is None:
            return
        above = self.windows(host.parent)
        for child, parent, size in _ranges(host, 3, 2):
            cpu, reached = _translate(above, parent, size)
            if cpu is not None and reached:
                yield PCI_SPACES[child[0] >> 24 & 3], Span(cpu, reached)


def _ranges(bus: Node, address: int = _ADDRESS_CELLS,
            size: int = _SIZE_CELLS) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Address on the bus, on the one above it, and size."""
    assert bus.parent is not None
    address, size = bus.width("#address-cells", address), bus.width("#size-cells", size)
    parent = bus.parent.width("#address-cells", _ADDRESS_CELLS)
    cells = bus.cells("ranges")
    step = address + parent + size
    if step == 0 or address == 0 or len(cells) // step > WINDOWS_MAX:
        raise Flaw(f"ranges of {bus.path} has no addresses, or more than {WINDOWS_MAX} windows")
    if len(cells) % step:
        raise Flaw(f"ranges of {bus.path} has {len(cells)} cells, no multiple of {step}")
    for at in range(0, len(cells), step):
        yield (cells[at:at + address], number_of(cells[at + address:at + address + parent]),
               number_of(cells[at + address + parent:at + step]))


def _translate(windows: tuple[Window, ...], start: int, size: int) -> tuple[int | None, int]:
    """The CPU's address, by the first window that has it, and how much of the size is in that window."""
    for window in windows:
        if window.span.start <= start < window.span.end:
            return window.cpu + start - window.span.start, min(size, window.span.end - start)
    return None, 0


def _register(windows: tuple[Window, ...], start: int, size: int, flaws: list[str]) -> Span | None:
    cpu, reached = _translate(windows, start, size)
    if size == 0:
        flaws.append(f"the registers at {start:#x} have no size")
    elif cpu is None:
        flaws.append(f"the registers at {start:#x} are in no window of the bus")
    elif reached < size:
        flaws.append(f"of the registers at {start:#x} only {reached:#x} of {size:#x} bytes are in a window of the bus")
    return Span(cpu, reached) if cpu is not None and reached else None
