# SPDX-License-Identifier: GPL-2.0-only
"""A PC's CPUs and interrupt controllers, from ACPI's tables and the kernel's log."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jailhouse.config import abi
from jailhouse.config.model import Span
from jailhouse.config.units import MIB, PAGE
from jailhouse.probe import acpi, cpus
from jailhouse.probe.description import Apic, IoApic, Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import Interrupt, interrupts
from jailhouse.probe.raw import Malformed

LOCAL_APIC = 0xfee0_0000
_LINES_MAX = 256			# global system interrupts that the hypervisor keeps account of
_PINS = 24
_ISA_IRQS = 16
_TABLES = "sys/firmware/acpi/tables"
_COLLECT = "gather the facts anew with `jailhouse config collect`, as root"

_LOGGED_IOAPIC = re.compile(r"IOAPIC\[\d+\]: apic_id \d+, version \d+, address 0x([0-9a-f]{1,16}), "
                            r"GSI (\d{1,5})-(\d{1,5})", re.ASCII)
_LOGGED_CLOCK = re.compile(r"host bus clock speed is (\d{1,6})\.(\d{4}) MHz", re.ASCII)

Parsed = TypeVar("Parsed")


class Tables:
    """ACPI's tables. What cannot be read of them is a note, but for the MADT."""

    def __init__(self, facts: Facts, notes: list[str]) -> None:
        data = facts.read(f"{_TABLES}/APIC")
        if data is None:
            raise Refused(f"{facts.source}: the ACPI table APIC (MADT) is missing",
                          "it says which CPUs and interrupt controllers there are", _COLLECT)
        try:
            self.madt = acpi.madt(data)
        except Malformed as error:
            raise Refused(f"{facts.source}: {error}", "it says which CPUs and interrupt controllers there are",
                          "update the firmware, or gather the facts anew if the file was damaged") from error
        self._facts, self._notes = facts, notes
        self.mcfg = self._optional("MCFG", acpi.mcfg)
        self.fadt = self._optional("FACP", acpi.fadt)
        self.hpet = self._optional("HPET", acpi.hpet)
        self.spcr = self._optional("SPCR", acpi.spcr)
        self.dmar = self._optional("DMAR", acpi.dmar)
        self.ivrs = self._optional("IVRS", acpi.ivrs)
        self.gtdt = self._optional("GTDT", acpi.gtdt)
        self.iort = self._optional("IORT", acpi.iort)

    def _optional(self, name: str, parse: Callable[[bytes], Parsed]) -> Parsed | None:
        data = self._facts.read(f"{_TABLES}/{name}")
        if data is None:
            return None
        try:
            return parse(data)
        except Malformed as error:
            self._notes.append(f"ACPI table left out: {error}")
            return None


# --- CPUs -----------------------------------------------------------------------------

@dataclass(frozen=True)
class PcCpus:
    """By Linux's numbers. model: as it calls itself."""
    hwids: tuple[int, ...]
    models: tuple[str, ...]
    vendor: str
    address_bits: int | None


def _processors(facts: Facts) -> dict[int, dict[str, str]]:
    """/proc/cpuinfo: by number."""
    found: dict[int, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in (facts.text("proc/cpuinfo") or "").splitlines():
        key, colon, value = line.partition(":")
        if key.strip() == "processor" and value.strip().isdecimal():
            fields = found.setdefault(int(value), {})
        elif colon:
            fields[key.strip()] = value.strip()
    return found


def _number(fields: dict[str, str], *keys: str) -> int | None:
    return next((int(fields[k]) for k in keys if fields.get(k, "").isdecimal()), None)


def read_cpus(facts: Facts, madt: acpi.Madt, notes: list[str]) -> PcCpus:
    """Those that are offline, too: Linux numbers CPUs in the order of the table."""
    processors = _processors(facts)
    known = {n: i for n, f in processors.items() if (i := _number(f, "apicid", "initial apicid")) is not None}
    if 0 not in known:
        raise Refused(f"{facts.source}: proc/cpuinfo does not show CPU 0", "each CPU's APIC id stands there", _COLLECT)
    numbers = cpus.present(facts) or tuple(sorted(known))
    missing = [n for n in numbers if n not in known]
    if missing:
        rest = list(dict.fromkeys(c.apic_id for c in madt.cpus if c.enabled and c.apic_id not in known.values()))
        if len(rest) != len(missing):
            raise Refused(f"{facts.source}: {len(missing)} CPUs are offline, and ACPI's table has {len(rest)} that "
                          "Linux does not show", "which APIC id each of them has cannot be told",
                          "bring all CPUs online, and gather the facts anew")
        known |= dict(zip(missing, rest, strict=True))
        notes.append(f"CPUs {', '.join(map(str, missing))} were offline: their APIC ids are ACPI's in its order; check")
    if sorted(known) != list(range(len(known))):
        raise Refused(f"{facts.source}: Linux's CPUs are not numbered from 0 to {len(known) - 1}",
                      "the text lists their APIC ids in that order", "bring all CPUs online, and gather the facts anew")
    hwids = tuple(known[n] for n in sorted(known))
    if len(set(hwids)) != len(hwids):
        raise Refused(f"{facts.source}: two CPUs have the same APIC id in proc/cpuinfo",
                      "the hypervisor knows CPUs by it", "update the firmware")
    if len(hwids) > abi.MAX_CPUS:
        notes.append(f"{len(hwids)} CPUs: the hypervisor takes {abi.MAX_CPUS}; boot Linux with nr_cpus={abi.MAX_CPUS}")
    names = tuple(processors.get(n, {}).get("model name", "") for n in sorted(known))
    first = processors.get(0, {})
    found = re.match(r"(\d{2}) bits physical", first.get("address sizes", ""), re.ASCII)
    bits = min(int(found[1]), 48) if found and int(found[1]) >= 32 else None
    return PcCpus(hwids, names if all(names) else (), first.get("vendor_id", ""), bits)



# --- interrupt controllers ------------------------------------------------------------

def _ioapics(tables: Tables, log: str, notes: list[str]) -> tuple[IoApic, ...]:
    """Pins as the log says them, else up to the next one's first, else as most have."""
    logged = {int(a, 16): int(last) - int(first) + 1 for a, first, last in _LOGGED_IOAPIC.findall(log)}
    listed = sorted({i.address: i for i in tables.madt.ioapics}.values(), key=lambda i: i.first)
    found: list[IoApic] = []
    for number, ioapic in enumerate(listed):
        pins = logged.get(ioapic.address, 0)
        if pins < 1:
            after = listed[number + 1].first if number + 1 < len(listed) else ioapic.first + _PINS
            pins = after - ioapic.first
            notes.append(f"IOAPIC {ioapic.address:#x}: {pins} pins are a guess; the kernel's log has a line "
                         f"`IOAPIC[{number}]: ... GSI`")
        what = _wrong_ioapic(ioapic, pins, found)
        if what:
            notes.append(f"IOAPIC {ioapic.address:#x} is left out: {what}")
        else:
            found.append(IoApic(ioapic.address, ioapic.first, pins))
    return tuple(found)


def _wrong_ioapic(ioapic: acpi.MadtIoApic, pins: int, others: list[IoApic]) -> str | None:
    if len(others) == abi.ABI_IOAPICS:
        return f"the hypervisor knows {abi.ABI_IOAPICS}"
    if ioapic.address % PAGE or not ioapic.address:
        return "its address is no whole page's"
    if not 1 <= pins <= 240 or ioapic.first + pins > _LINES_MAX:
        return f"its {pins} pins end above interrupt {_LINES_MAX - 1}"
    if any(o.first < ioapic.first + pins and ioapic.first < o.first + o.pins for o in others):
        return "its pins are another's, too"
    return None


def _mmconfig(tables: Tables, ram: list[Span], notes: list[str]) -> Span | None:
    """Of segment 0, from bus 0 on: what the hypervisor can mediate."""
    found = None
    for ecam in tables.mcfg or ():
        span = Span(ecam.start, ecam.size)
        what = None
        if ecam.segment:
            what = f"segment {ecam.segment}: the hypervisor knows segment 0"
        elif ecam.first_bus:
            what = f"it begins with bus {ecam.first_bus}, and not with 0"
        elif found is not None:
            what = "segment 0 stands there twice"
        elif span.start % MIB or not span.start or any(span.overlaps(r) for r in ram):
            what = "it is no place for configuration space, or is RAM"
        if what:
            notes.append(f"MCFG, {span}, is not mediated: {what}")
        else:
            found = span
    return found


def read_apic(tables: Tables, log: str, ram: list[Span], notes: list[str], source: str) -> Apic:
    """ram: what firmware calls System RAM."""
    ioapics = _ioapics(tables, log, notes)
    if not ioapics:
        left_out = "".join(f"; {note}" for note in notes if note.startswith("IOAPIC"))
        raise Refused(f"{source}: no IOAPIC in the ACPI table APIC (MADT) can be used{left_out}",
                      "devices' interrupts come through IOAPICs", "enable it in the firmware's setup, or update the "
                      "firmware")
    if tables.madt.local_apic != LOCAL_APIC:
        notes.append(f"the local APICs are at {tables.madt.local_apic:#x}: the hypervisor wants {LOCAL_APIC:#x}")
    clock = _LOGGED_CLOCK.search(log)
    khz = int(clock[1]) * 1000 + int(clock[2]) // 10 if clock else 0
    return Apic(ioapics, _mmconfig(tables, ram, notes), tables.fadt.pm_timer if tables.fadt else 0, khz)


class Lines:
    """From Linux's interrupt numbers to pins of IOAPICs."""

    def __init__(self, facts: Facts, madt: acpi.Madt, ioapics: tuple[IoApic, ...]) -> None:
        self._madt, self._ioapics = madt, ioapics
        self.used = tuple(i for i in interrupts(facts) if i.controller.endswith("IO-APIC"))
        self._by_irq = {i.irq: i for i in self.used}

    @property
    def all(self) -> frozenset[int]:
        return frozenset(n for i in self._ioapics for n in range(i.first, i.first + i.pins))

    def of_irq(self, irq: int) -> int | None:
        """None where it cannot be told, or is none of a pin."""
        if irq < _ISA_IRQS:
            return self._madt.gsi(irq)
        used: Interrupt | None = self._by_irq.get(irq)
        first = self._ioapics[0]
        if first.first <= irq < first.first + first.pins and (used is None or used.pin == irq - first.first):
            return irq
        if used is None:
            return None
        candidates = [i.first + used.pin for i in self._ioapics[1:] if used.pin < i.pins]
        return candidates[0] if len(candidates) == 1 else None
