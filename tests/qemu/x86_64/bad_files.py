# SPDX-License-Identifier: GPL-2.0-only
"""What no x86_64 system's or cell's file may say, and machines that are not ready."""

from dataclasses import replace

from bad_bytes import RW, RWX, Bad, damaged, flipped, sealed, some_bits
from conftest import CONFIG, EXISTS, MACHINE, SPACE, STATE

from jailhouse.config import abi, blob
from jailhouse.config.emit import CellFile, Irq, Mem, Pio, SystemFile
from jailhouse.config.model import Span


def bad_systems(data: bytes) -> Bad:
    good = blob.decode(data)
    assert isinstance(good, SystemFile)
    at = abi.HEADER.size
    root = good.root

    def with_mem(*more: Mem) -> bytes:
        return blob.encode_system(replace(good, root=replace(root, mem=(*root.mem, *more))))

    def at_span(start: int, size: int) -> bytes:
        return blob.encode_system(replace(good, hypervisor=Span(start, size)))

    platform = at + abi.SYSTEM.offsets["platform"]
    ioapic = platform + abi.PLATFORM_X86_64.offsets["ioapic"]
    return {
        **damaged(data),
        **flipped(data, some_bits(data)),
        # Every bit of where the hypervisor is put
        **flipped(data, range(8 * at, 8 * at + 128)),
        "overlap": (with_mem(Mem("twice", 0x1000_0000, 0x1000_0000, 4096, RWX)), CONFIG,
                    r"memory\[\d+\] \"twice\": .*overlaps"),
        "overlap-hypervisor": (with_mem(Mem("over", 0x3f00_0000, 0x3f00_0000, 4096, RWX)), CONFIG,
                               r"memory\[\d+\] \"over\": .*overlaps the hypervisor"),
        "overlap-apic": (with_mem(Mem("regs", 0xfee0_0000, 0xfee0_0000, 4096, RW | abi.ABI_MEM_IO)), CONFIG,
                         r"memory\[\d+\] \"regs\": .*overlaps the interrupt controller"),
        "overlap-pci": (with_mem(Mem("pci", 0xb000_0000, 0xb000_0000, 4096, RW | abi.ABI_MEM_IO)), CONFIG,
                        r"memory\[\d+\] \"pci\": .*overlaps the interrupt controller's or PCI's"),
        "write-only": (with_mem(Mem("wo", 0x9_0000_0000, 0x9_0000_0000, 4096, abi.ABI_MEM_WRITE | abi.ABI_MEM_IO)),
                       CONFIG, r"memory\[\d+\] \"wo\": .*no READ"),
        "beyond": (with_mem(Mem("far", 1 << 60, 1 << 60, 4096, RW)), CONFIG,
                   r"memory\[\d+\] \"far\": .*end at"),
        "wraps": (with_mem(Mem("wrap", (1 << 64) - 4096, (1 << 64) - 4096, 8192, RW)), CONFIG, "\"wrap\""),
        "unaligned": (at_span(0x3f00_1000, 0xff_f000), CONFIG, "^hypervisor: .*2 MiB"),
        "linux-ram": (at_span(0x1000_0000, 0x100_0000), MACHINE, "in use by Linux"),
        "small": (at_span(0x3f00_0000, 0x10_0000), SPACE, "^hypervisor: .*too small"),
        "no-ram": (at_span(0x1_0000_0000, 0x100_0000), MACHINE, "^hypervisor: .*no RAM"),
        "registers": (at_span(0xfe00_0000, 0x80_0000), MACHINE, "^hypervisor: .*no RAM"),
        "reserved-no-ram": (with_mem(Mem("none", 0x9_0000_0000, 0x9_0000_0000, 4096,
                                         RWX | abi.ABI_MEM_RESERVED)), MACHINE, "\"none\".*no RAM"),
        "ioapic-address": (sealed(data, ioapic, (0xfec0_0800).to_bytes(8, "little")), CONFIG, r"^ioapic\[0\]: "),
        "ioapic-pins": (sealed(data, ioapic + 12, b"\xf1"), CONFIG, r"^ioapic\[0\]: .*240 pins"),
        "mmconfig": (sealed(data, platform, (0xb008_0000).to_bytes(8, "little")), CONFIG, "^mmconfig: "),
        "ports": (blob.encode_system(replace(good, root=replace(root, pios=(Pio(0xcf8, 8),)))), CONFIG,
                  r"^pio\[0\]: .*configuration space"),
        "root-limit": (blob.encode_system(replace(good, root=replace(root, exits=0))), CONFIG,
                       "the root cell has no limit"),
        "two-alike": (blob.encode_system(replace(good, hwids=(0, 1, 2, 2))), MACHINE, "^CPU 3 has the id 0x3"),
        "other-cpu": (blob.encode_system(replace(good, hwids=(0, 1, 2, 0x13))), MACHINE,
                      "^CPU 3 has the id 0x3, .*0x13"),
    }


def bad_cells(data: bytes) -> Bad:
    """Of cell b, while cell a is there."""
    good = blob.decode(data)
    assert isinstance(good, CellFile)
    ram = good.cell.mem[0]

    def cell(**changes) -> bytes:
        return blob.encode_cell(replace(good, cell=replace(good.cell, **changes)))

    def mem(*more: Mem, **changes) -> bytes:
        return cell(mem=(replace(ram, **changes), *good.cell.mem[1:], *more))

    def more(phys: int, virt: int = 0x7000_0000, size: int = 4096, flags: int = RW) -> bytes:
        return mem(Mem("more", phys, virt, size, flags))

    return {
        **damaged(data),
        **flipped(data, some_bits(data)),
        "other-cells": (more(0x3000_0000), CONFIG, r"memory\[\d\] \"more\": phys .*overlaps cell \"a\""),
        "own-phys": (more(ram.phys), CONFIG, r"\"more\": phys .*overlaps cell \"b\""),
        "own-virt": (more(0x3200_0000, 0), CONFIG, r"\"more\": virt .*overlaps memory\[0\]"),
        "linux-ram": (more(0x1000_0000), CONFIG, r"\"more\": phys .*not RESERVED"),
        "hypervisor": (more(0x3f00_0000), CONFIG, r"\"more\": phys .*no one region"),
        "no-ram": (more(0x9_0000_0000), CONFIG, r"\"more\": phys .*no one region"),
        "across": (more(0x3eff_f000, size=8192), CONFIG, r"\"more\": phys .*no one region"),
        "as-registers": (more(0x3200_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, r"\"more\": phys .*not IO"),
        "apic": (more(0xfee0_0000, 0xfee0_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, "\"more\": .*interrupt"),
        "over-apic": (more(0x3200_0000, 0xfee0_0000), CONFIG, r"\"more\": virt .*overlaps the interrupt"),
        "beyond": (more(0x3200_0000, 1 << 60), CONFIG, r"\"more\": virt .*end at"),
        "wraps": (more(0x3200_0000, (1 << 64) - 4096, 8192), CONFIG, "\"more\""),
        "unaligned": (more(0x3200_0800), CONFIG, r"\"more\": phys .*multiple"),
        "empty": (more(0x3200_0000, size=0), CONFIG, r"\"more\": size"),
        "flags": (more(0x3200_0000, flags=RW | 1 << 20), CONFIG, r"\"more\": .*flags 0x100003: unknown"),
        "write-only": (more(0x3200_0000, flags=abi.ABI_MEM_WRITE), CONFIG, r"\"more\": .*no READ"),
        "entry": (cell(entry=0x4000_0000), CONFIG, "^entry: "),
        "entry-high": (cell(entry=1 << 32), CONFIG, "^entry: .*below"),
        "no-name": (cell(name=""), CONFIG, "^name: "),
        "no-cpu": (cell(cpus=frozenset()), CONFIG, "^cpus: "),
        "cpu-9": (cell(cpus=frozenset({9})), CONFIG, "^cpus: .*CPU 9"),
        "cpu-taken": (cell(cpus=frozenset({2, 3})), CONFIG, "^cpus: CPU 3 .*\"a\""),
        "cpu-0": (cell(cpus=frozenset({0, 2})), STATE, "Linux does not let go of CPU 0"),
        "line-of-nobody": (cell(irqs=(Irq(90, 1, 90),)), CONFIG, r"^irq\[0\]: line 90|^irq\[0\]: .*lines are"),
        "injected": (cell(flags=good.cell.flags | abi.ABI_CELL_INJECTED), CONFIG, "INJECTED"),
        "trusted": (cell(flags=good.cell.flags | abi.ABI_CELL_TRUSTED_WFI), CONFIG, "TRUSTED_WFI"),
        "port-of-pci": (cell(pios=(Pio(0xcfc, 4),)), CONFIG, r"^pio\[0\]: "),
        "ports-that-end": (cell(pios=(Pio(0xffff, 2),)), CONFIG, r"^pio\[0\]: "),
        "ports-twice": (cell(pios=(Pio(0x2f8, 8), Pio(0x2ff, 1))), CONFIG, r"^pio\[1\]: "),
        "no-limit-settles": (cell(settle_ms=1), CONFIG, "settle_ms needs a limit"),
        "roots-name": (cell(name="root"), EXISTS, "\"root\""),
        "twins-name": (cell(name="a"), EXISTS, "\"a\" exists already"),
    }


# Machine's arguments, and what `enable` says
NOT_READY = {
    "no-memory": ({"append": "console=ttyS0"},
                  r"memory \"\w+\" 0x[0-9a-f]+-0x[0-9a-f]+ is in use by Linux: "
                  r"boot with memmap=\d+[KMG]\$0x[0-9a-f]+"),
    "no-svm": ({"cpu": "EPYC-v4,-svm"}, "the CPU has no SVM: "),
    "la57": ({"cpu": "max,+svm,+npt"}, "boot with no5lvl"),
    "two-cpus": ({"smp": 2}, "CPU 2 .*is configured, but this machine has none"),
    "six-cpus": ({"smp": 6}, r"CPU 4 \(id 0x4\) is not in the configuration of 4 CPUs"),
}
