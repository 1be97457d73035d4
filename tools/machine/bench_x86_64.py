# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's q35, whose TSC is of 1 GHz with icount, so that a tick of it is an instruction."""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .arch_x86_64 import ARCH, machine
from .bench_arch import Bench, Must, Place, Texts

# Where CPUs begin, and `ljmp $0, $0` as the one instruction there: the program is linked for
# address 0 and entered in real mode, as in a cell
BIOS_SIZE = 64 * 1024
RESET = BIOS_SIZE - 16
JUMP_TO_0 = b"\xea\0\0\0\0"
OPCODE_VMRUN = 0xd8010f
# The hypervisor's memory is 16 MiB from HV_BASE on (arch/x86/layout.h)
LAST_ADDRESS = 0x7e00_0100_0000

TIMED = ("timer-spin", "timer-wfi", "tick", "device")
ASKED = ("cpuid", "msr", "ioapic-read")
EVERYWHERE = (*TIMED, "self-sgi", "ipi", "icr", *ASKED, "compute")
DIRECT = (*EVERYWHERE, "hypercall")
# In xAPIC mode it sends no software interrupts; of a round's ticks there are more or less
XAPIC = TIMED
# Each access to the page is an exit: longer than what all of an event take
XAPIC_WORDS = "apic=xapic period=20000"
ICR_MORE = 280
XAPIC_MORE = 4000
CALLS = {"hypercall": 220, "cpuid": 360, "msr": 300, "ioapic-read": 4000}


def start(image: Path, folder: Path) -> Sequence[str]:
    bios = bytearray(BIOS_SIZE)
    bios[RESET:RESET + len(JUMP_TO_0)] = JUMP_TO_0
    (folder / "bios.bin").write_bytes(bios)
    return ("-bios", str(folder / "bios.bin"), "-device", f"loader,file={image},addr=0,force-raw=on")


def entries(symbols: Mapping[str, int], disassemble: Callable[[str], str]) -> Sequence[int]:
    """What follows VMRUN."""
    del symbols
    return [int(found, 16) for found in re.findall(r"vmrun.*\n\s*([0-9a-f]+):", disassemble("svm_run"))]


MUST = (
    *(Must("direct", workload, more=0, exits=0) for workload in (*TIMED, "self-sgi")),
    *(Must("direct", workload, more=ICR_MORE, exits=1) for workload in ("ipi", "icr")),
    *(Must("direct", workload, most=limit, exits=1, least=1) for workload, limit in CALLS.items()),
    # The count is started, stopped (or started again) and the interrupt ended: a write each
    *(Must("xapic", workload, more=XAPIC_MORE, exits=3, least=3) for workload in ("timer-spin", "timer-wfi")),
    # Two each, and those from before the first deadline
    Must("xapic", "tick", more=3 * XAPIC_MORE),
    Must("xapic", "device", more=0, exits=1, least=1),
)

TEXTS = Texts(
    of=" on x86_64", make="make bench ARCH=x86_64", seeded=True, ipis="IPIs",
    introduction="""\
Counted in instructions, not in time, and for AMD's SVM; [performance.md](performance.md) is the
same for arm64 and says more of why. QEMU runs with `-icount shift=0,sleep=off`, where the
TSC is the clock of 1 GHz itself: one tick is one instruction, of all CPUs together; the others
sleep while something is measured. The program finds that out before each workload: a
loop of 10,001 instructions has to take 10,001 ticks ten times in a row, or it refuses. An
instruction that leaves the guest counts as one, like any other: what hardware takes for
VMRUN and #VMEXIT is not in here. So these numbers compare versions of the hypervisor and find what
became longer; they do not predict a latency. A board's latencies are what `jailhouse bench
--mode wall` measures there.

With `-icount` this QEMU ends as soon as there is an IOMMU that Linux could remap interrupts
with, so that Linux has its local APICs in xAPIC mode here: a page, and each write to it is an
exit. The cell's program switches its own CPUs to x2APIC mode, which cells may on every CPU that has
it, and where only the ICR is trapped.
Linux is told the TSC's frequency (`tsc_early_khz=`), and has nothing to correct it
by (`hpet=disable pmtmr=0 tsc=reliable`): what it measures by itself is a few kHz off.
""",
    conditions="1 GiB pages",
    life=""" What Linux's CPUs exit for by
themselves meanwhile, their timers above all, is in the first column, too.""",
    made="; SVM, Linux in xAPIC mode",
    titles={"timer-wfi": "timer's deadline to its vector, from HLT",
            "self-sgi": "IPI to oneself by SELF_IPI, write to vector",
            "ipi": "IPI to another CPU of the cell by ICR, write to vector"},
    side_by_side="""\
Exits: direct / xapic. Both are the same cell, whose interrupts are its own, as all on
x86_64; in the second its program leaves its local APICs in xAPIC mode (`apic=xapic`). A local
APIC's timer is told how long to wait, not until when: most of the instructions from the deadline to the
vector lie between the reading of the counter and the write that starts the timer. Where that write is
an exit, the timer starts later by what the exit takes. HLT is never
intercepted. Linux wakes up now and then: a row in which it did is measured again as a whole.

In a cell: `jailhouse bench --mode icount`. On the bare machine the same image lies at address 0 of
`qemu-system-x86_64 -M q35`, and a BIOS of one instruction, a far jump, enters it in real mode, as
the hypervisor does.
""",
    peers="",
    load="""\
The root cell streams memory, sends IPIs between its CPUs, forks and executes without end
(page tables, TLB shootdowns), and creates and destroys another cell:
""",
    reasons={
        "xapic": "writes to the local APIC's page, in xAPIC mode: an end of interrupt, a timer's next count, "
                 "the two halves of an IPI",
        "icr": "IPIs of CPUs in x2APIC mode: checked and sent",
        "hypercall": "the command's: create, poll, read a counter; none by themselves",
        "mmio": "the IOAPIC and PCI's configuration space, which are mediated",
        "pio": "ports that are mediated: PCI's configuration, ACPI's power and reset registers",
        "cpuid": "CPUID: processes that start ask for what the CPU can do",
        "msr": "MSRs that are not the cell's alone",
        "cr": "control registers: hotplug's trampoline",
        "xsetbv": "XSETBV: when a CPU comes up",
        "exception": "exceptions that are looked at first",
        "nmi": "NMIs, which are handed on",
        "management": "an NMI of another CPU's: to step aside, or to forget translations of memory that is taken away",
        "fault": "a stale translation after memory moved: retried",
        "other": "errors",
    },
    timer="In xAPIC mode timer interrupts are not free, each is ended and the next one set by writes to the page:",
    pauses="""\
What a CPU that takes no part is interrupted for are translations of memory that is taken away: only
itself can forget them here, so it is sent an NMI and waited for. Else it is in the hypervisor only for what
it does itself: its timer and the IPIs it sends.""",
    image=((".text", "must be at most {limit:,}"), (".rodata", "padded to a page"),
           (".bss", "the root object")),
)

BENCH = Bench(
    page="performance-x86_64.md", gnu="x86_64", cpu=ARCH.cpu,
    # What is random, RDRAND and the kernel's own place among it, is so in the same way each time
    bare_machine=("-M", "q35", "-seed", "1"), root_machine=(*machine(x2apic=False), "-seed", "1"),
    append=f"{ARCH.append} tsc_early_khz=1000000 hpet=disable pmtmr=0 tsc=reliable quiet",
    link=(), base=0, comm=0x10_0000,
    comm_console=(struct.pack("<QIHHIIQ", 0x3f8, 8, 2, 0, 0, 0, 0)
                  + struct.pack("<QHHII", 0xb000_0000, 0x608, 2, 1_000_000, 1_000_000)),
    start=start, board=0x3e00_0000,
    # The second UART of the machine and its line
    device="uart=0x2f8 line=35",
    everywhere=EVERYWHERE,
    places={"direct": Place("bench-direct", DIRECT), "xapic": Place("bench-direct", XAPIC, XAPIC_WORDS)},
    known={"timer-spin": 32, "self-sgi": 5, "cpuid": 4}, must=MUST,
    loaded={"direct": ("timer-spin", "timer-wfi", "device", "self-sgi", "ipi")},
    loaded_without=(("direct", "timer-spin"), ("direct", "timer-wfi"), ("direct", "device"), ("direct", "self-sgi")),
    stack="rsp", leave=OPCODE_VMRUN, last_address=LAST_ADDRESS, entries=entries,
    # struct percpu is PERCPU_PAGES long (arch/x86/layout.h)
    stack_stride=lambda size: size + 6 * 4096,
    timer_line="LOC", pmu_line="", ipi_reason="", root_free=False, create_interrupts=2,
    sections=(".text", ".rodata", ".bss"), texts=TEXTS,
)
