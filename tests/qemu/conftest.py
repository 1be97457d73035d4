# SPDX-License-Identifier: GPL-2.0-only
"""What the scenarios in emulated machines share.

    def test_something(boot):
        machine = boot(kernel="6.1", cpu="max")
        machine.check("insmod ...")

`boot` takes Machine's arguments; the machines end with the test, and each one's console
is kept in build/<architecture>/tests/<test>-<number>.log.

    def test_something_else(root):
        root.run_cell("a", "hello")
        root.expect(r"\\[a\\] hello: 2")

Tests beside this file run on every architecture, those in a folder with an architecture's
name on that one alone; make says which one is meant (ARCH). A folder's board.py has what
the tests of all have to know of it, and its *.toml are its cells.

`root` is the root cell of a machine with the hypervisor enabled. Tests share it: cells a
test leaves are destroyed after it, and then everything must be as it was before.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "tools"
sys.path.insert(0, str(TOOLS))

from machine import paths  # noqa: E402
from machine.machine import Machine, MachineError, Result  # noqa: E402
from machine.target import ARCHES, TARGET  # noqa: E402

sys.path.insert(0, str(HERE / TARGET.name))
collect_ignore = [name for name in ARCHES if name != TARGET.name]

from board import TEXTS, TIMER  # noqa: E402
from complaints import COMPLAINT, LISTED, unknown  # noqa: E402

LOGS = paths.BUILD / "tests"

# Exit statuses of the jailhouse command
ABSENT, NO_CELL, EXISTS, STATE, CONFIG, SPACE, MACHINE = 3, 4, 5, 6, 7, 8, 9


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: more than a minute of wall time")
    config.addinivalue_line("markers", "bare: needs no hypervisor, only a kernel")


@dataclass(frozen=True)
class State:
    """What must be the same before and after."""

    online: str
    memory: str
    ranges: str
    hypervisor: str
    cells: str
    pool_used: int
    complaints: str


class Root:
    """The root cell and its jailhouse command."""

    SYSTEM = "/tests/cells/system.cell"
    CELLS = "/tests/cells"
    SYSFS = "/sys/devices/jailhouse"

    def __init__(self, machine: Machine, enable: bool = True):
        self.machine = machine
        self._seen = 0, 0
        self._first = ""
        self.insert()
        if enable:
            self.jailhouse(f"enable {self.SYSTEM}")
            self._first = self.check("jailhouse console | head -n 1")

    # --- commands -----------------------------------------------------------------------

    def run(self, command: str, timeout: float = 60.0) -> Result:
        return self.machine.run(command, timeout)

    def check(self, command: str, timeout: float = 60.0) -> str:
        return self.machine.check(command, timeout)

    def jailhouse(self, words: str, timeout: float = 60.0) -> str:
        return self.check(f"jailhouse {words}", timeout)

    def insert(self) -> None:
        self.check(f"insmod /lib/modules/{self.machine.release}/extra/jailhouse.ko")

    def refused(self, words: str, status: int, *says: str) -> str:
        """`jailhouse words` ends so, in one line that says all of that, and changes nothing."""
        before = self.state()
        result = self.run(f"jailhouse {words}")
        assert result.status == status, f"jailhouse {words}: status {result.status}: {result.output}"
        lines = result.output.splitlines()
        assert len(lines) == 1 and lines[0].startswith("jailhouse: "), result.output
        for text in says:
            assert re.search(text, lines[0]), f"jailhouse {words}: no {text!r} in {lines[0]!r}"
        assert self.state() == before
        return lines[0]

    # --- cells --------------------------------------------------------------------------

    def create(self, name: str, text: str = "cells") -> None:
        self.jailhouse(f"cell create /tests/{text}/{name}.cell")

    def load(self, name: str, image: str, words: str = "") -> None:
        command = f"cell load {name} /inmates/{image}.bin"
        if words:
            command += f' -s "{words}" -a 0x1000'
        self.jailhouse(command)

    def start(self, name: str) -> None:
        self.jailhouse(f"cell start {name}")

    def run_cell(self, name: str, image: str, words: str = "", text: str = "cells") -> None:
        """From nothing to a cell that runs the image."""
        self.create(name, text)
        self.rerun(name, image, words)

    def rerun(self, name: str, image: str, words: str = "") -> None:
        """A cell that is there and does not run gets another image."""
        self.mark()
        self.load(name, image, words)
        self.start(name)

    def stop(self, *names: str) -> None:
        for name in names:
            self.jailhouse(f"cell shutdown {name}")

    def destroy(self, *names: str) -> None:
        for name in names:
            self.jailhouse(f"cell shutdown {name}")
            self.jailhouse(f"cell destroy {name}")

    def cell_state(self, name: str) -> str:
        """As sysfs says."""
        return self.check(f"cd {self.SYSFS}/cells; for cell in *; do read -r name <$cell/name && [ \"$name\" = {name} ] && "
                          "read -r state <$cell/state && echo $state; done; true").strip()

    def wait_state(self, name: str, state: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.cell_state(name)) != state:
            assert time.monotonic() < deadline, f"cell {name} is {now!r}, not {state!r}:\n{self.said()}"

    def listed(self) -> str:
        return self.jailhouse("cell list")

    # --- the hypervisor's console -----------------------------------------------------------

    def mark(self) -> None:
        """
        What was said so far is forgotten: so many lines of the hypervisor's, and so many of cells' behind the last
        of them. What a cell said goes when another takes its ring; what the hypervisor said stays.
        """
        own, behind = self.check("jailhouse console | awk '/^\\[/ { n++; next } { own++; n = 0 } "
                                 "END { print own + 0, n + 0 }'").split()
        self._seen = int(own), int(behind)

    def said(self) -> str:
        """What the console got since the mark."""
        own, behind = self._seen
        return self.check(f"jailhouse console | awk '!/^\\[/ {{ own++; if (own <= {own}) next }} "
                          f"own > {own} || (own == {own} && ++n > {behind})'")

    def expect(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Waits until the console has said it since the mark."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.said()
            if match := re.search(pattern, text, re.MULTILINE):
                return match
            assert time.monotonic() < deadline, f"the console does not say {pattern!r}:\n{text}"

    def ring_whole(self) -> bool:
        """Marks count lines from the first of the hypervisor's ring: it may not have been overwritten."""
        return self.check("jailhouse console | head -n 1") == self._first

    # --- the machine --------------------------------------------------------------------

    def state(self) -> State:
        """What the root cell has, by Linux's and the hypervisor's word."""
        # Each program it starts takes longer than all that the shell does itself
        output = self.check(
            "show() { line=; read -r line <$1; echo $line; }; show /sys/devices/system/cpu/online; show /proc/meminfo;"
            f"cd {self.SYSFS}; show enabled; show mem_pool_used;"
            "cells=; for cell in cells/*; do [ -e $cell/name ] && read -r name <$cell/name && read -r cpus <$cell/cpus_assigned_list &&"
            " cells=\"$cells$name $cpus;\"; done; echo \"cells: $cells\"; grep -v '^ ' /proc/iomem; echo;"
            f"dmesg | grep -E '{COMPLAINT}|{LISTED}'; true")
        machine, _, complaints = output.partition("\n\n")
        online, memory, enabled, used, cells, *ranges = machine.splitlines()
        return State(online, memory, ";".join(ranges), enabled, cells, int(used), ";".join(unknown(complaints.splitlines())))

    def timers(self) -> dict[int, int]:
        """Timer interrupts each online CPU has had."""
        lines = self.check("cat /proc/interrupts").splitlines()
        cpus = [int(name.removeprefix("CPU")) for name in lines[0].split()]
        counts = next(line.split() for line in lines if TIMER in line)
        return dict(zip(cpus, map(int, counts[1:])))

    def timers_run(self, seconds: float = 20.0) -> int:
        """Every CPU that should be there takes timer interrupts; how many CPUs."""
        before = self.timers()
        deadline = time.monotonic() + seconds
        while True:
            # Something to do for each: an idle CPU needs no timer
            self.check("for cpu in /sys/devices/system/cpu/cpu[0-9]*; do n=${cpu##*cpu};"
                       "taskset -c $n sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; usleep 20000' "
                       "2>/dev/null & done; wait")
            now = self.timers()
            assert now.keys() == before.keys()
            if all(now[cpu] > before[cpu] for cpu in now):
                return len(now)
            assert time.monotonic() < deadline, f"timer interrupts stand still: {before}, {now}"

    def sees(self, address: int) -> bool:
        """Whether Linux reads something there that it is not refused: no bus error, not all ones."""
        result = self.run(f"devmem {address:#x} 64")
        return result.status == 0 and int(result.output, 16) != (1 << 64) - 1

    def goes_on(self, name: str) -> None:
        """A cell that says hello still runs, and says so."""
        self.mark()
        try:
            self.expect(rf"^\[{name}\] hello: ")
        except AssertionError as silent:
            # Why it is silent was said before, if at all
            raise AssertionError(f"cell {name} is silent\n{self.listed()}\n"
                                 f"{self.jailhouse('console')}") from silent
        assert re.search(rf"^\d+ +{name} +running +", self.listed(), re.MULTILINE)

    def tidy(self) -> None:
        """Destroys the cells that are left."""
        self.check("jailhouse cell list | tail -n +3 | while read id rest; do "
                   "jailhouse cell shutdown $id && jailhouse cell destroy $id || exit 1; done")

    def cell_id(self, name: str) -> int:
        found = re.search(rf"^(\d+) +{name} ", self.listed(), re.MULTILINE)
        assert found, self.listed()
        return int(found[1])

    def statistics(self, cell: int, cpu: int) -> dict[str, int]:
        """Exits of one CPU, read from CPU 0."""
        output = self.check(f"cd {self.SYSFS}/cells/{cell}/statistics/cpu{cpu}; taskset -c 0 grep . vmexits_*")
        pairs = (line.removeprefix("vmexits_").split(":") for line in output.splitlines())
        return {name: int(value) for name, value in pairs}


@pytest.fixture(scope="session")
def kernels() -> dict[str, str]:
    """Short name -> release of every kernel the tests boot; missing ones are an error."""
    return {name: paths.kernel_release(name) for name in paths.KERNELS}


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tests' own configurations and, on arm64, their cells' device trees, by their paths in the machine."""
    folder = tmp_path_factory.mktemp("configurations")
    found = {}
    for text in TEXTS:
        subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(HERE / TARGET.name / f"{text}.toml"),
                        "-o", str(folder / text)], check=True, stdout=subprocess.PIPE,
                       env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"})
        for path in sorted((folder / text).glob("*.cell")):
            found[f"tests/{text}/{path.name}"] = path.read_bytes()
            if (tree := path.with_suffix(".dts")).exists():
                found[f"tests/{text}/{path.stem}.dtb"] = subprocess.run(["dtc", "-@", "-O", "dtb", str(tree)], check=True,
                                                                        stdout=subprocess.PIPE).stdout
    return found


def _say(request: pytest.FixtureRequest, text: str) -> None:
    """A line for whoever watches, past pytest's capture."""
    manager = request.config.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled():
        print(f"\n    {text}", end="", flush=True)


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line now: counts, for whoever watches."""
    return lambda text: _say(request, text)


def _booted(request: pytest.FixtureRequest, log: Path, arguments: dict[str, Any]) -> Machine:
    LOGS.mkdir(parents=True, exist_ok=True)
    arguments.setdefault("log_path", log)
    kernel, cpu = arguments.get("kernel", "6.12"), arguments.get("cpu", TARGET.cpu)
    began = time.monotonic()
    machine = Machine(**arguments)
    _say(request, f"booted {kernel} on {cpu} in {time.monotonic() - began:.1f} s "
                  f"({log.relative_to(paths.TOP)})")
    return machine


def _file_name(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^\w.-]+", "_", request.node.name)


@pytest.fixture
def boot(request: pytest.FixtureRequest) -> Iterator[Callable[..., Machine]]:
    """Boots machines; see above."""
    machines: list[Machine] = []
    name = _file_name(request)

    def start(**arguments: Any) -> Machine:
        machine = _booted(request, LOGS / f"{name}-{len(machines) + 1}.log", arguments)
        machines.append(machine)
        return machine

    yield start
    for machine in machines:
        machine.close()


@pytest.fixture
def cell_log(request: pytest.FixtureRequest) -> Path:
    """Where a test keeps what a cell said on a UART of its own."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{_file_name(request)}-cell.log"


@pytest.fixture
def machine(boot: Callable[..., Machine]) -> Machine:
    """A machine with all defaults."""
    return boot()


class Shared:
    """One machine for a file of tests, booted anew when a test has spoiled it."""

    def __init__(self) -> None:
        self.root: Root | None = None
        self.boots = 0
        self.arguments: dict[str, Any] = {}

    def drop(self) -> None:
        if self.root:
            self.root.machine.close()
        self.root = None


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    shared = Shared()
    yield shared
    shared.drop()


@pytest.fixture
def more_files() -> dict[str, bytes]:
    """Further files of `root`'s machine; a test file may have its own fixture of this name."""
    return {}


@pytest.fixture
def more_machine() -> dict[str, Any]:
    """Further arguments of `root`'s machine; a test file may have its own fixture of this name."""
    return {}


@pytest.fixture
def root(request: pytest.FixtureRequest, shared: Shared, blobs: dict[str, bytes],
         more_files: dict[str, bytes], more_machine: dict[str, Any]) -> Iterator[Root]:
    """The root cell with the hypervisor enabled and no cell."""
    if shared.arguments != more_machine:
        shared.drop()
    if shared.root is None:
        shared.boots += 1
        shared.arguments = more_machine
        log = LOGS / f"{request.path.stem}-{shared.boots}.log"
        shared.root = Root(_booted(request, log, {"files": {**blobs, **more_files}, **more_machine}))
    root = shared.root
    try:
        before = root.state()
        root.mark()
    except MachineError:
        shared.drop()
        raise
    yield root
    try:
        root.tidy()
        after, whole = root.state(), root.ring_whole()
    except MachineError:
        shared.drop()
        raise
    if after != before or not whole:
        shared.drop()
    assert after == before
    assert whole, "the test's output overwrote the console's beginning: print less"
