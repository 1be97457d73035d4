# SPDX-License-Identifier: GPL-2.0-only
"""Facts of machines that tests make up: text, and tables packed from numbers."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jailhouse.probe.facts import Facts, Folder

Files = dict[str, str | bytes]
_TABLES = "sys/firmware/acpi/tables"
_PCI = "sys/bus/pci/devices"
_CLOSED = (0x10_0000, 0)		# a bridge's window that passes nothing on


def write(root: Path, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None) -> Folder:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    for path, target in (links or {}).items():
        link = root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    return Folder(str(root))


class Memory(Facts):
    """Files without a disk."""
    source = "the test's facts"

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return bytes_of(self.files, path) if path in self.files else None

    def names(self, path: str) -> list[str]:
        return sorted({p[len(path) + 1:].split("/")[0] for p in self.files if p.startswith(path + "/")})

    def link(self, path: str) -> str | None:
        return None


# --- ACPI -----------------------------------------------------------------------------

def table(signature: str, body: bytes, revision: int = 3) -> bytes:
    """With a header, and a checksum that is right."""
    length = 36 + len(body)
    head = struct.pack("<4sIBB6s8sI4sI", signature.encode(), length, revision, 0, b"TESTER", b"TABLE", 1, b"TEST", 1)
    return summed(head + body)


def bytes_of(files: Mapping[str, str | bytes], path: str) -> bytes:
    content = files[path]
    return content.encode() if isinstance(content, str) else content


def summed(data: bytes) -> bytes:
    """The table with its checksum corrected."""
    return data[:9] + bytes([-(sum(data) - data[9]) & 0xff]) + data[10:]


def lapic(apic_id: int, enabled: bool = True) -> bytes:
    return struct.pack("<BBBBI", 0, 8, apic_id, apic_id, enabled)


def x2apic(apic_id: int, enabled: bool = True) -> bytes:
    return struct.pack("<BBHIII", 9, 16, 0, apic_id, enabled, apic_id)


def ioapic(number: int, address: int, first: int) -> bytes:
    return struct.pack("<BBBBII", 1, 12, number, 0, address, first)


def override(irq: int, gsi: int) -> bytes:
    return struct.pack("<BBBBIH", 2, 10, 0, irq, gsi, 0)


def gicc(uid: int, mpidr: int, gicr: int = 0, maintenance: int = 25, flags: int = 1) -> bytes:
    return struct.pack("<BBHIIIIIQQQQIQQBBH", 0xb, 80, 0, uid, uid, flags, 0, 23, 0, 0, 0, 0, maintenance, gicr, mpidr,
                       0, 0, 0)


def gicd(address: int, version: int = 3) -> bytes:
    return struct.pack("<BBHIQIBBH", 0xc, 24, 0, 0, address, 0, version, 0, 0)


def gicr(address: int, size: int) -> bytes:
    return struct.pack("<BBHQI", 0xe, 16, 0, address, size)


def its(number: int, address: int) -> bytes:
    return struct.pack("<BBHIQI", 0xf, 20, 0, number, address, 0)


def madt(parts: Iterable[bytes]) -> bytes:
    return table("APIC", struct.pack("<II", 0xfee0_0000, 1) + b"".join(parts))


def mcfg(*ecams: tuple[int, int, int, int]) -> bytes:
    """Of each: address, segment, first and last bus."""
    return table("MCFG", bytes(8) + b"".join(struct.pack("<QHBBI", *e, 0) for e in ecams), 1)


def gas(space: int, address: int, width: int = 32) -> bytes:
    return struct.pack("<BBBBQ", space, width, 0, 0, address)


def fadt(base: int, sci: int = 9, smi: int = 0xb2, timer_space: int = 1, flags: int = 0) -> bytes:
    """Blocks from `base` on as chipsets have them, the timer at base + 8; of ACPI 3.0."""
    body = bytearray(244 - 36)
    struct.pack_into("<HI", body, 46 - 36, sci, smi)
    struct.pack_into("<IIIIIIII", body, 56 - 36, base, 0, base + 4, 0, 0, base + 8, base + 0x20, 0)
    struct.pack_into("<BBBBBB", body, 88 - 36, 4, 2, 0, 4, 16, 0)
    struct.pack_into("<I", body, 112 - 36, flags)
    body[208 - 36:220 - 36] = gas(timer_space, base + 8)
    return table("FACP", bytes(body))


def hpet(address: int) -> bytes:
    return table("HPET", struct.pack("<I", 0x8086a201) + gas(0, address) + bytes(4), 1)


def spcr(interface: int, space: int, address: int, gsi: int = 0) -> bytes:
    return table("SPCR", struct.pack("<B3s", interface, b"") + gas(space, address, 8) +
                 struct.pack("<BBI", 8 if gsi else 1, 4, gsi) + bytes(22), 2)


def scope(kind: int, bus: int, *path: tuple[int, int]) -> bytes:
    return struct.pack("<BBHBB", kind, 6 + 2 * len(path), 0, 0, bus) + b"".join(bytes(p) for p in path)


def drhd(address: int, rest: bool, *scopes: bytes) -> bytes:
    body = b"".join(scopes)
    return struct.pack("<HHBBHQ", 0, 16 + len(body), rest, 0, 0, address) + body


def rmrr(start: int, end: int, *scopes: bytes) -> bytes:
    body = b"".join(scopes)
    return struct.pack("<HHHHQQ", 1, 24 + len(body), 0, 0, start, end) + body


def dmar(*parts: bytes) -> bytes:
    return table("DMAR", struct.pack("<BB10s", 38, 1, b"") + b"".join(parts), 1)


def ivhd(kind: int, function: int, address: int, *entries: bytes) -> bytes:
    body = bytes(16 if kind != 0x10 else 0) + b"".join(entries)
    return struct.pack("<BBHHHQHHI", kind, 0, 24 + len(body), function, 0x40, address, 0, 0, 0) + body


def ivhd_range(first: int, last: int) -> bytes:
    return struct.pack("<BHBBHB", 3, first, 0, 4, last, 0)


def ivmd(function: int, start: int, size: int) -> bytes:
    return struct.pack("<BBHHHQQQ", 0x21, 8, 32, function, 0, 0, start, size)


def ivrs(*parts: bytes) -> bytes:
    return table("IVRS", bytes(12) + b"".join(parts), 2)


def tables(**by_name: bytes) -> Files:
    return {f"{_TABLES}/{name}": data for name, data in by_name.items()}


# --- PCI ------------------------------------------------------------------------------

def capability(kind: int, body: bytes = bytes(14)) -> tuple[int, bytes]:
    return kind, body


MSI = capability(0x05)


def msix(vectors: int, bar: int, offset: int) -> tuple[int, bytes]:
    return capability(0x11, struct.pack("<HII", vectors - 1, offset | bar, offset + 0x1000 | bar))


def config(ids: str, kind: int, bars: Mapping[int, int] | None = None, pin: int = 1, command: int = 7, header: int = 0,
           buses: tuple[int, int] = (0, 0), window: tuple[int, int] = _CLOSED, wide: tuple[int, int] = _CLOSED,
           interface: int = 0, capabilities: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """A space of 256 bytes. bars: what the registers read. window, wide: a bridge's, first and last address each."""
    space = bytearray(256)
    vendor, device = (int(part, 16) for part in ids.split(":"))
    struct.pack_into("<HHHHBBH", space, 0, vendor, device, command, 0x10 if capabilities else 0, 0, interface, kind)
    space[0x0e] = header
    for index, value in (bars or {}).items():
        struct.pack_into("<I", space, 0x10 + 4 * index, value & 0xffff_ffff)
    if header == 1:
        space[0x18:0x1b] = bytes([0, *buses])
        struct.pack_into("<HH", space, 0x20, window[0] >> 16 & 0xfff0, window[1] >> 16 & 0xfff0)
        struct.pack_into("<HHII", space, 0x24, wide[0] >> 16 & 0xfff0 | 1, wide[1] >> 16 & 0xfff0 | 1, wide[0] >> 32,
                         wide[1] >> 32)
    space[0x3d] = pin
    at = 0x40
    space[0x34] = at if capabilities else 0
    for number, (which, body) in enumerate(capabilities):
        after = at + 2 + len(body) + 3 & ~3
        space[at:at + 2 + len(body)] = bytes([which, after if number + 1 < len(capabilities) else 0]) + body
        at = after
    return bytes(space)


def resources(bars: Mapping[int, tuple[int, int, int]]) -> str:
    """Of each index: first and last address, and flags."""
    rows = [bars.get(index, (0, 0, 0)) for index in range(13)]
    return "".join(f"0x{a:016x} 0x{b:016x} 0x{c:016x}\n" for a, b, c in rows)


def function(address: str, space: bytes, bars: Mapping[int, tuple[int, int, int]] | None = None, irq: int = 0,
             msi: Sequence[int] = ()) -> Files:
    path = f"{_PCI}/{address}"
    vendor, device = struct.unpack_from("<HH", space)
    files: Files = {f"{path}/config": space, f"{path}/resource": resources(bars or {}), f"{path}/irq": f"{irq}\n",
                    f"{path}/vendor": f"0x{vendor:04x}\n", f"{path}/device": f"0x{device:04x}\n"}
    return files | {f"{path}/msi_irqs/{n}": "msix\n" for n in msi}


# --- /proc and /sys -------------------------------------------------------------------

def memmap(text: str) -> Files:
    """Lines `first-last kind`."""
    files: Files = {}
    for number, line in enumerate(text.strip().splitlines()):
        span, kind = line.strip().split(" ", 1)
        first, last = span.split("-")
        for name, value in (("start", f"0x{first}"), ("end", f"0x{last}"), ("type", kind)):
            files[f"sys/firmware/memmap/{number}/{name}"] = value + "\n"
    return files


def pnp(text: str) -> Files:
    """Lines `number id: resource; resource; ...`; all are active."""
    files: Files = {}
    for line in text.strip().splitlines():
        head, _, rest = line.strip().partition(": ")
        name, ids = head.split(" ", 1)
        found = "\n".join(["state = active", *(r.strip() for r in rest.split(";"))])
        files |= {f"sys/bus/pnp/devices/{name}/id": ids.replace(" ", "\n") + "\n",
                  f"sys/bus/pnp/devices/{name}/resources": found + "\n"}
    return files


def cpus(apic_ids: Mapping[int, int], model: str, vendor: str, bits: int, present: str, threads: Sequence[str] = (),
         l3: Sequence[str] = ()) -> Files:
    """threads: the list of each CPU of its core; l3: of those that have its last cache."""
    blocks = [f"processor\t: {n}\nvendor_id\t: {vendor}\nmodel name\t: {model}\napicid\t\t: {i}\n"
              f"initial apicid\t: {i}\naddress sizes\t: {bits} bits physical, 48 bits virtual\n"
              for n, i in apic_ids.items()]
    base = "sys/devices/system/cpu"
    files: Files = {"proc/cpuinfo": "\n".join(blocks), f"{base}/present": present + "\n"}
    for n, text in enumerate(threads):
        files[f"{base}/cpu{n}/topology/thread_siblings_list"] = text + "\n"
    for n, text in enumerate(l3):
        cache = f"{base}/cpu{n}/cache/index3"
        files |= {f"{cache}/level": "3\n", f"{cache}/size": "16384K\n", f"{cache}/type": "Unified\n",
                  f"{cache}/shared_cpu_list": text + "\n"}
    return files
