# SPDX-License-Identifier: GPL-2.0-only
"""An arm64 server from what ACPI's tables and Linux tell of it. What ACPI's code says is not read."""

import re

from jailhouse.config.arch_arm64 import FRAME, REDISTRIBUTOR, SPI_FIRST, SPIS_MAX
from jailhouse.config.model import Span
from jailhouse.config.spans import merged
from jailhouse.probe import acpi, cpus
from jailhouse.probe.board import Board, Draft, plain
from jailhouse.probe.description import Description, Gic, Refused, Streams
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import Entry, Interrupt, entries, interrupts
from jailhouse.probe.pc_apic import Tables
from jailhouse.probe.pc_functions import read_functions
from jailhouse.probe.pc_memory import divide, firmware_map, within_ram

_ITS_SIZE = 2 * FRAME
_ADDRESS_END = 1 << 48
_TIMER_FRAME = 0x1000
_NAME_MAX = 31
_IOMMUS = {acpi.IORT_SMMU: "smmuv2", acpi.IORT_SMMUV3: "smmuv3"}
_PL011, _8250 = (3, 0xd, 0xe), (0, 1, 0x12)
_ACCESS_32 = 3

_LOGGED_SPIS = re.compile(r"GICv3: (\d{1,4}) SPIs implemented", re.ASCII)
_LOGGED_BOOT = re.compile(r"Booting Linux on physical CPU 0x([0-9a-f]{1,16})", re.ASCII)
_LOGGED_DMI = re.compile(r"DMI: ([^,/\n]+)", re.ASCII)
_ACPI_ID = re.compile(r"([A-Z0-9]{3,4}[0-9A-F]{4}):([0-9a-f]{2,})", re.ASCII)


def describe_acpi_arm64(facts: Facts) -> Description:
    """Refused where it has no GICv3, or the facts are not all there, e.g. as they were not gathered as root."""
    return _Server(facts).describe()


class _Server:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.notes: list[str] = ["what ACPI's code (DSDT) says of devices, e.g. interrupts, is not in it: check each"]
        self.log = facts.text("dmesg.txt") or ""
        self.tables = Tables(facts, self.notes)
        self.iomem = entries(facts, "proc/iomem")
        self.hwids = self._hwids()
        self.gic = self._gic()
        self.ram, self.firmware = divide(firmware_map(facts, self.iomem), self._mediated(), pc=False)
        self.interrupts = interrupts(facts)

    def describe(self) -> Description:
        lines = range(SPI_FIRST, SPI_FIRST + self.gic.spis)
        board = Board([*self.ram, *self._mediated()], range(0), lines, _ADDRESS_END)
        console = self._console(board)
        self._add_fixed(board)
        self._add_iommus(board)
        self._add_pci(board)
        for entry in self.iomem:
            self._add_memory(board, entry)
        self._add_named_streams(board)
        numbers = tuple(range(len(self.hwids)))
        caches = cpus.caches(self.facts, numbers)
        found = _LOGGED_DMI.search(self.log)
        return Description(
            name=plain(found[1].lower(), _NAME_MAX) if found else "server", arch="arm64", source=self.facts.source,
            hwids=self.hwids, ram=self.ram, platform=self.gic, devices=board.devices(), firmware=self.firmware,
            console=console, threads=cpus.threads(self.facts, numbers),
            clusters=cpus.clusters(self.facts, numbers, caches), caches=caches, notes=tuple(self.notes))

    # --- CPUs and GIC -----------------------------------------------------------------

    def _hwids(self) -> tuple[int, ...]:
        """In Linux's order: the one that booted, then as they stand in the table."""
        usable = [c.apic_id for c in self.tables.madt.cpus if c.enabled or c.online_capable]
        logged = _LOGGED_BOOT.search(self.log)
        first = int(logged[1], 16) if logged else usable[0] if usable else 0
        if first not in usable or len(set(usable)) != len(usable):
            raise Refused(f"{self.facts.source}: the ACPI table APIC (MADT) names no CPUs, or one of them twice, or "
                          "not the one that booted", "the hypervisor knows CPUs by their MPIDR", "update the firmware")
        if not logged:
            self.notes.append("which CPU booted was not in the log: it is taken to be the table's first")
        present = cpus.present(self.facts)
        hwids = (first, *(i for i in usable if i != first))
        if present and present != tuple(range(len(hwids))):
            raise Refused(f"{self.facts.source}: Linux has {len(present)} CPUs, and ACPI's table {len(hwids)}",
                          "which is which cannot be told",
                          "boot without nr_cpus= and maxcpus=, and gather the facts anew")
        return hwids

    def _gic(self) -> Gic:
        madt = self.tables.madt
        if not madt.gicds or madt.gicds[0].version in (1, 2):
            raise Refused(f"{self.facts.source}: there is no GICv3 in the ACPI table APIC (MADT)",
                          "the hypervisor works with GICv3", "use a machine that has one")
        regions = [Span(r.address, r.size) for r in madt.gicrs if r.size]
        regions = merged(regions or [Span(c.gicr, REDISTRIBUTOR) for c in madt.cpus if c.gicr])
        if len(regions) != 1:
            raise Refused(f"{self.facts.source}: its GIC's redistributors lie at {len(regions)} places: "
                          + ", ".join(map(str, regions)), "the text and the hypervisor know one place for all of them",
                          "none yet: the hypervisor cannot run on this machine")
        logged = _LOGGED_SPIS.search(self.log)
        spis = min(int(logged[1]), SPIS_MAX) if logged else SPIS_MAX
        if not logged:
            self.notes.append("how many SPIs the GIC has was not in the log (`GICv3: N SPIs implemented`): "
                              f"{SPIS_MAX} is the most there can be")
        return Gic(Span(madt.gicds[0].address, FRAME), regions[0], madt.cpus[0].maintenance_irq, spis)

    def _mediated(self) -> list[Span]:
        return [self.gic.gicd, self.gic.gicr]

    # --- devices ----------------------------------------------------------------------

    def _console(self, board: Board) -> str | None:
        """What SPCR names; that there is a UART stands nowhere else."""
        spcr = self.tables.spcr
        if spcr is None or spcr.address.space != acpi.SPACE_MEMORY or not spcr.address.address:
            return None
        kind = _uart_kind(spcr)
        draft = board.draft("uart0", f"ACPI's console (SPCR), interface {spcr.interface}")
        draft.uart = kind
        if not board.give_registers(draft, "registers", Span(spcr.address.address, 0x1000)):
            return None
        if spcr.gsi:
            board.give_interrupt(draft, spcr.gsi)
        if kind is None:
            draft.note("a UART of a kind that the hypervisor does not print on")
        return draft.name if kind else None

    def _add_fixed(self, board: Board) -> None:
        for number, its in enumerate(self.tables.madt.itses):
            board.give_registers(board.draft(f"its{number}", "GICv3's interrupt translation service"), "registers",
                                 Span(its.address, _ITS_SIZE))
        for frame in self.tables.gtdt.frames if self.tables.gtdt else ():
            draft = board.new(frame.name, "of ACPI's table GTDT")
            for label, address in (("first", frame.first), ("second", frame.second)):
                if address:
                    board.give_registers(draft, label, Span(address, _TIMER_FRAME))
            for line in frame.interrupts:
                board.give_interrupt(draft, line)
        if self.tables.gtdt and self.tables.gtdt.control:
            board.give_registers(board.draft("timer-control", "of ACPI's table GTDT"), "registers",
                                 Span(self.tables.gtdt.control, _TIMER_FRAME))

    def _add_iommus(self, board: Board) -> None:
        self.iommus: dict[int, str] = {}
        for node in self.tables.iort or ():
            if node.kind in _IOMMUS or node.kind == acpi.IORT_PMCG:
                kind = _IOMMUS.get(node.kind)
                draft = board.new("iommu" if kind else "pmcg", f"{kind or 'its counters'}, of ACPI's table IORT")
                draft.iommu = kind
                board.give_registers(draft, "registers", Span(node.address, node.size))
                for line in node.interrupts:
                    board.give_interrupt(draft, line)
                if kind:
                    self.iommus[node.at] = draft.name

    def _streams(self, node: acpi.Node) -> tuple[Streams, ...]:
        found: dict[str, list[range]] = {}
        for mapping in node.mappings:
            if mapping.to in self.iommus:
                count = 1 if mapping.single else mapping.count
                found.setdefault(self.iommus[mapping.to], []).append(range(mapping.output, mapping.output + count))
        return tuple(Streams(name, tuple(ids)) for name, ids in found.items())

    # --- PCI --------------------------------------------------------------------------

    def _add_pci(self, board: Board) -> None:
        """A segment is one device: its functions cannot be given away one by one."""
        functions = read_functions(self.facts, self.notes)
        segments = {e.segment: None for e in self.tables.mcfg or ()} | {f.segment: None for f in functions}
        for segment in segments:
            draft = board.draft("pcie" if len(segments) == 1 else f"pcie{segment}", f"PCI segment {segment:04x}")
            draft.dma = True
            for ecam in self.tables.mcfg or ():
                if ecam.segment == segment:
                    board.give_registers(draft, "ecam", Span(ecam.start, ecam.size))
            for top in self.iomem:
                self._add_windows(board, draft, top, f"PCI Bus {segment:04x}:")
            for node in self.tables.iort or ():
                if node.kind == acpi.IORT_ROOT and node.segment == segment:
                    draft.streams += self._streams(node)
            for found in functions:
                if found.segment == segment:
                    driver = f", driver {found.driver}" if found.driver else ""
                    draft.note(f"{found.name}: {found.id} {found.class_name}{driver}")
            draft.note("which interrupts INTA to INTD are stands in ACPI's code")

    def _add_windows(self, board: Board, draft: Draft, entry: Entry, name: str) -> None:
        if entry.name.startswith(name):
            board.give_registers(draft, "mmio", entry.span)
        else:
            for child in entry.children:
                self._add_windows(board, draft, child, name)

    # --- the rest of /proc/iomem ------------------------------------------------------

    def _add_memory(self, board: Board, entry: Entry) -> None:
        name = entry.name
        found = _ACPI_ID.match(name)
        if within_ram(name) or name == "GICD" or name.startswith("GICR"):
            return
        for child in () if found else entry.children:
            self._add_memory(board, child)
        if not board.left(entry.span) or name.startswith(("PCI Bus", "PCI ECAM")):
            return
        draft = board.draft((found[0] if found else name or "unnamed").lower(), f"ACPI {found[0]}" if found else name)
        board.give_registers(draft, "registers", entry.span)
        for used in self.interrupts:
            if found and found[0] in used.names:
                self._give_line(board, draft, used)

    @staticmethod
    def _give_line(board: Board, draft: Draft, used: Interrupt) -> None:
        if used.controller.startswith("GICv3"):
            board.give_interrupt(draft, used.pin)

    def _add_named_streams(self, board: Board) -> None:
        """Of what IORT calls by its path in ACPI's code."""
        folder = "sys/bus/acpi/devices"
        names = {_path(self.facts.word(f"{folder}/{name}/path")): name for name in self.facts.names(folder)}
        for node in self.tables.iort or ():
            name = names.get(_path(node.name)) if node.kind == acpi.IORT_NAMED else None
            if name and plain(name.lower()) in board.drafts:
                draft = board.draft(name.lower())
                draft.streams, draft.dma = self._streams(node), True


def _uart_kind(spcr: acpi.Spcr) -> str | None:
    if spcr.interface in _PL011:
        return "pl011"
    if spcr.interface in _8250:
        return "8250-32" if spcr.address.access == _ACCESS_32 or spcr.address.width == 32 else "8250"
    return None


def _path(text: str) -> str:
    """ACPI pads names with underscores or leaves them out."""
    return ".".join(part.rstrip("_") for part in text.lstrip("\\").split("."))
