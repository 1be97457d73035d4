# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's virt with a counter of 1 GHz, so that a tick of it is an instruction."""

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .arch_arm64 import ARCH, machine
from .bench_arch import Bench, Must, Place, Texts

# Where the bare machine runs a program; it starts with its device tree
BASE = 0x4020_0000
# From `vectors` on: what comes from the guest
GUEST_VECTORS = (0x400, 0x480, 0x500, 0x580)
OPCODE_ERET = 0xd69f03e0

EVERYWHERE = ("timer-spin", "timer-wfi", "tick", "self-sgi", "ipi", "device", "gicd-read", "gicr-write", "compute")
# Of the bare machine's firmware, which is the emulator's own, nothing can be counted
CELLS = (*EVERYWHERE, "hypercall", "psci")
WHERES = ("direct", "trusted", "injected")
SGI_MORE = 60
INJECTED_MORE = 150
CALLS = {"hypercall": 80, "psci": 90, "gicd-read": 120, "gicr-write": 160}


def start(image: Path, folder: Path) -> Sequence[str]:
    del folder
    return ("-device", f"loader,file={image},addr={BASE:#x},force-raw=on", "-device", f"loader,addr={BASE:#x},cpu-num=0")


def entries(symbols: Mapping[str, int], disassemble: Callable[[str], str]) -> Sequence[int]:
    del disassemble
    return [symbols["vectors"] + offset for offset in GUEST_VECTORS]


MUST = (
    *(must for where in ("direct", "trusted") for must in (
        *(Must(where, workload, more=0, exits=0) for workload in ("timer-spin", "tick", "device")),
        *(Must(where, workload, more=SGI_MORE, exits=1) for workload in ("self-sgi", "ipi")))),
    Must("trusted", "timer-wfi", more=0, exits=0),
    *(Must("injected", workload, more=INJECTED_MORE, exits=1, least=1) for workload in ("timer-spin", "timer-wfi",
                                                                                      "device")),
    *(Must(where, workload, most=limit) for workload, limit in CALLS.items() for where in WHERES),
)

TEXTS = Texts(
    of="", make="make bench", seeded=False, ipis="SGIs",
    introduction="""\
Counted in instructions, not in time: an emulator's nanoseconds say nothing about a
machine, and a machine's say nothing about the next one. QEMU runs with
`-icount shift=0,sleep=off` and a counter of 1 GHz, so one tick of the architecture's
counter is one instruction, of all CPUs together; the others sleep while something is
measured. What an instruction costs depends on the machine: a trap to EL2 and back is one
instruction here and some hundred cycles there. So these numbers compare versions of the
hypervisor and find what became longer; they do not predict a latency. A board's latencies
are what `jailhouse bench --mode wall` measures there. x86_64 has
[a page of its own](performance-x86_64.md).
""",
    made="; GIC with {gic}",
    titles={},
    conditions="MMU off", life="",
    side_by_side="""\
Exits: direct / trusted / injected. A direct cell's interrupts are its own; a trusted one's
text says besides that its WFI need not be trapped (`wfi = "trusted"`), which the others' is,
as a CPU that cannot be woken could not be taken back; an injected cell's interrupts are taken
by the hypervisor and handed on. Linux wakes up now and then: a row in which it did is measured again as a whole.

In a cell: `jailhouse bench --mode icount`. On the bare machine the program is linked with
`--defsym=BASE=0x40200000` and runs at EL1 of `qemu-system-aarch64 -M virt,gic-version=3`.
""",
    peers="""\
Measured on the same machine with one program for all of them, which is not this one: what
it takes on the bare machine stands beside it, to be compared with this one's.
""",
    load="""\
The root cell streams memory, sends SGIs between its CPUs, forks and executes without end
(page tables, broadcast TLB invalidations), and creates and destroys another cell:
""",
    reasons={
        "sgi": "a write of ICC_SGI1R_EL1, which traps in direct mode: checked and sent again. One for each IPI",
        "psci": "CPU_ON and CPU_OFF of hotplug, and SMCCC calls to firmware: a CPU must not start past the hypervisor",
        "smccc": "other firmware calls",
        "hypercall": "the command's: create, poll, read a counter; none by themselves",
        "mmio": "the GIC's registers, which are mediated: an interrupt's set-up, affinity and masking; hotplug sets up a "
                "redistributor",
        "sysreg": "trapped system registers: when a CPU comes up, none in between",
        "wfi": "the root cell's WFI is not trapped",
        "management": "asked to step aside by `cell shutdown` and the like",
        "fault": "a stale translation after memory moved: retried",
        "irq": "interrupts of injected cells; the root cell's are direct",
        "maintenance": "of injected cells",
        "other": "errors",
    },
    timer="Timer interrupts cost none:",
    pauses="""\
A CPU that takes no part is not interrupted, and is in the hypervisor only for what it
does itself: IPIs it sends.""",
    image=((".text", "must be at most {limit:,}"), (".idmap", "code that turns the MMU on and off"),
           (".rodata", "padded to a page"), (".data", "nothing is initialised and writable"),
           (".bss", "the root object"), (".boot_tables", "until each CPU has the hypervisor's own")),
)

BENCH = Bench(
    page="performance.md", gnu="aarch64", cpu=f"{ARCH.cpu},cntfrq=1000000000",
    bare_machine=("-M", "virt,gic-version=3,dtb-randomness=off"), root_machine=machine("dtb-randomness=off"),
    append=f"{ARCH.append} quiet",
    link=(f"--defsym=BASE={BASE:#x}",), base=BASE, comm=0x8000_0000,
    comm_console=(struct.pack("<QIHHIIQ", 0x0900_0000, 0x1000, 3, 1, 0, 0, 0)
                  + struct.pack("<QB7xQQQII", 0, 3, 0x0800_0000, 0, 0x080a_0000, 0, 0)),
    start=start, board=0xbe00_0000,
    # The second UART of the machine and its line
    device="uart=0x09040000 line=40",
    everywhere=EVERYWHERE, places={where: Place(f"bench-{where}", CELLS) for where in WHERES},
    known={"timer-spin": 2, "timer-wfi": 3}, must=MUST,
    loaded={"direct": ("timer-spin", "device", "self-sgi"), "trusted": ("timer-wfi",), "injected": ("timer-spin",)},
    loaded_without=(("direct", "timer-spin"), ("direct", "device")),
    stack="sp", leave=OPCODE_ERET, last_address=0xff80_0000_0000, entries=entries,
    stack_stride=lambda size: size + 2 * 4096,
    timer_line="arch_timer", pmu_line="arm-pmu", ipi_reason="sgi", root_free=True, create_interrupts=0,
    sections=(".text", ".idmap", ".rodata", ".data", ".bss", ".boot_tables"), texts=TEXTS,
    # Instructions on the same machine (cortex-a72, -icount shift=0) with one and the same other
    # program; '-': not measured
    peers=("Bao 738e3dc", "Jailhouse e57d1eff", "KVM 6.1 (nVHE)"),
    peer_counts={
        "timer-spin": ("201", "208", "2,912"), "timer-wfi": ("202", "209", "2,516"), "tick": ("257", "264", "~2,970"),
        "self-sgi": ("797", "1,403", "2,951"), "hypercall": ("148", "139", "1,546"), "psci": ("204", "138", "-"),
        "gicd-read": ("226", "286", "2,279"), "gicr-write": ("3,592", "268", "2,424"),
    },
    # The same program's on the bare machine
    peer_bare={"timer-spin": "2", "timer-wfi": "3", "tick": "58", "self-sgi": "4", "gicd-read": "2", "gicr-write": "3"},
    peer_exits={"timer-spin": ("timer interrupt", ("1", "1", "2")), "self-sgi": ("SGI to oneself", ("2", "2", "2"))},
)
