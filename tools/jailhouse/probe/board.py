# SPDX-License-Identifier: GPL-2.0-only
"""Devices while they are put together: each address, port and interrupt goes to the first who asks for it."""

from collections.abc import Iterable

from jailhouse.config.model import Span
from jailhouse.config.spans import as_range, as_ranges, as_span, minus
from jailhouse.probe import names
from jailhouse.probe.description import Device, Piece, Streams

# Of what is shown as NAME.piece
_SHOWN_MAX = 31


def plain(text: str, most: int = names.NAME_MAX) -> str:
    """As a device can be called."""
    return names.plain(text)[:most].strip("-") or "device"


class Draft:
    """A device that is not finished. The board fills in what nobody else has."""

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.about = about
        self.registers: list[Piece] = []
        self.ports: list[range] = []
        self.interrupts: set[int] = set()
        self.functions: tuple[int, ...] = ()
        self.uart: str | None = None
        self.iommu: str | None = None
        self.streams: tuple[Streams, ...] = ()
        self.group: int | None = None
        self.dma = False
        self.notes: list[str] = []

    def add_piece(self, label: str, span: Span) -> None:
        """Under that name, or one like it that it has not yet."""
        most = _SHOWN_MAX - 1 - len(self.name)
        name = names.unique(plain(label), "", most, {piece.name for piece in self.registers})
        self.registers.append(Piece(name, span))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def device(self) -> Device:
        registers = tuple(sorted(self.registers, key=lambda p: p.span.start))
        if len(registers) == 1:
            registers = (Piece("", registers[0].span),)
        ports = as_ranges(n for numbers in self.ports for n in numbers)
        return Device(self.name, self.about, registers, tuple(sorted(self.interrupts)), ports, self.functions,
                      self.uart, self.iommu, self.streams, self.group, self.dma, (), tuple(self.notes))


class Board:
    """nobody: addresses that no device can have, i.e. RAM and what the hypervisor answers for."""

    def __init__(self, nobody: Iterable[Span], ports_of_nobody: range, lines: Iterable[int], address_end: int) -> None:
        self.drafts: dict[str, Draft] = {}
        self.lines = frozenset(lines)
        self.address_end = address_end
        self._taken = list(nobody)
        self._taken_ports = [as_span(ports_of_nobody)]

    def draft(self, name: str, about: str = "") -> Draft:
        """That device, or a new one of that name."""
        name = plain(name)
        found = self.drafts.setdefault(name, Draft(name, about))
        found.about = found.about or about
        return found

    def new(self, name: str, about: str) -> Draft:
        """One of that name, or a like one, that is not there yet."""
        return self.draft(names.unique(plain(name), "", names.NAME_MAX, set(self.drafts)), about)

    def left(self, span: Span) -> list[Span]:
        """What nobody has of it."""
        return minus([span], [*self._taken, Span(self.address_end, 1 << 64)])

    def give_registers(self, draft: Draft, label: str, span: Span) -> list[Span]:
        """As far as nobody has them; returns what that was."""
        parts = self.left(span)
        self._taken += parts
        for part in parts:
            draft.add_piece(label, part)
        return parts

    def give_ports(self, draft: Draft, ports: range) -> list[range]:
        parts = [as_range(s) for s in minus([as_span(ports)], self._taken_ports)]
        self._taken_ports += [as_span(p) for p in parts]
        draft.ports += parts
        return parts

    def give_interrupt(self, draft: Draft, line: int | None) -> None:
        """Lines can be several devices'."""
        if line in self.lines and line is not None:
            draft.interrupts.add(line)
        else:
            draft.note("one of its interrupts is none of the interrupt controllers' that are described")

    def devices(self) -> tuple[Device, ...]:
        """Those that have anything."""
        found = (draft.device() for draft in self.drafts.values())
        return tuple(d for d in found if d.registers or d.ports or d.interrupts or d.functions)
