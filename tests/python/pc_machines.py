# SPDX-License-Identifier: GPL-2.0-only
"""
Three PCs as `config collect` would gather them: QEMU's q35 as its own Linux showed it, and two that were made up of
what such machines show.
"""

from typing import Any

from facts_tree import (MSI, Files, capability, config, cpus, dmar, drhd, fadt, function, hpet, ioapic, ivhd,
                        ivhd_range, ivmd, ivrs, lapic, madt, mcfg, memmap, msix, override, pnp, rmrr, scope, tables,
                        x2apic)

IO, MEM, MEM64, PREF64, ROM = 0x40101, 0x40200, 0x140204, 0x14220c, 0x46200
Bars = dict[int, tuple[int, int, int]]
EXPRESS = capability(0x10, bytes(18))


def card(place: str, ids: str, kind: int, bars: Bars, irq: int = 0, msi: tuple[int, ...] = (), **space: Any) -> Files:
    """
    A function with base addresses: first, last and the kernel's flags, of which the lowest four bits are what the
    register has there (PCI 3.0, 6.2.5.1). 6 is the ROM.
    """
    registers = {n: first & 0xffff_ffff | flags & 0xf for n, (first, _, flags) in bars.items() if n < 6}
    registers |= {n + 1: first >> 32 for n, (first, _, _) in bars.items() if first >> 32}
    return function(f"0000:{place}", config(ids, kind, registers, **space), bars, irq, msi)


def plain(place: str, ids: str, kind: int, **space: Any) -> Files:
    return function(f"0000:{place}", config(ids, kind, **space))


def bridge(place: str, ids: str, bus: int, **space: Any) -> Files:
    return plain(place, ids, 0x0604, header=1, buses=(bus, bus), **space)


# --- QEMU 10, -M q35 -cpu EPYC-v4,+svm,+npt,+x2apic -smp 4 -m 2G -device intel-iommu,intremap=on,eim=on ------------

QEMU_IOMEM = """\
00000000-00000fff : Reserved
00001000-0009fbff : System RAM
0009fc00-0009ffff : Reserved
000a0000-000bffff : PCI Bus 0000:00
000c0000-000c9bff : Video ROM
000ca000-000ca5ff : Adapter ROM
000f0000-000fffff : Reserved
  000f0000-000fffff : System ROM
00100000-2fffffff : System RAM
30000000-3fffffff : Reserved
40000000-7ffdefff : System RAM
  60e00000-61dfffff : Kernel code
  61e00000-6296cfff : Kernel rodata
  62a00000-62c70d7f : Kernel data
  6352f000-639fffff : Kernel bss
7ffdf000-7fffffff : Reserved
80000000-afffffff : PCI Bus 0000:00
b0000000-bfffffff : PCI ECAM 0000 [bus 00-ff]
  b0000000-bfffffff : Reserved
    b0000000-bfffffff : pnp 00:05
c0000000-febfffff : PCI Bus 0000:00
  fd000000-fdffffff : 0000:00:01.0
  febf0000-febf0fff : 0000:00:01.0
  febf1000-febf1fff : 0000:00:1f.2
fec00000-fec003ff : IOAPIC 0
fed00000-fed003ff : HPET 0
  fed00000-fed003ff : PNP0103:00
fed1c000-fed1ffff : Reserved
fed90000-fed90fff : dmar0
fffc0000-ffffffff : Reserved
100000000-8ffffffff : PCI Bus 0000:00
fd00000000-ffffffffff : Reserved
"""
QEMU_IOPORTS = """\
0000-0cf7 : PCI Bus 0000:00
  0000-001f : dma1
  0020-0021 : pic1
  0040-0043 : timer0
  0050-0053 : timer1
  0060-0060 : keyboard
  0064-0064 : keyboard
  0070-0077 : rtc0
  0080-008f : dma page reg
  00a0-00a1 : pic2
  00c0-00df : dma2
  00f0-00ff : fpu
  03c0-03df : vga+
  03f8-03ff : serial
  0510-051b : QEMU0002:00
  0600-067f : 0000:00:1f.0
    0600-0603 : ACPI PM1a_EVT_BLK
    0604-0605 : ACPI PM1a_CNT_BLK
    0608-060b : ACPI PM_TMR
    0620-062f : ACPI GPE0_BLK
  0700-073f : 0000:00:1f.3
0cf8-0cff : PCI conf1
0d00-ffff : PCI Bus 0000:00
  c040-c05f : 0000:00:1f.2
"""
_QEMU_INTERRUPTS = """\
           CPU0       CPU1       CPU2       CPU3
  0:        102          0          0          0  IR-IO-APIC   2-edge      timer
  1:          9          0          0          0  IR-IO-APIC   1-edge      i8042
  4:          0          0        115          0  IR-IO-APIC   4-edge      ttyS0
  8:          0          1          0          0  IR-IO-APIC   8-edge      rtc0
  9:          0          0          0          0  IR-IO-APIC   9-fasteoi   acpi
 12:          0          0          0          3  IR-IO-APIC  12-edge      i8042
 24:          0          0          0          0  DMAR-MSI   0-edge      dmar0
NMI:          0          0          0          0   Non-maskable interrupts
"""
_QEMU_LINKS = "".join(f"[    1.5] ACPI: PCI: Interrupt link {name} configured for IRQ {irq}\n" for name, irq in (
    ("LNKA", 10), ("LNKC", 11), ("GSIA", 16), ("GSIB", 17), ("GSIH", 23)))
_QEMU_LOG = """\
[    0.000000] DMI: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.3-debian-1.16.3-2~bpo12+1 04/01/2014
[    0.067052] IOAPIC[0]: apic_id 0, version 32, address 0xfec00000, GSI 0-23
[    0.308559] DMAR-IR: Enabled IRQ remapping in x2apic mode
[    2.110374] 00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A
"""
_QEMU_MAP = """
    0-9fbff System RAM
    9fc00-9ffff Reserved
    f0000-fffff Reserved
    100000-7ffdefff System RAM
    7ffdf000-7fffffff Reserved
    b0000000-bfffffff Reserved
    fed1c000-fed1ffff Reserved
    fffc0000-ffffffff Reserved
    fd00000000-ffffffffff Reserved
"""
_QEMU_PNP = """
    00:00 PNP0303: io 0x60-0x60; io 0x64-0x64; irq 1
    00:01 PNP0f13: irq 12
    00:02 PNP0400: io 0x378-0x37f; irq 7
    00:03 PNP0501: io 0x3f8-0x3ff; irq 4
    00:04 PNP0b00: io 0x70-0x77; irq 8
    00:05 PNP0c01: mem 0xb0000000-0xbfffffff window
"""


def qemu() -> tuple[Files, dict[str, str]]:
    files: Files = {"proc/iomem": QEMU_IOMEM, "proc/ioports": QEMU_IOPORTS, "proc/interrupts": _QEMU_INTERRUPTS,
                    "proc/cmdline": "console=ttyS0 memmap=256M$0x30000000 no_timer_check agent\n",
                    "dmesg.txt": _QEMU_LOG + _QEMU_LINKS}
    files |= cpus({n: n for n in range(4)}, "AMD EPYC-v4 Processor", "AuthenticAMD", 40, "0-3",
                  [str(n) for n in range(4)], ["0-3"] * 4)
    files |= memmap(_QEMU_MAP) | pnp(_QEMU_PNP)
    files |= tables(
        APIC=madt([*(lapic(n) for n in range(4)), ioapic(0, 0xfec0_0000, 0), override(0, 2),
                   *(override(n, n) for n in (5, 9, 10, 11))]),
        MCFG=mcfg((0xb000_0000, 0, 0, 255)), FACP=fadt(0x600), HPET=hpet(0xfed0_0000),
        DMAR=dmar(drhd(0xfed9_0000, False, scope(3, 0xff, (0, 0)), *(scope(1, 0, p) for p in (
            (0, 0), (1, 0), (0x1f, 0), (0x1f, 2), (0x1f, 3))))))
    files |= plain("00:00.0", "8086:29c0", 0x0600, pin=0)
    files |= card("00:01.0", "1234:1111", 0x0300, {0: (0xfd00_0000, 0xfdff_ffff, 0x42208), 2: (0xfebf_0000, 0xfebf_0fff, MEM),
                                                   6: (0xc_0000, 0xd_ffff, 0x212)}, pin=0)
    files |= plain("00:1f.0", "8086:2918", 0x0601, pin=0)
    files |= card("00:1f.2", "8086:2922", 0x0106, {4: (0xc040, 0xc05f, IO), 5: (0xfebf_1000, 0xfebf_1fff, MEM)}, 10,
                  capabilities=[MSI])
    files |= card("00:1f.3", "8086:2930", 0x0c05, {4: (0x700, 0x73f, IO)}, 10, command=3)
    groups = {"00.0": 0, "01.0": 1, "1f.0": 2, "1f.2": 2, "1f.3": 2}
    links = {f"sys/bus/pci/devices/0000:00:{place}/iommu_group": f"../../../kernel/iommu_groups/{n}"
             for place, n in groups.items()}
    return files, links | {"sys/bus/platform/devices/QEMU0002:00/driver": "../../bus/platform/drivers/qemu_fw_cfg"}


# --- an AMD EPYC server ---------------------------------------------------------------

EPYC_IOMEM = """\
00000000-00000fff : Reserved
00001000-0009ffff : System RAM
000a0000-000fffff : Reserved
  000a0000-000bffff : PCI Bus 0000:00
  000c0000-000dffff : PCI Bus 0000:00
  000f0000-000fffff : System ROM
00100000-75cfffff : System RAM
  10000000-11ffffff : Kernel code
75d00000-75ffffff : Reserved
76000000-a8f1dfff : System RAM
a8f1e000-aa16cfff : Reserved
aa16d000-aa50cfff : ACPI Tables
aa50d000-aab0bfff : ACPI Non-volatile Storage
aab0c000-abffefff : Reserved
abfff000-abffffff : System RAM
ac000000-afffffff : Reserved
b0000000-bfffffff : PCI ECAM 0000 [bus 00-ff]
  b0000000-bfffffff : Reserved
    b0000000-bfffffff : pnp 00:00
c0000000-dfffffff : PCI Bus 0000:40
  c0000000-c01fffff : PCI Bus 0000:41
    c0000000-c0003fff : 0000:41:00.0
      c0000000-c0003fff : nvme
e0000000-feafffff : PCI Bus 0000:00
  f0000000-f07fffff : PCI Bus 0000:01
    f0000000-f001ffff : 0000:01:00.0
      f0000000-f001ffff : igb
    f0020000-f0020fff : 0000:01:00.0
    f0040000-f0040fff : 0000:01:00.1
  f4100000-f417ffff : amd_iommu
  f4180000-f4180fff : Reserved
    f4180000-f41803ff : IOAPIC 1
fec00000-fec003ff : IOAPIC 0
fec10000-fec10fff : Reserved
  fec10000-fec10fff : pnp 00:03
fed00000-fed003ff : HPET 0
  fed00000-fed003ff : PNP0103:00
fed80000-fed8ffff : Reserved
  fed81200-fed812ff : AMDI0030:00
    fed81200-fed812ff : AMDI0030:00 AMDI0030:00
fedc9000-fedc9fff : AMDI0020:00
  fedc9000-fedc901f : serial
fee00000-fee00fff : Local APIC
  fee00000-fee00fff : pnp 00:03
ff000000-ffffffff : Reserved
  ff000000-ffffffff : pnp 00:03
100000000-204f2fffff : System RAM
204f300000-204fffffff : Reserved
10000000000-fffffffffff : PCI Bus 0000:40
  10000000000-100001fffff : 0000:41:00.0
fd00000000-ffffffffff : Reserved
"""
EPYC_IOPORTS = """\
0000-02f7 : PCI Bus 0000:00
  0000-001f : dma1
  0020-0021 : pic1
  0040-0043 : timer0
  0050-0053 : timer1
  0060-0060 : keyboard
  0061-0061 : PNP0800:00
  0064-0064 : keyboard
  0070-0071 : rtc0
  0080-008f : dma page reg
  00a0-00a1 : pic2
  00c0-00df : dma2
  00f0-00ff : fpu
0300-03af : PCI Bus 0000:00
03e0-0cf7 : PCI Bus 0000:00
  0400-0403 : ACPI PM1a_EVT_BLK
  0404-0405 : ACPI PM1a_CNT_BLK
  0408-040b : ACPI PM_TMR
  0420-042f : ACPI GPE0_BLK
  04d0-04d1 : pnp 00:03
  0b00-0b08 : piix4_smbus
  0cd6-0cd7 : sp5100_tco
0cf8-0cff : PCI conf1
1000-2fff : PCI Bus 0000:00
  2000-2fff : PCI Bus 0000:01
    2000-201f : 0000:01:00.0
"""
_EPYC_INTERRUPTS = """\
            CPU0       CPU1
   0:         44          0  IR-IO-APIC    2-edge      timer
   7:          0          0  IR-IO-APIC    7-fasteoi   pinctrl_amd
   8:          1          0  IR-IO-APIC    8-edge      rtc0
   9:          0          0  IR-IO-APIC    9-fasteoi   acpi
  14:          0          0  IR-IO-APIC   14-fasteoi   AMDI0020:00
  26:          0          0  PCI-MSI-0000:00:00.2    0-edge      AMD-Vi
  45:          0          0  IR-IO-APIC    3-fasteoi   igb
"""
_EPYC_LOG = """\
[    0.000000] DMI: Example Systems R-7/X-11, BIOS 2.4 04/13/2021
[    0.3] IOAPIC[0]: apic_id 128, version 33, address 0xfec00000, GSI 0-23
[    0.3] IOAPIC[1]: apic_id 129, version 33, address 0xf4180000, GSI 24-55
[    1.0] AMD-Vi: Interrupt remapping enabled
[    1.1] ..... host bus clock speed is 99.9985 MHz.
"""
_EPYC_MAP = """
    0-9ffff System RAM
    a0000-fffff Reserved
    100000-75cfffff System RAM
    75d00000-75ffffff Reserved
    76000000-a8f1dfff System RAM
    a8f1e000-aa16cfff Reserved
    aa16d000-aa50cfff ACPI Tables
    aa50d000-aab0bfff ACPI Non-volatile Storage
    aab0c000-abffefff Reserved
    abfff000-abffffff System RAM
    ac000000-afffffff Reserved
    b0000000-bfffffff Reserved
    f4180000-f4180fff Reserved
    fec10000-fec10fff Reserved
    fed80000-fed8ffff Reserved
    ff000000-ffffffff Reserved
    100000000-204f2fffff System RAM
    204f300000-204fffffff Reserved
    fd00000000-ffffffffff Reserved
"""
_EPYC_PNP = """
    00:00 PNP0c01: mem 0xb0000000-0xbfffffff
    00:01 PNP0b00: io 0x70-0x71; irq 8
    00:02 PNP0c02: io 0x72-0x75; mem 0x0-0x9ffff; mem 0x100000-0xafffffff
    00:03 PNP0c02: io 0x4d0-0x4d1; io 0xcf9-0xcf9; io 0x20-0x3f; mem 0xfec00000-0xfec00fff; mem 0xfec10000-0xfec10fff; \
mem 0xfee00000-0xfee00fff; mem 0xff000000-0xffffffff
"""
# Two CCXs of two cores with two threads each
EPYC_APIC_IDS = {0: 0, 1: 2, 2: 8, 3: 10, 4: 1, 5: 3, 6: 9, 7: 11}
EPYC_THREADS = ["0,4", "1,5", "2,6", "3,7"] * 2
EPYC_L3 = ["0-1,4-5", "0-1,4-5", "2-3,6-7", "2-3,6-7"] * 2


def epyc() -> tuple[Files, dict[str, str]]:
    files: Files = {"proc/iomem": EPYC_IOMEM, "proc/ioports": EPYC_IOPORTS, "proc/interrupts": _EPYC_INTERRUPTS,
                    "proc/cmdline": "root=/dev/nvme0n1p2 ro quiet\n", "dmesg.txt": _EPYC_LOG}
    files |= cpus(EPYC_APIC_IDS, "AMD EPYC 7232P 8-Core Processor", "AuthenticAMD", 48, "0-7", EPYC_THREADS, EPYC_L3)
    files |= memmap(_EPYC_MAP) | pnp(_EPYC_PNP)
    files |= tables(
        APIC=madt([*(x2apic(i) for i in EPYC_APIC_IDS.values()), *(x2apic(64 + n, False) for n in range(4)),
                   ioapic(128, 0xfec0_0000, 0), ioapic(129, 0xf418_0000, 24), override(0, 2), override(9, 9)]),
        MCFG=mcfg((0xb000_0000, 0, 0, 255)), FACP=fadt(0x400), HPET=hpet(0xfed0_0000),
        IVRS=ivrs(ivhd(0x10, 2, 0xf410_0000, ivhd_range(8, 0xffff)),
                  ivhd(0x11, 2, 0xf410_0000, ivhd_range(3, 0xfffe)), ivmd(0x100, 0xa900_0000, 0x1_0000)))
    files |= plain("00:00.0", "1022:1480", 0x0600, pin=0)
    files |= plain("00:00.2", "1022:1481", 0x0806)
    files |= bridge("00:01.1", "1022:1483", 1, window=(0xf000_0000, 0xf07f_ffff))
    files |= card("01:00.0", "8086:1521", 0x0200, {0: (0xf000_0000, 0xf001_ffff, MEM), 2: (0x2000, 0x201f, IO),
                                                   3: (0xf002_0000, 0xf002_0fff, MEM), 6: (0xf070_0000, 0xf077_ffff, ROM)},
                  45, (50, 51), capabilities=[MSI, msix(10, 3, 0)])
    files |= card("01:00.1", "8086:1521", 0x0200, {0: (0xf004_0000, 0xf004_0fff, MEM)}, command=0, capabilities=[msix(10, 3, 0)])
    files |= bridge("40:01.1", "1022:1483", 0x41, window=(0xc000_0000, 0xc01f_ffff), wide=(0x100_0000_0000, 0x100_001f_ffff))
    files |= card("41:00.0", "144d:a808", 0x0108, {0: (0xc000_0000, 0xc000_3fff, MEM64),
                                                   2: (0x100_0000_0000, 0x100_001f_ffff, PREF64)},
                  60, (60,), interface=2, capabilities=[EXPRESS, msix(33, 0, 0x3000)])
    return files, {"sys/bus/pci/devices/0000:41:00.0/driver": "../../../bus/pci/drivers/nvme",
                   "sys/bus/pci/devices/0000:41:00.0/iommu_group": "../../../kernel/iommu_groups/17"}


# --- a small Intel industrial PC ------------------------------------------------------

INDUSTRIAL_IOMEM = """\
00000000-00000fff : Reserved
00001000-0009d3ff : System RAM
0009d400-0009ffff : Reserved
000a0000-000bffff : PCI Bus 0000:00
000c0000-000dffff : PCI Bus 0000:00
  000c0000-000ce7ff : Video ROM
000e0000-000fffff : Reserved
  000f0000-000fffff : System ROM
00100000-783fffff : System RAM
78400000-787fffff : ACPI Non-volatile Storage
78800000-7affffff : System RAM
7b000000-7fffffff : Reserved
  7c000000-7fffffff : Graphics Stolen Memory
80000000-dfffffff : PCI Bus 0000:00
  80000000-8fffffff : 0000:00:02.0
  90000000-90ffffff : 0000:00:02.0
  91000000-910fffff : PCI Bus 0000:02
    91000000-9107ffff : 0000:02:00.0
      91000000-9107ffff : igb
    91080000-91083fff : 0000:02:00.0
  91100000-911fffff : PCI Bus 0000:03
    91100000-9117ffff : 0000:03:00.0
    91180000-91183fff : 0000:03:00.0
  91200000-9120ffff : 0000:00:15.0
    91200000-9120ffff : xhci-hcd
  91212000-91212fff : 0000:00:12.0
  91213000-912130ff : 0000:00:1f.1
  91213100-912131ff : 0000:00:18.0
  d0c00000-d0c00653 : INT3452:00
    d0c00000-d0c00653 : INT3452:00
  d0c40000-d0c40763 : INT3452:01
  d3709000-d37090ff : pnp 00:01
e0000000-efffffff : PCI ECAM 0000 [bus 00-ff]
  e0000000-efffffff : Reserved
    e0000000-efffffff : pnp 00:01
fea00000-feafffff : Reserved
  fea00000-feafffff : pnp 00:01
fec00000-fec00fff : Reserved
  fec00000-fec003ff : IOAPIC 0
fed00000-fed003ff : HPET 0
  fed00000-fed003ff : PNP0103:00
fed01000-fed01fff : Reserved
fed03000-fed03fff : pnp 00:01
fed06000-fed06fff : pnp 00:01
fed40000-fed44fff : MSFT0101:00
  fed40000-fed44fff : MSFT0101:00 MSFT0101:00
fed64000-fed64fff : dmar0
fed65000-fed65fff : dmar1
fee00000-fee00fff : Local APIC
  fee00000-fee00fff : Reserved
ff000000-ffffffff : Reserved
100000000-17fffffff : System RAM
"""
INDUSTRIAL_IOPORTS = """\
0000-006f : PCI Bus 0000:00
  0000-001f : dma1
  0020-0021 : pic1
  0040-0043 : timer0
  0050-0053 : timer1
  0060-0060 : keyboard
  0061-0061 : PNP0800:00
  0064-0064 : keyboard
0070-0077 : PCI Bus 0000:00
  0070-0077 : rtc0
0078-0cf7 : PCI Bus 0000:00
  0080-008f : dma page reg
  00a0-00a1 : pic2
  00c0-00df : dma2
  00f0-00ff : fpu
  0290-029f : pnp 00:05
    0295-0296 : nct6775
  02e8-02ef : serial
  02f8-02ff : serial
  03c0-03df : vga+
  03e8-03ef : serial
  03f8-03ff : serial
  0400-047f : pnp 00:01
    0400-0403 : ACPI PM1a_EVT_BLK
    0404-0405 : ACPI PM1a_CNT_BLK
    0408-040b : ACPI PM_TMR
    0420-042f : ACPI GPE0_BLK
    0460-047f : iTCO_wdt
  0680-069f : pnp 00:01
0cf8-0cff : PCI conf1
0d00-ffff : PCI Bus 0000:00
  d000-dfff : PCI Bus 0000:03
    d000-d01f : 0000:03:00.0
  e000-efff : PCI Bus 0000:02
    e000-e01f : 0000:02:00.0
  f000-f03f : 0000:00:02.0
  f040-f05f : 0000:00:1f.1
"""
_INDUSTRIAL_INTERRUPTS = """\
            CPU0       CPU1       CPU2       CPU3
   0:          9          0          0          0   IO-APIC    2-edge      timer
   1:          0          0          0          4   IO-APIC    1-edge      i8042
   4:          0          0          7          0   IO-APIC    4-edge      ttyS0
   8:          0          1          0          0   IO-APIC    8-fasteoi   rtc0
   9:          0          0          0          0   IO-APIC    9-fasteoi   acpi
  14:          0          0          0          0   IO-APIC   14-fasteoi   INT3452:00, INT3452:01
  20:          0          0          0          0   IO-APIC   20-fasteoi   i801_smbus
 121:          0          0          0          0  PCI-MSI-0000:00:15.0    0-edge      xhci_hcd
"""
_INDUSTRIAL_MAP = """
    0-9d3ff System RAM
    9d400-9ffff Reserved
    e0000-fffff Reserved
    100000-783fffff System RAM
    78400000-787fffff ACPI Non-volatile Storage
    78800000-7affffff System RAM
    7b000000-7fffffff Reserved
    e0000000-efffffff Reserved
    fea00000-feafffff Reserved
    fec00000-fec00fff Reserved
    fed01000-fed01fff Reserved
    fee00000-fee00fff Reserved
    ff000000-ffffffff Reserved
    100000000-17fffffff System RAM
"""
_INDUSTRIAL_PNP = """
    00:00 PNP0b00: io 0x70-0x77; irq 8
    00:01 PNP0c02: io 0x680-0x69f; io 0x400-0x47f; io 0x4d0-0x4d1; mem 0xe0000000-0xefffffff; \
mem 0xfea00000-0xfeafffff; mem 0xfed01000-0xfed01fff; mem 0xfed03000-0xfed03fff; mem 0xfed06000-0xfed06fff; \
mem 0xd3709000-0xd37090ff
    00:02 PNP0501: io 0x3f8-0x3ff; irq 4
    00:03 PNP0501: io 0x2f8-0x2ff; irq 3
    00:04 PNP0501: io 0x3e8-0x3ef; irq 10
    00:05 PNP0c02: io 0x290-0x29f
    00:06 PNP0303 PNP030b: io 0x60-0x60; io 0x64-0x64; irq 1
    00:07 PNP0f03: irq 12
"""
_INDUSTRIAL_LOG = """\
[    0.000000] DMI: Example Industrial BOX-3/BOX-3, BIOS 5.12 01/02/2020
[    0.9] 00:02: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A
[    0.9] 00:03: ttyS1 at I/O 0x2f8 (irq = 3, base_baud = 115200) is a 16550A
[    0.9] 00:04: ttyS2 at I/O 0x3e8 (irq = 10, base_baud = 115200) is a 16550A
[    0.9] serial8250: ttyS3 at I/O 0x2e8 (irq = 11, base_baud = 115200) is a 16550A
[    0.5] ACPI: PCI: Interrupt link LNKA configured for IRQ 3
[    0.5] ACPI: PCI: Interrupt link LNKB configured for IRQ 11
[    0.5] ACPI: PCI: Interrupt link LNKC configured for IRQ 5
"""


def industrial() -> tuple[Files, dict[str, str]]:
    files: Files = {"proc/iomem": INDUSTRIAL_IOMEM, "proc/ioports": INDUSTRIAL_IOPORTS,
                    "proc/interrupts": _INDUSTRIAL_INTERRUPTS, "dmesg.txt": _INDUSTRIAL_LOG,
                    "proc/cmdline": "root=/dev/sda1 console=tty0 console=ttyS1,115200\n"}
    files |= cpus({n: 2 * n for n in range(4)}, "Intel(R) Atom(TM) Processor E3950 @ 1.60GHz", "GenuineIntel", 39,
                  "0-3")
    files |= memmap(_INDUSTRIAL_MAP) | pnp(_INDUSTRIAL_PNP)
    files |= tables(
        APIC=madt([*(lapic(2 * n) for n in range(4)), ioapic(1, 0xfec0_0000, 0), override(0, 2), override(9, 9)]),
        MCFG=mcfg((0xe000_0000, 0, 0, 255)), FACP=fadt(0x400), HPET=hpet(0xfed0_0000),
        DMAR=dmar(drhd(0xfed6_4000, False, scope(1, 0, (2, 0))),
                  drhd(0xfed6_5000, True, scope(3, 0xf0, (0x1f, 0))),
                  rmrr(0x7ad0_0000, 0x7ad1_ffff, scope(1, 0, (0x15, 0)))))
    files |= plain("00:00.0", "8086:5af0", 0x0600, pin=0)
    files |= card("00:02.0", "8086:5a84", 0x0300, {0: (0x9000_0000, 0x90ff_ffff, MEM64), 2: (0x8000_0000, 0x8fff_ffff, PREF64),
                                                   4: (0xf000, 0xf03f, IO), 6: (0xc_0000, 0xd_ffff, 0x212)},
                  120, (120,), capabilities=[MSI])
    files |= card("00:12.0", "8086:5ae3", 0x0106, {5: (0x9121_2000, 0x9121_2fff, MEM)}, capabilities=[MSI])
    files |= bridge("00:13.0", "8086:5ad8", 2, window=(0x9100_0000, 0x910f_ffff))
    files |= bridge("00:13.1", "8086:5ad9", 3, window=(0x9110_0000, 0x911f_ffff))
    files |= card("00:15.0", "8086:5aa8", 0x0c03, {0: (0x9120_0000, 0x9120_ffff, MEM64)}, 121, (121,), capabilities=[MSI],
                  interface=0x30)
    files |= card("00:18.0", "8086:5abc", 0x1180, {0: (0x9121_3100, 0x9121_31ff, MEM)}, 4)
    files |= plain("00:1f.0", "8086:5ae8", 0x0601, pin=0)
    files |= card("00:1f.1", "8086:5ad4", 0x0c05, {0: (0x9121_3000, 0x9121_30ff, MEM64), 4: (0xf040, 0xf05f, IO)}, 20, command=3)
    for bus, memory, port in ((2, 0x9100_0000, 0xe000), (3, 0x9110_0000, 0xd000)):
        files |= card(f"0{bus}:00.0", "8086:1533", 0x0200, {0: (memory, memory + 0x7_ffff, MEM), 2: (port, port + 0x1f, IO),
                                                            3: (memory + 0x8_0000, memory + 0x8_3fff, MEM)},
                      122 + bus, (122 + bus,), capabilities=[MSI, msix(5, 3, 0)])
    return files, {"sys/bus/pci/devices/0000:02:00.0/driver": "../../../bus/pci/drivers/igb",
                   "sys/bus/pci/devices/0000:00:1f.1/driver": "../../../bus/pci/drivers/i801_smbus"}


MACHINES = {"qemu": qemu, "epyc": epyc, "industrial": industrial}
