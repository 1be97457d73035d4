# SPDX-License-Identifier: GPL-2.0-only
"""docs/performance.md and x86_64's: the text, and the numbers put into it."""

import re
from collections.abc import Sequence

from jailhouse.bench import table as bench_table
from jailhouse.bench.record import WORKLOADS, Record
from jailhouse.bench.stats import MAX, MEDIAN, MIN, exits_per_event, statistic
from jailhouse.bench.table import NOTHING, TITLES

from . import bench_must
from .bench_target import BENCH
from .target import TARGET

Row = tuple[str, ...]
TEXTS = BENCH.texts
MAKE = TEXTS.make
WHERES = tuple(BENCH.places)

HEAD = """\
# Performance{of}

<!-- Written by `make bench` (tools/machine/bench_page.py): change it there. -->
"""

REPEATED = f"""\
Nothing of the host's gets in: the machine reads no input, its clock is its counter and its
kernel gets no random seed{" but one that is the same each time" if TEXTS.seeded else ""}. `{MAKE}` measures everything twice and refuses runs that
differ by one instruction, samples that nothing explains, a clock that is not the counter's
and a run that is missing; it fails if a number of the first table is not kept. The record is
`build/{TARGET.name}/bench.json`, with plots in `build/{TARGET.name}/bench/report.html`
(`jailhouse bench report`); `tests/qemu/{TARGET.name}/reference.json` holds what `make test` compares with
`jailhouse bench compare`.
"""


def table(head: Row, rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def made(record: Record) -> str:
    about = record.about
    return (f"Made by {about['qemu']}, `-cpu {about['cpu']}`, Linux {about['kernel']}, {about['compiler']}, "
            f"commit {about['commit']}{TEXTS.made.format(gic=record.machine['gic'])}.\n")


def must(record: Record) -> str:
    rows = [(rule.name, f"{rule.value:,}", f"{rule.limit:,}", "kept" if rule.kept else "**BROKEN**")
            for rule in record.rules]
    return f"""\
## What must hold

{table(("", "is", "at most", ""), rows)}
"""


def title(workload: str) -> str:
    return TEXTS.titles.get(workload) or TITLES[workload]


def latency(record: Record, where: str, workload: str) -> str:
    """One number if all samples are equal, else the least, the median and the most."""
    run = record.run(where, "idle", workload)
    if run is None or run.histogram is None:
        return NOTHING
    low, middle, high = (statistic(run, which) for which in (MIN, MEDIAN, MAX))
    return f"{low:,}" if low == high else f"{low:,} / {middle:,} / {high:,}"


def events(record: Record, workload: str) -> str:
    """Exits per event in each place."""
    found = (record.run(where, "idle", workload) for where in WHERES)
    return " / ".join(NOTHING if run is None else bench_table.rate(exits_per_event(run)) for run in found)


def latencies(record: Record) -> str:
    wheres = ("bare", *WHERES)
    rows = [(title(name), *(latency(record, where, name) for where in wheres), events(record, name))
            for name in WORKLOADS if record.run("direct", "idle", name)]
    return f"""\
## Side by side

{table(("instructions", "bare machine", *WHERES, "exits per event"), rows)}

{record.samples:,} samples each but for the arithmetic, the same program (inmates/bench) in all columns, {TEXTS.conditions}, all
else parked. Where only one number stands, all samples are equal; else least / median / most.
{TEXTS.side_by_side}"""


def peers(record: Record) -> str:
    if not BENCH.peers:
        return ""
    first, last = WHERES[0], WHERES[-1]
    rows = [(title(name), latency(record, first, name), latency(record, last, name), *others,
             BENCH.peer_bare.get(name, NOTHING), latency(record, "bare", name))
            for name, others in BENCH.peer_counts.items()]
    own = [(what, events(record, name), *counts) for name, (what, counts) in BENCH.peer_exits.items()]
    head = ("instructions", first, last, *BENCH.peers, "bare, their program", "bare, this program")
    return f"""\
## What others pay

{TEXTS.peers}
{table(head, rows)}

{table(("exits", " / ".join(WHERES), *BENCH.peers), own)}
"""


def loaded(record: Record) -> str:
    rows = [(f"{run.where}, {title(run.workload)}", f"{run.samples:,}",
             bench_table.rate(exits_per_event(run)), bench_table.number(run.hypervisor_instructions))
            for run in bench_table.ordered(record) if run.load == "loaded" and run.where != "linux"]
    return f"""\
## While the root cell is loaded

{table(("", "events", "exits per event", "hypervisor instructions on the cell's CPUs"), rows)}

{TEXTS.load}{record.numbers['load.management operations meanwhile']} of these operations lie within the samples. The clock is shared by all CPUs then, so there is no
latency; a plugin counts what each CPU executes in the hypervisor (tools/machine/count.c).
"""


def perf_rows(record: Record) -> list[Row]:
    """Exits by reason while the PMU interrupted: counted in interrupts, not in seconds."""
    exits = {name.removeprefix("root.perf.exits."): count for name, count in record.numbers.items()
             if name.startswith("root.perf.exits.")}
    return [("perf", reason, f"{count:,}", NOTHING, TEXTS.reasons.get(reason, ""))
            for reason, count in sorted(exits.items(), key=lambda item: (item[0] == "total", item[0]))]


def perf(record: Record) -> str:
    if not BENCH.pmu_line:
        return ""
    return f"""
perf: {record.numbers['root.perf.interrupts']:,} interrupts of the PMU on CPU 0 alone, {record.numbers['root.perf.samples']:,} samples, {record.numbers['root.perf.exits.total']:,} exits. One sample each
million cycles, taken by a program that spins there (tools/machine/sample.c), as this machine's
file system has no `perf`; a reader that sleeps, as `perf record` does, is woken by an SGI to
oneself each time half of its ring is written: one exit then.
"""


def root_cell(record: Record) -> str:
    rates = [(row[0], f"{row[2]}", row[3], row[4], TEXTS.reasons.get(row[2], "")) for row in bench_table.root_rows(record)]
    cyclic = [(load, *(bench_table.number(None if run is None else statistic(run, which))
                       for which in (MIN, MEDIAN, MAX)))
              for load in ("idle", "loaded") for run in (record.run("linux", load, "cyclictest"),)]
    ours = BENCH.ipi_reason
    sgis = f", {record.numbers.get(f'root.exits.{ours}', 0):,} of them {TEXTS.ipis}" if ours else ""
    idle, busy = (f"{next(root.seconds for root in record.root if root.load == load):g}" for load in ("idle", "busy"))
    return f"""\
## The root cell

{table(("", "reason", "exits", "per second", "why"), [*rates, *perf_rows(record)])}

Idle for {idle} s, and {busy} s busy with memory, processes, {TEXTS.ipis} and {record.numbers['root.hotplugs']} times a CPU off and on; the
hypercalls that read the counters are taken off. {TEXTS.timer} {record.numbers['root.timer interrupts']:,} of them,
taken by CPU 0 alone in a loop of `usleep 1000`, {record.numbers['root.exits']:,} exits{sgis}.
{perf(record)}
cyclictest (`-p95 -i1000 -N`) with {record.about['kernel of cyclictest']} under the hypervisor, Linux on CPU 0 alone:

{table(("instructions", "min", "median", "max"), cyclic)}

With one CPU the clock is that CPU's own, so that a loaded one can be counted too: memory,
processes and pipes on the same CPU.
"""


def life_rows(record: Record, cell: str) -> list[Row]:
    def of(name: str) -> str:
        return f"{record.numbers[f'life.{cell}.{name}']:,}"
    titles = {"create": "create: check, map, zero", "load": "load: zero again, open to Linux",
              "start": "start: take from Linux, reset the CPU, enter"}
    return [(f"{cell}, {title}", of(f"{part}.Linux's CPUs"), of(f"{part}.cell's CPU"))
            for part, title in titles.items()]


def pauses(record: Record, cell: str, other: str) -> Row:
    create = f"life.{cell}.create"
    exits_of = re.compile(re.escape(create) + r"\.exits of CPU \d+\.\w+")

    def exits(kind: str) -> str:
        return f"{sum(count for name, count in record.numbers.items() if exits_of.fullmatch(name) and name.endswith(kind)):,}"
    return (f"{cell}, {other}", f"{record.numbers[f'{create}.longest visit of the calling CPU']:,}",
            f"{record.numbers[f'{create}.longest visit of the others']:,}", exits("management"), exits("fault"))


def life(record: Record) -> str:
    numbers = record.numbers
    rows = life_rows(record, "rtos") + life_rows(record, "compute")
    stops = [pauses(record, "rtos", "Linux idle"), pauses(record, "compute", "CPU 1 busy")]
    often = BENCH.create_interrupts
    must = f"at most {often} for each other CPU" if often else "must be 0"
    head = ("instructions", "calling CPU's longest visit", "the other CPUs' longest visit",
            f"management exits ({must})", "stale-TLB faults")
    return f"""\
## From `cell create` to the cell's first instruction

Instructions in the hypervisor, from the hypercall that creates the cell to the cell's
instruction at its reset address; rtos has 1 MiB of memory, compute 64 MiB.

{table(("", "Linux's CPUs", "the cell's CPU"), rows)}

In all {numbers['life.rtos.all']:,} and {numbers['life.compute.all']:,}. The cell's own CPU
zeroes its memory, while Linux sleeps and asks now and then. Linux itself executes
{numbers['life.rtos.Linux before']:,} instructions to take a CPU out of service before it creates rtos, and
{numbers['life.rtos.Linux after']:,} on all its CPUs from there to the cell's first one, a shell and
three commands among them.{TEXTS.life}

### What Linux's CPUs notice of `cell create`

{table(head, stops)}

{TEXTS.pauses} How long each operation takes and the longest pause of the root
cell's CPUs are times: `jailhouse bench` measures them on a board. Here all CPUs would take
turns on one clock, so that they are left out.

`jailhouse cell create demo/rtos.cell`, `jailhouse cell load rtos hello.bin`,
`jailhouse cell start rtos`, and the same for compute, under QEMU with
`-plugin count.so,...` (tools/machine/count.c; the addresses are hypervisor.elf's); the exits
are `statistics/cpu0` and `cpu1/vmexits_*` before and after.
"""


def size(record: Record) -> str:
    numbers = record.numbers
    rows = [(f"`{name}`", f"{numbers[f'size.{name}']:,}", note.format(limit=bench_must.TEXT_LIMIT))
            for name, note in TEXTS.image]
    rows.append(("`hypervisor.bin`", f"{numbers['size.image']:,}", "what lies in /lib/firmware"))
    lines = [("hypervisor/ without arch/host", f"{numbers['lines.hypervisor']:,}"),
             ("driver/", f"{numbers['lines.driver']:,}"), ("include/abi/", f"{numbers['lines.abi']:,}")]
    return f"""\
## Size

{table(("section", "bytes", ""), rows)}

`{BENCH.gnu}-linux-gnu-size -A build/{TARGET.name}/hypervisor.elf`, default configuration. Stacks and
the log ring are not in the image: `jailhouse enable` zeroes them.

{table(("source", "lines"), lines)}

Lines of `.c`, `.h` and `.S` that are neither blank nor comment:
`PYTHONPATH=tools python3 -c 'from machine import bench; print(bench.source_lines())'`
"""


def page(record: Record) -> str:
    parts = (HEAD.format(of=TEXTS.of), TEXTS.introduction, REPEATED, made(record), must(record), latencies(record),
             peers(record), loaded(record), root_cell(record), life(record), size(record))
    return "\n".join(filter(None, parts))
