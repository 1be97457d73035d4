# SPDX-License-Identifier: GPL-2.0-only
"""What `make bench` makes of its machines' output, and what it refuses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bench_samples
import pytest

from jailhouse.bench import record
from machine import bench, bench_cells, bench_inmate, bench_life, bench_must, bench_root, bench_run
from machine.bench_run import BenchError
from machine.bench_target import BENCHES

SAID = """\
bench: workload=timer-spin samples=1000 unit=ticks freq=1000000000 min=2 max=9
bench: values 2:998 3:1
bench: values 9:1
bench: exits total=3 mmio=0 management=0
bench: exits sgi=3 over_budget=0
bench: end workload=timer-spin
"""


def test_a_program_s_lines_become_a_run() -> None:
    run, = bench_inmate.runs(SAID.replace("bench: ", "[bench] bench: "), "direct", ["timer-spin"])
    assert run["histogram"] == [[2, 998], [3, 1], [9, 1]]
    assert run["exits"] == {"total": 3, "mmio": 0, "management": 0, "sgi": 3, "over_budget": 0}
    assert record.check(bench_samples.record([run])).runs[0].samples == 1000


@pytest.mark.parametrize("old, new, says", [
    ("freq=1000000000", "freq=62500000", "is no instructions"),
    ("2:998", "2:997", "not all in its histogram"),
    ("max=9", "max=8", "not all in its histogram"),
    ("bench: end workload=timer-spin\n", "", "it measured nothing"),
    ("end workload=timer-spin", "end workload=tick", "it measured tick"),
    ("bench: workload=timer-spin", "bench: workl=timer-spin", "did not say what it measured"),
    ("bench: values 9:1", "bench: refused: icount is off or something else runs: 10001 instructions took 12 ticks",
     "icount is off"),
])
def test_a_program_s_lines_are_refused(old: str, new: str, says: str) -> None:
    assert old in SAID
    with pytest.raises(BenchError, match=says):
        bench_inmate.runs(SAID.replace(old, new), "direct", ["timer-spin"])


@pytest.mark.parametrize("arch", BENCHES)
def test_a_command_line_fits_a_program(monkeypatch: pytest.MonkeyPatch, arch: str) -> None:
    monkeypatch.setattr(bench_inmate, "BENCH", BENCHES[arch])
    assert len(bench_inmate.command_line(BENCHES[arch].everywhere, 1000)) < 256
    with pytest.raises(BenchError, match="too long"):
        bench_inmate.command_line(["workload"] * 40, 1000)


# --- samples that nothing explains ----------------------------------------------------

def test_scattered_samples_are_refused() -> None:
    bench_cells.explain(bench_samples.run("bare", "timer-spin", [[2, 1000]]))
    bench_cells.explain(bench_samples.run("bare", "compute", [[250002, 15], [250133, 5]]))
    for workload, histogram in (("timer-spin", [[2, 999], [11, 1]]), ("compute", [[2, 5], [3, 5], [4, 5]])):
        with pytest.raises(BenchError, match="something else ran"):
            bench_cells.explain(bench_samples.run("bare", workload, histogram))


def test_a_disturbed_attempt_is_not_mixed_with_another() -> None:
    disturbed, whole = (bench_samples.run("bare", "tick", histogram) for histogram in ([[51, 999], [1434, 1]], [[51, 1000]]))
    assert bench_cells.undisturbed([disturbed, whole], "bare", "tick") is whole
    with pytest.raises(BenchError, match="1434 .1.* something else ran"):
        bench_cells.undisturbed([disturbed, disturbed], "bare", "tick")
    with pytest.raises(BenchError, match="did not measure direct, tick"):
        bench_cells.undisturbed([disturbed, whole], "direct", "tick")


@pytest.mark.parametrize("bad, booted", [(0, 1), (1, 2), (2, 2)])
def test_the_bare_machine_is_measured_again_if_a_row_was_disturbed(monkeypatch: pytest.MonkeyPatch, bad: int,
                                                                   booted: int) -> None:
    boots: list[str] = []

    def run_bare(words: str, until: str) -> str:
        boots.append(until)
        return str(len(boots))

    def runs(text: str, where: str, workloads: Sequence[str]) -> list[dict[str, Any]]:
        disturbed = int(text) <= bad
        return [bench_samples.run(where, name, [[2, 999], [15, 1]] if disturbed and name == "tick" else [[2, 1000]])
                for name in workloads]

    monkeypatch.setattr(bench_cells.bench_run, "run_bare", run_bare)
    monkeypatch.setattr(bench_cells.bench_inmate, "runs", runs)
    monkeypatch.setattr(bench_cells, "_lines", lambda workloads: [(tuple(workloads), 1000)])
    if bad < 2:
        assert [run["workload"] for run in bench_cells.measure_bare()] == list(bench_cells.BENCH.everywhere)
        assert len(boots) == booted
    else:
        with pytest.raises(BenchError, match="something else ran"):
            bench_cells.measure_bare()


@pytest.mark.parametrize("exits, says", [
    (None, "could not read its exits"), ({"total": 1, "management": 1}, "somebody managed"),
    ({"total": 7, "sgi": 7}, "7 exits in 1000 events"),
])
def test_exits_that_nothing_explains_are_refused(exits: dict[str, int] | None, says: str) -> None:
    bench_cells.explain(bench_samples.run("direct", "self-sgi", [[60, 1000]], exits={"total": 1000, "sgi": 1000}))
    with pytest.raises(BenchError, match=says):
        bench_cells.explain(bench_samples.run("direct", "self-sgi", [[60, 1000]], exits=exits))


def test_a_machine_with_another_clock_is_refused() -> None:
    runs = bench_samples.icount()["runs"]
    bench_must.check_machine(runs)
    runs[0]["histogram"] = [[62, 1000]]
    with pytest.raises(BenchError, match="takes 62 instructions on the bare machine, not 2: .*-icount"):
        bench_must.check_machine(runs)


def test_runs_that_differ_are_named() -> None:
    first: dict[str, Any] = {"runs": [{"histogram": [[2, 1000]]}], "numbers": {"a": 1}}
    second: dict[str, Any] = {"runs": [{"histogram": [[2, 999], [3, 1]]}], "numbers": {"a": 1, "b": 2}}
    assert bench.differences(first, first) == []
    assert bench.differences(first, second) == ["numbers.b: None and 2",
                                                "runs[0].histogram: [[2, 1000]] and [[2, 999], [3, 1]]"]


# --- what must hold -------------------------------------------------------------------

NUMBERS = {"ticks.interrupts": 1_000_000, "ticks.exits": 0, "ticks.over_budget": 0, "root.exits": 3, "root.exits.sgi": 3,
           "root.perf.interrupts": 998, "root.perf.exits.total": 2, "root.perf.exits.sgi": 2,
           "life.rtos.create.exits of CPU 0.management": 0, "size..text": 40_000}


def runs() -> list[dict[str, Any]]:
    sample: list[dict[str, Any]] = bench_samples.icount()["runs"]
    sample.append(bench_samples.run("direct", "device", None, load="loaded", exits={"total": 0},
                                    hypervisor_instructions=0))
    return sample


def broken(measured: list[dict[str, Any]], **numbers: int) -> list[str]:
    return [rule["name"] for rule in bench_must.rules(measured, {**NUMBERS, **numbers}) if not rule["kept"]]


def test_each_broken_rule_is_named() -> None:
    assert broken(runs()) == []
    for where, workload, value in (("direct", "timer-spin", 3), ("trusted", "timer-wfi", 4), ("direct", "self-sgi", 65),
                                   ("direct", "ipi", 70), ("injected", "timer-spin", 153), ("direct", "hypercall", 81),
                                   ("injected", "psci", 91), ("direct", "gicd-read", 121),
                                   ("direct", "gicr-write", 161), ("direct", "tick", 59)):
        measured = runs()
        bench_must.Runs(measured).get(where, workload)["histogram"] = [[value, 1000]]
        names = broken(measured)
        assert len(names) == 1 and names[0].startswith(f"{workload}, {where}: instructions"), names
    assert broken(runs(), **{"ticks.exits": 1}) == ["1,000,000 timer interrupts, direct: exits"]
    assert broken(runs(), **{"root.perf.exits.total": 3}) == [
        "998 PMU interrupts of the root cell: exits but for its SGIs"]
    assert broken(runs(), **{"size..text": 57_345}) == ["hypervisor .text: bytes"]
    measured = runs()
    bench_must.Runs(measured).get("direct", "device", "loaded")["hypervisor_instructions"] = 1
    assert broken(measured) == ["device, direct, loaded: hypervisor instructions on the cell's CPUs"]


def test_an_injected_interrupt_without_an_exit_is_refused() -> None:
    measured = runs()
    bench_must.Runs(measured).get("injected", "device")["exits"] = {"total": 999}
    with pytest.raises(BenchError, match="999 exits in 1000 events"):
        broken(measured)


def test_a_cell_that_is_quicker_than_the_bare_machine_is_refused() -> None:
    measured = runs()
    bench_must.Runs(measured).get("direct", "tick")["histogram"] = [[57, 1000]]
    with pytest.raises(BenchError, match="not the same program"):
        broken(measured)


def test_a_missing_run_is_refused() -> None:
    for missing in (("direct", "ipi", "idle"), ("direct", "device", "loaded"), ("bare", "tick", "idle")):
        measured = [run for run in runs() if (run["where"], run["workload"], run["load"]) != missing]
        with pytest.raises(BenchError, match="was not measured"):
            broken(measured)


X86_COSTS = {"timer-spin": (32, 3430), "timer-wfi": (32, 3430), "tick": (115, 10548), "device": (7, 7), "self-sgi": (5,),
             "ipi": (14,), "icr": (5,), "hypercall": (201,), "cpuid": (331,), "msr": (269,), "ioapic-read": (3623,)}
X86_EXITS = {"direct": {"ipi": 1, "icr": 1, "hypercall": 1, "cpuid": 1, "msr": 1, "ioapic-read": 1},
             "xapic": {"timer-spin": 3, "timer-wfi": 3, "tick": 2, "device": 1}}


def x86_runs(more: dict[tuple[str, str], int], exits: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """What x86_64's cells may take, but for what is named."""
    measured = []
    for workload, costs in X86_COSTS.items():
        measured.append(bench_samples.run("bare", workload, [[costs[0], 1000]]))
        for where, cost in zip(("direct", "xapic"), costs):
            each = exits.get((where, workload), X86_EXITS[where].get(workload, 0))
            measured.append(bench_samples.run(where, workload, [[cost + more.get((where, workload), 0), 1000]],
                                              exits={"total": 1000 * each, "xapic": 1000 * each}))
    return measured


def test_each_broken_rule_of_x86_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_must, "BENCH", BENCHES["x86_64"])

    def names(more: dict[tuple[str, str], int], exits: dict[tuple[str, str], int], **numbers: int) -> list[str]:
        rules = bench_must.cell_rules(x86_runs(more, exits), {**NUMBERS, **numbers})
        return [rule["name"] for rule in rules if not rule["kept"]]

    assert names({}, {}) == []
    for workload in ("timer-spin", "timer-wfi", "tick", "device", "self-sgi"):
        assert names({("direct", workload): 1}, {}) == [f"{workload}, direct: instructions, as on the bare machine"]
        assert names({}, {("direct", workload): 1}) == [f"{workload}, direct: exits"]
    assert names({("direct", "ipi"): 281}, {}) == ["ipi, direct: instructions, bare + 280"]
    assert names({}, {("xapic", "timer-spin"): 4}) == ["timer-spin, xapic: exits, 3 each"]
    assert names({}, {}, **{"ticks.over_budget": 1}) == [
        '1,000,000 timer interrupts, direct, exits = "none": exits beyond the contract']
    with pytest.raises(BenchError, match="xapic, device: 0 exits in 1000 events"):
        names({}, {("xapic", "device"): 0})
    with pytest.raises(BenchError, match="not the same program"):
        names({("direct", "tick"): -1}, {})


def test_a_cell_that_is_created_may_interrupt_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def name(cpu: int) -> str:
        return f"life.rtos.create.exits of CPU {cpu}.management"
    assert broken(runs(), **{name(1): 0, name(2): 1}) == ["cell create: management exits of the root cell's CPUs"]
    monkeypatch.setattr(bench_must, "BENCH", replace(BENCHES["arm64"], create_interrupts=2))
    assert broken(runs(), **{name(1): 2, name(2): 2}) == []
    assert broken(runs(), **{name(1): 2, name(2): 3}) == ["cell create: management exits of the root cell's CPUs"]


# --- counters and marks ---------------------------------------------------------------

LISTING = """
00007e000000dd53 <svm_run>:
    7e000000dd53:	48 89 fc             	mov    %rdi,%rsp
    7e000000dda6:	0f 01 da             	vmload
    7e000000dda9:	0f 01 d8             	vmrun
    7e000000ddac:	0f 01 db             	vmsave
"""


def test_where_a_guest_of_x86_comes_in() -> None:
    assert BENCHES["x86_64"].entries({}, lambda name: LISTING) == [0x7e00_0000_ddac]
    assert BENCHES["x86_64"].entries({}, lambda name: LISTING.replace("vmrun", "vmmcall")) == []


@pytest.mark.parametrize("listing, code", [
    ("    40008000:\td69f03e0 \teret\n", "d69f03e0"), ("    7e000000dda9:\t0f 01 d8             \tvmrun\n", "d8010f"),
    ("       0:\t2e 66 a3 ac 00       \tcs data16 ...\n", "aca3662e"),
])
def test_an_opcode_as_it_lies_in_memory(monkeypatch: pytest.MonkeyPatch, listing: str, code: str) -> None:
    monkeypatch.setattr(bench_run, "tool", lambda *words: listing)
    assert bench_run.opcode(Path("x.elf"), int(listing.split(":")[0], 16)) == code
    with pytest.raises(BenchError, match="no instruction at 0x5"):
        bench_run.opcode(Path("x.elf"), 5)


@pytest.mark.parametrize("said, says", [
    ("", "it took none, and 4 of"), ("@ticks taken 999999\n", "it took 999999"), ("@ticks taken 1000000\n", ""),
])
def test_the_million_interrupts_are_all_there(said: str, says: str) -> None:
    read = "".join(f"@ticks {when} {name} {value}\n" for when, name, value in (
        ("before", "total", 40), ("before", "over_budget", 0), ("after", "total", 41), ("after", "over_budget", 1)))
    if not says:
        assert bench_cells._ticks(said + read) == {"ticks.interrupts": 1_000_000, "ticks.exits": 1, "ticks.over_budget": 1}
        says, read = "3 of its 4", read.replace("@ticks after total 41\n", "")
    with pytest.raises(BenchError, match=says):
        bench_cells._ticks(said + read)


def counters(label: str, values: dict[str, int]) -> str:
    return "".join(f"@counter {label} 0 {name} {value}\n" for name, value in values.items())


def test_asking_is_taken_off_the_root_cell_s_exits() -> None:
    text = counters("before-idle", {"total": 10, "hypercall": 4, "sgi": 6}) \
        + counters("after-idle", {"total": 20, "hypercall": 8, "sgi": 12})
    change = bench_life.counter_change(text, "idle")
    assert bench_root._without_asking(change) == {"total": 7, "hypercall": 1, "sgi": 6}
    with pytest.raises(BenchError, match="not all there"):
        bench_life.counter_change(text.replace("@counter after-idle 0 sgi 12\n", ""), "idle")
    with pytest.raises(BenchError, match="fewer hypercalls"):
        bench_root._without_asking(bench_life.counter_change(text.replace("hypercall 8", "hypercall 5"), "idle"))


def test_cyclictest_s_histogram_is_whole() -> None:
    text = "@cyclic idle\n000004 000999\n000017 000001\n# Histogram Overflows: 00000\n@cyclic-end\n"
    assert bench_root._cyclic_run(text, "idle")["histogram"] == [[4, 999], [17, 1]]
    for doctored in (text.replace("00000\n@", "00001\n@"), text.replace("000999", "000998"), "@cyclic idle\n"):
        with pytest.raises(BenchError):
            bench_root._cyclic_run(doctored, "idle")


def perf_said(**change: str) -> str:
    lines = {"before": "@before-pmu  27:     5  GICv3  23 Level  arm-pmu",
             "after": "@after-pmu  27:  1003  GICv3  23 Level  arm-pmu", "sample": "sample: 998 samples"}
    counters = [f"@counter {when}-perf 0 {reason} {value}" for when, reason, value in (
        ("before", "hypercall", 70), ("before", "sgi", 9), ("before", "total", 79),
        ("after", "hypercall", 73), ("after", "sgi", 10), ("after", "total", 83))]
    return "\n".join([*(lines | change).values(), *counters])


def test_the_pmu_s_interrupts() -> None:
    assert bench_root._perf(perf_said()) == {"root.perf.samples": 998, "root.perf.interrupts": 998,
                                             "root.perf.exits.sgi": 1, "root.perf.exits.total": 1}


@pytest.mark.parametrize("change, says", [
    ({"sample": "sample: no samples in 1 s: its counter does not run"}, "sample said no samples in 1 s"),
    ({"sample": ""}, "sample said nothing"),
    ({"sample": "sample: 0 samples"}, "0 samples from 998 interrupts"),
    ({"sample": "sample: 499 samples"}, "should be at least 500"),
    ({"sample": "sample: 999 samples"}, "999 samples from 998 interrupts"),
    ({"after": ""}, "no arm-pmu line"),
])
def test_a_pmu_that_does_not_interrupt_is_refused(change: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        bench_root._perf(perf_said(**change))


def test_the_spans_of_the_samples() -> None:
    def lines(*names: str) -> list[bench_life.Passage]:
        return [bench_life.Passage(f"{name} 2 0 0 {10 * i} 0 {10 * i} 0") for i, name in enumerate(names)]
    count = sum(map(len, bench_life.LOADED.values()))
    whole = ["create", *["asks", "asked", "destroy", "asks", "asked"] * count]
    assert bench_life._spans(lines(*whole))[0] == (2, 4) and len(bench_life._spans(lines(*whole))) == count
    with pytest.raises(BenchError, match="exits_read"):
        bench_life._spans(lines(*whole[:-5]))


def test_the_page_says_what_was_measured() -> None:
    from machine import bench_page
    numbers = {**NUMBERS, "load.management operations meanwhile": 9, "root.timer interrupts": 1000, "root.hotplugs": 4,
               "root.perf.samples": 998, "root.perf.interrupts": 999, "root.perf.exits.total": 2,
               "root.perf.exits.sgi": 2,
               "size.image": 1, **{f"size.{name}": 1 for name in (".text", ".idmap", ".rodata", ".data", ".bss",
                                                                  ".boot_tables")},
               **{f"lines.{name}": 1 for name in ("hypervisor", "driver", "abi")}}
    for cell in ("rtos", "compute"):
        names = [f"{part}.{whose}" for part in ("create", "load", "start") for whose in ("Linux's CPUs", "cell's CPU")]
        names += ["all", "Linux before", "Linux after", "create.longest visit of the calling CPU",
                  "create.longest visit of the others"]
        numbers |= {f"life.{cell}.{name}": 5 for name in names}
    about = {name: "x" for name in ("qemu", "cpu", "kernel", "compiler", "commit", "kernel of cyclictest")}
    measured = runs()
    sample = bench_samples.record(measured, about=about, numbers=numbers, rules=bench_must.rules(measured, numbers),
                                  root=[{"load": load, "seconds": 10, "exits": {"total": 4, "sgi": 4}}
                                        for load in ("idle", "busy")])
    text = bench_page.page(record.check(sample))
    assert "| timer's deadline to its vector, spinning | 2 | 2 | 2 | 118 | 0 / 0 / 1 |" in text
    assert "999 interrupts of the PMU on CPU 0 alone, 998 samples, 2 exits." in text
    assert "| perf | sgi | 2 | " in text and "| perf | total | 2 | " in text
    assert "kept" in text and "BROKEN" not in text and "Jailhouse e57d1eff" in text
    assert Path(bench.PAGE).name == "performance.md"
