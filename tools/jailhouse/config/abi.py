# SPDX-License-Identifier: GPL-2.0-only
"""
The records and constants of include/abi/config.h, under the names they have there.
That header is the truth; tests/python/test_abi.py compiles it and holds this to it.
"""

import struct
from typing import Any

ABI_CONFIG_MAGIC = b"JHCONFIG"
ABI_CONFIG_VERSION = 4
ABI_CONFIG_MAX_SIZE = 64 * 1024

ABI_ARCH_ARM64 = 1
ABI_ARCH_X86_64 = 2

ABI_KIND_SYSTEM = 1
ABI_KIND_CELL = 2

ABI_CONSOLE_NONE = 0
ABI_CONSOLE_8250 = 2
ABI_CONSOLE_PL011 = 3

ABI_CONSOLE_MMIO = 0x1
ABI_CONSOLE_STRIDE_4 = 0x2

ABI_MEM_READ = 0x001
ABI_MEM_WRITE = 0x002
ABI_MEM_EXEC = 0x004
ABI_MEM_IO = 0x010
ABI_MEM_COMM = 0x020
ABI_MEM_LOADABLE = 0x040
ABI_MEM_SHARED = 0x080
ABI_MEM_RESERVED = 0x100
ABI_MEM_BOOT = 0x200

ABI_CELL_PUTC = 0x1
ABI_CELL_PUTC_CONSOLE = 0x2
ABI_CELL_INJECTED = 0x4
ABI_CELL_TRUSTED_WFI = 0x8
ABI_CELL_FAIL_ON_VIOLATION = 0x10
ABI_CELL_CPUS_COUNTED = 0x20
ABI_CELL_ABSENT_PORTS = 0x40

ABI_EXITS_ANY = 0xffffffff
ABI_SETTLE_MAX_MS = 600000

ABI_CPU_SET_WORDS = 4
ABI_IOAPICS = 4

NAME_SIZE = 32
MAX_CPUS = 64 * ABI_CPU_SET_WORDS

Values = dict[str, Any]


class Layout:
    """
    One C structure: fields by name, each a struct code, another Layout or an array of one.
    Little-endian, no padding. Fields that are not given are 0.
    """

    def __init__(self, name: str, /, **fields: "Kind") -> None:
        self.name = name
        self.fields = fields
        self.offsets: dict[str, int] = {}
        self.size = 0
        for field, kind in fields.items():
            self.offsets[field] = self.size
            self.size += struct.calcsize("<" + kind) if isinstance(kind, str) else kind.size

    def pack(self, /, **values: Any) -> bytes:
        unknown = values.keys() - self.fields.keys()
        if unknown:
            raise KeyError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        return b"".join(_pack(kind, values.get(field)) for field, kind in self.fields.items())

    def unpack(self, data: bytes, at: int = 0) -> Values:
        return {field: _unpack(kind, data, at + self.offsets[field])
                for field, kind in self.fields.items()}


class Array:
    """`count` of one layout, one behind the other. Elements that are not given are 0."""

    def __init__(self, of: Layout, count: int) -> None:
        self.of = of
        self.count = count
        self.size = of.size * count


Kind = str | Layout | Array


def _pack(kind: Kind, value: Any) -> bytes:
    if isinstance(kind, Layout):
        return kind.pack(**(value or {}))
    if isinstance(kind, Array):
        given = list(value or [])
        if len(given) > kind.count:
            raise ValueError(f"{len(given)} {kind.of.name}, there is room for {kind.count}")
        return b"".join(kind.of.pack(**v) for v in given + [{}] * (kind.count - len(given)))
    if kind.endswith("s"):
        return struct.pack("<" + kind, value or b"")
    count = int(kind[:-1] or 1)
    if count == 1:
        return struct.pack("<" + kind, value or 0)
    return struct.pack("<" + kind, *(value or [0] * count))


def _unpack(kind: Kind, data: bytes, at: int) -> Any:
    if isinstance(kind, Layout):
        return kind.unpack(data, at)
    if isinstance(kind, Array):
        return [kind.of.unpack(data, at + n * kind.of.size) for n in range(kind.count)]
    values = struct.unpack_from("<" + kind, data, at)
    return values[0] if len(values) == 1 else list(values)


HEADER = Layout("abi_header", magic="8s", version="H", arch="B", kind="B", size="I", crc="I",
                reserved="3I")
CONSOLE = Layout("abi_console", address="Q", size="I", type="H", flags="H", divider="I",
                 gate_nr="I", clock_reg="Q")
MEM = Layout("abi_mem", phys="Q", virt="Q", size="Q", flags="I", reserved="I",
             name=f"{NAME_SIZE}s")
IRQ = Layout("abi_irq", first="I", count="I", virt="I", reserved="I")
PIO = Layout("abi_pio", first="I", count="I")
PCI = Layout("abi_pci", segment="H", bdf="H", flags="I")
UART = Layout("abi_uart", address="Q", type="I", irq="I")
CELL = Layout("abi_cell", name=f"{NAME_SIZE}s", flags="I", mem_count="I", irq_count="I",
              exits="I", entry="Q", settle_ms="I", pio_count="H", pci_count="H",
              cpus=f"{ABI_CPU_SET_WORDS}Q", console=CONSOLE, uart=UART, gicd="Q", gicr="Q")
SPAN = Layout("abi_span", start="Q", size="Q")
PLATFORM_ARM64 = Layout("abi_platform_arm64", gicd=SPAN, gicr=SPAN, gic_version="I",
                        maintenance_irq="I", reserved="7Q")
IOAPIC = Layout("abi_ioapic", address="Q", first="I", count="I")
PLATFORM_X86_64 = Layout("abi_platform_x86_64", mmconfig=SPAN, ioapic=Array(IOAPIC, ABI_IOAPICS),
                         apic_khz="I", pm_timer="H", reserved16="H", reserved="Q")
# `platform` is the union: the architecture packs its own record into it
SYSTEM = Layout("abi_system", hypervisor=SPAN, console=CONSOLE, cpu_count="I", flags="I",
                platform="96s")

LAYOUTS = (HEADER, CONSOLE, MEM, IRQ, PIO, PCI, UART, CELL, SPAN, PLATFORM_ARM64, IOAPIC,
           PLATFORM_X86_64, SYSTEM)
