# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark of one architecture is and another's is not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where the program is measured besides the bare machine."""

    # Of its folder in the board's
    folder: str
    workloads: Sequence[str]
    # Further words of the program's command line
    words: str = ""


@dataclass(frozen=True)
class Must:
    """What an event may take while Linux sleeps."""

    where: str
    workload: str
    # Instructions: so many more than on the bare machine, or at all; None: nothing is promised
    more: int | None = None
    most: int | None = None
    # Of one event; None: nothing is promised. least: each costs so many, or was not measured
    exits: int | None = None
    least: int = 0


@dataclass(frozen=True)
class Texts:
    """The page's words."""

    # Behind the page's title
    of: str
    make: str
    introduction: str
    # The kernel is given a random seed, always the same
    seeded: bool
    # Behind what it was made with
    made: str
    # Of workloads, where they are not called as the tables call them
    titles: Mapping[str, str]
    # Behind the table of latencies
    conditions: str
    side_by_side: str
    # What others pay; none was measured if it is empty
    peers: str
    load: str
    # Why the root cell exits at all
    reasons: Mapping[str, str]
    # What else is in the life cycle's numbers
    life: str
    # Software interrupts, and what its timer's cost
    ipis: str
    timer: str
    pauses: str
    image: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Bench:
    """One architecture's benchmark; bench_target.py says which one is meant."""

    # In docs/
    page: str
    # The compiler's name of the machine
    gnu: str
    cpu: str
    # QEMU's machine without and with the hypervisor's extension, and Linux's command line
    bare_machine: Sequence[str]
    root_machine: Sequence[str]
    append: str
    # The linker's, for a program of the bare machine; where it lies, and its communication page
    link: Sequence[str]
    base: int
    comm: int
    # include/abi/comm.h from the console on
    comm_console: bytes
    # The linked program and a folder for what is needed besides, to QEMU's arguments that start it
    start: Callable[[Path, Path], Sequence[str]]
    # The page by which inmates/tests/contract.c is commanded, as bench-none.toml places it
    board: int
    # The program's words for a device of its own
    device: str
    everywhere: Sequence[str]
    places: Mapping[str, Place]
    # Instructions on the bare machine: others mean another clock
    known: Mapping[str, int]
    must: Sequence[Must]
    # Under load
    loaded: Mapping[str, Sequence[str]]
    loaded_without: Sequence[tuple[str, str]]
    # The counting plugin's: the stack's register, what leaves the hypervisor, its highest address
    stack: str
    leave: int
    last_address: int
    # The hypervisor's symbols, disassembly and CONFIG_STACK_SIZE_KB, to where guests come in and
    # to bytes from one CPU's stack to the next's
    entries: Callable[[Mapping[str, int], Callable[[str], str]], Sequence[int]]
    stack_stride: Callable[[int], int]
    # Lines of /proc/interrupts; none: there is no PMU
    timer_line: str
    pmu_line: str
    # The reason that a timer's or a PMU's interrupt may cost the root cell nevertheless
    ipi_reason: str
    # All that it may cost is that
    root_free: bool
    # How often `cell create` may interrupt each CPU of the root cell that takes no part
    create_interrupts: int
    sections: Sequence[str]
    texts: Texts = field(repr=False)
    # Of others: names, and instructions by workload, theirs on the bare machine, exits
    peers: Sequence[str] = ()
    peer_counts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    peer_bare: Mapping[str, str] = field(default_factory=dict)
    peer_exits: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
