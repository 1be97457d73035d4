# SPDX-License-Identifier: GPL-2.0-only
"""Records to bytes, and bytes back to records. Layouts: include/abi/config.h."""

import zlib

from jailhouse.config import abi
from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import CellFile, Irq, Mem, Pio, Section, SystemFile
from jailhouse.config.model import Span


class BlobError(ValueError):
    """Says what is wrong with the bytes and what to do."""


def encode_system(file: SystemFile) -> bytes:
    fixed = abi.SYSTEM.pack(
        hypervisor={"start": file.hypervisor.start, "size": file.hypervisor.size},
        console=file.console, cpu_count=len(file.hwids), platform=file.platform)
    hwids = b"".join(hwid.to_bytes(8, "little") for hwid in file.hwids)
    return _seal(file.arch, abi.ABI_KIND_SYSTEM, fixed + hwids + _section(file.root))


def encode_cell(file: CellFile) -> bytes:
    return _seal(file.arch, abi.ABI_KIND_CELL, _section(file.cell))


def _section(section: Section) -> bytes:
    words = [0] * abi.ABI_CPU_SET_WORDS
    for cpu in section.cpus:
        words[cpu // 64] |= 1 << cpu % 64
    parts = [abi.CELL.pack(
        name=section.name.encode(), flags=section.flags, mem_count=len(section.mem),
        irq_count=len(section.irqs), exits=section.exits, entry=section.entry,
        settle_ms=section.settle_ms, pio_count=len(section.pios), pci_count=len(section.pcis),
        cpus=words, console=section.console, uart=section.uart, gicd=section.gicd, gicr=section.gicr)]
    parts += [abi.MEM.pack(phys=m.phys, virt=m.virt, size=m.size, flags=m.flags,
                           name=m.name.encode()) for m in section.mem]
    parts += [abi.IRQ.pack(first=r.first, count=r.count, virt=r.virt) for r in section.irqs]
    parts += [abi.PIO.pack(first=p.first, count=p.count) for p in section.pios]
    parts += [abi.PCI.pack(bdf=bdf) for bdf in section.pcis]
    return b"".join(parts)


def _seal(arch: int, kind: int, payload: bytes) -> bytes:
    """The header in front, with the checksum over all of it taken last."""
    fields: abi.Values = {"magic": abi.ABI_CONFIG_MAGIC, "version": abi.ABI_CONFIG_VERSION,
                          "arch": arch, "kind": kind, "size": abi.HEADER.size + len(payload)}
    crc = zlib.crc32(abi.HEADER.pack(**fields) + payload)
    return abi.HEADER.pack(**fields, crc=crc) + payload


def decode(data: bytes) -> SystemFile | CellFile:
    """BlobError where the hypervisor's config_parse would refuse the frame."""
    header = _checked_header(data)
    at = abi.HEADER.size
    if header["kind"] == abi.ABI_KIND_CELL:
        return CellFile(header["arch"], _decode_section(data, at))
    system = _take(abi.SYSTEM, data, at, "system")
    at += abi.SYSTEM.size
    count = system["cpu_count"]
    if not 1 <= count <= abi.MAX_CPUS or at + 8 * count > len(data):
        raise BlobError(f"cpu_count {count} is more than the file holds or than there can be; "
                        "build it again")
    hwids = tuple(int.from_bytes(data[at + 8 * n:at + 8 * n + 8], "little")
                  for n in range(count))
    span = system["hypervisor"]
    return SystemFile(header["arch"], Span(span["start"], span["size"]), system["console"],
                      system["platform"], hwids, _decode_section(data, at + 8 * count))


def _checked_header(data: bytes) -> abi.Values:
    header = _take(abi.HEADER, data, 0, "header")
    if header["magic"] != abi.ABI_CONFIG_MAGIC:
        raise BlobError(f"magic {header['magic']!r}, not {abi.ABI_CONFIG_MAGIC!r}: no built "
                        "configuration; name a .cell file made by `config build`")
    if header["version"] != abi.ABI_CONFIG_VERSION:
        raise BlobError(f"version {header['version']}, this tool knows {abi.ABI_CONFIG_VERSION}; "
                        "build it again with the tools of the same release")
    if header["arch"] not in (a.id for a in ARCHES.values()):
        raise BlobError(f"architecture {header['arch']} is unknown; build it again")
    if header["kind"] not in (abi.ABI_KIND_SYSTEM, abi.ABI_KIND_CELL):
        raise BlobError(f"kind {header['kind']} is neither system nor cell; build it again")
    if header["size"] != len(data) or len(data) > abi.ABI_CONFIG_MAX_SIZE:
        raise BlobError(f"size field {header['size']}, file {len(data)} bytes, at most "
                        f"{abi.ABI_CONFIG_MAX_SIZE}: cut off or appended to; build it again")
    if any(header["reserved"]):
        raise BlobError("header.reserved is not 0; build it again")
    at = abi.HEADER.offsets["crc"]
    crc = zlib.crc32(data[:at] + bytes(4) + data[at + 4:])
    if crc != header["crc"]:
        raise BlobError(f"checksum {header['crc']:#010x}, contents have {crc:#010x}: the file "
                        "was altered; build it again")
    return header


def _take(layout: abi.Layout, data: bytes, at: int, what: str) -> abi.Values:
    if at + layout.size > len(data):
        raise BlobError(f"{what}: the file ends at {len(data)} bytes, {at + layout.size} are "
                        "needed; it was cut off, build it again")
    return layout.unpack(data, at)


def _decode_section(data: bytes, at: int) -> Section:
    cell = _take(abi.CELL, data, at, "cell")
    at += abi.CELL.size
    lists: dict[str, list[abi.Values]] = {}
    for name, layout in (("mem", abi.MEM), ("irq", abi.IRQ), ("pio", abi.PIO), ("pci", abi.PCI)):
        count = cell[f"{name}_count"]
        if at + count * layout.size > len(data):
            raise BlobError(f"{name}_count {count}: the file ends at byte {len(data)} before they "
                            "do; build it again")
        lists[name] = [layout.unpack(data, at + n * layout.size) for n in range(count)]
        at += count * layout.size
    if at != len(data):
        raise BlobError(f"the lists of the cell end at byte {at}, the file at {len(data)}; build "
                        "it again")
    mem = [Mem(_text(m["name"], f"memory[{n}].name"), m["phys"], m["virt"], m["size"], m["flags"])
           for n, m in enumerate(lists["mem"])]
    irqs = [Irq(i["first"], i["count"], i["virt"]) for i in lists["irq"]]
    pios = [Pio(p["first"], p["count"]) for p in lists["pio"]]
    cpus = frozenset(n for n in range(abi.MAX_CPUS) if cell["cpus"][n // 64] >> n % 64 & 1)
    return Section(_text(cell["name"], "cell.name"), cell["flags"], cell["entry"], cpus,
                   tuple(mem), tuple(irqs), cell["console"], cell["exits"], cell["settle_ms"],
                   tuple(pios), tuple(p["bdf"] for p in lists["pci"]), cell["uart"], cell["gicd"], cell["gicr"])


def _text(raw: bytes, what: str) -> str:
    name, nul, rest = raw.partition(b"\0")
    if not nul or any(rest) or not all(0x20 <= byte <= 0x7e for byte in name):
        raise BlobError(f"{what} {raw!r} is no NUL-padded printable text; build it again")
    return name.decode()
