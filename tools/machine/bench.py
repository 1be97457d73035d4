# SPDX-License-Identifier: GPL-2.0-only
"""Measures what docs/performance.md says, in instructions, and writes that page.

    python -m machine.bench [--kernel 6.12]

Everything is run twice; two runs that differ are refused. Exit status 1 if they differ
or if a number that must hold does not.
"""

import argparse
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from . import bench_page, paths, rootfs
from .steps import Steps

PAGE = paths.TOP / "docs" / "performance.md"
RECORD = paths.BUILD / "bench.json"
REFERENCE = paths.TOP / "tests" / "qemu" / "reference.json"

CROSS = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")
# One tick of the counter is one nanosecond is one instruction
CPU = "cortex-a72,cntfrq=1000000000"
CLOCK = ("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm")
QEMU = ("qemu-system-aarch64", "-cpu", CPU, "-m", "2G", "-display", "none", "-monitor", "none",
        "-nic", "none", "-no-reboot", *CLOCK)
RUN_SECONDS = 180.0

TEXT_LIMIT = 40 * 1024
# What the test compares exactly
REFERENCE_NAMES = ("cell.hypercall", "cell.exits")
# The demonstration's cells: their CPU, and those Linux has while they are created
CELLS = {"rtos": (3, (0, 1, 2)), "compute": (2, (0, 1))}
SAMPLES = 1000
INTERRUPTS = 1000
# In which the CPU that started a cell comes to rest
WAIT_NS = 100_000_000
# Where the bare machine runs a program; it starts with its device tree
BASE = 0x4020_0000
CMDLINE = 0x1000
COMM = 0x8000_0000

# The hypervisor may have inlined one into the other
MARKS = {"create": ("cell_create", "create"), "load": ("cell_set_loadable", "set_loadable"),
         "start": ("cell_start", "start")}
GUEST_VECTORS = (0x400, 0x500, 0x580)
LAST_ADDRESS = 0xff80_0000_0000
COUNTERS = ("total", "hypercall", "management", "mmio", "sgi", "psci", "smccc", "sysreg", "wfi", "fault")

# What both scripts begin with. The shell itself reads a counter: no exit but the
# hypercall that asks for it.
PROLOGUE = f"""
dmesg -n 1
D=/configs/qemu-arm64/demo
counters() {{
	for name in {' '.join(COUNTERS)}; do
		read -r value </sys/devices/jailhouse/cells/0/statistics/cpu$2/vmexits_$name
		echo "@counter $1 $name $value"
	done
}}
# What runs in cell rtos: program, command line, the seconds it needs
measure() {{
	jailhouse cell load rtos /inmates/$1.bin -s "$2" -a {CMDLINE:#x} || exit
	jailhouse cell start rtos || exit
	sleep $3
	jailhouse cell shutdown rtos || exit
}}
insmod /lib/modules/$(uname -r)/extra/jailhouse.ko && jailhouse enable $D/system.cell || exit
"""
EPILOGUE = """
jailhouse console | sed 's/^/@console /'
jailhouse cell destroy rtos && jailhouse disable && echo '@end'
"""
IN_CELL = f"""
measure null "iters={SAMPLES} wait={WAIT_NS}" 2
measure ticks "cpu=3 count={INTERRUPTS}" 1
measure ticks "cpu=3 count={INTERRUPTS} wfi" 1
"""
QUICK = PROLOGUE + "jailhouse cell create $D/rtos.cell || exit\n" + IN_CELL + EPILOGUE
# Linux's CPUs are idle as the first cell is created, CPU 1 is busy as the second is. At
# the end Linux has CPU 0 alone, so that none of its CPUs sends another an SGI.
FULL = PROLOGUE + """
sleep 1
for cpu in 0 1 2; do counters before-rtos-$cpu $cpu; done
jailhouse cell create $D/rtos.cell || exit
for cpu in 0 1 2; do counters after-rtos-$cpu $cpu; done
sleep 1
jailhouse cell load rtos /inmates/hello.bin && jailhouse cell start rtos || exit
sleep 1
jailhouse cell shutdown rtos || exit
taskset 2 sh -c 'while :; do :; done' &
sleep 1
for cpu in 0 1; do counters before-compute-$cpu $cpu; done
jailhouse cell create $D/compute.cell || exit
for cpu in 0 1; do counters after-compute-$cpu $cpu; done
jailhouse cell load compute /inmates/hello.bin && jailhouse cell start compute || exit
kill $!
sleep 1
jailhouse cell shutdown compute && jailhouse cell destroy compute || exit
""" + IN_CELL + f"""
measure null "iters={SAMPLES} wait={WAIT_NS} psci=smc" 2
for cpu in 1 2; do echo 0 >/sys/devices/system/cpu/cpu$cpu/online; done
sleep 1
grep arch_timer /proc/interrupts | sed 's/^/@before /'
counters before-ticks 0
n=0
while [ $n -lt {INTERRUPTS} ]; do usleep 1000; n=$((n + 1)); done
counters after-ticks 0
grep arch_timer /proc/interrupts | sed 's/^/@after /'
for cpu in 1 2; do echo 1 >/sys/devices/system/cpu/cpu$cpu/online; done
""" + EPILOGUE

SAMPLE = re.compile(r"null: (.+) min=(\d+) avg=\d+ max=(\d+) at_min=(\d+)$", re.MULTILINE)
TICKS = re.compile(r"ticks: count=(\d+) exits=(-?\d+)$", re.MULTILINE)

# A number by its dotted name
Numbers = dict[str, int]


class BenchError(Exception):
    """It could not be measured; the text says what and how to go on."""


def tool(name: str, *arguments: object) -> str:
    """What a program of the cross compiler's prints."""
    command = [CROSS + name, *(str(argument) for argument in arguments)]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise paths.MissingError(f"{command[0]} is missing: run 'make setup' (as root)") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"'{' '.join(command)}' failed: {error.stderr.strip()}") from error


# --- the counting plugin --------------------------------------------------------------

def symbols(elf: Path) -> dict[str, int]:
    """Addresses, without what link-time optimisation puts behind a name."""
    lines = (line.split() for line in tool("nm", elf).splitlines())
    return {words[2].split(".")[0]: int(words[0], 16) for words in lines
            if len(words) == 3 and words[1] not in "wWvV"}


def opcode(elf: Path, address: int) -> str:
    listing = tool("objdump", "-d", f"--start-address={address:#x}", f"--stop-address={address + 4:#x}", elf)
    found = re.search(rf"^\s*{address:x}:\s+([0-9a-f]{{8}})", listing, re.MULTILINE)
    if not found:
        raise BenchError(f"{elf.name} has no instruction at {address:#x}")
    return found[1]


def mark(name: str, elf: Path, address: int) -> str:
    return f"mark={name}:{address:x}:{opcode(elf, address)}"


def stack_size() -> int:
    """From one CPU's stack to the next's (arch/arm64/layout.h)."""
    found = re.search(r"^CONFIG_STACK_SIZE_KB=(\d+)$", (paths.BUILD / ".config").read_text(), re.MULTILINE)
    if not found:
        raise BenchError("build/arm64/.config has no CONFIG_STACK_SIZE_KB: run 'make defconfig'")
    return int(found[1]) * 1024 + 2 * 4096


def plugin_arguments(counts: Path) -> str:
    """Where the hypervisor's code lies and what is to be noticed in it."""
    elf = paths.built(paths.BUILD / "hypervisor.elf", "hypervisor")
    inmate = paths.built(paths.BUILD / "inmates" / "null.elf", "inmates")
    command = paths.built(paths.BUILD / "jailhouse", "tools")
    known = symbols(elf)
    arguments = [f"out={counts}", f"low={known['_start']:x}", f"high={LAST_ADDRESS:x}",
                 f"stacks={known['_percpu']:x}:{stack_size():x}",
                 *(f"enter={known['vectors'] + offset:x}" for offset in GUEST_VECTORS)]
    for name, candidates in MARKS.items():
        found = [known[candidate] for candidate in candidates if candidate in known]
        if not found:
            raise BenchError(f"hypervisor.elf has none of {', '.join(candidates)}: name the function "
                             f"that begins '{name}' in MARKS, tools/machine/bench.py")
        arguments.append(mark(name, elf, found[0]))
    arguments.append(mark("command", command, symbols(command)["main"]))
    arguments.append(mark("first", inmate, 0))
    return ",".join(arguments)


def build_plugin(folder: Path) -> Path:
    plugin = folder / "count.so"
    compiler = os.environ.get("HOSTCC", "gcc")
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
               "-fvisibility=hidden", "-o", str(plugin), str(paths.TOP / "tools" / "machine" / "count.c")]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"the counting plugin is not built ({error}): run 'make setup' (as root)") from error
    return plugin


# --- running --------------------------------------------------------------------------

def run_qemu(arguments: Iterable[str], console: Path, until: str) -> str:
    """What the machine printed by the time it said `until` on a line. It reads no input:
    nothing of this machine's own time gets in."""
    command = [*QEMU, *arguments, "-serial", f"file:{console}"]
    console.write_text("")
    deadline = time.monotonic() + RUN_SECONDS
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise paths.MissingError("qemu-system-aarch64 is missing: run 'make setup' (as root)") from None
    with process:
        while True:
            ended = process.poll() is not None
            said = console.read_text(errors="replace").replace("\r", "")
            if re.search(rf"^{until}$", said, re.MULTILINE):
                return settled(process, console)
            if ended or time.monotonic() > deadline:
                process.kill()
                why = f"QEMU ended: {process.communicate()[1].strip()}" if ended else "no end in time"
                raise BenchError(f"the measured machine did not finish ({why}); it said last:\n"
                                 + "\n".join(said.splitlines()[-15:]))
            time.sleep(0.1)


def settled(process: subprocess.Popen[str], console: Path) -> str:
    """Linux powers itself off; a bare program goes on for ever."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    return console.read_text(errors="replace").replace("\r", "")


def run_root(script: str, kernel: str, folder: Path, counts: Path | None = None) -> str:
    """A script in Linux under the hypervisor."""
    initrd = rootfs.write(folder / "initrd.cpio", rootfs.image(kernel, files={"bin/agent": script.encode()}))
    plugin = ("-plugin", f"{build_plugin(folder)},{plugin_arguments(counts)}") if counts else ()
    return run_qemu(("-M", "virt,virtualization=on,gic-version=3,dtb-randomness=off", "-smp", "4",
                     "-kernel", str(paths.kernel_image(kernel)), "-initrd", str(initrd), "-append",
                     "console=ttyAMA0 mem=1792M kvm-arm.mode=nvhe kvm-arm.mode=none quiet agent",
                     *plugin), folder / "console", "@end")


def comm_page() -> bytes:
    """What a program finds at COMM: the board's UART and GICv3 (include/abi/comm.h)."""
    page = struct.pack("<6sH4I", b"JHCOMM", 2, 0, 0, 0, 0)
    page += struct.pack("<QIHHIIQ", 0x0900_0000, 0x1000, 3, 1, 0, 0, 0)
    page += struct.pack("<QB7xQQQII", 0, 3, 0x0800_0000, 0, 0x080a_0000, 0, 0)
    return page.ljust(4096, b"\0")


def link_bare(name: str, cmdline: str, out: Path) -> Path:
    """The same program, linked for the bare machine's memory, its command line in it."""
    objects = paths.BUILD / "inmates"
    program = paths.built(objects / "tests" / f"{name}.c.o", "inmates")
    library = sorted(objects.glob("lib/**/*.o"))
    elf, image = out / f"{name}.elf", out / f"{name}.bin"
    tool("ld", "-nostdlib", "--gc-sections", "-z", "noexecstack", "--no-warn-rwx-segments", "--build-id=none",
         "-T", paths.TOP / "inmates" / "lib" / "arm64" / "inmate.lds", f"--defsym=BASE={BASE:#x}",
         program, *library, "-o", elf)
    tool("objcopy", "-O", "binary", elf, image)
    content = bytearray(image.read_bytes())
    text = cmdline.encode() + b"\0"
    content[CMDLINE:CMDLINE + len(text)] = text
    image.write_bytes(content)
    return image


def run_bare(name: str, cmdline: str, folder: Path, until: str) -> str:
    """A cell's program at EL1 of the machine without anything under it."""
    image = link_bare(name, cmdline, folder)
    comm = folder / "comm.bin"
    comm.write_bytes(comm_page())
    return run_qemu(("-M", "virt,gic-version=3,dtb-randomness=off", "-device",
                     f"loader,file={image},addr={BASE:#x},force-raw=on", "-device",
                     f"loader,addr={BASE:#x},cpu-num=0", "-device",
                     f"loader,file={comm},addr={COMM:#x},force-raw=on"), folder / "console", until)


# --- reading --------------------------------------------------------------------------

def samples(text: str, where: str) -> Numbers:
    """What null.bin counted; of what it counted twice, the first."""
    numbers: Numbers = {}
    for what, low, high, at_min in SAMPLE.findall(text):
        numbers.setdefault(f"{where}.{what}", int(low))
        numbers.setdefault(f"{where}.{what}.max", int(high))
        numbers.setdefault(f"{where}.{what}.at_min", int(at_min))
    if not numbers:
        raise BenchError(f"null.bin reported nothing ({where}):\n{text[-1000:]}")
    return numbers


def tick_exits(text: str) -> Numbers:
    found = TICKS.findall(text)
    if len(found) != 2 or any(int(count) != INTERRUPTS for count, _ in found):
        raise BenchError(f"ticks.bin did not take {INTERRUPTS} interrupts twice: {found}")
    return {"cell.timer interrupts": INTERRUPTS, "cell.exits": int(found[0][1]),
            "cell.exits with WFI": int(found[1][1])}


def counter_change(text: str, name: str) -> dict[str, int]:
    """The exits of a root CPU between the two rounds of reading `before-name` and
    `after-name`, with the hypercalls that ask for them."""
    def read(label: str) -> dict[str, int]:
        return {key: int(value) for key, value in
                re.findall(rf"^@counter {label}-{name} (\w+) (\d+)$", text, re.MULTILINE)}
    before, after = read("before"), read("after")
    if set(before) != set(COUNTERS) or set(after) != set(COUNTERS):
        raise BenchError(f"the counters around '{name}' are not all there")
    return {key: after[key] - before[key] for key in COUNTERS}


def root_ticks(text: str) -> Numbers:
    """Timer interrupts and exits of CPU 0, the only one Linux had then."""
    seen = dict(re.findall(r"^@(before|after)\s+\d+:\s+(\d+)", text, re.MULTILINE))
    if len(seen) != 2:
        raise BenchError("/proc/interrupts has no arch_timer line")
    change = counter_change(text, "ticks")
    # From one reading of a counter to the next, all of them are read once
    for key in ("total", "hypercall"):
        change[key] -= len(COUNTERS)
    return {"root.timer interrupts": int(seen["after"]) - int(seen["before"]),
            "root.exits": change["total"], **{f"root.exits.{key}": value for key, value in change.items()
                                              if key != "total" and value}}


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


def life(counts: Path) -> Numbers:
    passages = [Passage(line) for line in counts.read_text().splitlines()]
    numbers: Numbers = {}
    at = 0
    for name in CELLS:
        create = first_after(passages, at, "create")
        at = first_after(passages, create, "first")
        numbers |= {f"life.{name}.{key}": value
                    for key, value in life_parts(passages, create, at, name).items()}
    return numbers


# --- sizes ----------------------------------------------------------------------------

def sizes() -> Numbers:
    elf = paths.built(paths.BUILD / "hypervisor.elf", "hypervisor")
    sections = dict(re.findall(r"^(\.\w+)\s+(\d+)", tool("size", "-A", elf), re.MULTILINE))
    wanted = (".text", ".idmap", ".rodata", ".data", ".bss", ".boot_tables")
    numbers = {f"size.{name}": int(sections.get(name, 0)) for name in wanted}
    image = paths.built(paths.BUILD / "hypervisor.bin", "hypervisor")
    return {**numbers, "size.image": image.stat().st_size}


def code_lines(text: str) -> int:
    """Lines that hold more than blanks and comments."""
    literal_or_comment = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)
    bare = literal_or_comment.sub(
        lambda found: found[0] if found[0][0] == '"' else "\n" * found[0].count("\n"), text)
    return sum(1 for line in bare.splitlines() if line.strip())


def source_lines() -> Numbers:
    """Of the hypervisor as it is built for arm64, and of what stands beside it."""
    folders = {"hypervisor": paths.TOP / "hypervisor", "driver": paths.TOP / "driver",
               "abi": paths.TOP / "include" / "abi"}
    model = folders["hypervisor"] / "arch" / "host"
    numbers: Numbers = {}
    for name, folder in folders.items():
        files = [path for path in folder.rglob("*.[chS]") if model not in path.parents]
        numbers[f"lines.{name}"] = sum(code_lines(path.read_text()) for path in files)
    return numbers


# --- all of it ------------------------------------------------------------------------

def measure_quick(kernel: str) -> Numbers:
    """One short run: what the test compares."""
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        text = run_root(QUICK, kernel, Path(folder))
    return {**samples(text, "cell"), **tick_exits(text)}


def measure_bare() -> Numbers:
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        text = run_bare("null", f"iters={SAMPLES}", Path(folder), "null: done")
    return samples(text, "bare")


def measure_full(kernel: str) -> Numbers:
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        text = run_root(FULL, kernel, folder, folder / "counts")
        numbers = {**samples(text, "cell"), **tick_exits(text), **root_ticks(text), **life(folder / "counts")}
    for cell, (_, linux) in CELLS.items():
        for cpu in linux:
            change = counter_change(text, f"{cell}-{cpu}")
            for key in ("management", "fault"):
                numbers[f"life.{cell}.create.exits of CPU {cpu}.{key}"] = change[key]
    return numbers


def differences(first: Numbers, second: Numbers) -> list[str]:
    return [f"{name}: {first.get(name)} and {second.get(name)}"
            for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]


def broken(numbers: Numbers) -> list[str]:
    """What must hold and does not."""
    rules = [
        (numbers["cell.exits"] == 0, f"{INTERRUPTS} timer interrupts in a cell cost "
         f"{numbers['cell.exits']} exits: they must cost none"),
        (numbers["root.timer interrupts"] >= INTERRUPTS, "the root cell took only "
         f"{numbers['root.timer interrupts']} timer interrupts: nothing was measured"),
        (numbers["root.exits"] == numbers.get("root.exits.sgi", 0),
         f"{numbers['root.timer interrupts']} timer interrupts in the root cell cost "
         f"{numbers['root.exits'] - numbers.get('root.exits.sgi', 0)} exits beside IPIs it sent: they must cost none"),
        (numbers["size..text"] < TEXT_LIMIT, f".text has {numbers['size..text']} bytes: "
         f"it must stay under {TEXT_LIMIT}"),
    ]
    for cell, (_, linux) in CELLS.items():
        for cpu in linux:
            count = numbers[f"life.{cell}.create.exits of CPU {cpu}.management"]
            rules.append((count == 0, f"creating {cell} cost CPU {cpu} of the root cell {count} management exits: "
                          "it must cost none"))
    return [text for holds, text in rules if not holds]


def identity(kernel: str) -> dict[str, str]:
    image = paths.built(paths.BUILD / "hypervisor.bin", "hypervisor")
    first = subprocess.run(["qemu-system-aarch64", "--version"], check=True, capture_output=True,
                           text=True).stdout.splitlines()[0]
    return {"qemu": first, "cpu": CPU, "kernel": paths.kernel_release(kernel),
            "compiler": tool("gcc-12", "--version").splitlines()[0],
            "hypervisor.bin sha256": hashlib.sha256(image.read_bytes()).hexdigest()}


def twice(steps: Steps, what: str, kernel: str, action: Callable[[], Numbers]) -> Numbers:
    """Runs a measurement twice and refuses what does not repeat."""
    runs: list[Numbers] = []
    about = identity(kernel)
    for number in ("first", "second"):
        steps.run(f"{what}, {number} run", lambda: runs.append(action()) or None)
    if about != identity(kernel):
        raise BenchError("the hypervisor was built anew while it was measured: run it again")
    if found := differences(*runs):
        raise BenchError(f"{what}: two runs differ, so nothing was recorded:\n  " + "\n  ".join(found))
    return runs[0]


def record(numbers: Numbers, about: dict[str, str]) -> None:
    RECORD.write_text(json.dumps({"about": about, "numbers": numbers}, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(bench_page.page(numbers, about, TEXT_LIMIT))
    kept = {name: numbers[name] for name in REFERENCE_NAMES}
    REFERENCE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def bench(kernel: str) -> int:
    steps = Steps()
    numbers = twice(steps, "the bare machine", kernel, measure_bare)
    numbers |= twice(steps, "the hypervisor", kernel, lambda: measure_full(kernel))
    numbers |= sizes() | source_lines()
    record(numbers, identity(kernel))
    print(bench_page.summary(numbers))
    for path in (PAGE, RECORD, REFERENCE):
        print(f"written: {path.relative_to(paths.TOP)}")
    failures = broken(numbers)
    for text in failures:
        print(f"bench: {text}", file=sys.stderr)
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.1-rt, 6.12 or 6.12-rt")
    try:
        return bench(parser.parse_args().kernel)
    except (BenchError, paths.MissingError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
