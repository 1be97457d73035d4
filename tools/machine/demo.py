# SPDX-License-Identifier: GPL-2.0-only
"""The demonstration: Debian carved into cells and put back together, step by step.

    python -m machine.demo [--shell] [--kernel 6.12] [--cpu NAME]
"""

import argparse
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .machine import Machine, MachineError
from .steps import Steps
from .target import TARGET

CONFIGS = f"/configs/{TARGET.board}/demo"
# How each is filled
CELLS = {"rtos": "jailhouse cell load rtos /inmates/latency.bin",
         "compute": "jailhouse cell load compute /inmates/compute.bin"}
# Under emulation on a busy machine; a cell that reports needs a few seconds
REPORT_SECONDS = 240.0
RATES_WANTED = 2
BAR = 50

BUCKET = re.compile(r"^\[rtos\] latency: bucket (\d+) (\d+)$")
DONE = re.compile(r"^\[rtos\] latency: done samples=(\d+) min=(\d+) avg=(\d+) max=(\d+)$")
RATE = re.compile(r"^\[compute\] compute: rate (\d+) kflop/s checksum ok$")
BAD = re.compile(r"^\[compute\] compute: .*checksum BAD.*$")


@dataclass(frozen=True)
class Guest:
    """A program of other people's, as they ship it, that is talked to on its console."""

    what: str
    image: Path			# on this machine
    load: str			# the command that fills the cell
    talk: tuple[tuple[re.Pattern[str], str], ...]	# when it has said that, this is typed
    answer: re.Pattern[str]


# Where the board's text has a cell `guest` for one
GUESTS = {
    "arm64": Guest("Debian's U-Boot for QEMU's virt machine", paths.BUILD / "u-boot.bin",
                   "jailhouse cell load guest /guest/u-boot.bin -a 0",
                   ((re.compile(r"Hit any key to stop autoboot"), " "),
                    (re.compile(r"^=> *$", re.MULTILINE), "version\\r")),
                   re.compile(r"^(U-Boot \d.*|aarch64-linux-gnu-gcc .*)$", re.MULTILINE)),
    "x86_64": Guest("Debian's memtest86+", paths.BUILD / "memtest.bin",
                    "jailhouse cell linux --no-start -c 'nopause keyboard=legacy nosm' guest /guest/memtest.bin", (),
                    re.compile(r"Memtest86\+ v\d\S*|#0 +\[Address test[^\]]*\]")),
}
GUEST = GUESTS.get(TARGET.name)


class DemoError(Exception):
    """Something was not seen to work."""


@dataclass(frozen=True)
class Histogram:
    """One complete round of the real-time cell; times in nanoseconds."""

    buckets: list[tuple[int, int]]
    samples: int
    minimum: int
    average: int
    maximum: int


@dataclass(frozen=True)
class LinuxState:
    """What Linux owns, by its own word."""

    cpus: str
    memory: str


@dataclass
class Demo:
    """What the steps pass on to each other."""

    machine: Machine
    before: LinuxState
    histogram: Histogram | None = None
    rates: tuple[int, ...] = ()
    guest: tuple[str, ...] = ()


def last_histogram(console: str) -> Histogram | None:
    """The newest whole round in the console's text, or None. Rounds whose buckets do
    not add up, their beginning overwritten in the ring, are passed over."""
    found = None
    buckets: list[tuple[int, int]] = []
    for line in console.splitlines():
        if match := BUCKET.match(line):
            buckets.append((int(match[1]), int(match[2])))
        elif match := DONE.match(line):
            samples, low, average, high = (int(number) for number in match.groups())
            if samples > 0 and sum(count for _, count in buckets) == samples:
                found = Histogram(buckets, samples, low, average, high)
            buckets = []
    return found


def rates(console: str) -> tuple[int, ...]:
    """The compute cell's verified rates in kflop/s; a wrong result is an error."""
    lines = console.splitlines()
    for line in lines:
        if BAD.match(line):
            raise DemoError(f"the compute cell got a wrong result: {line}")
    return tuple(int(match[1]) for line in lines if (match := RATE.match(line)))


def duration(nanoseconds: int) -> str:
    for unit, scale in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    return f"{nanoseconds} ns"


def chart(histogram: Histogram, block: str) -> str:
    """The histogram as bars, one line per bucket."""
    most = max(count for _, count in histogram.buckets)
    lines = []
    for lower, count in histogram.buckets:
        bar = block * max(1, round(count * BAR / most))
        lines.append(f"  >= {duration(lower):>8}  {count:>7}  {bar}")
    return "\n".join(lines)


def linux_state(machine: Machine) -> LinuxState:
    return LinuxState(machine.check("cat /sys/devices/system/cpu/online").strip(),
                      machine.check("grep MemTotal /proc/meminfo").split(":")[1].strip())


def wait_for_reports(demo: Demo) -> str:
    """Both cells have reported on the hypervisor's console."""
    deadline = time.monotonic() + REPORT_SECONDS
    while True:
        console = demo.machine.check("jailhouse console")
        demo.histogram, demo.rates = last_histogram(console), rates(console)
        if demo.histogram and len(demo.rates) >= RATES_WANTED:
            return f"{demo.histogram.samples} periods and {len(demo.rates)} verified rounds"
        if time.monotonic() > deadline:
            silent = ("the real-time cell" if not demo.histogram else "the compute cell")
            raise DemoError(f"{silent} did not report in {REPORT_SECONDS:.0f} s; the console holds:\n{console}")
        time.sleep(1)


def guest_says(machine: Machine, wanted: re.Pattern[str]) -> list[str]:
    """Waits until the guest's console has it; all of it that is there."""
    deadline = time.monotonic() + REPORT_SECONDS
    while True:
        console = machine.check("jailhouse console guest").replace("\r", "")
        if found := [match[0] for match in wanted.finditer(console)]:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"the guest does not say {wanted.pattern!r} in {REPORT_SECONDS:.0f} s; its console holds:\n{console}")
        time.sleep(0.5)


def type_to(machine: Machine, text: str) -> None:
    machine.check(f"printf '{text}' | jailhouse console -i guest")


def talk(demo: Demo, guest: Guest) -> str:
    """Until it has answered."""
    for said, then in guest.talk:
        guest_says(demo.machine, said)
        type_to(demo.machine, then)
    demo.guest = tuple(dict.fromkeys(guest_says(demo.machine, guest.answer)))
    return "it answers" if guest.talk else "it is at work"


def check_list(machine: Machine) -> None:
    """All cells run, and the command says so."""
    listing = machine.check("jailhouse cell list")
    print(indented(listing))
    for name in cells():
        if not re.search(rf"^\s*\d+\s+{name}\s+running\b", listing, re.MULTILINE):
            raise DemoError(f"'jailhouse cell list' does not show {name} running")


def check_put_back(demo: Demo) -> str:
    after = linux_state(demo.machine)
    if after != demo.before:
        raise DemoError(f"Linux had CPUs {demo.before.cpus} and {demo.before.memory} before, "
                        f"and has CPUs {after.cpus} and {after.memory} now")
    return f"CPUs {after.cpus}, {after.memory}"


def indented(text: str) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def command(steps: Steps, machine: Machine, line: str) -> None:
    """One step that is one command a user could type."""
    steps.run(line, lambda: machine.check(line) and None)


def cells() -> dict[str, str]:
    return {**CELLS, **({"guest": GUEST.load} if GUEST else {})}


def carve(steps: Steps, machine: Machine) -> Demo:
    """From the booted machine to running cells."""
    before = linux_state(machine)
    command(steps, machine, f"insmod /lib/modules/{machine.release}/extra/jailhouse.ko")
    command(steps, machine, f"jailhouse enable {CONFIGS}/system.cell")
    for name in cells():
        command(steps, machine, f"jailhouse cell create {CONFIGS}/{name}.cell")
    for line in cells().values():
        command(steps, machine, line)
    for name in cells():
        command(steps, machine, f"jailhouse cell start {name}")
    return Demo(machine, before)


def put_back(steps: Steps, demo: Demo) -> None:
    for name in cells():
        command(steps, demo.machine, f"jailhouse cell shutdown {name}")
        command(steps, demo.machine, f"jailhouse cell destroy {name}")
    command(steps, demo.machine, "jailhouse disable")
    steps.run("Linux has every CPU and every byte again", lambda: check_put_back(demo))


def observe(steps: Steps, demo: Demo) -> None:
    steps.run("both cells of ours run at once and report", lambda: wait_for_reports(demo))
    if guest := GUEST:
        steps.run(f"jailhouse console guest: {guest.what}, unchanged", lambda: talk(demo, guest))
    print("  jailhouse cell list")
    check_list(demo.machine)
    for name in cells():
        print(f"  jailhouse cell stats {name}")
        print(indented(demo.machine.check(f"jailhouse cell stats {name}")))


def show(steps: Steps, demo: Demo) -> None:
    """What the cells did, as text."""
    histogram = demo.histogram
    if histogram is None or not demo.rates:
        raise DemoError("the cells' reports are missing")
    print(f"\nThe real-time cell: lateness of {histogram.samples} periods, "
          f"min {duration(histogram.minimum)}, average {duration(histogram.average)}, "
          f"max {duration(histogram.maximum)}\n")
    print(chart(histogram, steps.block))
    print(f"\nThe compute cell: {demo.rates[-1] / 1000:.1f} Mflop/s, every result verified by checksum.")
    if demo.guest:
        print("\nThe guest, which knows nothing of cells, said:\n" + indented("\n".join(demo.guest)))
    print("\nThis is an emulator: its latencies and rates are those of the emulating machine,\n"
          "no verdict on the hypervisor. docs/performance.md counts instructions instead.")


def guest_files() -> dict[str, bytes | Path]:
    return {f"guest/{GUEST.image.name}": paths.built(GUEST.image, "setup")} if GUEST else {}


def person(machine: Machine) -> None:
    talk_to_it = "; jailhouse console guest" if GUEST else ""
    print("\nThe root cell's shell, all cells loaded and running. Try:\n"
          f"    jailhouse cell list; jailhouse console; jailhouse cell stats rtos -w{talk_to_it}\n"
          "'exit' (or Ctrl-D) goes on: the cells are shut down and all is given back.\n")
    machine.interact()
    print()


def run(options: argparse.Namespace) -> None:
    steps = Steps()
    print(f"Debian's {paths.kernel_release(options.kernel)} kernel on 4 emulated {options.cpu.split(',')[0]} CPUs; "
          f"console in {options.log}")
    options.log.parent.mkdir(parents=True, exist_ok=True)
    machines: list[Machine] = []
    try:
        steps.run("boot Linux, unpatched", lambda: machines.append(
            Machine(kernel=options.kernel, cpu=options.cpu, log_path=options.log, files=guest_files())))
        demo = carve(steps, machines[0])
        observe(steps, demo)
        if options.shell:
            person(machines[0])
        put_back(steps, demo)
        show(steps, demo)
    finally:
        for machine in machines:
            machine.close()


def guarded(action: Callable[[], None]) -> int:
    """Runs `action`; what went wrong is said in words, without a Python trace."""
    try:
        action()
    except (DemoError, MachineError, paths.MissingError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    parser.add_argument("--shell", action="store_true", help="stay in the root cell's shell before all is put back")
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.1-rt, 6.12 or 6.12-rt")
    parser.add_argument("--cpu", default=TARGET.cpu, help="QEMU's name, such as max")
    parser.add_argument("--log", type=Path, default=paths.BUILD / "demo.log", help="the machine's console")
    options = parser.parse_args()
    options.log = options.log.resolve()
    if options.shell and not sys.stdin.isatty():
        parser.error("--shell (make demo SHELL=1) needs a terminal")
    return guarded(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
