# SPDX-License-Identifier: GPL-2.0-only
"""x86_64: APICs, I/O ports, PCI, and how a kernel leaves memory alone."""

from typing import Any

from jailhouse.config import abi
from jailhouse.config.arch import Arch, KernelWords
from jailhouse.config.model import Cell, Line, Placed, Platform, Span
from jailhouse.config.problems import Problems
from jailhouse.config.spans import merged, minus
from jailhouse.config.table import Table
from jailhouse.config.units import MIB, PAGE, size_text

_LINES_MAX = 256		# global system interrupts the hypervisor keeps account of
_PINS_MAX = 240
_PORTS = range(0x1_0000)
_ECAM_MAX = 256 * MIB		# PCI Firmware Specification 3.3, 4.1.2: 1 MiB for each bus
# PCI configuration space, mechanism #1; the reset control register 0xcf9 lies among its ports
_PCI_PORTS = range(0xCF8, 0xD00)
# SDM 3, 11.4.1: where every processor has its own after reset. It must stay there.
_LOCAL_APIC = 0xFEE0_0000
_ID_MAX = 0xFFFF_FFFE		# SDM 3, 11.12.9: all ones is everybody

_DIRECT = "interrupts always arrive directly here, under the machine's numbers"
_REFUSED = {
    "interrupts": _DIRECT,
    "renumber": _DIRECT,
    "wfi": "sleeping never exits here, and the CPU can be had back all the same",
    "cpu_ids": "a cell's CPUs have their APIC ids here, whatever program is in it",
    "gic": "there is none here, and IOAPICs and local APICs are where they are",
    "platform": "a cell is a PC here, as far as it goes; there is no other machine for it to stand in for",
}


def _platform(machine: Table, cpu_count: int) -> Platform | None:
    apic = machine.table("apic", required=True)
    if apic is None:
        return None
    ioapics = [_ioapic(t) for t in apic.tables("ioapics", required=True)]
    ecam = apic.table("mmconfig")
    mmconfig = _mmconfig(apic, ecam) if ecam else None
    apic_khz = apic.number("apic_khz", default=0)
    pm_timer = apic.number("pm_timer", default=0)
    for key, value, end in (("apic_khz", apic_khz, 1 << 32), ("pm_timer", pm_timer, _PORTS.stop)):
        if value is not None and value >= end:
            apic.wrong(key, f"{value:#x} is more than fits", f"give a number below {end:#x}, or "
                       "leave it out")
            apic_khz = None
    apic.done()
    if len(ioapics) > abi.ABI_IOAPICS:
        apic.wrong("ioapics", f"there are {len(ioapics)}", f"list {abi.ABI_IOAPICS} at most: those "
                   "whose interrupts Linux or cells use")
        return None
    good = [i for i in ioapics if i is not None]
    if len(good) != len(ioapics) or not good or apic_khz is None or pm_timer is None or \
            ecam is not None and mmconfig is None or not _apart(apic, good):
        return None
    return _made(machine, good, mmconfig, apic_khz, pm_timer)


def _made(machine: Table, ioapics: list[tuple[Placed, range]], mmconfig: Placed | None,
          apic_khz: int, pm_timer: int) -> Platform:
    encoded = abi.PLATFORM_X86_64.pack(
        mmconfig={"start": mmconfig.span.start, "size": mmconfig.span.size} if mmconfig else {},
        ioapic=[{"address": placed.span.start, "first": pins.start, "count": len(pins)}
                for placed, pins in ioapics],
        apic_khz=apic_khz, pm_timer=pm_timer)
    local = Placed("local APIC", Span(_LOCAL_APIC, PAGE), machine.where("apic"))
    lines = range(min(pins.start for _, pins in ioapics), max(pins.stop for _, pins in ioapics))
    present = {n for _, pins in ioapics for n in pins}
    return Platform(encoded, (*([mmconfig] if mmconfig else []), *(p for p, _ in ioapics), local),
                    lines, frozenset(n for n in lines if n not in present),
                    Line(_PCI_PORTS, machine.where("apic")))


def _ioapic(table: Table) -> tuple[Placed, range] | None:
    address = table.number("address", required=True)
    first = table.number("first", default=0)
    pins = table.number("pins", required=True)
    table.done()
    if address is None or first is None or pins is None:
        return None
    if address == 0 or address % PAGE:
        table.wrong("address", f"{address:#x} is not where an IOAPIC is",
                    "take it from the ACPI table APIC (MADT); it is a multiple of 4K")
        return None
    if not 1 <= pins <= _PINS_MAX or first + pins > _LINES_MAX:
        table.wrong("pins", f"{first} and the {pins} pins from there are no global system "
                    "interrupts", f"give 1 to {_PINS_MAX} pins that end below {_LINES_MAX}")
        return None
    return (Placed(f"IOAPIC {address:#x}", Span(address, PAGE), table.where()),
            range(first, first + pins))


def _apart(apic: Table, ioapics: list[tuple[Placed, range]]) -> bool:
    """Their registers are compared with all else later."""
    seen: set[int] = set()
    for index, (_, pins) in enumerate(ioapics):
        if seen & set(pins):
            apic.wrong("ioapics", f"{min(seen & set(pins))} is a pin of two of them",
                       "correct `first` and `pins` from the ACPI table APIC (MADT)", index)
            return False
        seen |= set(pins)
    return True


def _mmconfig(apic: Table, table: Table) -> Placed | None:
    placed = table.span("mmconfig")
    if placed and (placed.span.start % MIB or placed.span.size % MIB or
                   placed.span.size > _ECAM_MAX):
        apic.wrong("mmconfig", f"{placed.span} is not made of buses of 1M",
                   "take start and size from the ACPI table MCFG: segment 0 from bus 0, 256M at "
                   "most")
        return None
    return placed


def _hwid(number: int) -> int:
    return number


def _hwid_problem(hwid: int) -> str | None:
    return f"{hwid:#x} is no APIC id" if hwid > _ID_MAX else None


def _kernel_words(ram: tuple[Placed, ...], linux: tuple[Placed, ...]) -> KernelWords:
    """All that is not Linux's is reserved, neighbours as one."""
    found = merged(minus((p.span for p in ram), [p.span for p in linux]))
    return KernelWords(" ".join(f"memmap={size_text(s.size)}${s.start:#x}" for s in found))


def _mediated(_: Cell, platform: Platform) -> tuple[Placed, ...]:
    return platform.mediated


def _delivery(flags: int) -> str:
    return "interrupts direct, sleep direct"


def _warn_none(cell: Cell, problems: Problems) -> None:
    count = len(set(cell.cpu_numbers()))
    if count > 1:
        problems.warn(cell.limit.where, f'cell "{cell.name}": exits are "none" and it has {count} '
                      "CPUs", "each interrupt it sends to itself or among them (IPI) is an exit",
                      "let its CPUs talk through memory, or give `exits` a number that has room "
                      "for its IPIs")


def _show(platform: bytes) -> dict[str, Any]:
    fields = abi.PLATFORM_X86_64.unpack(platform)
    shown = {"mmconfig": fields["mmconfig"]} if fields["mmconfig"]["size"] else {}
    for number, ioapic in enumerate(i for i in fields["ioapic"] if i["address"]):
        shown[f"ioapic {number}"] = (f"{ioapic['address']:#x} lines {ioapic['first']}-"
                                     f"{ioapic['first'] + ioapic['count'] - 1}")
    for key, form in (("apic_khz", "d"), ("pm_timer", "#x")):
        if fields[key]:
            shown[key] = format(fields[key], form)
    return shown


X86_64 = Arch(
    id=abi.ABI_ARCH_X86_64,
    comm_page=0x10_0000,
    address_bits=48,
    numbers=range(_LINES_MAX),
    ports=_PORTS,
    uart="8250",
    uart_by_port=True,
    refused=_REFUSED,
    entry_end=1 << 32,
    boot_align=0x1_0000,	# real mode's CS, in which the loader is linked for 0
    cells_below=1 << 32,
    mediated=_mediated,
    cpu0_stays="it is the boot processor, which Linux cannot take offline",
    platform=_platform,
    hwid=_hwid,
    hwid_problem=_hwid_problem,
    kernel_words=_kernel_words,
    kernel_parameters_note=r"GRUB has its own use for $: write \$ in grub.cfg, \\\$ in "
                           "/etc/default/grub",
    delivery=_delivery,
    warn_none=_warn_none,
    show=_show,
)
