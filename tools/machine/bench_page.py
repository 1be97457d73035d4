# SPDX-License-Identifier: GPL-2.0-only
"""docs/performance.md: its text, and the numbers put into it."""

import re
from collections.abc import Mapping

Numbers = Mapping[str, int]

INTRODUCTION = """\
# Performance

<!-- Written by `make bench` (tools/machine/bench_page.py): change it there. -->

Counted in instructions, not in time: an emulator's nanoseconds say nothing about a
machine, and a machine's say nothing about the next one. QEMU runs with
`-icount shift=0,sleep=off` and a counter of 1 GHz, so one tick of the architecture's
counter is one instruction, of all CPUs together; the others sleep while something is
measured. What an instruction costs depends on the machine: a trap to EL2 and back is one
instruction here and some hundred cycles there. So these numbers compare versions of the
hypervisor and find what became longer; they do not predict a latency.

Nothing of the host's gets in: the machine reads no input, its clock is its counter and its
kernel gets no random seed. `make bench` measures everything twice and refuses runs that
differ by one instruction; it fails if a number marked *must* is not kept. The numbers by
name are in `build/arm64/bench.json`; `tests/qemu/reference.json` holds those that
`make test` compares.
"""

COSTS = (
    ("Unknown hypercall and back", "hypercall"),
    ("PSCI_VERSION by HVC and back", "PSCI_VERSION by hvc"),
    ("PSCI_VERSION by SMC and back", "PSCI_VERSION by smc"),
    ("GICD_TYPER read (mediated)", "GICD_TYPER read"),
    ("GICR_ISENABLER0 write (mediated)", "GICR_ISENABLER0 write"),
    ("SGI to oneself, written to its vector", "self-SGI to vector"),
    ("Timer's deadline to its vector, spinning", "timer to vector, spinning"),
    ("Timer's deadline to its vector, from WFI", "timer to vector, from WFI"),
)
# Firmware of the bare machine is the emulator's own: no instructions
NOT_BARE = ("hypercall", "PSCI_VERSION by hvc", "PSCI_VERSION by smc")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def cost(numbers: Numbers, where: str, name: str) -> str:
    """The least of the samples, and how many of them took more if any did."""
    key = f"{where}.{name}"
    if key not in numbers or (where == "bare" and name in NOT_BARE):
        return "-"
    if numbers[key] == numbers[f"{key}.max"]:
        return f"{numbers[key]:,}"
    return f"{numbers[key]:,} (at most {numbers[f'{key}.max']:,})"


def interrupts(numbers: Numbers) -> str:
    rows = [
        ("In a cell, spinning", f"{numbers['cell.timer interrupts']:,}", f"{numbers['cell.exits']:,}", "must be 0"),
        ("In a cell, each waited for in WFI", f"{numbers['cell.timer interrupts']:,}",
         f"{numbers['cell.exits with WFI']:,}", "one for each WFI"),
        ("In the root cell", f"{numbers['root.timer interrupts']:,}",
         f"{numbers['root.exits'] - numbers.get('root.exits.sgi', 0):,}", "must be 0"),
    ]
    return f"""\
## Timer interrupts

{table(("", "interrupts", "exits", ""), rows)}

An interrupt goes to its owner without the hypervisor. WFI is trapped in cells alone:
there a CPU that could not be woken again could not be taken back.

The cell: `jailhouse cell load rtos ticks.bin -s "cpu=3 count=1000" -a 0x1000`, then
`jailhouse cell start rtos`; with `wfi` on that command line for the second row. The root
cell: Linux on CPU 0 alone, `arch_timer` of /proc/interrupts and the CPU's
`statistics/cpu0/vmexits_total` before and after a loop of `usleep 1000`, without the
hypercalls that read the counters and {numbers.get('root.exits.sgi', 0)} IPIs it sent.
"""


def costs(numbers: Numbers) -> str:
    rows = [(text, cost(numbers, "bare", name), cost(numbers, "cell", name)) for text, name in COSTS]
    return f"""\
## What a cell pays

{table(("instructions", "bare machine", "in a cell"), rows)}

1,000 samples each, the same program in both columns, MMU off. Where only one number
stands, all samples are equal. What reads the counter is part of it.

`jailhouse cell load rtos null.bin -s "iters=1000 wait=100000000" -a 0x1000` and
`jailhouse cell start rtos` (with `psci=smc` for SMC); on the bare machine null.bin linked
with `--defsym=BASE=0x40200000`, at EL1 of `qemu-system-aarch64 -M virt,gic-version=3`.
"""


def life_rows(numbers: Numbers, cell: str) -> list[tuple[str, ...]]:
    def of(name: str) -> str:
        return f"{numbers[f'life.{cell}.{name}']:,}"
    titles = {"create": "create: check, map, zero", "load": "load: zero again, open to Linux",
              "start": "start: take from Linux, reset the CPU, enter"}
    return [(f"{cell}, {title}", of(f"{part}.Linux's CPUs"), of(f"{part}.cell's CPU"))
            for part, title in titles.items()]


def pauses(numbers: Numbers, cell: str, other: str) -> tuple[str, ...]:
    create = f"life.{cell}.create"
    exits_of = re.compile(re.escape(create) + r"\.exits of CPU \d+\.\w+")

    def exits(kind: str) -> str:
        return f"{sum(count for name, count in numbers.items() if exits_of.fullmatch(name) and name.endswith(kind)):,}"
    return (f"{cell}, {other}", f"{numbers[f'{create}.longest visit of the calling CPU']:,}",
            f"{numbers[f'{create}.longest visit of the others']:,}", exits("management"), exits("fault"))


def life(numbers: Numbers) -> str:
    rows = life_rows(numbers, "rtos") + life_rows(numbers, "compute")
    stops = [pauses(numbers, "rtos", "Linux idle"), pauses(numbers, "compute", "CPU 1 busy")]
    head = ("instructions", "calling CPU's longest visit", "the other CPUs' longest visit",
            "management exits (must be 0)", "stale-TLB faults")
    return f"""\
## From `cell create` to the cell's first instruction

Instructions in the hypervisor, from the hypercall that creates the cell to the cell's
instruction at its reset address; rtos has 1 MiB of memory, compute 64 MiB.

{table(("", "Linux's CPUs", "the cell's CPU"), rows)}

In all {numbers['life.rtos.all']:,} and {numbers['life.compute.all']:,}. The cell's own CPU
zeroes its memory, while Linux sleeps and asks now and then. Linux itself executes
{numbers['life.rtos.Linux before']:,} instructions to take a CPU out of service before it creates rtos, and
{numbers['life.rtos.Linux after']:,} on all its CPUs from there to the cell's first one, a shell and
three commands among them.

### What Linux's CPUs notice of `cell create`

{table(head, stops)}

A CPU that takes no part is not interrupted, and is in the hypervisor only for what it
does itself: IPIs it sends.

`jailhouse cell create demo/rtos.cell`, `jailhouse cell load rtos hello.bin`,
`jailhouse cell start rtos`, and the same for compute, under QEMU with
`-plugin count.so,...` (tools/machine/count.c; the addresses are hypervisor.elf's); the exits
are `statistics/cpu0` and `cpu1/vmexits_*` before and after.
"""


def size(numbers: Numbers, limit: int) -> str:
    rows = [(f"`{name}`", f"{numbers[f'size.{name}']:,}", note) for name, note in (
        (".text", f"must be under {limit:,}"), (".idmap", "code that turns the MMU on and off"),
        (".rodata", "padded to a page"), (".data", "nothing is initialised and writable"),
        (".bss", "the root object"), (".boot_tables", "until each CPU has the hypervisor's own"))]
    rows.append(("`hypervisor.bin`", f"{numbers['size.image']:,}", "what lies in /lib/firmware"))
    lines = [("hypervisor/ without arch/host", f"{numbers['lines.hypervisor']:,}"),
             ("driver/", f"{numbers['lines.driver']:,}"), ("include/abi/", f"{numbers['lines.abi']:,}")]
    return f"""\
## Size

{table(("section", "bytes", ""), rows)}

`aarch64-linux-gnu-size -A build/arm64/hypervisor.elf`, default configuration. Stacks and
the log ring are not in the image: `jailhouse enable` zeroes them.

{table(("source", "lines"), lines)}

Lines of `.c`, `.h` and `.S` that are neither blank nor comment:
`PYTHONPATH=tools python3 -c 'from machine import bench; print(bench.source_lines())'`
"""


def page(numbers: Numbers, about: Mapping[str, str], limit: int) -> str:
    made = (f"Made by {about['qemu']}, `-cpu {about['cpu']}`, Linux {about['kernel']}, "
            f"{about['compiler']}.\n")
    return "\n".join((INTRODUCTION, made, interrupts(numbers), costs(numbers), life(numbers),
                      size(numbers, limit)))


def summary(numbers: Numbers) -> str:
    """For the terminal."""
    lines = [f"  {text:<42} {cost(numbers, 'bare', name):>8} {cost(numbers, 'cell', name):>8}"
             for text, name in COSTS]
    return "\n".join(("", f"  {'instructions':<42} {'bare':>8} {'cell':>8}", *lines,
                      f"  create to first instruction, 1 MiB: {numbers['life.rtos.all']:,} in the hypervisor",
                      f"  .text {numbers['size..text']:,} bytes, {numbers['lines.hypervisor']:,} lines", ""))
