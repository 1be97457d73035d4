# SPDX-License-Identifier: GPL-2.0-only
"""A record as tables: rows of texts for the terminal, the report and the page."""

from collections.abc import Sequence

from jailhouse.bench.record import LOADS, WHERES, WORKLOADS, Operation, Record, Run
from jailhouse.bench.stats import MAX, MEDIAN, MIN, STATISTICS, exits_per_event, of_list, statistic

Row = tuple[str, ...]
NOTHING = "-"

TITLES = {
    "timer-spin": "timer's deadline to its vector, spinning",
    "timer-wfi": "timer's deadline to its vector, from WFI",
    "self-sgi": "SGI to oneself, write to vector",
    "ipi": "SGI to another CPU of the cell, write to vector",
    "device": "a device's interrupt, write to vector",
    "spi": "an SPI pended in the distributor, write to vector",
    "hypercall": "null hypercall and back",
    "psci": "PSCI_VERSION and back",
    "gicd-read": "GICD read",
    "gicr-write": "GICR write",
    "icr": "IPI to oneself by ICR, write to vector",
    "cpuid": "CPUID",
    "msr": "RDMSR of APIC_BASE",
    "ioapic-read": "IOAPIC read",
    "compute": "a round of arithmetic under a 1 kHz tick",
    "tick": "a timer tick, round trip",
    "cyclictest": "cyclictest in the root cell",
}
RUN_HEAD = ("workload", "where", "root", *(s.name for s in STATISTICS), "exits per event", "hypervisor instructions")
LIFE_HEAD = ("operation", "cell", "memory", "rounds", "min", "median", "max", "longest pause",
             "longest without it")
ROOT_HEAD = ("root", "seconds", "reason", "exits", "per second")


def number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def rate(value: float | None) -> str:
    """Few digits, but never 0 for what is not."""
    if value is None:
        return NOTHING
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.2f}" if value >= 0.01 else f"{value:.2g}"


def size(count: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} B"


def place(where: str) -> tuple[int, str]:
    """Known ones in their order, then the others by name."""
    return (WHERES.index(where) if where in WHERES else len(WHERES), where)


def ordered(record: Record) -> list[Run]:
    """Those that are compared with one another stand next to each other."""
    return sorted(record.runs, key=lambda run: (WORKLOADS.index(run.workload), LOADS.index(run.load),
                                                *place(run.where)))


def run_row(run: Run, unit: str) -> Row:
    name = run.workload if run.unit == unit else f"{run.workload} ({run.unit})"
    return (name, run.where, run.load, *(number(statistic(run, s)) for s in STATISTICS),
            rate(exits_per_event(run)), number(run.hypervisor_instructions))


def run_rows(record: Record) -> list[Row]:
    return [run_row(run, record.unit) for run in ordered(record) if not run.refused]


def life_row(operation: Operation) -> Row:
    def longest(pauses: tuple[int, ...] | None) -> str:
        return NOTHING if pauses is None else number(max(pauses))
    return (operation.operation, operation.cell, size(operation.memory), str(operation.rounds),
            *(number(of_list(operation.times, s)) for s in (MIN, MEDIAN, MAX)),
            longest(operation.pauses), longest(operation.quiet_pauses))


def life_rows(record: Record) -> list[Row]:
    return [life_row(operation) for operation in record.lifecycle]


def root_rows(record: Record) -> list[Row]:
    return [(root.load, f"{root.seconds:g}", reason, number(count), rate(round(count / root.seconds, 2)))
            for root in record.root
            for reason, count in sorted(root.exits.items(), key=lambda item: (item[0] == "total", -item[1], item[0]))
            if count or reason == "total"]


def text(head: Row, rows: Sequence[Row], names: int) -> str:
    """Columns for the terminal, the first `names` of them to the left."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(row: Row) -> str:
        cells = (cell.ljust(width) if i < names else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths)))
        return "  ".join(cells).rstrip()
    return "\n".join(map(line, (head, *rows)))


def drop_empty(head: Row, rows: Sequence[Row]) -> tuple[Row, list[Row]]:
    """Without the columns in which nothing was measured."""
    kept = [i for i in range(len(head)) if any(row[i] != NOTHING for row in rows)]
    return tuple(head[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def summary(record: Record) -> str:
    """All of it for the terminal."""
    unit = f"{record.unit}, {record.samples:,} samples; '{NOTHING}': not measured, or too few samples"
    parts = [f"{record.machine['model']}, {record.kernel}", f"{unit}", ""]
    if record.runs:
        parts.append(text(*drop_empty(RUN_HEAD, run_rows(record)), 3))
    parts += [f"{run.name}: refused: {run.refused}" for run in record.runs if run.refused]
    if record.lifecycle:
        parts += ["", text(*drop_empty(LIFE_HEAD, life_rows(record)), 3)]
    if record.root:
        parts += ["", text(ROOT_HEAD, root_rows(record), 3)]
    if record.mode == "wall" and record.machine["emulator"]:
        parts += ["", "no verdict: this is an emulator, its nanoseconds are the host's"]
    return "\n".join(parts)
