# SPDX-License-Identifier: GPL-2.0-only
"""What no arm64 system's or cell's file may say, and machines that are not ready."""

from dataclasses import replace

from bad_bytes import RW, RWX, Bad, damaged, flipped, sealed, some_bits
from conftest import CONFIG, EXISTS, MACHINE, SPACE

from jailhouse.config import abi, blob
from jailhouse.config.emit import CellFile, Irq, Mem, SystemFile
from jailhouse.config.model import Span

PARAMETERS = "kvm-arm.mode=nvhe kvm-arm.mode=none"


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
    return {
        **damaged(data),
        **flipped(data, some_bits(data)),
        # Every bit of where the hypervisor is put
        **flipped(data, range(8 * at, 8 * at + 128)),
        "overlap": (with_mem(Mem("twice", 0x5000_0000, 0x5000_0000, 4096, RWX)), CONFIG,
                    r"memory\[\d+\] \"twice\": .*overlaps"),
        "overlap-hypervisor": (with_mem(Mem("over", 0xbf00_0000, 0xbf00_0000, 4096, RWX)), CONFIG,
                               r"memory\[\d+\] \"over\": .*overlaps the hypervisor"),
        "overlap-gic": (with_mem(Mem("regs", 0x0800_0000, 0x0800_0000, 4096, RW | abi.ABI_MEM_IO)), CONFIG,
                        r"memory\[\d+\] \"regs\": .*overlaps the interrupt controller"),
        "beyond": (with_mem(Mem("far", 1 << 60, 1 << 60, 4096, RW)), CONFIG,
                   r"memory\[\d+\] \"far\": .*end at"),
        "wraps": (with_mem(Mem("wrap", (1 << 64) - 4096, (1 << 64) - 4096, 8192, RW)), CONFIG, "\"wrap\""),
        "unaligned": (at_span(0xbf00_1000, 0xff_f000), CONFIG, "^hypervisor: .*2 MiB"),
        "linux-ram": (at_span(0x5000_0000, 0x100_0000), MACHINE, "in use by Linux"),
        "small": (at_span(0xbf00_0000, 0x10_0000), SPACE, "^hypervisor: .*too small"),
        "no-ram": (at_span(0x1_0000_0000, 0x100_0000), MACHINE, "^hypervisor: .*no RAM"),
        "registers": (at_span(0x0a00_0000, 0x100_0000), MACHINE, "^hypervisor: .*no RAM"),
        "reserved-no-ram": (with_mem(Mem("none", 0x1_0000_0000, 0x1_0000_0000, 4096,
                                         RWX | abi.ABI_MEM_RESERVED)), MACHINE, "\"none\".*no RAM"),
        "gic-version": (sealed(data, platform + 32, b"\4"), CONFIG, "gic_version 4, .*: gic_version: "),
        "gicd": (sealed(data, platform, (0x0800_1000).to_bytes(8, "little")), CONFIG, "^gicd 0x8001000 .*: gicd: "),
        "gicr-elsewhere": (sealed(data, platform + 16, (0x0c00_0000).to_bytes(8, "little")), CONFIG,
                           "gicr|overlaps"),
        "root-limit": (blob.encode_system(replace(good, root=replace(root, exits=0))), CONFIG,
                       "the root cell has no limit"),
        "two-alike": (blob.encode_system(replace(good, hwids=(0, 1, 2, 2))), MACHINE, "^CPU 3 has the id 0x3"),
        "other-cpu": (blob.encode_system(replace(good, hwids=(0, 1, 2, 0x103))), MACHINE,
                      "^CPU 3 has the id 0x3, .*0x103"),
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
        "other-cells": (more(0xb000_0000), CONFIG, r"memory\[\d\] \"more\": phys .*overlaps cell \"a\""),
        "own-phys": (more(ram.phys), CONFIG, r"\"more\": phys .*overlaps cell \"b\""),
        "own-virt": (more(0xb200_0000, 0), CONFIG, r"\"more\": virt .*overlaps memory\[0\]"),
        "linux-ram": (more(0x4000_0000), CONFIG, r"\"more\": phys .*not RESERVED"),
        "hypervisor": (more(0xbf00_0000), CONFIG, r"\"more\": phys .*no one region"),
        "no-ram": (more(0x1_0000_0000), CONFIG, r"\"more\": phys .*no one region"),
        "across": (more(0xbeff_f000, size=8192), CONFIG, r"\"more\": phys .*no one region"),
        "as-registers": (more(0xb200_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, r"\"more\": phys .*not IO"),
        "gic": (more(0x0800_0000, 0x0800_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, "\"more\": .*interrupt"),
        "over-gic": (more(0xb200_0000, 0x0800_0000), CONFIG, r"\"more\": virt .*overlaps the interrupt"),
        "beyond": (more(0xb200_0000, 1 << 60), CONFIG, r"\"more\": virt .*end at"),
        "wraps": (more(0xb200_0000, (1 << 64) - 4096, 8192), CONFIG, "\"more\""),
        "unaligned": (more(0xb200_0800), CONFIG, r"\"more\": phys .*multiple"),
        "empty": (more(0xb200_0000, size=0), CONFIG, r"\"more\": size"),
        "flags": (more(0xb200_0000, flags=RW | 1 << 20), CONFIG, r"\"more\": .*flags 0x100003: unknown"),
        "entry": (cell(entry=0x40_0000), CONFIG, "^entry: "),
        "no-name": (cell(name=""), CONFIG, "^name: "),
        "no-cpu": (cell(cpus=frozenset()), CONFIG, "^cpus: "),
        "cpu-9": (cell(cpus=frozenset({9})), CONFIG, "^cpus: .*CPU 9"),
        "cpu-taken": (cell(cpus=frozenset({2, 3})), CONFIG, "^cpus: CPU 3 .*\"a\""),
        "last-cpu": (cell(cpus=frozenset({0, 1, 2})), CONFIG, "^cpus: .*last CPU"),
        "line-taken": (cell(irqs=(Irq(220, 1, 220),)), CONFIG, r"^irq\[0\]: .*\"a\""),
        "line-of-nobody": (cell(irqs=(Irq(900, 1, 900),)), CONFIG, r"^irq\[0\]: line 900"),
        "line-of-a-cpu": (cell(irqs=(Irq(27, 1, 27),)), CONFIG, r"^irq\[0\]: line 27"),
        "line-moved": (cell(irqs=(Irq(221, 1, 40),)), CONFIG, r"^irq\[0\]: .*INJECTED"),
        "line-moved-away": (cell(irqs=(Irq(221, 1, 1020),), flags=good.cell.flags | abi.ABI_CELL_INJECTED),
                            CONFIG, r"^irq\[0\]: virt 1020"),
        "no-limit-settles": (cell(settle_ms=1), CONFIG, "settle_ms needs a limit"),
        "roots-name": (cell(name="root"), EXISTS, "\"root\""),
        "twins-name": (cell(name="a"), EXISTS, "\"a\" exists already"),
    }


# Machine's arguments, and what `enable` says
NOT_READY = {
    "no-memory": ({"append": f"console=ttyAMA0 {PARAMETERS}"},
                  r"memory \"\w+\" 0x[0-9a-f]+-0x[0-9a-f]+ is in use by Linux: boot with mem=1792M"),
    "kvm-6.12": ({"append": "console=ttyAMA0 mem=1792M"}, f"boot with {PARAMETERS}"),
    "kvm-6.1": ({"append": "console=ttyAMA0 mem=1792M", "kernel": "6.1"}, f"boot with {PARAMETERS}"),
    "vhe": ({"append": "console=ttyAMA0 mem=1792M", "cpu": "max"}, rf"EL2 \(VHE\): boot with {PARAMETERS}"),
    "two-cpus": ({"smp": 2}, "CPU 2 .*is configured, but this machine has none"),
    "six-cpus": ({"smp": 6}, r"CPU 4 \(id 0x4\) is not in the configuration of 4 CPUs"),
}
