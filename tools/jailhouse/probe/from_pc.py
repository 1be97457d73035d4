# SPDX-License-Identifier: GPL-2.0-only
"""A PC from what its firmware and Linux tell of it."""

import re

from jailhouse.config.model import Span
from jailhouse.config.spans import minus
from jailhouse.config.units import PAGE
from jailhouse.probe import cpus
from jailhouse.probe.board import Board, Draft, plain
from jailhouse.probe.description import Description
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import Entry, entries
from jailhouse.probe.pc_apic import LOCAL_APIC, Lines, Tables, read_apic, read_cpus
from jailhouse.probe.pc_functions import add_function, find_iommus, note_shared_pages, read_functions
from jailhouse.probe.pc_legacy import Legacy, window_entries
from jailhouse.probe.pc_memory import FOLDER, VGA, divide, firmware_map, ram_spans

# PCI configuration space, mechanism #1
_PCI_PORTS = range(0xcf8, 0xd00)
_VGA_PORTS = (range(0x3b0, 0x3bc), range(0x3c0, 0x3e0))
_VGA_CLASS = 0x0300
_FIRST_PCI_LINE = 16
_4G = 1 << 32
# Of AMD's processors: the addresses are HyperTransport's, and nothing else can be there
_HYPERTRANSPORT = Span(0xfd_0000_0000, 0x3_0000_0000)
_AMD, _INTEL = "AuthenticAMD", "GenuineIntel"
_NAME_MAX = 31

_BUS = re.compile(r"PCI Bus ([0-9a-f]{4,8}):([0-9a-f]{2})", re.ASCII)
_LOGGED_LINK = re.compile(r"PCI: Interrupt link \S+ (?:configured for|enabled at) IRQ (\d{1,5})", re.ASCII)
_LOGGED_DMI = re.compile(r"DMI: ([^,/\n]+)", re.ASCII)
_REMAPPING = ("DMAR-IR: Enabled IRQ remapping", "AMD-Vi: Interrupt remapping enabled")
_CONSOLE = re.compile(r"\bconsole=(?:uart8250,io,0x([0-9a-f]{1,4})|ttyS(\d{1,3}))", re.ASCII)
_SPCR_8250 = (0, 1, 0x12)


def describe_pc(facts: Facts) -> Description:
    """Refused where it is no PC, or the facts are not all there, e.g. as they were not gathered as root."""
    return _Pc(facts).describe()


class _Pc:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.notes: list[str] = []
        self.log = facts.text("dmesg.txt") or ""
        self.tables = Tables(facts, self.notes)
        self.iomem = entries(facts, "proc/iomem")
        self.ioports = entries(facts, "proc/ioports")
        self.cpus = read_cpus(facts, self.tables.madt, self.notes)
        self.functions = read_functions(facts, self.notes)
        self.map = firmware_map(facts, self.iomem)
        self.apic = read_apic(self.tables, self.log, ram_spans(self.map), self.notes, facts.source)
        self.lines = Lines(facts, self.tables.madt, self.apic.ioapics)
        self.windows = [e for e in window_entries(self.iomem) if e.span.start >= VGA.end]
        sizes = {e.span.start: e.span.size for top in self.iomem for e in top.all()
                 if e.name.startswith(("dmar", "amd_iommu"))}
        self.iommus = find_iommus(self.tables.dmar, self.tables.ivrs, self.functions, sizes)
        self.ram, self.firmware = divide(self.map, self._hardware(), pc=True)

    def _mediated(self) -> list[Span]:
        spans = [Span(i.address, PAGE) for i in self.apic.ioapics] + [Span(LOCAL_APIC, PAGE)]
        return [*spans, self.apic.mmconfig] if self.apic.mmconfig else spans

    def _hardware(self) -> list[Span]:
        """Where there is surely no RAM, whatever firmware reserves."""
        spans = [*self._mediated(), *(w.span for w in self.windows), *(u.span for u in self.iommus.units)]
        spans += [s for f in self.functions for s in f.spans]
        if self.tables.hpet and self.tables.hpet.space == 0:
            spans.append(Span(self.tables.hpet.address, PAGE))
        return spans

    def describe(self) -> Description:
        board = self._board()
        console = self._console(board)
        self._say()
        numbers = tuple(range(len(self.cpus.hwids)))
        caches = cpus.caches(self.facts, numbers)
        return Description(
            name=self._name(), arch="x86_64", source=self.facts.source, hwids=self.cpus.hwids, ram=self.ram,
            platform=self.apic, devices=board.devices(), firmware=self.firmware, console=console,
            address_bits=self.cpus.address_bits, cpu_names=self.cpus.models,
            threads=cpus.threads(self.facts, numbers), clusters=cpus.clusters(self.facts, numbers, caches),
            caches=caches, notes=tuple(self.notes))

    def _board(self) -> Board:
        end = 1 << (self.cpus.address_bits or 48)
        nobody = [*self.ram, *self._mediated()]
        if self.cpus.vendor == _AMD:
            nobody.append(_HYPERTRANSPORT)
        board = Board(nobody, _PCI_PORTS, self.lines.all, end)
        bridges = self._bridges(board)
        self._add_functions(board, bridges)
        for unit in self.iommus.units:
            draft = board.draft(unit.name, f"{unit.kind} at {unit.span.start:#x}")
            draft.iommu = unit.kind
            if not board.give_registers(draft, "registers", unit.span):
                self.notes.append(f"{unit.name}: its registers at {unit.span.start:#x} are somebody else's, or RAM")
        self._add_legacy(board)
        note_shared_pages(board.drafts.values())
        self._add_windows(board, bridges, nobody)
        return board

    # --- PCI --------------------------------------------------------------------------

    def _bridges(self, board: Board) -> dict[tuple[int, int], Draft]:
        """One for each host bridge that has a window, by segment and bus; one at least."""
        buses = {self._bus(w): None for w in self.windows} or {(0, 0): None}
        names = {bus: f"pcie{f'-{bus[0]:04x}' if bus[0] else ''}-{bus[1]:02x}" for bus in buses}
        return {bus: board.draft("pcie" if len(buses) == 1 else name,
                                 f"PCI host bridge {bus[0]:04x}:{bus[1]:02x}, and the bridges behind it")
                for bus, name in names.items()}

    @staticmethod
    def _bus(window: Entry) -> tuple[int, int]:
        found = _BUS.match(window.name)
        return (int(found[1], 16), int(found[2], 16)) if found else (0, 0)

    def _add_functions(self, board: Board, bridges: dict[tuple[int, int], Draft]) -> None:
        behind = {f.function.bridge.secondary: f for f in self.functions if f.function.bridge and f.segment == 0}
        for found in self.functions:
            if found.segment:
                self.notes.append(f"PCI function {found.name} ({found.id}) is no device of its own: only those of "
                                  "segment 0 can be given away")
            elif not found.kept:
                add_function(board, found, self.iommus, behind)
        first = next(iter(bridges.values()))
        for found in self.functions:
            for resource in found.resources if found.kept else ():
                if resource.io and not resource.unset:
                    board.give_ports(first, range(resource.start, min(resource.start + resource.size, 0x1_0000)))

    def _add_windows(self, board: Board, bridges: dict[tuple[int, int], Draft], nobody: list[Span]) -> None:
        """They have what lies in them of PCI functions, and nothing of others'."""
        others = [p.span.pages() for d in board.drafts.values() if not d.functions for p in d.registers]
        bars = [p.span for d in board.drafts.values() if d.functions for p in d.registers]
        taken = [*nobody, *others, Span(board.address_end, 1 << 64)]
        first = next(iter(bridges.values()))
        for window in self.windows:
            for part in minus([window.span], taken):
                stray = [b for b in bars if b.overlaps(part) and not b.within(part)]
                for piece in minus([part], stray):
                    bridges[self._bus(window)].add_piece("mmio64" if piece.start >= _4G else "mmio", piece)
            taken.append(window.span)
        for span in (s for f in self.functions if f.kept for s in f.spans):
            if not any(span.overlaps(t) for t in taken):
                board.give_registers(first, "bridge", span)
        for line in self._pci_lines(board):
            board.give_interrupt(first, line)
        if len(bridges) > 1:
            first.note("it has the interrupts INTA to INTD of all host bridges: which is whose stands in ACPI's code")

    def _pci_lines(self, board: Board) -> list[int]:
        """
        INTA to INTD: those that drivers have of functions. Of those that the log calls links, and from 16 on, what is
        nobody else's: PCs name links for interrupt controllers that they no longer use.
        """
        irqs = {f.irq for f in self.functions if f.function.pin and f.driver and f.irq and not f.msi}
        links = {int(n) for n in _LOGGED_LINK.findall(self.log)}
        used, named = ({self.lines.of_irq(irq) for irq in found} for found in (irqs, links))
        others = {n for d in board.drafts.values() for n in d.interrupts}
        return [n for n in sorted(self.lines.all)
                if n in used or n not in others and (n in named or n >= _FIRST_PCI_LINE)]

    # --- the rest ---------------------------------------------------------------------

    def _add_legacy(self, board: Board) -> None:
        legacy = Legacy(self.facts, board, self.lines)
        vga = board.draft("vga", "VGA's window, and its ports where there is one")
        board.give_registers(vga, "window", VGA)
        if any(f.function.kind == _VGA_CLASS for f in self.functions):
            for ports in _VGA_PORTS:
                board.give_ports(vga, ports)
        legacy.add_pnp()
        legacy.add_fixed(self.tables)
        for entry in self.ioports:
            legacy.add_ports(entry)
        for entry in self.iomem:
            legacy.add_memory(entry)
        legacy.add_system(w.span for w in self.windows)
        legacy.add_interrupts(self._pci_lines(board))

    # --- what is said -----------------------------------------------------------------

    def _console(self, board: Board) -> str | None:
        devices = [d for d in board.drafts.values() if d.uart]
        port = None
        spcr = self.tables.spcr
        said = _CONSOLE.findall(self.facts.text("proc/cmdline") or "")
        if said and said[-1][1]:
            name = f"uart{said[-1][1]}"
            if any(d.name == name for d in devices):
                return name
        elif said:
            port = int(said[-1][0], 16)
        if port is None and spcr is not None and spcr.interface in _SPCR_8250 and spcr.address.space == 1:
            port = spcr.address.address
        found = next((d.name for d in devices if port is not None and d.ports and d.ports[0].start == port), None)
        if found is None and (said or spcr is not None):
            self.notes.append("the console that Linux or ACPI's table SPCR names is no UART that is described: "
                              "`console` is left out")
        return found

    def _say(self) -> None:
        if not self.facts.names(FOLDER):
            self.notes.append(f"RAM is what proc/iomem shows, as {FOLDER} is missing: what parameters such as mem= and "
                              "memmap= took from Linux is not in it, or is called firmware's")
        remapping = [words for words in _REMAPPING if words in self.log]
        if remapping or any(i.controller.startswith("IR-") for i in self.lines.used):
            self.notes.append("Linux has interrupt remapping on"
                              + (f" (dmesg: {remapping[0]})" if remapping else " (proc/interrupts: IR-IO-APIC)")
                              + ": its tables say where interrupts go, and they stay Linux's")
        if self.cpus.vendor == _INTEL:
            self.notes.append("these are Intel's CPUs: the hypervisor runs on AMD's alone (SVM)")

    def _name(self) -> str:
        found = _LOGGED_DMI.search(self.log)
        return plain(found[1].lower(), _NAME_MAX) if found else "pc"
