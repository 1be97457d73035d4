# SPDX-License-Identifier: GPL-2.0-only
"""
A PC's devices that are no PCI functions: those of the PNP bus, those that ACPI names, and what else of addresses and
ports Linux uses. The root cell keeps what is described, so nothing of it may be missing.
"""

import re
from collections.abc import Iterable

from jailhouse.config.model import Span
from jailhouse.probe.board import Board, Draft
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import Entry, Pnp, pnp_devices
from jailhouse.probe.pc_apic import Lines, Tables
from jailhouse.probe.pc_memory import within_ram
from jailhouse.probe.pci import parse_address

CHIPSET = "chipset"
_FLASH_END = 1 << 32
_PORTS = 0x1_0000

# Ids of the PNP bus and of ACPI, without the number behind them -> the device
_NAMES = {
    "PNP0000": "pic", "PNP0100": "pit", "PNP0103": "hpet", "PNP0200": "dma", "PNP0800": "pit", "PNP0B00": "rtc",
    "PNP0B01": "rtc", "PNP0B02": "rtc", "PNP0C04": "fpu", "PNP0C09": "ec", "PNP0400": "parallel", "PNP0401": "parallel",
    "PNP0700": "floppy", "PNP0C31": "tpm", "MSFT0101": "tpm", "QEMU0002": "fw_cfg", "PNP0C01": CHIPSET,
    "PNP0C02": CHIPSET,
}
# There can be several of them
_SEVERAL = {"parallel", "floppy"}
_KEYBOARD_MOUSE = ("PNP03", "PNP0F")
_UART = "PNP05"
# Host bridges and interrupt links: their resources are others', or the hypervisor's
_NOT_DEVICES = ("PNP0A", "PNP0C0F")
# What drivers call their ports and interrupts -> the device
_USES = {
    "dma1": "dma", "dma2": "dma", "dma page reg": "dma", "pic1": "pic", "pic2": "pic", "cascade": "pic",
    "timer0": "pit", "timer1": "pit", "timer": "pit", "keyboard": "i8042", "i8042": "i8042", "rtc0": "rtc",
    "rtc_cmos": "rtc",
    "vga+": "vga", "acpi": "acpi", "parport0": "parallel", "ec data": "ec", "ec cmd": "ec",
}
_PORTS_OF_COM = {0x3f8: (0, 4), 0x2f8: (1, 3), 0x3e8: (2, 4), 0x2e8: (3, 3)}
_ACPI_ID = re.compile(r"([A-Z]{3}[0-9A-F]{4}|[A-Z0-9]{4}[0-9A-F]{4}):([0-9a-f]{2,})", re.ASCII)
_LOGGED_UART = re.compile(r"ttyS(\d{1,3}) at I/O 0x([0-9a-f]{1,4}) \(irq = (\d{1,5})", re.ASCII)
_NO_UART = "it has not exactly one range of ports, so that how to print on it is not known: `uart` is left out"


class Legacy:
    """Puts them on a board that has the PCI functions already."""

    def __init__(self, facts: Facts, board: Board, lines: Lines) -> None:
        self._facts, self._board, self._lines = facts, board, lines
        log = facts.text("dmesg.txt") or ""
        self._uarts = {int(port, 16): (int(number), int(irq)) for number, port, irq in _LOGGED_UART.findall(log)}
        self._system: list[Pnp] = []

    # --- PNP --------------------------------------------------------------------------

    def add_pnp(self) -> None:
        for pnp in pnp_devices(self._facts):
            ids = pnp.ids or ("",)
            if ids[0].startswith(_NOT_DEVICES) or not (pnp.memory or pnp.ports or pnp.irqs):
                continue
            if self._name(ids) == CHIPSET:
                self._system.append(pnp)
            else:
                self._add_pnp(pnp, ids)

    @staticmethod
    def _name(ids: Iterable[str]) -> str | None:
        return next((_NAMES[i] for i in ids if i in _NAMES), None)

    def _add_pnp(self, pnp: Pnp, ids: tuple[str, ...]) -> None:
        about = f"{' '.join(ids)}, pnp {pnp.name}"
        uart = any(i.startswith(_UART) for i in ids)
        if uart:
            draft = self._uart(pnp.ports[0].start if pnp.ports else None, about)
        elif any(i.startswith(_KEYBOARD_MOUSE) for i in ids):
            draft = self._board.draft("i8042", about)
        else:
            name = self._name(ids)
            draft = self._board.draft(name, about) if name and name not in _SEVERAL else \
                self._board.new(name or ids[0].lower() or f"pnp-{pnp.name}", about)
        if not pnp.active:
            draft.note("firmware has it disabled")
        own = [self._board.give_ports(draft, ports) == [ports] for ports in pnp.ports]
        for span in pnp.memory:
            self._board.give_registers(draft, "registers", span)
        for irq in pnp.irqs:
            self._board.give_interrupt(draft, self._lines.of_irq(irq))
        if uart and own == [True]:
            draft.uart = "8250"
        elif uart:
            draft.note(_NO_UART)

    def _uart(self, port: int | None, about: str) -> Draft:
        """By the number that Linux gave it, or that PCs give it."""
        number = self._uarts.get(port or 0, _PORTS_OF_COM.get(port or 0, (None, 0)))[0]
        if number is not None:
            return self._board.draft(f"uart{number}", about)
        return self._board.new(f"uart-{port:x}" if port is not None else "uart-mem", about)

    # --- what ACPI's fixed tables say -------------------------------------------------

    def add_fixed(self, tables: Tables) -> None:
        """ACPI's own registers and the HPET."""
        if tables.fadt is not None and not tables.fadt.hardware_reduced:
            draft = self._board.draft("acpi", "ACPI's fixed hardware")
            for ports in tables.fadt.ports:
                self._board.give_ports(draft, ports)
            self._board.give_interrupt(draft, self._lines.of_irq(tables.fadt.sci))
        if tables.hpet is not None and tables.hpet.space == 0 and tables.hpet.address:
            self._board.give_registers(self._board.draft("hpet", "HPET"), "registers", Span(tables.hpet.address, 1024))

    # --- /proc/ioports, /proc/iomem ---------------------------------------------------

    def add_ports(self, entry: Entry) -> None:
        """What is within it first: its names are the more exact ones."""
        for child in entry.children:
            self.add_ports(child)
        if entry.name.startswith(("PCI Bus", "PCI conf")):
            return
        ports = range(entry.span.start, min(entry.span.end, _PORTS))
        draft = self._owner(entry, ports.start)
        left = self._board.give_ports(draft, ports)
        if left and draft.name.startswith("uart") and len(ports) == 8 and not draft.uart:
            self._complete_uart(draft, ports.start)

    def _complete_uart(self, draft: Draft, port: int) -> None:
        """One that no firmware names: `serial` in /proc/ioports."""
        draft.uart = "8250"
        irq = self._uarts.get(port, _PORTS_OF_COM.get(port, (None, 0)))[1]
        if irq:
            self._board.give_interrupt(draft, self._lines.of_irq(irq))

    def _owner(self, entry: Entry, port: int | None = None) -> Draft:
        name, board = entry.name, self._board
        use = name.lower()
        if use in _USES:
            return board.draft(_USES[use], name)
        if name.startswith("ACPI "):
            return board.draft("acpi", "ACPI's fixed hardware")
        if use in ("serial", "serial8250") and port is not None:
            return self._uart(port, name)
        if found := _ACPI_ID.match(name):
            return self._acpi(found[1], found[0])
        if any(c.name.startswith("ACPI ") for c in entry.children):
            # "pnp 00:01", or a bridge's by a quirk: "0000:00:1f.0"
            return board.draft("acpi", "ACPI's fixed hardware")
        if not name or parse_address(name) or use.startswith(("pnp ", "reserved", "pci ")):
            return board.draft(CHIPSET, "the board's own")
        return board.draft(use, name)

    def _acpi(self, hid: str, name: str) -> Draft:
        driver = self._facts.link(f"sys/bus/platform/devices/{name}/driver")
        about = f"ACPI {name}" + (f", driver {driver}" if driver else "")
        return self._board.draft(_NAMES.get(hid) or name.lower(), about)

    def add_memory(self, entry: Entry, in_window: bool = False) -> None:
        """What firmware only reserves within a host bridge's window is left there, and so is all that is PCI's."""
        name = entry.name
        if in_window and parse_address(name):
            return
        window = in_window or name.startswith("PCI Bus")
        own = bool(_ACPI_ID.match(name))
        for child in () if own else entry.children:
            self.add_memory(child, window)
        if name.startswith(("PCI Bus", "IOAPIC ", "Local APIC")) or within_ram(name) or \
                window and not self._is_used(name):
            return
        label = "registers" if own else name.lower()
        if entry.span.end == _FLASH_END and name.lower().startswith(("reserved", "pnp ")):
            draft, label = self._board.draft("flash", "the firmware's, up to 4 GiB"), "flash"
        elif not self._board.left(entry.span):
            return
        else:
            draft = self._owner(entry)
        self._board.give_registers(draft, label, entry.span)

    @staticmethod
    def _is_used(name: str) -> bool:
        """By a driver, or by ACPI's name."""
        reserved = name.lower().startswith(("reserved", "pnp ", "pci ", "graphics stolen"))
        return bool(name) and not reserved and parse_address(name) is None

    # --- what is left -----------------------------------------------------------------

    def add_system(self, windows: Iterable[Span]) -> None:
        """PNP's "system resources": what of them is neither a device's nor in a window."""
        draft = self._board.draft(CHIPSET, "the board's own")
        inside = list(windows)
        for pnp in self._system:
            for ports in pnp.ports:
                self._board.give_ports(draft, ports)
            for span in pnp.memory:
                if not any(span.overlaps(w) for w in inside):
                    self._board.give_registers(draft, f"pnp {pnp.name[-2:]}", span)

    def add_interrupts(self, others: Iterable[int]) -> None:
        """Of pins in use that no device has yet; others: what is PCI's."""
        known = {n for d in self._board.drafts.values() for n in d.interrupts} | set(others)
        for used in self._lines.used:
            line = self._lines.of_irq(used.irq)
            for name in used.names if line not in known else ():
                found = _ACPI_ID.match(name)
                draft = self._acpi(found[1], found[0]) if found else self._board.draft(_USES.get(name, name), name)
                self._board.give_interrupt(draft, line)


def window_entries(entries: Iterable[Entry]) -> list[Entry]:
    """The host bridges' windows: not those of bridges within."""
    found = []
    for entry in entries:
        if entry.name.startswith("PCI Bus"):
            found.append(entry)
        else:
            found += window_entries(entry.children)
    return found
