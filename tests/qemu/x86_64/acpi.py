# SPDX-License-Identifier: GPL-2.0-only
"""What a stock x86 kernel finds in a cell: its boot parameters, ACPI tables made for the cell, and the way in.

All of it lies in the *boot area*, memory of the cell's that the kernel is told is reserved. So it is still as
it was when the cell starts again. docs/linux-cells-x86.md says why each field is what it is.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 4096

# --- the boot area, by offset --------------------------------------------------------

STUB = 0
PARAMS = 0x1000  # and the command line in the page behind
TABLES = 0x4000
KERNEL = 0x10_0000

# Where the stub copies them to, for the kernel to spoil
PARAMS_AT = 0x1_0000
KERNEL_AT = 0x10_0000

# --- the hypervisor's registers, include/abi/power.h ---------------------------------------

POWER_PORT = 0xe4
POWER_RESET = 0x01
POWER_S5 = 5

# --- boot parameters: Documentation/arch/x86/boot.rst, zero-page.rst ------------------------

SETUP_SECTS = 0x1f1
HEADER_MAGIC = 0x202
RSDP_ADDRESS = 0x070
E820_COUNT = 0x1e8
TYPE_OF_LOADER = 0x210
CODE32_START = 0x214
RAMDISK = 0x218  # image, size
COMMAND_LINE = 0x228
COMMAND_LINE_SIZE = 0x238
E820_TABLE = 0x2d0

LOADER_UNDEFINED = 0xff
E820_RAM, E820_RESERVED, E820_ACPI = 1, 2, 3


@dataclass(frozen=True)
class Uart:
    """An 8250 at I/O ports; interrupt None: polled."""

    port: int
    interrupt: int | None


@dataclass(frozen=True)
class Guest:
    """What there is in the cell. Memory from 0 to `ram`, the boot area from `boot` to there."""

    ram: int
    boot: int
    apic_ids: Sequence[int]
    ioapic: int | None  # its address; its pins are the global system interrupts from 0
    uart: Uart | None


def boot_params(guest: Guest, kernel: bytes, initrd: tuple[int, int], command_line: str) -> bytes:
    """The zero page with the kernel's own header in it, and the command line in the page behind."""
    assert kernel[HEADER_MAGIC:HEADER_MAGIC + 4] == b"HdrS"
    line = command_line.encode() + b"\0"
    assert len(line) <= min(PAGE, struct.unpack_from("<I", kernel, COMMAND_LINE_SIZE)[0] + 1)
    page = bytearray(PAGE)
    end = HEADER_MAGIC + kernel[0x201]
    page[SETUP_SECTS:end] = kernel[SETUP_SECTS:end]
    page[TYPE_OF_LOADER] = LOADER_UNDEFINED
    struct.pack_into("<Q", page, RSDP_ADDRESS, guest.boot + TABLES)
    struct.pack_into("<I", page, CODE32_START, KERNEL_AT)
    if initrd[1]:
        struct.pack_into("<II", page, RAMDISK, *initrd)
    struct.pack_into("<I", page, COMMAND_LINE, PARAMS_AT + PAGE)
    ranges = ((0, 0xa_0000, E820_RAM), (0x10_0000, guest.boot, E820_RAM), (guest.boot, guest.ram, E820_RESERVED))
    page[E820_COUNT] = len(ranges)
    for n, (start, stop, kind) in enumerate(ranges):
        struct.pack_into("<QQI", page, E820_TABLE + 20 * n, start, stop - start, kind)
    return bytes(page) + line


def kernel_code(kernel: bytes) -> bytes:
    """What is entered, of a bzImage."""
    return kernel[(kernel[SETUP_SECTS] + 1) * 512:]


def stub(boot: int, size: int) -> bytes:
    """At the boot area's beginning: from real mode at the entry to `size` bytes of kernel, by its 32-bit protocol."""
    gdt, flat = boot + 0x80, boot + 0x20
    words = bytes(0x10) + struct.pack("<2Q", 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff)
    real = (b"\x2e\x66\x0f\x01\x16" + struct.pack("<H", 0x78)         # lgdtl %cs:0x78
            + b"\x66\xb8\x11\0\0\0\x0f\x22\xc0"                       # mov $(PE | ET), %eax; mov %eax, %cr0: caches on
            + b"\x66\xea" + struct.pack("<IH", flat, 0x10))            # ljmpl $0x10, $flat
    protected = (b"\xb8\x18\0\0\0\x8e\xd8\x8e\xc0\x8e\xd0\xfc"        # DS, ES, SS
                 + _copy(boot + PARAMS, PARAMS_AT, 2 * PAGE) + _copy(boot + KERNEL, KERNEL_AT, size)
                 + b"\xbe" + struct.pack("<I", PARAMS_AT)             # mov $PARAMS_AT, %esi
                 + b"\x31\xed\x31\xff\x31\xdb"                        # xor %ebp, %ebp; %edi; %ebx
                 + b"\xb8" + struct.pack("<I", KERNEL_AT) + b"\xff\xe0")  # jmp *%eax
    code = (real.ljust(0x20, b"\x90") + protected).ljust(0x78, b"\x90")
    return code + struct.pack("<HI2x", len(words) - 1, gdt) + words


def _copy(source: int, target: int, size: int) -> bytes:
    """mov $source, %esi; mov $target, %edi; mov $words, %ecx; rep movsl"""
    return struct.pack("<BIBIBI", 0xbe, source, 0xbf, target, 0xb9, (size + 3) // 4) + b"\xf3\xa5"


# --- ACPI tables: ACPI 6.5, 5.2 ---------------------------------------------------------------

SYSTEM_IO = 1
FADT_HW_REDUCED, FADT_RESET_REG_SUP, FADT_WBINVD = 1 << 20, 1 << 10, 1 << 0
# No VGA, no MSI as long as there is no PCI, no CMOS clock; neither legacy devices nor an 8042
BOOT_ARCH = 1 << 2 | 1 << 3 | 1 << 5
MADT_APIC, MADT_IOAPIC, MADT_X2APIC = 0, 1, 9
APIC_ENABLED = 1
XAPIC_IDS = 255


def _table(signature: bytes, revision: int, body: bytes) -> bytes:
    """The header of 5.2.6 and what follows it."""
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), revision, 0, b"JAILHS", b"CELL    ", 1, b"JLHS", 1)
    return _sum(head + body, 9)


def _sum(data: bytes, at: int) -> bytes:
    """With the byte there set so that all add up to 0."""
    return data[:at] + bytes([-sum(data) % 256]) + data[at + 1:]


def _register(port: int) -> bytes:
    """Generic address structure of a byte-wide port, 5.2.3.2."""
    return struct.pack("<4BQ", SYSTEM_IO, 8, 0, 1, port)


def _fadt(dsdt: int) -> bytes:
    body = bytearray(276 - 36)
    fields = ((40, "<I", dsdt), (109, "<H", BOOT_ARCH), (112, "<I", FADT_HW_REDUCED | FADT_RESET_REG_SUP | FADT_WBINVD),
              (128, "<B", POWER_RESET), (131, "<B", 5), (140, "<Q", dsdt))
    for at, form, value in fields:
        struct.pack_into(form, body, at - 36, value)
    # Reset register, sleep control register, sleep status register
    for at in (116, 244, 256):
        body[at - 36:at - 36 + 12] = _register(POWER_PORT)
    return _table(b"FACP", 6, bytes(body))


def _madt(guest: Guest) -> bytes:
    body = struct.pack("<II", 0xfee0_0000, 0)
    for number, apic in enumerate(guest.apic_ids):
        if apic < XAPIC_IDS:
            body += struct.pack("<BBBBI", MADT_APIC, 8, number, apic, APIC_ENABLED)
        else:
            body += struct.pack("<BBHIII", MADT_X2APIC, 16, 0, apic, APIC_ENABLED, number)
    if guest.ioapic is not None:
        body += struct.pack("<BBBBII", MADT_IOAPIC, 12, 0, 0, guest.ioapic, 0)
    return _table(b"APIC", 5, body)


# --- AML: ACPI 6.5, 20.2 ------------------------------------------------------------------------

def _package(code: bytes, content: bytes) -> bytes:
    """An object with PkgLength (20.2.4) of one byte or two."""
    size = len(content) + 1
    if size < 0x40:
        return code + bytes([size]) + content
    size += 1
    return code + bytes([0x40 | size & 0xf, size >> 4]) + content


def _name(name: bytes, value: bytes) -> bytes:
    return b"\x08" + name + value


def _byte(value: int) -> bytes:
    return bytes([0x0a, value])


def _resources(uart: Uart) -> bytes:
    """6.4: a fixed range of ports, an edge-triggered interrupt that is active high."""
    data = struct.pack("<BBHHBB", 0x47, 1, uart.port, uart.port, 1, 8)
    if uart.interrupt is not None:
        data += struct.pack("<BHBBI", 0x89, 6, 0x03, 1, uart.interrupt)
    data += b"\x79\0"
    return _package(b"\x11", _byte(len(data)) + data)


def _dsdt(guest: Guest) -> bytes:
    aml = _name(b"_S5_", _package(b"\x12", b"\x02" + _byte(POWER_S5) + _byte(0)))
    if guest.uart is not None:
        # EISAID("PNP0501")
        device = b"UAR0" + _name(b"_HID", b"\x0c\x41\xd0\x05\x01") + _name(b"_CRS", _resources(guest.uart))
        aml += _package(b"\x10", b"\\_SB_" + _package(b"\x5b\x82", device))
    return _table(b"DSDT", 2, aml)


def tables(guest: Guest) -> bytes:
    """RSDP first, then XSDT, FADT, MADT, DSDT; as they lie at TABLES in the boot area."""
    at = guest.boot + TABLES
    dsdt, madt = _dsdt(guest), _madt(guest)
    xsdt_at = at + 0x40
    fadt_at = xsdt_at + 36 + 2 * 8
    madt_at = fadt_at + 276
    fadt, xsdt = _fadt(madt_at + len(madt)), _table(b"XSDT", 1, struct.pack("<2Q", fadt_at, madt_at))
    rsdp = _sum(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"JAILHS", 2, 0), 8) + struct.pack("<IQB3x", 36, xsdt_at, 0)
    return _sum(rsdp, 32).ljust(0x40, b"\0") + xsdt + fadt + madt + dsdt


def boot_area(guest: Guest, kernel: bytes, initrd: bytes, command_line: str) -> dict[int, bytes]:
    """Everything to be loaded, by guest-physical address; the cell's entry is guest.boot."""
    code = kernel_code(kernel)
    initrd_at = guest.boot + KERNEL + (len(code) + PAGE - 1) // PAGE * PAGE
    assert initrd_at + len(initrd) <= guest.ram
    loaded = {guest.boot + STUB: stub(guest.boot, len(code)),
              guest.boot + PARAMS: boot_params(guest, kernel, (initrd_at, len(initrd)), command_line),
              guest.boot + TABLES: tables(guest),
              guest.boot + KERNEL: code}
    return loaded | ({initrd_at: initrd} if initrd else {})
