# SPDX-License-Identifier: GPL-2.0-only
"""arm64: GICv3, MPIDR affinities, and how a kernel leaves memory and EL2 alone."""

from typing import Any

from jailhouse.config import abi
from jailhouse.config.arch import Arch, KernelWords
from jailhouse.config.model import Cell, Placed, Platform, Span
from jailhouse.config.problems import Problems
from jailhouse.config.table import Table
from jailhouse.config.units import PAGE, size_text

SPI_FIRST = 32
SPIS_MAX = 1020 - SPI_FIRST		# IHI0069H 2.2: INTIDs 1020 and up are special
_PPI_FIRST, _PPI_END = 16, 32
_AFFINITY = 0xFF_00FF_FFFF		# DDI0487 D19.2.101: MPIDR_EL1.Aff3 and Aff2..Aff0
FRAME = 0x1_0000			# IHI0069H 12.10: register frames are 64 KiB
REDISTRIBUTOR = 2 * FRAME		# at least: RD_base and SGI_base

_NO_PORTS = "this architecture has no I/O ports; a device's registers in memory are `registers`"
_REFUSED = {
    "ports": _NO_PORTS,
    "other_ports": _NO_PORTS,
    "pci": "a PCI function is not given away by itself here; list its registers and interrupts",
}

# Both, in this order: nvhe alone leaves KVM in EL2, none alone keeps VHE's EL2 kernel
_KERNEL_PARAMETERS = "kvm-arm.mode=nvhe kvm-arm.mode=none"


def _platform(machine: Table, cpu_count: int) -> Platform | None:
    gic = machine.table("gic", required=True)
    if gic is None:
        return None
    version = gic.number("version", default=3)
    if version not in (3, None):
        gic.wrong("version", f"{version} is not served", "use a machine with a GICv3")
    ppi = gic.number("maintenance_irq", required=True)
    if ppi is not None and ppi not in range(_PPI_FIRST, _PPI_END):
        gic.wrong("maintenance_irq", f"{ppi} is no PPI",
                  f"give its INTID, {_PPI_FIRST} to {_PPI_END - 1}")
        ppi = None
    spis = gic.number("spis", required=True)
    if spis is not None and not 1 <= spis <= SPIS_MAX:
        gic.wrong("spis", f"{spis} is outside 1..{SPIS_MAX}", "count the machine's SPIs")
        spis = None
    frames = [_frame(gic, key) for key in ("gicd", "gicr")]
    gic.done()
    gicd, gicr = frames
    if gicr and gicr.span.size < cpu_count * REDISTRIBUTOR:
        gic.wrong("gicr", f"{gicr.span} has no room for {cpu_count} redistributors of "
                  f"{size_text(REDISTRIBUTOR)}", "give the span of all of them")
        return None
    if gicd is None or gicr is None or ppi is None or spis is None:
        return None
    return Platform(_encode(gicd, gicr, ppi), (gicd, gicr),
                    range(SPI_FIRST, SPI_FIRST + spis))


def _frame(gic: Table, key: str) -> Placed | None:
    table = gic.table(key, required=True)
    if table is None:
        return None
    placed = table.span(key)
    if placed and (placed.span.start % FRAME or placed.span.size % FRAME):
        gic.wrong(key, f"{placed.span} is not made of 64 KiB frames",
                  "correct start and size from the board's manual or device tree")
        return None
    return placed


def _encode(gicd: Placed, gicr: Placed, ppi: int) -> bytes:
    return abi.PLATFORM_ARM64.pack(
        gicd={"start": gicd.span.start, "size": gicd.span.size},
        gicr={"start": gicr.span.start, "size": gicr.span.size},
        gic_version=3, maintenance_irq=ppi)


def _hwid(number: int) -> int:
    """As QEMU's virt machine and most small boards: sixteen CPUs to a cluster."""
    return number // 16 << 8 | number % 16


def _hwid_problem(hwid: int) -> str | None:
    if hwid & ~_AFFINITY:
        return f"{hwid:#x} is no MPIDR affinity (Aff3 at 39:32, Aff2 to Aff0 at 23:0)"
    return None


def _kernel_words(ram: tuple[Placed, ...], linux: tuple[Placed, ...]) -> KernelWords:
    """mem= keeps the lowest bytes of RAM: it serves where Linux's part is exactly those."""
    left = total = sum(p.span.size for p in linux)
    mine = sorted((p.span.start, p.span.end) for p in linux)
    for piece in sorted((p.span for p in ram), key=lambda s: s.start):
        end = piece.start + min(left, piece.size)
        at = piece.start
        for start, stop in mine:
            if start == at and stop <= end:
                at = stop
        if at != end:
            return KernelWords(_KERNEL_PARAMETERS, tree=True)
        left -= end - piece.start
    return KernelWords(f"mem={size_text(total)} {_KERNEL_PARAMETERS}")


def _mediated(cell: Cell, platform: Platform) -> tuple[Placed, ...]:
    """Where the cell sees it; counted, a redistributor of 128 KiB for each of its CPUs."""
    found = []
    for placed, address in zip(platform.mediated, (cell.view.gicd, cell.view.gicr), strict=True):
        span = placed.span.moved(address - placed.span.start) if address else placed.span
        found.append(Placed(placed.name, span, cell.view.where or placed.where))
    if cell.view.counted:
        size = REDISTRIBUTOR * len(set(cell.cpu_numbers()))
        found[1] = Placed(found[1].name, Span(found[1].span.start, size), found[1].where)
    return tuple(found)


def _delivery(flags: int) -> str:
    if flags & abi.ABI_CELL_INJECTED:
        return "interrupts injected, WFI not trapped"
    trusted = flags & abi.ABI_CELL_TRUSTED_WFI
    return f"interrupts direct, WFI {'trusted' if trusted else 'trapped'}"


def _warn_none(cell: Cell, problems: Problems) -> None:
    title = f'cell "{cell.name}": exits are "none" and'
    if not cell.delivery.trusted_wfi and not cell.delivery.injected:
        problems.warn(cell.limit.where, f"{title} its WFI is trapped",
                      "each time it sleeps is an exit", 'say wfi = "trusted" if its program may '
                      "be trusted not to keep its CPUs, or let it spin")
    count = len(set(cell.cpu_numbers()))
    if count > 1:
        problems.warn(cell.limit.where, f"{title} it has {count} CPUs",
                      "each software interrupt (SGI) it sends to itself or among them is an exit",
                      "let its CPUs talk through memory, or give `exits` a number that has room "
                      "for its SGIs")


def _show(platform: bytes) -> dict[str, Any]:
    return abi.PLATFORM_ARM64.unpack(platform)


ARM64 = Arch(
    id=abi.ABI_ARCH_ARM64,
    comm_page=0x8000_0000,
    address_bits=48,
    numbers=range(SPI_FIRST, SPI_FIRST + SPIS_MAX),
    ports=range(0),
    uart="pl011",
    uart_by_port=False,
    refused=_REFUSED,
    entry_end=1 << 48,
    boot_align=PAGE,
    cells_below=1 << 48,
    mediated=_mediated,
    cpu0_stays=None,
    platform=_platform,
    hwid=_hwid,
    hwid_problem=_hwid_problem,
    kernel_words=_kernel_words,
    kernel_parameters_note="",
    delivery=_delivery,
    warn_none=_warn_none,
    show=_show,
)
