# SPDX-License-Identifier: GPL-2.0-only
"""jailhouse bench without a machine: its options, what it reads and what it writes."""

import json
import math
import random
import subprocess
from pathlib import Path

import pytest

from test_cli import ABSENT, FLAGS, OTHER, TOP, USAGE, Command

HERE = Path(__file__).parent
HEAD = "bench: workload={name} samples={n} unit=ticks freq={freq} min=0 max=0"
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
    (place / "version.h").write_text('#define JAILHOUSE_VERSION "1.2-test"\n')
    cli = TOP / "tools/jailhouse-cli"
    sources = [HERE / "bench_harness.c", *(p for p in sorted(cli.glob("*.c")) if p.name != "main.c")]
    # what main.c offers the others
    (place / "usage.c").write_text(
        '#include "cli.h"\nenum status command_usage(const struct command *c, const char *p, '
        "const char *a)\n{ (void)c; (void)p; (void)a; return STATUS_USAGE; }\n")
    binary = place / "bench_harness"
    subprocess.run(["gcc", *FLAGS, f"-I{TOP}/include", f"-I{cli}", f"-I{place}",
                    f'-DJAILHOUSE_ROOT="{machine}"', *map(str, sources), str(place / "usage.c"),
                    "-o", str(binary)], check=True)
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
    row = said(harness, phase(counts), what="table").splitlines()[1].split()
    assert row[:4] == ["direct", "idle", "timer-spin", str(n)]
    assert row[4] == str(min(values)) and row[5] == str(nearest_rank(values, 50))
    assert row[6] == (str(nearest_rank(values, 99)) if n >= 100 else "-")
    assert row[7] == (str(nearest_rank(values, 99.99)) if n >= 10000 else "-")
    assert row[8] == str(max(values))


def test_exits_per_event_name_their_reasons(harness):
    text = said(harness, phase({2: 4}, exits="total=6 mmio=2 sgi=4 wfi=0"), what="table")
    assert "1.500 (mmio sgi)\n" in text
    text = said(harness, phase({2: 4}, exits="total=0 sgi=0"), what="table")
    assert text.splitlines()[1].endswith("0.000")


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


@pytest.mark.parametrize("ds, states", [(1, "one security state"), (0, "two security states")])
def test_the_hypervisor_names_itself_in_the_log(harness, ds, states):
    line = f'jailhouse v1-2-gabc: 4 CPUs, root cell "r", 5 of 9 pages used (GICv3, DS={ds})'
    result = json.loads(said(harness, [line, *phase({2: 10})]))
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


@pytest.mark.parametrize("text", [CYCLICTEST.format(overflows="00001"), "", "# Histogram\n000001 000002\n"])
def test_cyclictest_that_is_not_whole(harness, text):
    assert only(said(harness, text.splitlines(), "wall", "cyclictest"))["histogram"] is None


@pytest.mark.parametrize("words, problem", [
    (["--mode", "fast"], "no mode (icount, wall): fast"),
    (["--load", "some"], "no load (idle, loaded, both): some"),
    (["--samples", "0"], "no number of samples"),
    (["--samples", "x"], "no number of samples"),
    (["--rounds", "101"], "no number of rounds"),
    (["--workloads", "tick,nap"], "no workload: nap"),
    (["--cells"], "which folders?"),
    (["--frob", "1"], "unknown option: --frob"),
    (["-o"], "which value? none follows: -o"),
    (["now"], "unknown word: now"),
])
def test_wrong_usage(command, words, problem):
    r = command.run("bench", *words)
    assert r.returncode == USAGE and problem in r.stderr and "usage: jailhouse bench" in r.stderr


def test_folders_and_image_must_be_there(command, tmp_path):
    image = tmp_path / "bench.bin"
    image.write_bytes(b"x")
    r = command.run("bench", "--image", str(image), "--cells", str(tmp_path))
    assert r.returncode == OTHER and "system.cell" in r.stderr and "no such file" in r.stderr
    (tmp_path / "system.cell").write_bytes(bytes(64))
    r = command.run("bench", "--image", str(image), "--cells", str(tmp_path))
    assert r.returncode == ABSENT and "modprobe jailhouse" in r.stderr


def test_comparing_and_reporting_are_the_python_parts(command, tmp_path):
    package = tmp_path / "jailhouse"
    package.mkdir()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:])\n")
    for word in ("compare", "report"):
        r = command.run("bench", word, "a.json", JAILHOUSE_PYTHONPATH=str(tmp_path))
        assert r.stdout == f"['bench', '{word}', 'a.json']\n"
