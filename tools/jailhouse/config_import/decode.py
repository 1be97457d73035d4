# SPDX-License-Identifier: GPL-2.0-only
"""
Bytes of a binary configuration of Jailhouse to records. Pure: nothing but the bytes is looked at, and what
they say is believed only as far as the file reaches.
"""

from collections.abc import Iterator

from jailhouse.config.abi import MAX_CPUS, Array, Layout, Values
from jailhouse.config.model import Span
from jailhouse.config_import.records import (ARCH_NAMES, ARCH_X86, PCI_IVSHMEM, ArmPlatform, Cache, Cell, Console,
                                             Iommu, Irqchip, Memory, PciDevice, Pio, Place, System, X86Platform)

REVISION = 14
SIZE_MAX = 64 * 1024		# the largest known has a tenth of it
_ARM = 1
_SIGNATURE = 5
_SYSTEM_SIGNATURE, _CELL_SIGNATURE = b"JHSYS", b"JHCLL"
_OWN_MAGIC = b"JHCONFIG"
_OLD_SIGNATURES = (b"JHSYST", b"JHCELL")

_MEMORY = Layout("memory", phys="Q", virt="Q", size="Q", flags="Q")
_CONSOLE = Layout("console", address="Q", size="I", type="H", flags="H", divider="I", gate_nr="I", clock_reg="Q")
_CACHE = Layout("cache", start="I", size="I", type="B", pad="B", flags="H")
_IRQCHIP = Layout("irqchip", address="Q", id="I", pin_base="I", bitmap="4I")
_PIO = Layout("pio", base="H", length="H")
_PCI = Layout("pci device", type="B", iommu="B", domain="H", bdf="H", bar_mask="6I", caps_start="H", num_caps="H",
              msi_vectors="B", msi_bits="B", msix_vectors="H", msix_size="H", msix_address="Q", first_memory="I",
              dev_id="B", peers="B", protocol="H")
_CAP = Layout("pci capability", id="H", start="H", length="H", flags="H")
_STREAM = Layout("stream id", id="I")
_IOMMU = Layout("iommu", type="I", base="Q", size="I", more="12s")
_CELL = Layout("cell", signature="5s", arch="B", revision="H", name="32s", id="I", flags="I", cpu_set_size="I",
               memory="I", cache="I", irqchip="I", pio="I", pci="I", cap="I", stream="I", vpci_irq_base="I", entry="Q",
               reply_timeout="Q", console=_CONSOLE)
_X86_PLATFORM = Layout("x86", pm_timer="H", apic_mode="B", pad="B", vtd_interrupt_limit="I", tsc_khz="I", apic_khz="I")
_ARM_PLATFORM = Layout("arm", maintenance_irq="B", gic_version="B", pad="H", gicd="Q", gicc="Q", gich="Q", gicv="Q",
                       gicr="Q")
_SYSTEM = Layout("system", signature="5s", arch="B", revision="H", flags="I", hypervisor=_MEMORY, console=_CONSOLE,
                 mmconfig="Q", end_bus="B", virtual="B", domain="H", iommus=Array(_IOMMU, 8), platform="44s")


class DecodeError(Exception):
    """The file cannot be used; nothing of it is."""

    def __init__(self, at: Place, what: str, why: str, fix: str) -> None:
        super().__init__(f"{at}: {what}")
        self.at, self.what, self.why, self.fix = at, what, why, fix


def decode(file: str, data: bytes) -> System | Cell:
    """`file` is only what messages call it. DecodeError says what is wrong."""
    start = Place(file, 0, "file")
    if len(data) > SIZE_MAX:
        raise DecodeError(start, f"it has more than {SIZE_MAX} bytes", "no configuration of Jailhouse is that large",
                          "name a .cell file that Jailhouse's build made")
    signature = data[:_SIGNATURE]
    if data.startswith((_OWN_MAGIC, *_OLD_SIGNATURES)) or signature not in (_SYSTEM_SIGNATURE, _CELL_SIGNATURE):
        raise _foreign(start, data)
    if len(data) < _SIGNATURE + 3:
        raise _short(start, "its header", _SIGNATURE + 3, len(data))
    revision = int.from_bytes(data[6:8], "little")
    if revision != REVISION:
        raise DecodeError(Place(file, 6, "revision"), f"it has revision {revision}, and only {REVISION} is read",
                          "other revisions lay out their records otherwise",
                          f"build it with a Jailhouse whose JAILHOUSE_CONFIG_REVISION is {REVISION}")
    arch = data[5]
    if arch not in ARCH_NAMES:
        said = "32-bit arm" if arch == _ARM else f"unknown ({arch})"
        raise DecodeError(Place(file, 5, "architecture"), f"its architecture is {said}",
                          "this hypervisor is for arm64 and x86_64", "import the configuration of another board")
    return _system(file, data, arch) if signature == _SYSTEM_SIGNATURE else _cell(file, data, arch, 0, "cell")


def _foreign(start: Place, data: bytes) -> DecodeError:
    if data.startswith(_OWN_MAGIC):
        return DecodeError(start, "it was built by `jailhouse config build`", "it is no configuration of Jailhouse",
                           "look at it with `jailhouse config show`, or edit the text it was built from")
    if data.startswith(_OLD_SIGNATURES):
        return DecodeError(start, f'its signature "{data[:6].decode()}" is that of revision 13 or older',
                           f"only revision {REVISION} is read",
                           f"build it with a Jailhouse whose JAILHOUSE_CONFIG_REVISION is {REVISION}")
    return DecodeError(start, "it begins with neither JHSYS nor JHCLL", "it is no configuration of Jailhouse",
                       "name a .cell file that Jailhouse's build made")


def _short(at: Place, what: str, size: int, left: int) -> DecodeError:
    return DecodeError(at, f"{what}: {size} bytes, and the file ends after {left}",
                       "the file is cut off, or its header counts records that it has not",
                       "build it again, or correct the count in the source it was built from")


def _system(file: str, data: bytes, arch: int) -> System:
    start = Place(file, 0, "system")
    if len(data) < _SYSTEM.size:
        raise _short(start, "its header", _SYSTEM.size, len(data))
    fields = _SYSTEM.unpack(data)
    iommus_at = _SYSTEM.offsets["iommus"]
    iommus = [Iommu(Place(file, iommus_at + n * _IOMMU.size, f"IOMMU {n}"), unit["type"], unit["base"])
              for n, unit in enumerate(fields["iommus"]) if unit["type"]]
    at = Place(file, _SYSTEM.offsets["hypervisor"], "hypervisor memory")
    return System(
        start, arch, _memory(at, fields["hypervisor"]),
        _console(Place(file, _SYSTEM.offsets["console"], "debug console"), fields["console"]),
        fields["mmconfig"], fields["end_bus"] + 1, bool(fields["virtual"]), tuple(iommus),
        _platform(arch, fields["platform"]), Place(file, _SYSTEM.offsets["platform"], "platform"),
        _cell(file, data, arch, _SYSTEM.size, "root cell"))


def _platform(arch: int, data: bytes) -> ArmPlatform | X86Platform:
    if arch == ARCH_X86:
        x86 = _X86_PLATFORM.unpack(data)
        return X86Platform(x86["pm_timer"], x86["tsc_khz"], x86["apic_khz"])
    arm = _ARM_PLATFORM.unpack(data)
    del arm["pad"]
    return ArmPlatform(**arm)


class _Reader:
    """What follows the header, record by record."""

    def __init__(self, file: str, data: bytes, offset: int) -> None:
        self.file = file
        self.data = data
        self.offset = offset

    def take(self, what: str, count: int, size: int) -> int:
        """The offset of `count` pieces of `size` bytes, all of which are there."""
        at, left = self.offset, len(self.data) - self.offset
        if count * size > left:
            raise _short(Place(self.file, at, what), f"{count} of it", count * size, left)
        self.offset += count * size
        return at

    def records(self, layout: Layout, count: int) -> Iterator[tuple[Place, Values]]:
        at = self.take(layout.name, count, layout.size)
        for n in range(count):
            place = at + n * layout.size
            yield Place(self.file, place, f"{layout.name} {n}"), layout.unpack(self.data, place)


def _cell(file: str, data: bytes, arch: int, offset: int, what: str) -> Cell:
    start = Place(file, offset, what)
    if len(data) - offset < _CELL.size:
        raise _short(start, "its header", _CELL.size, len(data) - offset)
    fields = _CELL.unpack(data, offset)
    reader = _Reader(file, data, offset + _CELL.size)
    size = fields["cpu_set_size"]
    cpus_at = reader.take("CPU set", size, 1)
    cpus = _bits(int.from_bytes(data[cpus_at:cpus_at + size], "little"))
    if cpus and max(cpus) >= MAX_CPUS:
        raise DecodeError(Place(file, cpus_at, "CPU set"), f"it has CPU {max(cpus)}",
                          f"the hypervisor serves {MAX_CPUS} CPUs, from 0 up",
                          "take it out of the set in the source it was built from")
    return Cell(
        start, arch, _name(fields["name"]), fields["flags"], frozenset(cpus), fields["entry"], fields["reply_timeout"],
        _console(Place(file, offset + _CELL.offsets["console"], "console"), fields["console"]),
        tuple(_memory(at, f) for at, f in reader.records(_MEMORY, fields["memory"])),
        tuple(Cache(at, f["start"], f["size"]) for at, f in reader.records(_CACHE, fields["cache"])),
        tuple(_irqchip(at, f) for at, f in reader.records(_IRQCHIP, fields["irqchip"])),
        tuple(_pio(at, f) for at, f in reader.records(_PIO, fields["pio"])),
        tuple(_pci(at, f) for at, f in reader.records(_PCI, fields["pci"])),
        tuple(at for at, _ in reader.records(_CAP, fields["cap"])),
        tuple(at for at, _ in reader.records(_STREAM, fields["stream"])),
        Place(file, reader.offset, "end") if reader.offset < len(data) else None)


def _bits(number: int) -> list[int]:
    return [n for n, digit in enumerate(reversed(f"{number:b}")) if digit == "1"]


def _name(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


def _memory(at: Place, fields: Values) -> Memory:
    for key in ("phys", "virt"):
        if fields[key] + fields["size"] > 1 << 64:
            raise DecodeError(at, f"{fields[key]:#x} and {fields['size']:#x} bytes from there wrap",
                              "there are no addresses of more than 64 bits",
                              "correct the region in the source it was built from")
    return Memory(at, fields["phys"], fields["virt"], fields["size"], fields["flags"])


def _console(at: Place, fields: Values) -> Console:
    if fields["address"] + fields["size"] > 1 << 64:
        raise DecodeError(at, f"{fields['address']:#x} and {fields['size']:#x} bytes from there wrap",
                          "there are no addresses of more than 64 bits",
                          "correct the console in the source it was built from")
    return Console(at, **fields)


def _irqchip(at: Place, fields: Values) -> Irqchip:
    pins = [fields["pin_base"] + 32 * n + bit for n, word in enumerate(fields["bitmap"]) for bit in _bits(word)]
    return Irqchip(at, fields["address"], tuple(pins))


def _pio(at: Place, fields: Values) -> Pio:
    if fields["base"] + fields["length"] > 0x1_0000:
        raise DecodeError(at, f"{fields['length']} ports from {fields['base']:#x} end behind the last, 0xffff",
                          "there are no such ports", "correct the range in the source it was built from")
    return Pio(at, fields["base"], fields["length"])


def _pci(at: Place, fields: Values) -> PciDevice:
    msix = Span(fields["msix_address"], fields["msix_size"] if fields["msix_vectors"] else 0)
    if fields["type"] == PCI_IVSHMEM:
        msix = Span(0, 0)
    if msix.end > 1 << 64:
        raise DecodeError(at, f"the MSI-X table at {msix.start:#x} wraps",
                          "there are no addresses of more than 64 bits",
                          "correct msix_address in the source it was built from")
    return PciDevice(at, fields["type"], fields["domain"], fields["bdf"], fields["num_caps"], msix,
                     fields["first_memory"], fields["peers"])
