# SPDX-License-Identifier: GPL-2.0-only
"""What `cell create`, `load` and `start` take, and what the hypervisor does on a cell's CPUs
while the root cell is loaded: counted by a plugin (count.c)."""

import re
import tempfile
from pathlib import Path

from . import bench_cells, bench_run, paths
from .bench_inmate import Json
from .bench_run import BenchError, mark, symbols, tool
from .bench_target import BENCH
from .target import TARGET

# A number by its dotted name
Numbers = dict[str, int]

# The hypervisor may have inlined one into the other
MARKS = {"create": ("cell_create", "create"), "load": ("cell_set_loadable", "set_loadable"),
         "start": ("cell_start", "start"), "destroy": ("cell_destroy", "destroy")}
# The demonstration's cells: their CPU, and those Linux has while they are created
CELLS = {"rtos": (3, (0, 1, 2)), "compute": (2, (0, 1))}
# Under load: what is measured, and on which CPUs
LOADED = BENCH.loaded
LOADED_SAMPLES = 1000
BENCH_CPUS = (2, 3)

COUNTERS = """
# label, CPUs: the counters of the root cell, read by this CPU, no process but this one
counters() {
	read -r up rest </proc/uptime
	echo "@uptime $1 $up"
	for cpu in $2; do
		for file in /sys/devices/jailhouse/cells/0/statistics/cpu$cpu/vmexits_*; do
			read -r value <$file
			echo "@counter $1 $cpu ${file##*vmexits_} $value"
		done
	done
}
"""
# Linux's CPUs are idle as the first cell is created, CPU 1 is busy as the second is
LIFE = bench_cells.PROLOGUE + COUNTERS + f"D={bench_cells.CONFIGS}/demo" + """
jailhouse enable $D/system.cell || exit
sleep 1
counters before-rtos '0 1 2'
jailhouse cell create $D/rtos.cell || exit
counters after-rtos '0 1 2'
sleep 1
jailhouse cell load rtos /inmates/hello.bin && jailhouse cell start rtos || exit
sleep 1
jailhouse cell shutdown rtos || exit
taskset 2 sh -c 'while :; do :; done' &
sleep 1
counters before-compute '0 1'
jailhouse cell create $D/compute.cell || exit
counters after-compute '0 1'
jailhouse cell load compute /inmates/hello.bin && jailhouse cell start compute || exit
kill $!
sleep 1
jailhouse cell shutdown compute && jailhouse cell destroy compute || exit
jailhouse cell destroy rtos && jailhouse disable && echo '@end'
"""
# Memory, SGIs between the root cell's CPUs, page tables (each process is a fork, an exec and
# broadcast TLB invalidations), and another cell that is created and destroyed
STRESS = """
stress() {
	rm -f /tmp/stop
	while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/tmp/memory bs=64k count=64 2>/dev/null; done &
	while [ ! -e /tmp/stop ]; do echo 1; done | while read -r line; do :; done &
	while [ ! -e /tmp/stop ]; do /bin/busybox true; done &
	while [ ! -e /tmp/stop ]; do jailhouse cell create $D/churn.cell && jailhouse cell destroy churn || break; done &
}
"""
UNDER_LOAD = f"""
D={bench_cells.CONFIGS}/@folder
jailhouse enable $D/system.cell && jailhouse cell create $D/bench.cell || exit
jailhouse cell load bench /inmates/bench.bin -s "@line" -a {bench_run.CMDLINE:#x} || exit
stress
jailhouse cell start bench || exit
tries=0
until jailhouse console | grep -q 'bench: done'; do
	tries=$((tries + 1))
	[ $tries -lt 400 ] || exit
	usleep 20000
done
touch /tmp/stop
wait
echo '@begin @where'
jailhouse console
echo '@console-end'
jailhouse cell shutdown bench && jailhouse cell destroy bench && jailhouse disable || exit
"""


# --- the plugin's marks ---------------------------------------------------------------

def stack_size() -> int:
    """From one CPU's stack to the next's (the architecture's layout.h)."""
    found = re.search(r"^CONFIG_STACK_SIZE_KB=(\d+)$", (paths.BUILD / ".config").read_text(), re.MULTILINE)
    if not found:
        raise BenchError(f"build/{TARGET.name}/.config has no CONFIG_STACK_SIZE_KB: run 'make defconfig {TARGET.make}'")
    return BENCH.stack_stride(int(found[1]) * 1024)


def hypervisor_marks() -> list[str]:
    elf = paths.built(paths.BUILD / "hypervisor.elf", "hypervisor")
    known = symbols(elf)
    entries = BENCH.entries(known, lambda name: tool("objdump", "-d", f"--disassemble={name}", elf))
    if not entries:
        raise BenchError("hypervisor.elf has no place where guests come in: name it in entries, "
                         f"tools/machine/bench_{TARGET.name}.py")
    arguments = [f"low={known['_start']:x}", f"high={BENCH.last_address:x}", f"stack={BENCH.stack}",
                 f"stacks={known['_percpu']:x}:{stack_size():x}", f"leave={BENCH.leave:x}",
                 *(f"enter={address:x}" for address in entries)]
    for name, candidates in MARKS.items():
        found = [known[candidate] for candidate in candidates if candidate in known]
        if not found:
            raise BenchError(f"hypervisor.elf has none of {', '.join(candidates)}: name the function "
                             f"that begins '{name}' in MARKS, tools/machine/bench_life.py")
        arguments.append(mark(name, elf, found[0]))
    return arguments


def life_marks(counts: Path) -> str:
    inmate = paths.built(paths.BUILD / "inmates" / "hello.elf", "inmates")
    command = paths.built(paths.BUILD / "jailhouse", "tools")
    return ",".join([f"out={counts}", *hypervisor_marks(), mark("command", command, symbols(command)["main"]),
                     mark("first", inmate, 0)])


def load_marks(counts: Path) -> str:
    """The program asks for its exits before the first sample and after the last: what lies
    between the end of the one and the beginning of the other is the samples'."""
    elf = paths.built(paths.BUILD / "inmates" / "bench.elf", "inmates")
    listing = tool("objdump", "-d", "--no-show-raw-insn", "--disassemble=exits_read", elf)
    ends = re.findall(r"^\s*([0-9a-f]+):\s+ret\b", listing, re.MULTILINE)
    if not ends:
        raise BenchError("bench.elf has no function exits_read that returns: name the one that does in "
                         "load_marks, tools/machine/bench_life.py")
    return ",".join([f"out={counts}", *hypervisor_marks(), mark("asks", elf, symbols(elf)["exits_read"]),
                     *(mark("asked", elf, int(end, 16)) for end in ends)])


class Passage:
    """A line of the plugin's (count.c): a mark, and what every CPU had executed by then."""

    def __init__(self, line: str):
        name, cpu, inside, rest, *counts = line.split()
        self.name, self.cpu, self.inside, self.rest = name, int(cpu), int(inside), int(rest)
        self.el2 = [int(count) for count in counts[0::2]]
        self.longest = [int(count) for count in counts[1::2]]

    def before(self) -> list[int]:
        """What the CPUs had executed in the hypervisor when the visit that led here began."""
        return [count - (self.inside if cpu == self.cpu else 0) for cpu, count in enumerate(self.el2)]


def passages_in(counts: Path) -> list[Passage]:
    return [Passage(line) for line in counts.read_text().splitlines()]


# --- from create to the first instruction ---------------------------------------------

def first_after(passages: list[Passage], at: int, name: str) -> int:
    for index in range(at, len(passages)):
        if passages[index].name == name:
            return index
    raise BenchError(f"the counting plugin saw no '{name}': it has seen "
                     + ", ".join(sorted({passage.name for passage in passages})))


def life_parts(passages: list[Passage], create: int, first: int, cell: str) -> Numbers:
    """Instructions from the hypercall that creates a cell to the cell's first, in parts."""
    load, start = (first_after(passages, create, name) for name in ("load", "start"))
    command = max(index for index in range(create) if passages[index].name == "command")
    own, linux = CELLS[cell]
    numbers: Numbers = {}
    for part, begin, end in (("create", create, load), ("load", load, start), ("start", start, first)):
        since = passages[begin].before()
        until = passages[end].el2 if end == first else passages[end].before()
        spent = [b - a for a, b in zip(since, until)]
        numbers[f"{part}.Linux's CPUs"] = sum(spent[cpu] for cpu in linux)
        numbers[f"{part}.cell's CPU"] = spent[own]
    numbers["all"] = sum(numbers.values())
    # The next mark is the next command's: what ended between is of `cell create`
    caller, longest = passages[create].cpu, passages[create + 1].longest
    numbers["create.longest visit of the calling CPU"] = longest[caller]
    numbers["create.longest visit of the others"] = max(longest[cpu] for cpu in linux if cpu != caller)
    numbers["Linux before"] = passages[create].rest - passages[command].rest
    numbers["Linux after"] = passages[first].rest - passages[create].rest
    return numbers


def counter_change(text: str, name: str) -> dict[int, dict[str, int]]:
    """The exits of the root cell's CPUs between the readings `before-name` and `after-name`,
    with the hypercalls that ask for them."""
    def read(label: str) -> dict[tuple[int, str], int]:
        return {(int(cpu), key): int(value) for cpu, key, value in
                re.findall(rf"^@counter {label}-{name} (\d+) (\w+) (\d+)$", text, re.MULTILINE)}
    before, after = read("before"), read("after")
    if not before or set(before) != set(after):
        raise BenchError(f"the counters around '{name}' are not all there")
    change: dict[int, dict[str, int]] = {}
    for (cpu, key), value in after.items():
        change.setdefault(cpu, {})[key] = value - before[cpu, key]
    return change


def measure_life(kernel: str) -> Numbers:
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        text = bench_run.run_root(LIFE, kernel, folder, life_marks(folder / "counts"))
        passages = passages_in(folder / "counts")
    numbers: Numbers = {}
    at = 0
    for cell in CELLS:
        create = first_after(passages, at, "create")
        at = first_after(passages, create, "first")
        numbers |= {f"life.{cell}.{key}": value for key, value in life_parts(passages, create, at, cell).items()}
        for cpu, change in counter_change(text, cell).items():
            for key in ("management", "fault"):
                numbers[f"life.{cell}.create.exits of CPU {cpu}.{key}"] = change[key]
    return numbers


# --- under load -----------------------------------------------------------------------

def _load_script() -> str:
    script = bench_cells.PROLOGUE + STRESS
    for where, workloads in LOADED.items():
        line = f"workload={','.join(workloads)} samples={LOADED_SAMPLES} mmu=0 {BENCH.device}"
        script += UNDER_LOAD.replace("@where", where).replace("@folder", BENCH.places[where].folder).replace("@line", line)
    return script + "\necho @end\n"


def _spans(passages: list[Passage]) -> list[tuple[int, int]]:
    """From the end of the first asking to the beginning of the second, for each workload."""
    asks = [index for index, passage in enumerate(passages) if passage.name == "asks"]
    asked = [index for index, passage in enumerate(passages) if passage.name == "asked"]
    wanted = sum(map(len, LOADED.values()))
    if len(asks) != 2 * wanted or len(asked) != 2 * wanted:
        raise BenchError(f"the counting plugin saw exits_read begin {len(asks)} times and end {len(asked)} times, "
                         f"where {2 * wanted} were to come: the cell's program was not run as it should be")
    return list(zip(asked[0::2], asks[1::2]))


def _exits(text: str, where: str) -> list[dict[str, int]]:
    """Of each workload, as the program printed them."""
    found = re.search(rf"^@begin {where}$(.*?)^@console-end$", text, re.MULTILINE | re.DOTALL)
    exits = []
    for body in re.findall(r"bench: workload=\S+ samples=\d+ (.*?)bench: end workload", found[1] if found else "",
                           re.DOTALL):
        pairs = (word.split("=") for line in re.findall(r"bench: exits (.*)", body) for word in line.split())
        exits.append({name: int(count) for name, count in pairs})
    if len(exits) != len(LOADED[where]) or not all("total" in one for one in exits):
        raise BenchError(f"under load, {where}: the program did not measure all it was told to:\n{text[-1500:]}")
    return exits


def measure_load(kernel: str) -> tuple[list[Json], Numbers]:
    """Runs without a latency, whose clock the other CPUs would share: exits and hypervisor
    instructions on the cell's own CPUs; and what was done to other cells meanwhile."""
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        text = bench_run.run_root(_load_script(), kernel, folder, load_marks(folder / "counts"))
        passages = passages_in(folder / "counts")
    spans = iter(_spans(passages))
    runs: list[Json] = []
    managed = 0
    for where, workloads in LOADED.items():
        for workload, exits in zip(workloads, _exits(text, where)):
            begin, end = next(spans)
            spent = sum(passages[end].el2[cpu] - passages[begin].el2[cpu] for cpu in BENCH_CPUS)
            managed += sum(passage.name in ("create", "destroy") for passage in passages[begin:end])
            runs.append({"where": where, "load": "loaded", "workload": workload, "samples": LOADED_SAMPLES,
                         "resolution": 0, "histogram": None, "exits": exits, "hypervisor_instructions": spent})
    if managed < 2:
        raise BenchError("no other cell was created and destroyed while the cells under load measured: was the load "
                         "not there?")
    return runs, {"load.management operations meanwhile": managed}
