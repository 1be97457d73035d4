# SPDX-License-Identifier: GPL-2.0-only
"""What /proc and /sys list as text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jailhouse.config.model import Span
from jailhouse.config.spans import as_range
from jailhouse.probe.description import Refused
from jailhouse.probe.facts import Facts

_ENTRY = re.compile(r"( *)([0-9a-f]{1,16})-([0-9a-f]{1,16}) : ?(.*)", re.ASCII)
# Linux has no deeper ones, and more would be no listing of a machine's
_DEPTH_MAX, _ENTRIES_MAX = 16, 5000
# Linux's NR_CPUS, and a list that names each of them
_CPUS_MAX, _CPU_LIST_MAX = 8192, 16384


# --- /proc/iomem, /proc/ioports -------------------------------------------------------

@dataclass(frozen=True)
class Entry:
    """children: those directly within it."""
    name: str
    span: Span
    children: tuple["Entry", ...] = ()

    def all(self) -> Iterator["Entry"]:
        """It, then all that is within."""
        yield self
        for child in self.children:
            yield from child.all()


def entries(facts: Facts, path: str) -> tuple[Entry, ...]:
    """The outermost ones. Refused where the file is missing or hides its addresses."""
    text = facts.text(path)
    if text is None:
        raise Refused(f"{facts.source}: {path} is missing", "it says which addresses the machine uses, and for what",
                      "gather the facts anew with `jailhouse config collect`, as root")
    lines = [_entry(line, path, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or all(span.end <= 1 for _, _, span in lines):
        raise Refused(f"{facts.source}: {path} has no addresses", "Linux shows them to root only",
                      "run it as root")
    if len(lines) > _ENTRIES_MAX:
        raise _no_listing(path, _ENTRIES_MAX + 1, "it has more entries than any machine")
    tree, _ = _nest(lines, 0, -1)
    return tree


def _no_listing(path: str, number: int, what: str) -> Refused:
    return Refused(f"{path}, line {number}: {what}", "nothing behind this place can be told apart",
                   "gather the facts anew with `jailhouse config collect`, as root")


def _entry(line: str, path: str, number: int) -> tuple[int, str, Span]:
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise _no_listing(path, number, f"{line[:80]!r} is no `first-last : name`")
    start, last = int(found[2], 16), int(found[3], 16)
    depth = len(found[1]) // 2
    if last < start or depth > _DEPTH_MAX:
        raise _no_listing(path, number, f"{line.strip()[:80]!r} cannot be")
    return depth, found[4].strip(), Span(start, last - start + 1)


def _nest(lines: Sequence[tuple[int, str, Span]], at: int, depth: int) -> tuple[tuple[Entry, ...], int]:
    """Those deeper than `depth` from `at` on, and where they end."""
    found = []
    while at < len(lines) and lines[at][0] > depth:
        level, name, span = lines[at]
        children, at = _nest(lines, at + 1, level)
        found.append(Entry(name, span, children))
    return tuple(found), at


# --- CPUs, interrupts -----------------------------------------------------------------

def cpu_list(text: str) -> tuple[int, ...]:
    """"0-3,8" -> 0, 1, 2, 3, 8; nothing of what is no such list."""
    found: set[int] = set()
    for part in text[:_CPU_LIST_MAX].split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or last and not last.isdecimal() or int(last or first) >= _CPUS_MAX:
            continue
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


@dataclass(frozen=True)
class Interrupt:
    """A line of /proc/interrupts. pin: of its controller."""
    irq: int
    controller: str			# "IO-APIC", "IR-IO-APIC", "GICv3", ...
    pin: int
    names: tuple[str, ...]


_INTERRUPT = re.compile(r" *(\d{1,9}):(?: +\d+)* +(\S+) +(\d+)(?:-\S+| +(?:Edge|Level))? *(.*)", re.ASCII)


def interrupts(facts: Facts) -> tuple[Interrupt, ...]:
    """Those that devices have; not those among CPUs."""
    found = []
    for line in (facts.text("proc/interrupts") or "").splitlines():
        if parts := _INTERRUPT.fullmatch(line):
            names = tuple(name.strip() for name in parts[4].split(",") if name.strip())
            found.append(Interrupt(int(parts[1]), parts[2], int(parts[3]), names))
    return tuple(found)


# --- PNP ------------------------------------------------------------------------------

@dataclass(frozen=True)
class Pnp:
    """A device of the PNP bus as its `resources` say it; irqs are Linux's numbers."""
    name: str
    ids: tuple[str, ...]
    active: bool
    memory: tuple[Span, ...]
    ports: tuple[range, ...]
    irqs: tuple[int, ...]


_RESOURCE = re.compile(r"(io|mem) 0x([0-9a-fA-F]{1,16})-0x([0-9a-fA-F]{1,16})\b(?!.* disabled).*", re.ASCII)
_IRQ = re.compile(r"irq (\d{1,9})\b(?!.* disabled).*", re.ASCII)


def pnp_devices(facts: Facts) -> tuple[Pnp, ...]:
    folder = "sys/bus/pnp/devices"
    return tuple(_pnp(facts, f"{folder}/{name}", name) for name in facts.names(folder))


def _pnp(facts: Facts, path: str, name: str) -> Pnp:
    spans: dict[str, list[Span]] = {"io": [], "mem": []}
    irqs = []
    lines = [line.strip() for line in (facts.text(f"{path}/resources") or "").splitlines()]
    for line in lines:
        if (found := _RESOURCE.fullmatch(line)) and (start := int(found[2], 16)) <= (last := int(found[3], 16)):
            spans[found[1]].append(Span(start, last - start + 1))
        elif found := _IRQ.fullmatch(line):
            irqs.append(int(found[1]))
    ports = tuple(as_range(s) for s in spans["io"] if s.end <= 0x1_0000)
    return Pnp(name, tuple(facts.word(f"{path}/id").upper().split()), "state = disabled" not in lines,
               tuple(spans["mem"]), ports, tuple(irqs))
