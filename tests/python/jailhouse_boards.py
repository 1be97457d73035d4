# SPDX-License-Identifier: GPL-2.0-only
"""Boards that run Jailhouse, and cells on them: addresses and shapes are theirs, in fewer records."""

from jailhouse_files import (BRIDGE, COMM, DEVICE, DMA, HOLE, IO, IVSHMEM, LOADABLE, PASSIVE, PUTC, RW, RWX,
                             SHARED, TEST_DEVICE, X86, CellFile, R, SystemFile, console, iommu, irqchip, pci, sections)

_ALL = 0xffff_ffff
_PAGE = 0x1000


def _net(start: int, flags: int) -> list[tuple[int, int, int, int]]:
    """As JAILHOUSE_SHMEM_NET_REGIONS has them: no common section."""
    return [(start, start, _PAGE, R | flags), HOLE, (start + 0x1000, start + 0x1000, 0x7_f000, RW | flags),
            (start + 0x8_0000, start + 0x8_0000, 0x7_f000, R | flags)]


QEMU_ARM64 = SystemFile(
    CellFile("qemu-arm64", 0xffff, [
        *sections(0x7faf_0000, R, RW, RW, R, R), *_net(0x7fb0_0000, 0),
        (0x0900_0000, 0x0900_0000, 0x3700_0000, RW | IO), (0x4000_0000, 0x4000_0000, 0x3fa1_0000, RWX),
        (0x40_1000_0000, 0x40_1000_0000, 0x1000_0000, RW | IO)],
        signature=b"", irqchips=[irqchip(0x0800_0000, 32, _ALL, _ALL, _ALL, _ALL)],
        pci=[pci(IVSHMEM, 0, 1, peers=3), pci(IVSHMEM, 8, 1, first=5, peers=2)], vpci_irq_base=96),
    (0x7fc0_0000, 0x40_0000), console(0x0900_0000, 3, 3), (0x08e0_0000, 0, 1), gic=(3, 0x0800_0000, 0x080a_0000))

QEMU_ARM64_DEMO = CellFile(
    "inmate-demo", 0x2, [
        *sections(0x7faf_0000, R | SHARED, RW | SHARED, R | SHARED, RW | SHARED, R | SHARED),
        (0x0900_0000, 0x0900_0000, _PAGE, RW | IO | SHARED), (0x7fa0_0000, 0, 0x1_0000, RWX | LOADABLE),
        (0, 0x8000_0000, _PAGE, RW | COMM)],
    console=console(0x0900_0000, 3, 3, 0), irqchips=[irqchip(0x0800_0000, 32, 0, 0, 0, 1 << 16)],
    pci=[pci(IVSHMEM, 0, 1, peers=3)], vpci_irq_base=112)

IMX8MQ = SystemFile(
    CellFile("imx8mq", 0xf, [
        *sections(0xbfd0_0000, R, RW, RW, R, R), *_net(0xbfe0_0000, 0),
        (0, 0, 0x4000_0000, RW | IO), (0x4000_0000, 0x4000_0000, 0x7fb0_0000, RWX),
        (0xbff0_0000, 0xbff0_0000, 0x10_0000, RWX), (0xc000_0000, 0xc000_0000, 0x3dc0_0000, RWX),
        (0xfe00_0000, 0xfe00_0000, 0x200_0000, RW)],
        signature=b"", irqchips=[irqchip(0x3880_0000, base, _ALL, _ALL, _ALL, _ALL) for base in (32, 160, 288)],
        pci=[pci(IVSHMEM, 0, peers=3), pci(IVSHMEM, 8, first=5, peers=2)], vpci_irq_base=51, streams=3),
    (0xfdc0_0000, 0x40_0000), console(0x3086_0000, 8, 3), (0xbfb0_0000, 0, 1), [iommu(5, 0x5140_0000)],
    (3, 0x3880_0000, 0x3888_0000))

IMX8MQ_DEMO = CellFile(
    "inmate-demo", 0x8, [
        *sections(0xbfd0_0000, R | SHARED, RW | SHARED, R | SHARED, RW | SHARED, R | SHARED),
        (0x3086_0000, 0x3086_0000, _PAGE, RW | IO | SHARED), (0xc000_0000, 0, 0x1_0000, RWX | LOADABLE),
        (0, 0x8000_0000, _PAGE, RW | COMM)],
    console=console(0x3086_0000, 8, 3, 0), irqchips=[irqchip(0x3880_0000, 128, 1 << (108 + 32 - 128))],
    pci=[pci(IVSHMEM, 0, 1, peers=1)], vpci_irq_base=108)

# Its file marks devices as RAM, the UART among them; its GIC is a GICv2, and CPUs 1 and 2 are not Linux's
JETSON_TX2 = SystemFile(
    CellFile("Jetson-TX2", 0x39, [
        (at, at, size, RWX) for at, size in (
            (0x0, 0x4_0000), (0x210_0000, 0x10_0000), (0x300_0000, 0x1_0000), (0x310_0000, 0x1_0000),
            (0x311_0000, 0x1_0000), (0x340_0000, 0x8_0000), (0x3000_0000, 0x1000_0000), (0x8000_0000, 0x1_f000_0000),
            (0x2_7000_0000, 0x100_0000), (0x2_7708_0000, 0x20_0000))],
        signature=b"", irqchips=[irqchip(0x388_1000, 32, _ALL, _ALL, _ALL, _ALL),
                                 irqchip(0x388_1000, 160, _ALL, _ALL, _ALL, _ALL), irqchip(0x388_1000, 288, _ALL)]),
    (0x2_7100_0000, 0x400_0000), console(0x310_0000, 2, 3, 0x1_0000), gic=(2, 0x388_1000, 0))

JETSON_TX2_DEMO = CellFile(
    "jetson-tx2-demo", 0x8, [(0x310_0000, 0x310_0000, _PAGE, RW | IO), (0x2_7000_0000, 0, 0x100_0000, RWX | LOADABLE),
                             (0, 0x8000_0000, _PAGE, RW | COMM)],
    console=console(0x310_0000, 2, 3, 0))

QEMU_X86 = SystemFile(
    CellFile("QEMU-VM", 0xf, [
        *sections(0x3f0f_0000, R, RW, RW, R, R), *_net(0x3f10_0000, 0),
        (0, 0, 0x3a00_0000, RWX | DMA), (0x3a60_0000, 0x3a60_0000, 0x4ae_0000, RWX | DMA),
        (0x3f20_0000, 0x3f20_0000, 0xdd_f000, RWX | DMA), (0x3ffd_f000, 0x3ffd_f000, 0x2_1000, R),
        (0xfd00_0000, 0xfd00_0000, 0x100_0000, RW), (0xfeb4_0000, 0xfeb4_0000, 0x4_0000, RW),
        (0xfeb8_0000, 0xfeb8_0000, 0x2_0000, RW), (0xfebd_1000, 0xfebd_1000, 0x3000, RW),
        (0xfed0_0000, 0xfed0_0000, _PAGE, RW)],
        X86, signature=b"", irqchips=[irqchip(0xfec0_0000, 0, 0xff_ffff)],
        pios=[(0x40, 4), (0x60, 2), (0x2f8, 8), (0xc000, 0xff)],
        pci=[pci(DEVICE, 0x08), pci(DEVICE, 0x10, caps=6, msix=(5, 0x1000, 0xfebd_0000)), pci(DEVICE, 0xfa, caps=2),
             pci(IVSHMEM, 0x0e << 3, peers=3), pci(IVSHMEM, 0x0f << 3, first=5, peers=2)], caps=11),
    (0x3a00_0000, 0x60_0000), console(0x3f8, 2, 0, 0), (0xb000_0000, 0xff, 0), [iommu(2, 0xfed9_0000)], pm_timer=0x608)

_LOW_RAM = [(0, 0x10_0000, _PAGE, RW | COMM)]
_SERIAL = [(0x2f8, 8), (0x3f8, 8), (0xe010, 8)]

TINY_DEMO = CellFile(
    "tiny-demo", 0x4, [(0x3ee0_0000, 0, 0x10_0000, RWX | LOADABLE), *_LOW_RAM], X86, PASSIVE | TEST_DEVICE | PUTC,
    console(0x3f8, 2, 0, 0), caches=1, pios=_SERIAL)

LINUX_X86_DEMO = CellFile(
    "linux-x86-demo", 0xc, [
        *sections(0x3f0f_0000, R | SHARED, RW | SHARED, R | SHARED, R | SHARED, RW | SHARED),
        *_net(0x3f10_0000, SHARED),
        (0x3a60_0000, 0, 0x10_0000, RWX | DMA | LOADABLE), *_LOW_RAM,
        (0x3a70_0000, 0x20_0000, 0x470_0000, RWX | DMA | LOADABLE), (0xfeb4_0000, 0xfeb4_0000, 0x4_0000, RW),
        (0xfeb8_0000, 0xfeb8_0000, 0x2_0000, RW), (0xfebd_1000, 0xfebd_1000, 0x3000, RW)],
    X86, PASSIVE | PUTC, caches=1, irqchips=[irqchip(0xfec0_0000, 0, 1 << 3 | 1 << 4)], pios=_SERIAL,
    pci=[pci(IVSHMEM, 0x0e << 3, peers=3), pci(IVSHMEM, 0x0f << 3, first=5, peers=2),
         pci(DEVICE, 0x10, caps=6, msix=(5, 0x1000, 0xfebd_0000)), pci(BRIDGE, 0x18)], caps=6)

# (system, its cells): what Jailhouse could run together
BOARDS = {
    "qemu-arm64": (QEMU_ARM64, [QEMU_ARM64_DEMO]),
    "imx8mq": (IMX8MQ, [IMX8MQ_DEMO]),
    "jetson-tx2": (JETSON_TX2, [JETSON_TX2_DEMO]),
    "qemu-x86 tiny": (QEMU_X86, [TINY_DEMO]),
    "qemu-x86 linux": (QEMU_X86, [LINUX_X86_DEMO]),
}
