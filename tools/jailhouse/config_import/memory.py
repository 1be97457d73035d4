# SPDX-License-Identifier: GPL-2.0-only
"""What each memory record is, and how the machine's RAM is divided."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from jailhouse.config.model import Span
from jailhouse.config.problems import Problems
from jailhouse.config.units import MIB, PAGE
from jailhouse.config_import.records import (ARCH_X86, MEM_COMM, MEM_EXECUTE, MEM_IO, MEM_KNOWN, MEM_LOADABLE,
                                             MEM_SHARED, MEM_SMALL_PAGES, MEM_WRITE, PCI_IVSHMEM, Cell, Memory, System)
from jailhouse.config.spans import hull, merged, minus, overlap
from jailhouse.config_import.texts import TO_CHECK, Division

# What lies nearer than this is taken for one pool, and so much a system without cells gets at most
_NEAR = 64 * MIB
_BLOCK = 2 * MIB


@dataclass(frozen=True)
class RootMemory:
    ram: tuple[Memory, ...]
    io: tuple[Memory, ...]
    shared: tuple[Memory, ...]		# of its ivshmem devices
    doubtful: bool			# devices may be among what the file calls memory


@dataclass(frozen=True)
class CellMemory:
    ram: tuple[Memory, ...]
    shared: tuple[Memory, ...]
    devices: tuple[Memory, ...]
    root_devices: tuple[Memory, ...]	# that the root cell has as well
    comm: Memory | None


def sort_root(system: System, executed: list[Span], problems: Problems) -> RootMemory:
    """`executed` is what cells execute from, and so RAM."""
    ram, io, shared = [], [], []
    sections = _sections(system.root)
    for index, memory in enumerate(system.root.memory):
        if not _usable(memory, problems):
            continue
        if memory.virt != memory.phys:
            problems.warn(memory.at, f"the root cell sees {memory.span} at {memory.virt:#x}",
                          "here it sees everything where it is", "nothing, unless Linux uses the other address")
        if memory.has(MEM_IO):
            io.append(memory)
        elif not _whole_pages(memory, problems):
            continue
        elif index in sections:
            shared.append(memory)
        elif system.arch == ARCH_X86 and memory.has(MEM_WRITE) and not memory.has(MEM_EXECUTE):
            io.append(memory)		# Jailhouse's x86 files seldom mark devices
        else:
            ram.append(memory)
    return _without_devices(system, RootMemory(tuple(ram), tuple(io), tuple(shared), False), executed, problems)


def _without_devices(system: System, root: RootMemory, executed: list[Span], problems: Problems) -> RootMemory:
    """Some files give devices the flags of RAM. Then only what adjoins the hypervisor or is executed is RAM."""
    console = system.console
    if not console.in_memory or not overlap(Span(console.address, 1), [m.span for m in root.ram]):
        return root
    hypervisor = system.hypervisor.span
    runs = [run for run in merged([m.span for m in root.ram] + [hypervisor]) if overlap(run, [hypervisor, *executed])]
    ram = tuple(m for m in root.ram if overlap(m.span, runs) and not m.span.overlaps(Span(console.address, 1)))
    ram = ram or (max(root.ram, key=lambda m: m.size),)
    problems.warn(system.root.at, f"its debug console at {console.address:#x} lies in what is marked as memory",
                  "so devices cannot be told from RAM by the regions' flags: what adjoins the hypervisor's memory, or "
                  "holds a program of a cell's, is taken for RAM, all else for devices",
                  "check `ram` and [devices] in machine.toml")
    return replace(root, ram=ram, io=root.io + tuple(m for m in root.ram if m not in ram), doubtful=True)


def sort_cell(cell: Cell, known_ram: list[Span], problems: Problems) -> CellMemory:
    """`known_ram` is what the root cell has; empty without a system file."""
    ram: list[Memory] = []
    shared: list[Memory] = []
    devices: list[Memory] = []
    root_devices: list[Memory] = []
    comm: Memory | None = None
    sections = _sections(cell)
    for index, memory in enumerate(cell.memory):
        if not _usable(memory, problems) or not _whole_pages(memory, problems):
            continue
        if memory.has(MEM_COMM):
            comm = comm or _comm(memory, problems)
        elif memory.has(MEM_IO) or index not in sections and _unmarked_device(cell, memory, known_ram):
            (root_devices if memory.has(MEM_SHARED) else devices).append(memory)
        else:
            (shared if index in sections or memory.has(MEM_SHARED) else ram).append(memory)
    return CellMemory(tuple(ram), tuple(shared), tuple(devices), tuple(root_devices), comm)


def _unmarked_device(cell: Cell, memory: Memory, known_ram: list[Span]) -> bool:
    """As they are in Jailhouse's x86 files: written, never executed or loaded, and not where RAM is."""
    return (cell.arch == ARCH_X86 and memory.has(MEM_WRITE) and
            not memory.has(MEM_EXECUTE | MEM_LOADABLE | MEM_SHARED) and not overlap(memory.span, known_ram))


def _comm(memory: Memory, problems: Problems) -> Memory:
    if memory.size != PAGE:
        problems.warn(memory.at, f"the communication region has {memory.size:#x} bytes", "here it is one page of 4K",
                      "nothing, if its program uses no more of it")
    return memory


def _sections(cell: Cell) -> set[int]:
    """Indices of ivshmem's regions: state table, common section, an output section of each peer."""
    found: set[int] = set()
    for device in cell.pci:
        if device.type == PCI_IVSHMEM:
            end = min(device.first_memory + 2 + device.peers, len(cell.memory))
            found.update(range(device.first_memory, end))
    return found


def _usable(memory: Memory, problems: Problems) -> bool:
    if memory.size == 0:
        if memory.phys or memory.virt or memory.flags:
            problems.warn(memory.at, "the region has no size", "there is nothing to hand over", "nothing")
        return False
    if memory.flags & ~MEM_KNOWN:
        problems.warn(memory.at, f"flags {memory.flags & ~MEM_KNOWN:#x} are none of revision 14",
                      "what they ask for does not happen here", "look them up in the Jailhouse it was built for")
    if memory.has(MEM_SMALL_PAGES):
        problems.warn(memory.at, f"{memory.span} is to be mapped by small pages only",
                      "the texts have no word for it: large pages are used where they fit",
                      "nothing, unless the processor has an erratum that needs it")
    return True


def _whole_pages(memory: Memory, problems: Problems) -> bool:
    parts = (memory.virt, memory.size) if memory.has(MEM_COMM) else (memory.phys, memory.virt, memory.size)
    if all(part % PAGE == 0 for part in parts):
        return True
    problems.warn(memory.at, f"{memory.span} is not made of whole pages; it is left out",
                  "memory and registers are handed over in pages of 4K, what else is on them included",
                  "give the cell the whole page, if nothing on it is another's: as a device in machine.toml and in the "
                  "cell's `devices`, or in its `memory`")
    return False


def divide(system: System, root: RootMemory, cells: list[CellMemory], problems: Problems) -> Division | None:
    """RAM as the root cell has it, without the hypervisor's and one span for the cells. None: it cannot be."""
    hypervisor = system.hypervisor.span
    wanted = [m.span for cell in cells for m in (*cell.ram, *cell.shared)]
    if not root.ram:
        problems.error(system.root.at, "none of its memory regions is RAM", "Linux has to run somewhere",
                       "name the system file that the root cell was enabled with")
        return None
    pool = _pool(root, wanted, hypervisor)
    if pool is None:
        problems.error(system.root.at, "it has too little RAM for cells", "they would get a quarter of what is below "
                       "the hypervisor's memory, and that is less than a page", "name its cells' files as well")
        return None
    unnamed = minus([pool], [m.span for m in (*root.ram, *root.shared)] + wanted)
    note = "" if wanted else TO_CHECK + "no cell file says how much the cells need"
    if unnamed and wanted:
        note = TO_CHECK + f"no region of the files covers {', '.join(map(str, unnamed))}; is it RAM?"
    linux = minus(merged(m.span for m in root.ram), [hypervisor, pool])
    if not linux:
        problems.error(system.root.at, "no RAM is left for the root cell",
                       "Linux runs in what neither the hypervisor nor the cells have",
                       "name fewer cells, or correct the root cell's regions in the source it was built from")
        return None
    return Division(tuple(linux), pool, hypervisor, note)


def _pool(root: RootMemory, wanted: list[Span], hypervisor: Span) -> Span | None:
    """The span in which most of the cells' memory lies, and what is near it. None: there is no memory for any."""
    barriers = [hypervisor, *(m.span for m in root.io)]
    sections = [m.span for m in root.shared]
    own = _own_record(root, hypervisor)
    if wanted:
        groups = _groups(wanted + sections, barriers)
        pool = hull(max(groups, key=lambda group: _bytes_in(hull(group), wanted)))
        if own and (own.span.overlaps(pool) or own.span.start == pool.end or own.span.end == pool.start):
            pool = hull([pool, own.span])
    else:
        pool = own.span if own else _slice(root, hypervisor)
    if pool.size == 0:
        return None
    pool = hull(next(g for g in _groups([pool, *sections], barriers) if overlap(pool, g)))
    nexts = [s.start for s in (hypervisor, *(m.span for m in root.ram)) if pool.end < s.start < pool.end + _BLOCK]
    rest = Span(pool.end, min(nexts, default=pool.end) - pool.end)
    return pool if overlap(rest, barriers) else hull([pool, rest])


def _own_record(root: RootMemory, hypervisor: Span) -> Memory | None:
    """A region for cells beside the hypervisor's, as most boards have it."""
    if len(root.ram) < 2:
        return None
    largest = max(root.ram, key=lambda m: m.size)
    for memory in root.ram:
        if memory is not largest and memory.has(MEM_EXECUTE) and \
                (memory.span.end == hypervisor.start or memory.span.start == hypervisor.end):
            return memory
    return None


def _slice(root: RootMemory, hypervisor: Span) -> Span:
    """The end of the RAM below the hypervisor, or of the largest region: a quarter of it, 64 MiB at most."""
    below = [m for m in root.ram if m.span.start < hypervisor.start]
    memory = max(below, key=lambda m: m.span.end) if below else max(root.ram, key=lambda m: m.size)
    end = min(memory.span.end, hypervisor.start) if below else memory.span.end
    size = min(_NEAR, (end - memory.span.start) // 4)
    size -= size % (_BLOCK if size >= _BLOCK else PAGE)
    return Span(end - size, size)


def _groups(spans: Iterable[Span], barriers: list[Span]) -> list[list[Span]]:
    """Spans near each other, with nothing between that is not RAM."""
    found: list[list[Span]] = []
    for span in merged(spans):
        if found:
            gap = Span(found[-1][-1].end, span.start - found[-1][-1].end)
            if gap.size <= _NEAR and not overlap(gap, barriers):
                found[-1].append(span)
                continue
        found.append([span])
    return found


def _bytes_in(outer: Span, spans: list[Span]) -> int:
    return sum(span.size for span in merged(spans) if span.within(outer))


def machine_ram(root: RootMemory, division: Division) -> tuple[Span, ...]:
    return tuple(merged([*(m.span for m in root.ram), division.hypervisor, division.cells]))
