# SPDX-License-Identifier: GPL-2.0-only
"""Interrupt controllers of the machine text, and the numbers of the cells' lines."""

from collections.abc import Callable

from jailhouse.config.abi import ABI_IOAPICS
from jailhouse.config.arch_arm64 import FRAME, REDISTRIBUTOR, SPI_FIRST, SPIS_MAX
from jailhouse.config.model import Span
from jailhouse.config.problems import Problems
from jailhouse.config.units import MIB, PAGE
from jailhouse.config_import.records import ArmPlatform, Cell, Irqchip, System, X86Platform
from jailhouse.config_import.texts import TO_CHECK, Apic, Gic, Ioapic

_SPI_END = SPI_FIRST + SPIS_MAX
_MAINTENANCE_IRQ = 25		# of most boards
_IOAPIC, _IOAPIC_PINS = 0xfec0_0000, 24
_LOCAL_APIC = 0xfee0_0000
_LINES_MAX, _PINS_MAX = 256, 240

# An irqchip record's pins as the texts number lines; says what cannot be one
Numbering = Callable[[Irqchip, Problems], list[int]]


def gic(system: System, platform: ArmPlatform, cells: list[Cell], cpus: int, problems: Problems) -> Gic:
    last = max((n for cell in [system.root, *cells] for chip in cell.irqchips for n in chip.pins if n < _SPI_END),
               default=_SPI_END - 1)
    spis = min(-(-max(last + 1 - SPI_FIRST, 1) // 32) * 32, SPIS_MAX)
    note = TO_CHECK + "as many as Jailhouse's files name; the device tree or GICD_TYPER says how many there are"
    irq = platform.maintenance_irq or _MAINTENANCE_IRQ
    irq_note = "" if platform.maintenance_irq else TO_CHECK + "the usual one, as Jailhouse's file names none"
    if platform.gic_version == 3:
        return Gic(3, Span(platform.gicd, FRAME), Span(platform.gicr, REDISTRIBUTOR * cpus), irq, spis,
                   TO_CHECK + "128K for each CPU; a GICv4 has 256K", note, irq_note)
    problems.warn(system.platform_at, f"the machine has a GICv{platform.gic_version}", "only a GICv3 is served, so "
                  "nothing that is built from these texts runs there", "import a board that has a GICv3")
    return Gic(platform.gic_version, Span(platform.gicd, PAGE), None, irq, spis, "", note, irq_note)


def gic_spans(platform: ArmPlatform, controller: Gic) -> list[Span]:
    if controller.gicr:
        return [controller.gicd, controller.gicr]
    return [Span(start, 2 * PAGE) for start in (platform.gicd, platform.gicc, platform.gich, platform.gicv) if start]


def apic(system: System, platform: X86Platform, cells: list[Cell], problems: Problems) -> Apic:
    chips = {chip.address: _IOAPIC_PINS for chip in system.root.irqchips} or {_IOAPIC: _IOAPIC_PINS}
    for cell in [system.root, *cells]:
        for chip in cell.irqchips:
            if chip.address in chips and chip.pins:
                chips[chip.address] = max(chips[chip.address], max(chip.pins) + 1)
    found: list[Ioapic] = []
    first = 0
    for address, pins in chips.items():
        if len(found) == ABI_IOAPICS or pins > _PINS_MAX or first + pins > _LINES_MAX or \
                address == 0 or address % PAGE:
            at = next(c.at for c in system.root.irqchips if c.address == address)
            problems.warn(at, f"IOAPIC {address:#x} with {pins} pins is left out",
                          f"there can be {ABI_IOAPICS}, on pages of their own, of {_PINS_MAX} pins each and "
                          f"{_LINES_MAX} together", "list those that are used in [apic] of machine.toml")
            continue
        found.append(Ioapic(address, first, pins))
        first += pins
    note = TO_CHECK + "Jailhouse's file holds neither `first` nor all `pins`; the ACPI table APIC (MADT) does"
    if platform.tsc_khz:
        problems.warn(system.platform_at, f"tsc_khz is {platform.tsc_khz}", "the texts have no word for it",
                      "nothing: it is measured")
    mmconfig = None if system.pci_is_virtual or not system.mmconfig else \
        Span(system.mmconfig, system.mmconfig_buses * MIB)
    found = found or [Ioapic(_IOAPIC, 0, _IOAPIC_PINS)]
    return Apic(tuple(found), note, mmconfig, platform.apic_khz, platform.pm_timer)


def apic_spans(controller: Apic) -> list[Span]:
    spans = [Span(chip.address, PAGE) for chip in controller.ioapics] + [Span(_LOCAL_APIC, PAGE)]
    return spans + ([controller.mmconfig] if controller.mmconfig else [])


def gic_numbering(gicd: int | None) -> Numbering:
    """gicd None: without a system file every irqchip is taken for the GIC."""
    def lines(chip: Irqchip, problems: Problems) -> list[int]:
        if gicd is not None and chip.address != gicd:
            _no_chip(chip, problems)
            return []
        beyond = [n for n in chip.pins if n >= _SPI_END]
        if beyond:
            problems.warn(chip.at, f"INTID {beyond[0]} and {len(beyond) - 1} more are left out",
                          f"the last SPI has INTID {_SPI_END - 1}", "correct the record's pin_base or bitmap")
        return [n for n in chip.pins if SPI_FIRST <= n < _SPI_END]	# those below go with the CPU
    return lines


def apic_numbering(controller: Apic | None) -> Numbering:
    """controller None: without a system file every irqchip is taken for the first IOAPIC."""
    def lines(chip: Irqchip, problems: Problems) -> list[int]:
        known = [Ioapic(chip.address, 0, _PINS_MAX)] if controller is None else \
            [c for c in controller.ioapics if c.address == chip.address]
        if not known:
            _no_chip(chip, problems)
            return []
        beyond = [n for n in chip.pins if n >= known[0].pins]
        if beyond:
            problems.warn(chip.at, f"pin {beyond[0]} and {len(beyond) - 1} more are left out",
                          "no IOAPIC has so many", "correct the record's pin_base or bitmap")
        return [known[0].first + n for n in chip.pins if n < known[0].pins]
    return lines


def _no_chip(chip: Irqchip, problems: Problems) -> None:
    if chip.pins:
        problems.warn(chip.at, f"its {len(chip.pins)} pins are left out: the machine has no interrupt controller at "
                      f"{chip.address:#x}", "Jailhouse passes over them as well",
                      "correct the record's address in the source it was built from")
