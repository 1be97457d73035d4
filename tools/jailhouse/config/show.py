# SPDX-License-Identifier: GPL-2.0-only
"""A built blob as text, for people."""

from collections.abc import Iterator

from jailhouse.config import abi
from jailhouse.config.arch import Arch
from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import CellFile, Section, SystemFile
from jailhouse.config.units import function_text, span_text

_FLAG_NAMES = {
    abi.ABI_MEM_IO: "io",
    abi.ABI_MEM_COMM: "comm",
    abi.ABI_MEM_LOADABLE: "loadable",
    abi.ABI_MEM_SHARED: "shared",
    abi.ABI_MEM_RESERVED: "reserved",
    abi.ABI_MEM_BOOT: "boot",
}
_CELL_FLAG_NAMES = {abi.ABI_CELL_PUTC: "putc", abi.ABI_CELL_PUTC_CONSOLE: "putc-console",
                    abi.ABI_CELL_ABSENT_PORTS: "absent-ports"}
_UART_NAMES = {abi.ABI_CONSOLE_8250: "8250", abi.ABI_CONSOLE_PL011: "pl011"}


def show(file: SystemFile | CellFile) -> str:
    return "\n".join(_lines(file)) + "\n"


def _lines(file: SystemFile | CellFile) -> Iterator[str]:
    arch_name, arch = next((n, a) for n, a in ARCHES.items() if a.id == file.arch)
    if isinstance(file, CellFile):
        yield f"cell file, version {abi.ABI_CONFIG_VERSION}, {arch_name}"
        yield from _section(file.cell, arch, is_root=False)
        return
    yield f"system file, version {abi.ABI_CONFIG_VERSION}, {arch_name}"
    yield f"hypervisor {span_text(file.hypervisor.start, file.hypervisor.size)}"
    yield from _console(file.console)
    for key, value in arch.show(file.platform).items():
        if isinstance(value, dict):
            yield f"{key} {span_text(value['start'], value['size'])}"
        elif isinstance(value, int | str):
            yield f"{key} {value}"
    for number, hwid in enumerate(file.hwids):
        yield f"cpu {number} has id {hwid:#x}"
    yield from _section(file.root, arch, is_root=True)


def _section(section: Section, arch: Arch, is_root: bool) -> Iterator[str]:
    flags = [name for bit, name in _CELL_FLAG_NAMES.items() if section.flags & bit]
    yield f'cell "{section.name}"'
    yield f"  cpus {cpus(section) or 'none'}"
    yield f"  entry {section.entry:#x}"
    if flags:
        yield f"  flags {' '.join(flags)}"
    if not is_root:
        yield f"  {contract(section, arch)}"
    if section.gicd:
        yield f"  {gic(section)}"
    for line in _console(section.console):
        yield "  " + line
    uart = section.uart
    if uart["type"] != abi.ABI_CONSOLE_NONE:
        yield (f"  uart {_UART_NAMES.get(uart['type'], uart['type'])} {uart['address']:#x}" +
               (f" line {uart['irq']}" if uart["irq"] else ""))
    for m in section.mem:
        access, words = access_text(m.flags), flag_words(m.flags)
        yield (f"  memory {access} guest {m.virt:#x} host {m.phys:#x} size {m.size:#x} "
               f"{' '.join([*words, repr(m.name)])}")
    for irq in section.irqs:
        virt = "" if irq.virt == irq.first else f" as {_numbers(irq.virt, irq.count)}"
        yield f"  lines {_numbers(irq.first, irq.count)}{virt}"
    for pio in section.pios:
        last = f"-{pio.first + pio.count - 1:#x}" if pio.count > 1 else ""
        yield f"  ports {pio.first:#x}{last}"
    for bdf in section.pcis:
        yield f"  pci {function_text(bdf)}"


def access_text(flags: int) -> str:
    return "".join(letter if flags & bit else "-" for letter, bit in
                   (("r", abi.ABI_MEM_READ), ("w", abi.ABI_MEM_WRITE), ("x", abi.ABI_MEM_EXEC)))


def flag_words(flags: int) -> list[str]:
    return [name for bit, name in _FLAG_NAMES.items() if flags & bit]


def cpus(section: Section) -> str:
    """The machine's numbers, and where it counts them itself the cell's."""
    text = " ".join(str(n) for n in sorted(section.cpus))
    if section.flags & abi.ABI_CELL_CPUS_COUNTED:
        text += " as " + " ".join(str(n) for n in range(len(section.cpus)))
    return text


def gic(section: Section) -> str:
    return f"gic seen at gicd {section.gicd:#x} gicr {section.gicr:#x}"


def contract(section: Section, arch: Arch) -> str:
    """What is decided of a cell's interrupts, sleep and exits."""
    then = "fail" if section.flags & abi.ABI_CELL_FAIL_ON_VIOLATION else "log"
    exits = f"exits at most {section.exits}/s"
    if section.exits == abi.ABI_EXITS_ANY:
        exits = "exits any"
    elif section.exits == 0:
        exits = "exits none"
    if section.exits != abi.ABI_EXITS_ANY:
        exits += f" after {section.settle_ms} ms (then: {then})"
    return f"{arch.delivery(section.flags)}, {exits}"


def _numbers(first: int, count: int) -> str:
    return f"{first}-{first + count - 1}" if count > 1 else str(first)


def _console(console: abi.Values) -> Iterator[str]:
    if console.get("type", abi.ABI_CONSOLE_NONE) == abi.ABI_CONSOLE_NONE:
        return
    kind = _UART_NAMES.get(console["type"], str(console["type"]))
    port = "" if console["flags"] & abi.ABI_CONSOLE_MMIO else "port "
    yield (f"console {kind} {port}{span_text(console['address'], console['size'])} "
           f"flags {console['flags']:#x}")
