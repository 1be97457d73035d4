# SPDX-License-Identifier: GPL-2.0-only
"""A built blob as text, for people."""

from collections.abc import Iterator

from jailhouse.config import abi
from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import CellFile, Section, SystemFile
from jailhouse.config.units import span_text

_FLAG_NAMES = {
    abi.ABI_MEM_IO: "io",
    abi.ABI_MEM_COMM: "comm",
    abi.ABI_MEM_LOADABLE: "loadable",
    abi.ABI_MEM_SHARED: "shared",
    abi.ABI_MEM_RESERVED: "reserved",
}
_CELL_FLAG_NAMES = {abi.ABI_CELL_PUTC: "putc", abi.ABI_CELL_PUTC_CONSOLE: "putc-console"}
_UART_NAMES = {abi.ABI_CONSOLE_8250: "8250", abi.ABI_CONSOLE_PL011: "pl011"}


def show(file: SystemFile | CellFile) -> str:
    return "\n".join(_lines(file)) + "\n"


def _lines(file: SystemFile | CellFile) -> Iterator[str]:
    arch_name, arch = next((n, a) for n, a in ARCHES.items() if a.id == file.arch)
    if isinstance(file, CellFile):
        yield f"cell file, version {abi.ABI_CONFIG_VERSION}, {arch_name}"
        yield from _section(file.cell)
        return
    yield f"system file, version {abi.ABI_CONFIG_VERSION}, {arch_name}"
    yield f"hypervisor {span_text(file.hypervisor.start, file.hypervisor.size)}"
    yield from _console(file.console)
    for key, value in arch.show(file.platform).items():
        if isinstance(value, dict):
            yield f"{key} {span_text(value['start'], value['size'])}"
        elif isinstance(value, int):
            yield f"{key} {value}"
    for number, hwid in enumerate(file.hwids):
        yield f"cpu {number} has id {hwid:#x}"
    yield from _section(file.root)


def _section(section: Section) -> Iterator[str]:
    flags = [name for bit, name in _CELL_FLAG_NAMES.items() if section.flags & bit]
    yield f'cell "{section.name}"'
    yield f"  cpus {' '.join(str(n) for n in sorted(section.cpus)) or 'none'}"
    yield f"  entry {section.entry:#x}"
    if flags:
        yield f"  flags {' '.join(flags)}"
    for line in _console(section.console):
        yield "  " + line
    for m in section.mem:
        access = "".join(letter if m.flags & bit else "-" for letter, bit in
                         (("r", abi.ABI_MEM_READ), ("w", abi.ABI_MEM_WRITE),
                          ("x", abi.ABI_MEM_EXEC)))
        words = [name for bit, name in _FLAG_NAMES.items() if m.flags & bit]
        yield (f"  memory {access} guest {m.virt:#x} host {m.phys:#x} size {m.size:#x} "
               f"{' '.join([*words, repr(m.name)])}")
    for irq in section.irqs:
        last = f"-{irq.stop - 1}" if len(irq) > 1 else ""
        yield f"  interrupts {irq.start}{last}"


def _console(console: abi.Values) -> Iterator[str]:
    if console.get("type", abi.ABI_CONSOLE_NONE) == abi.ABI_CONSOLE_NONE:
        return
    kind = _UART_NAMES.get(console["type"], str(console["type"]))
    yield (f"console {kind} {span_text(console['address'], console['size'])} "
           f"flags {console['flags']:#x}")
