# SPDX-License-Identifier: GPL-2.0-only
"""jailhouse bench without a machine: its options, what it reads and what it writes."""

import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from foreground import signals_as_at_a_terminal  # noqa: F401, a fixture

from parts import FLAGS, INCLUDE, TOP, command_parts
from test_cli import ABSENT, OTHER, USAGE, Command

HERE = Path(__file__).parent
HEAD = "bench: workload={name} samples={n} unit=ticks freq={freq} min=0 max=0"
EXISTS, MACHINE = 5, 9
GIGA = 1_000_000_000


@pytest.fixture(scope="session")
def command(tmp_path_factory) -> Command:
    return Command(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory) -> Path:
    """A root folder whose firmware says that this is QEMU's."""
    root = tmp_path_factory.mktemp("root")
    tree = root / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "model").write_bytes(b"linux,dummy-virt\0")
    midr = root / "sys/devices/system/cpu/cpu0/regs/identification"
    midr.mkdir(parents=True)
    (midr / "midr_el1").write_text("0x00000000410fd083\n")
    return root


@pytest.fixture(scope="session")
def harness(tmp_path_factory, machine) -> Path:
    place = tmp_path_factory.mktemp("harness")
    # what main.c offers the others
    (place / "usage.c").write_text(
        '#include "cli.h"\nenum status command_usage(const struct command *c, const char *p, '
        "const char *a)\n{ (void)c; (void)p; (void)a; return STATUS_USAGE; }\n")
    binary = place / "bench_harness"
    subprocess.run(["gcc", *FLAGS, f'-DJAILHOUSE_ROOT="{machine}"', str(HERE / "bench_harness.c"), str(place / "usage.c"),
                    *command_parts(place, without="main.c"), "-o", str(binary)], check=True)
    return binary


def said(harness: Path, lines: list[str], mode: str = "icount", what: str = "json") -> str:
    return subprocess.run([str(harness), mode, what], input="\n".join(lines) + "\n", text=True,
                          check=True, capture_output=True, timeout=30).stdout


def phase(values: dict[int, int], name: str = "timer-spin", freq: int = GIGA, exits: str = "") -> list[str]:
    pairs = [f"{value}:{count}" for value, count in sorted(values.items())]
    lines = [HEAD.format(name=name, n=sum(values.values()), freq=freq)]
    lines += ["bench: values " + " ".join(pairs[at:at + 7]) for at in range(0, len(pairs), 7)]
    if exits:
        lines.append("bench: exits " + exits)
    return [*lines, f"bench: end workload={name}"]


def only(text: str) -> dict:
    [run] = json.loads(text)["runs"]
    return run


def test_a_run_becomes_a_histogram_and_exits(harness):
    run = only(said(harness, phase({2: 998, 57: 2}, exits="total=3 mmio=0 sgi=3")))
    assert run["histogram"] == [[2, 998], [57, 2]] and run["samples"] == 1000
    assert run["exits"] == {"total": 3, "mmio": 0, "sgi": 3}
    assert (run["where"], run["load"], run["workload"]) == ("direct", "idle", "timer-spin")


def test_without_counters_exits_are_null_and_not_zero(harness):
    run = only(said(harness, phase({2: 10})))
    assert run["exits"] is None and run["histogram"] == [[2, 10]]


def test_other_lines_of_the_log_are_none_of_it(harness):
    lines = phase({4: 5})
    run = only(said(harness, ["hello", lines[0], "inmate: 7:7", *lines[1:]]))
    assert run["histogram"] == [[4, 5]]


@pytest.mark.parametrize("damage, why", [
    (lambda lines: lines[:-1], "its end is missing"),
    (lambda lines: [lines[0], *lines[2:]], "not as many as its samples"),
    (lambda lines: [lines[0], lines[1] + " 9:", *lines[2:]], "came damaged"),
    (lambda lines: [lines[0], lines[1], *lines[1:]], "not as many as its samples"),
    (lambda lines: lines[1:], "before their headline"),
    (lambda lines: [lines[0].replace("freq=1000000000", "freq=0"), *lines[1:]], "headline came damaged"),
    (lambda lines: [lines[0].replace("freq=1000000000", "freq=62500000"), *lines[1:]], "1 GHz"),
    (lambda lines: ["bench: refused: icount is off", lines[-1]], "icount is off"),
    (lambda lines: ["hello"], "its end is missing"),
    (lambda lines: [lines[-1]], "it said nothing"),
    (lambda lines: [*lines[:-1], "bench: exits total=1 wfi", lines[-1]], "exits came damaged"),
])
def test_numbers_that_are_not_whole_are_no_numbers(harness, damage, why):
    text = said(harness, damage(phase({2: 3, 5: 4})))
    run = only(text)
    assert why in run["refused"]
    assert run["histogram"] is None and run["exits"] is None and run["samples"] is None
    assert why in said(harness, damage(phase({2: 3, 5: 4})), what="table")


def test_wall_mode_converts_ticks_to_nanoseconds(harness):
    run = only(said(harness, phase({1: 2, 2: 1, 62500: 1}, freq=62_500_000), "wall"))
    assert run["histogram"] == [[16, 2], [32, 1], [1_000_000, 1]]


def test_ticks_shorter_than_a_nanosecond_fall_together(harness):
    run = only(said(harness, phase({10: 1, 11: 2, 13: 3}, freq=4 * GIGA), "wall"))
    assert run["histogram"] == [[2, 3], [3, 3]]


def test_a_coarse_histogram_says_so(harness):
    lines = phase({256: 4000})
    lines[0] += " resolution=256"
    assert only(said(harness, lines))["resolution"] == 256
    assert "(to 1/256)" in said(harness, lines, what="table")


def nearest_rank(values: list[int], part: float) -> int:
    return sorted(values)[max(1, math.ceil(part * len(values) / 100 - 1e-9)) - 1]


@pytest.mark.parametrize("n", [1, 2, 3, 99, 100, 101, 199, 200, 9999, 10000, 10001, 20001])
def test_percentiles_are_nearest_ranks_or_missing(harness, n):
    rng = random.Random(n)
    values = [rng.randrange(1, 500) for _ in range(n)]
    counts = {value: values.count(value) for value in set(values)}
    lines = said(harness, phase(counts), what="table").splitlines()
    row = lines[2].split()
    assert lines[1] == "direct, idle" and row[:2] == ["timer-spin", str(n)]
    assert row[2] == str(min(values)) and row[3] == str(nearest_rank(values, 50))
    assert row[4] == (str(nearest_rank(values, 99)) if n >= 100 else "-")
    assert row[5] == (str(nearest_rank(values, 99.99)) if n >= 10000 else "-")
    assert row[6] == str(max(values))


def test_exits_per_event_name_their_reasons(harness):
    text = said(harness, phase({2: 4}, exits="total=6 mmio=2 sgi=4 wfi=0"), what="table")
    assert "1.500 (mmio sgi)\n" in text
    text = said(harness, phase({2: 4}, exits="total=0 sgi=0"), what="table")
    assert text.splitlines()[2].endswith("0.000")


def test_rows_of_long_times_stay_within_a_terminal(harness):
    lines = phase({900_000_000 + i: 1 for i in range(2000)}, "timer-spin", exits="total=2000 mmio=2000")
    text = said(harness, lines, "wall", "table")
    assert "1.000 (mmio)" in text and max(map(len, text.splitlines())) <= 100


def test_what_ran_at_one_place_stands_under_one_title(harness):
    lines = said(harness, [*phase({1: 1}, "tick"), "", *phase({2: 1}, "ipi")], what="table").splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["direct,", "tick", "ipi"]


def test_several_runs(harness):
    text = said(harness, [*phase({1: 1}, "tick"), "", *phase({2: 1}, "ipi")])
    assert [run["workload"] for run in json.loads(text)["runs"]] == ["tick", "ipi"]


def test_the_machine_and_what_is_unknown_of_it(harness):
    result = json.loads(said(harness, phase({2: 10})))
    assert result["format"] == 1 and result["mode"] == "icount" and result["unit"] == "instructions"
    machine = result["machine"]
    assert machine["model"] == "linux,dummy-virt" and machine["emulator"] is True
    assert machine["midr"] == "0x00000000410fd083" and machine["cpus"] >= 1
    assert machine["gic"] is None and result["hypervisor"] is None and machine["counter_hz"] is None


def gic_words() -> list[str]:
    """What the hypervisor says of GICs, by its own sources."""
    text = (TOP / "hypervisor/arch/arm64/gic_manage.c").read_text()
    return re.findall(r'\.words = "(.*?)"', text)


@pytest.mark.parametrize("states", ["one security state", "two security states"])
def test_the_hypervisor_names_itself_in_the_log(harness, states):
    [words] = [words for words in gic_words() if words.startswith(states + ": ")]
    lines = ['jailhouse v1-2-gabc: 4 CPUs, root cell "r", 5 of 9 pages used', f"GIC: {words}"]
    result = json.loads(said(harness, [*lines, *phase({2: 10})]))
    assert result["hypervisor"] == "v1-2-gabc" and result["machine"]["gic"] == states


CYCLICTEST = """# /dev/cpu_dma_latency set to 0us
# Histogram
000000 000000
000004 000007
000009 000003
# Total: 000000010
# Min Latencies: 00004
# Max Latencies: 00009
# Histogram Overflows: {overflows}
# Histogram Overflow at cycle number:
# Thread 0:
"""


def test_cyclictest(harness):
    run = only(said(harness, CYCLICTEST.format(overflows="00000").splitlines(), "wall", "cyclictest"))
    assert run["histogram"] == [[4, 7], [9, 3]] and run["samples"] == 10 and run["unit"] == "us"


@pytest.mark.parametrize("text", [
    CYCLICTEST.format(overflows="00001"), "", "# Histogram\n000001 000010\n",
    CYCLICTEST.format(overflows="00000").replace("000003", "000002")])
def test_cyclictest_that_is_not_whole(harness, text):
    assert only(said(harness, text.splitlines(), "wall", "cyclictest"))["histogram"] is None


@pytest.mark.parametrize("words, problem", [
    (["--mode", "fast"], "no mode (icount, wall): fast"),
    (["--load", "some"], "no load (idle, loaded, both): some"),
    (["--samples", "0"], "no number of samples"),
    (["--samples", "x"], "no number of samples"),
    (["--rounds", "101"], "no number of rounds"),
    (["--workloads", "tick,nap"], "no workload: nap"),
    (["--workloads", "tick,ipi,tick"], "twice the same workload: tick"),
    (["--cells", "/a/bench-direct", "/b/bench-direct/"], "two folders of one name: /b/bench-direct"),
    (["--mode", "icount", "--limit", "20000"], "is for --mode wall"),
    (["--words", "x" * 81], "more words than there is room for"),
    (["--cells"], "which folders?"),
    (["--frob", "1"], "unknown option: --frob"),
    (["-o"], "which value? none follows: -o"),
    (["now"], "unknown word: now"),
])
def test_wrong_usage(command, words, problem):
    r = command.run("bench", *words)
    assert r.returncode == USAGE and problem in r.stderr and "usage: jailhouse bench" in r.stderr


@pytest.fixture(scope="session")
def cells(tmp_path_factory) -> Path:
    """What the command takes: a folder of blobs and an image."""
    place = tmp_path_factory.mktemp("cells")
    for folder, board in (("bench-direct", "qemu-arm64"), ("bench-pc", "qemu-x86_64")):
        subprocess.run([sys.executable, "-m", "jailhouse", "config", "build",
                        f"{TOP}/configs/{board}/bench-direct.toml", "-o", f"{place}/{folder}/"],
                       check=True, capture_output=True, env={**os.environ, "PYTHONPATH": f"{TOP}/tools"})
    (place / "bench.bin").write_bytes(b"x")
    return place


class Bench:
    """jailhouse bench on an emulator whose driver is made of files (bench_driver.c)."""

    def __init__(self, place: Path, root: Path, cells: Path):
        self.sysfs, self.device, self.cells = place / "sysfs", place / "device", cells
        self.binary = place / "jailhouse"
        places = (f'-DJAILHOUSE_DEVICE="{self.device}"', f'-DJAILHOUSE_SYSFS="{self.sysfs}"', f'-DJAILHOUSE_ROOT="{root}"')
        driver = place / "driver.o"
        subprocess.run(["gcc", *FLAGS, *places, *INCLUDE, "-c", str(HERE / "bench_driver.c"), "-o", str(driver)], check=True)
        # the header first, so that only calls are redirected
        subprocess.run(["gcc", *FLAGS, *places, "-include", "sys/ioctl.h", "-Dioctl=bench_ioctl",
                        "-include", str(place / "bench_ioctl.h"), *command_parts(place),
                        str(driver), "-o", str(self.binary)], check=True)

    def clear(self, enabled: bool = False) -> None:
        shutil.rmtree(self.sysfs, ignore_errors=True)
        (self.sysfs / "there").mkdir(parents=True)
        (self.sysfs / "cells").mkdir()
        (self.sysfs / "enabled").write_text(f"{enabled:d}\n")
        self.device.write_text("")

    def words(self, *words: str, folder: Path | None = None) -> list[str]:
        return [str(self.binary), "bench", "--image", str(self.cells / "bench.bin"), "--cells",
                str(folder or self.cells / "bench-direct"), "--workloads", "hypercall", "--samples", "10",
                "--rounds", "2", *words]

    def run(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(self.words(*words, folder=folder), capture_output=True, text=True, timeout=60)

    def left(self) -> tuple[list[str], str]:
        """Cells, and whether the hypervisor is enabled."""
        return (sorted(path.name for path in (self.sysfs / "there").iterdir()),
                (self.sysfs / "enabled").read_text().strip())


@pytest.fixture(scope="session")
def built_bench(tmp_path_factory, machine, cells) -> Bench:
    place = tmp_path_factory.mktemp("driver")
    (place / "bench_ioctl.h").write_text("int bench_ioctl(int fd, unsigned long request, ...);\n")
    return Bench(place, machine, cells)


@pytest.fixture
def bench(built_bench) -> Bench:
    built_bench.clear()
    return built_bench


def test_a_whole_measurement(bench, tmp_path):
    out = tmp_path / "a.json"
    r = bench.run("-o", str(out), "--load", "both")
    assert r.returncode == 0, r.stderr
    assert "no verdict: this is an emulator (linux,dummy-virt)" in r.stdout
    assert max(map(len, r.stdout.splitlines())) <= 100
    result = json.loads(out.read_text())
    assert [(run["where"], run["load"]) for run in result["runs"]][:2] == [("direct", "idle"), ("direct", "loaded")]
    assert result["runs"][0]["histogram"] == [[5, 10]]
    assert result["machine"]["gic"] == "two security states" and result["hypervisor"] == "v7"
    assert [row["operation"] for row in result["lifecycle"]] == ["create", "load", "start", "shutdown", "destroy"]
    assert {"bench-direct/system.cell", "bench-direct/bench.cell", "bench-direct/churn.cell"} == set(result["config"])
    assert bench.left() == ([], "0")


@pytest.mark.parametrize("folder, uart, line", [("bench-direct", "0x9040000", 40), ("bench-pc", "0x2f8", 35)])
def test_the_program_is_told_of_its_device_and_what_else_it_is_to_know(bench, cells, folder, uart, line):
    assert bench.run("--load", "idle", "--rounds", "0", "--words", "apic=xapic period=9",
                     folder=cells / folder).returncode == 0
    words = (bench.sysfs / "told").read_text().split()
    assert words[:4] == ["workload=hypercall", "samples=10", "apic=xapic", "period=9"]
    assert words[-2:] == [f"line={line}", f"uart={uart}"]


def test_what_was_enabled_before_stays_and_its_configuration_is_not_known(bench, tmp_path):
    bench.clear(enabled=True)
    out = tmp_path / "a.json"
    assert bench.run("-o", str(out), "--load", "idle").returncode == 0
    assert set(json.loads(out.read_text())["config"]) == {"bench-direct/bench.cell"}
    assert bench.left() == ([], "1")


@pytest.mark.parametrize("name", ["bench", "churn"])
def test_cells_of_others_are_left_alone(bench, name):
    (bench.sysfs / "there" / name).touch()
    r = bench.run()
    assert r.returncode == EXISTS and r.stdout == ""
    assert bench.left() == ([name], "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("load", ["idle", "loaded"])
def test_a_signal_ends_it_and_leaves_nothing(bench, number, load):
    process = subprocess.Popen(bench.words("--load", load), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "BENCH_SILENT": "1"}, start_new_session=True)
    time.sleep(2)
    process.send_signal(number)
    _, said_last = process.communicate(timeout=30)
    assert process.returncode == OTHER and "interrupted" in said_last
    assert bench.left() == ([], "0")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_signal_that_was_ignored_from_the_start_stays_so(bench):
    """As under nohup."""
    process = subprocess.Popen(bench.words("--load", "idle"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "BENCH_SILENT": "1"},
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    time.sleep(2)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.terminate()
    _, said_last = process.communicate(timeout=30)
    assert process.returncode == OTHER and "interrupted" in said_last


def test_a_program_that_has_stopped_is_not_waited_for(bench):
    folder = bench.sysfs / "cells" / "1"
    folder.mkdir()
    for name, text in (("name", "bench"), ("state", "shut down"), ("cpus_assigned_list", "2-3"), ("cpus_failed_list", "")):
        (folder / name).write_text(text + "\n")
    started = time.monotonic()
    r = subprocess.run(bench.words("--load", "idle"), capture_output=True, text=True, timeout=100,
                       env={**os.environ, "BENCH_SILENT": "1"})
    assert r.returncode == OTHER and len(r.stderr.splitlines()) == 1
    assert "direct/hypercall does not come to its end: is the image inmates/bench.bin" in r.stderr
    assert time.monotonic() - started < 30 and bench.left() == ([], "0")


def run_with_a_thief(bench) -> tuple[int, str, str]:
    """Somebody takes the name of the load's cell while there is a cell that is measured."""
    process = subprocess.Popen(bench.words("--load", "loaded", "--samples", "20000"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    taken, deadline = bench.sysfs / "there" / "churn", time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        if (bench.sysfs / "there" / "bench").exists():
            taken.touch()
    said_all, errors = process.communicate(timeout=60)
    taken.unlink(missing_ok=True)
    return process.returncode, said_all, errors


def test_a_load_that_ends_early_is_none(bench):
    """A part of it finds its cell taken by somebody else in the middle."""
    for _ in range(5):
        status, said_all, errors = run_with_a_thief(bench)
        # taken between two measurements it is found out before the load begins
        if status != EXISTS:
            break
    assert status == OTHER and "not measured: a part of the load had ended" in said_all, errors


def test_no_verdict_on_an_emulator(bench):
    r = bench.run("--limit", "20000")
    assert r.returncode == MACHINE and "no verdict: this is an emulator (linux,dummy-virt)" in r.stderr
    assert r.stdout == "" and bench.left() == ([], "0") and bench.device.read_text() == ""


@pytest.mark.parametrize("out, why", [("missing/a.json", "cannot be made in .*/missing: No such file"),
                                      (".", "is a directory: name a file in it")])
def test_where_the_result_goes_is_looked_at_first(bench, tmp_path, out, why):
    r = bench.run("-o", f"{tmp_path}/{out}")
    assert r.returncode == OTHER and re.search(why, r.stderr), r.stderr
    assert r.stdout == "" and bench.device.read_text() == ""


@pytest.mark.parametrize("name, load, needed", [("bench", "idle", True), ("churn", "loaded", True),
                                                ("churn", "idle", False), ("system", "idle", True)])
def test_a_folder_holds_its_cells(bench, cells, tmp_path, name, load, needed):
    folder = tmp_path / "bench-direct"
    shutil.copytree(cells / "bench-direct", folder)
    (folder / f"{name}.cell").unlink()
    r = bench.run("--load", load, folder=folder)
    assert (r.returncode == OTHER and f"{name}.cell: there is no such file" in r.stderr) == needed, r.stderr
    assert bench.left() == ([], "0")


def test_folders_and_image_must_be_there(command, cells, tmp_path):
    r = command.run("bench", "--image", str(tmp_path / "none.bin"), "--cells", str(cells / "bench-direct"))
    assert r.returncode == OTHER and "none.bin: there is no such file" in r.stderr
    r = command.run("bench", "--image", str(cells / "bench.bin"), "--cells", str(cells / "bench-direct"))
    assert r.returncode == ABSENT and "modprobe jailhouse" in r.stderr


def test_comparing_and_reporting_are_the_python_parts(command, tmp_path):
    package = tmp_path / "jailhouse"
    package.mkdir()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:])\n")
    for word in ("compare", "report"):
        r = command.run("bench", word, "a.json", JAILHOUSE_PYTHONPATH=str(tmp_path))
        assert r.stdout == f"['bench', '{word}', 'a.json']\n"
