# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse bench report|compare` on records made by hand, and their statistics."""

import copy
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import bench_samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailhouse.__main__ import main
from jailhouse.bench import compare, record, table
from jailhouse.bench.stats import MAX, MEDIAN, MIN, STATISTICS, percentile

Json = dict[str, Any]
HISTOGRAMS = st.dictionaries(st.integers(0, 10 ** 12), st.integers(1, 50), min_size=1, max_size=40)


# --- percentiles ----------------------------------------------------------------------

@given(HISTOGRAMS)
def test_percentiles_are_those_of_the_sorted_samples(counts: dict[int, int]) -> None:
    histogram = sorted(counts.items())
    samples = [value for value, count in histogram for _ in range(count)]
    for which in STATISTICS:
        share = which.numerator / which.denominator
        found = percentile(histogram, which)
        if which not in (MIN, MAX) and len(samples) < 1 / (1 - share) * (1 - 1e-9):
            assert found is None
        else:
            assert found == samples[max(0, math.ceil(round(len(samples) * share, 9)) - 1)]


@given(HISTOGRAMS)
def test_statistics_rise(counts: dict[int, int]) -> None:
    found = [value for which in STATISTICS if (value := percentile(sorted(counts.items()), which)) is not None]
    assert found == sorted(found)


def test_too_few_samples_have_no_percentile() -> None:
    p99, p9999 = STATISTICS[2], STATISTICS[3]
    assert percentile([(5, 99)], p99) is None and percentile([(5, 100)], p99) == 5
    assert percentile([(5, 9999)], p9999) is None and percentile([(5, 9999), (7, 1)], p9999) == 5
    assert percentile([(5, 9998), (7, 2)], p9999) == 7
    assert percentile([(5, 1)], MEDIAN) is None and percentile([(5, 1), (9, 1)], MEDIAN) == 5


# --- files that are refused -----------------------------------------------------------

def first(key: str, value: Any) -> Callable[[Json], None]:
    """Sets a key of the first run."""
    return lambda r: r["runs"][0].update({key: value})


def machine(key: str, value: Any) -> Callable[[Json], None]:
    return lambda r: r["machine"].update({key: value})


DOCTORED: tuple[tuple[Callable[[Json], Any], str], ...] = (
    (lambda r: r.update(format=2), r"format 2"),
    (lambda r: r.update(unit="ns"), r"unit: must be instructions"),
    (lambda r: r.update(mode="guess"), r"mode: must be one of icount, wall"),
    (lambda r: r.update(extra=1), r"'extra' is not known"),
    (lambda r: r.pop("machine"), r"'machine' is missing"),
    (lambda r: r.pop("runs"), r"'runs' is missing"),
    (lambda r: r["runs"].append(copy.deepcopy(r["runs"][0])), r"is there twice"),
    (machine("counter_hz", 62_500_000), r"counter_hz: must be 1000000000 .*cntfrq"),
    (machine("emulator", False), r"mode icount is an emulator's"),
    (machine("cpus", 0), r"machine.cpus: must be a whole number of at least 1"),
    (first("samples", 999), r"runs\[0\].histogram: holds 1000 samples, 'samples' says 999"),
    (first("samples", True), r"runs\[0\].samples: must be a whole number"),
    (first("histogram", [[2, 500], [2, 500]]), r"values must rise"),
    (first("histogram", [[2, 1001], [3, -1]]), r"each entry must be \[value, count\]"),
    (first("histogram", [[2.5, 1000]]), r"each entry must be \[value, count\]"),
    (first("histogram", "many"), r"must be a list or null"),
    (first("histogram", None), r"nothing was measured"),
    (first("workload", "sleep"), r"workload: must be one of timer-spin"),
    (first("where", "../direct"), r"where: must be a name of letters"),
    (first("load", "loaded"), r"nothing else runs on the bare machine"),
    (first("exits", {"total": 0}), r"the bare machine has no hypervisor"),
    (first("unit", "us"), r"must be instructions in mode icount"),
    (first("refused", "something else runs"), r"samples: must be null where the run was refused"),
    (lambda r: r["runs"][1].update(exits={"total": 3, "sgi": 2}), r"reasons add up to 2, 'total' says 3"),
    (lambda r: r["runs"][1].update(exits={"sgi": 2}), r"'total' is missing"),
    (lambda r: r["runs"][1].update(load="loaded", workload="tick", histogram=[[2, 1000]]), r"says nothing"),
    (lambda r: r["lifecycle"][0].update(rounds=4), r"times: has 3 entries for 4 rounds"),
    (lambda r: r["lifecycle"][0].update(operation="boil"), r"operation: must be one of"),
    (lambda r: r["root"][0].update(seconds=0), r"seconds: must be a number of seconds above 0"),
    (lambda r: r.update(rules=[{"name": "x", "value": 3, "limit": 2, "kept": True}]), r"3 with a limit of 2"),
)


@pytest.mark.parametrize("doctor, says", DOCTORED, ids=[says for _, says in DOCTORED])
def test_a_doctored_file_is_refused(doctor: Callable[[Json], Any], says: str, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    doctored = bench_samples.icount()
    assert record.check(copy.deepcopy(doctored))
    doctor(doctored)
    file = tmp_path / "doctored.json"
    file.write_text(json.dumps(doctored))
    assert main(["bench", "report", str(file)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith(f"jailhouse bench: {file}: ") and re.search(says, said.err), said.err


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"format": 1}', b"[" * 100000])
def test_what_is_no_record_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    assert main(["bench", "report", str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["bench", "report", str(tmp_path / "absent.json")]) == 2


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(JSON, st.data())
def test_any_value_in_any_place_is_refused_or_checked(value: Any, data: st.DataObject) -> None:
    """Never another exception than Wrong."""
    doctored = bench_samples.icount()
    at: Any = doctored
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], (dict, list)) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = value
    try:
        table.summary(record.check(doctored))
    except record.Wrong:
        pass


def test_a_refused_run_is_shown_and_has_no_numbers() -> None:
    sample = bench_samples.icount()
    sample["runs"][3] = {"where": "injected", "load": "idle", "workload": "timer-spin", "refused": "icount is off",
                         "samples": None, "resolution": 0, "histogram": None, "exits": None}
    checked = record.check(sample)
    assert "injected, idle, timer-spin: refused: icount is off" in table.summary(checked)
    changes = compare.compare(record.check(bench_samples.icount()), checked)
    assert {name.rsplit(", ", 1)[0] for name in changes.missing} == {"timer-spin, injected, idle"}


def test_a_folder_of_any_name_stands_behind_the_known_ones(tmp_path: Path) -> None:
    sample = bench_samples.icount()
    sample["runs"].append({**sample["runs"][1], "where": "a-board.2"})
    checked = record.check(sample)
    runs = [run.where for run in table.ordered(checked)
            if (run.workload, run.load) == (sample["runs"][1]["workload"], sample["runs"][1]["load"])]
    assert runs[-1] == "a-board.2"
    path = tmp_path / "record.json"
    path.write_text(json.dumps(sample))
    assert main(["bench", "report", str(path), "-o", str(tmp_path / "out")]) == 0


# --- comparing ------------------------------------------------------------------------

@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes records; returns their paths."""
    def write(*records: Json) -> list[str]:
        paths = []
        for i, content in enumerate(records):
            paths.append(str(tmp_path / f"{i}.json"))
            Path(paths[-1]).write_text(json.dumps(content))
        return paths
    return write


def changed(where: str, workload: str, value: int) -> Json:
    sample = bench_samples.icount()
    for run in sample["runs"]:
        if (run["where"], run["workload"], run["load"]) == (where, workload, "idle"):
            run["histogram"] = [[value, 1000]]
    return sample


def test_equal_records_compare_equal(files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    for sample in (bench_samples.icount(), bench_samples.wall()):
        assert main(["bench", "compare", *files(sample, sample)]) == 0
        said = capsys.readouterr()
        assert not said.err and "1.000" in said.out and "UP" not in said.out


@pytest.mark.parametrize("value, mark", [(75, "UP"), (73, "DOWN")])
def test_one_instruction_counts_in_both_directions(value: int, mark: str, files: Callable[..., list[str]],
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    pair = files(bench_samples.icount(), changed("direct", "hypercall", value))
    assert main(["bench", "compare", *pair]) == 1
    said = capsys.readouterr()
    assert f"hypercall, direct, idle: median 74 -> {value}" in said.err and mark in said.out
    assert "injected" not in said.err
    assert main(["bench", "compare", *pair, "--threshold", "2"]) == 0


def test_wall_has_a_margin_and_does_not_mind_less(files: Callable[..., list[str]],
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    def scaled(percent: int) -> Json:
        sample = bench_samples.wall()
        for run in sample["runs"]:
            run["histogram"] = [[value * percent // 100, count] for value, count in run["histogram"]]
        return sample
    big = bench_samples.wall()
    for run in big["runs"]:
        run["histogram"] = [[value * 10, count] for value, count in run["histogram"]]
    assert main(["bench", "compare", *files(scaled(1000), scaled(1090))]) == 0
    assert main(["bench", "compare", *files(scaled(1000), scaled(500))]) == 0
    capsys.readouterr()
    assert main(["bench", "compare", *files(big, scaled(1120))]) == 1
    assert "timer-spin, direct, idle: min" in capsys.readouterr().err
    assert main(["bench", "compare", *files(big, scaled(1120)), "--threshold", "15"]) == 0


def test_wall_on_an_emulator_has_no_verdict(files: Callable[..., list[str]],
                                            capsys: pytest.CaptureFixture[str]) -> None:
    slow = bench_samples.wall()
    quick = copy.deepcopy(slow)
    for sample in (slow, quick):
        sample["machine"]["emulator"] = True
    for run in slow["runs"]:
        run["histogram"] = [[value * 3, count] for value, count in run["histogram"]]
    assert main(["bench", "compare", *files(quick, slow)]) == 0
    assert "no verdict" in capsys.readouterr().out


def test_a_number_from_nothing_and_one_that_is_gone_count(files: Callable[..., list[str]],
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    sample = bench_samples.icount()
    sample["runs"][1]["exits"] = {"total": 1, "sgi": 1}
    gone = [run for run in sample["runs"] if run["workload"] != "psci"]
    assert main(["bench", "compare", *files(bench_samples.icount(), {**sample, "runs": gone})]) == 1
    said = capsys.readouterr().err
    assert "timer-spin, direct, idle: exits per event 0 -> 0.001 (from nothing)" in said
    assert "psci, direct, idle, median: not measured any more" in said
    assert main(["bench", "compare", *files({**sample, "runs": gone}, sample)]) == 0


DIFFERENT: tuple[tuple[Callable[[Json], Any], str], ...] = (
    (first("resolution", 256), "resolution differs"),
    (first("parameters", {"period": 5}), "parameter 'period' differs"),
    (first("histogram", [[2, 10]]), "samples differs"),
    (lambda r: r.update(runs=[]), "nothing to compare"),
)


@pytest.mark.parametrize("change, says", DIFFERENT, ids=[says for _, says in DIFFERENT])
def test_what_was_measured_otherwise_is_not_compared(change: Callable[[Json], Any], says: str,
                                                     files: Callable[..., list[str]],
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    other = bench_samples.icount()
    change(other)
    if says == "samples differs":
        other["runs"][0]["samples"] = 10
    assert main(["bench", "compare", *files(bench_samples.icount(), other)]) == 2
    said = capsys.readouterr()
    assert says in said.err and not said.out


def test_modes_are_never_mixed(files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "compare", *files(bench_samples.icount(), bench_samples.wall())]) == 2
    assert "mode differs (icount and wall)" in capsys.readouterr().err


@given(st.integers(0, 10 ** 6), st.integers(0, 10 ** 6), st.floats(0, 500))
def test_past_a_threshold(a: int, b: int, threshold: float) -> None:
    change = compare.Change("row", "name", a, b)
    assert change.past(threshold, downwards=True) >= change.past(threshold, downwards=False)
    assert not change.past(threshold, downwards=False) or b > a
    assert change.past(0, downwards=True) == (a != b)


@pytest.mark.parametrize("threshold", ["-1", "nan", "inf", "much"])
def test_no_such_threshold(threshold: str, files: Callable[..., list[str]]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "compare", *files(bench_samples.icount(), bench_samples.icount()), "--threshold", threshold])
    assert ended.value.code == 2


# --- the report -----------------------------------------------------------------------

class Page(HTMLParser):
    """Elements left open, and whatever refers to somewhere else."""

    VOID = ("meta", "br", "path", "use", "rect", "defs")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "action") and not (value or "").startswith("#"):
                self.outside.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "br"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("make", [bench_samples.icount, bench_samples.wall])
def test_the_report_is_one_file_that_needs_no_other(make: Callable[[], Json], tmp_path: Path,
                                                    files: Callable[..., list[str]]) -> None:
    pytest.importorskip("matplotlib")
    sample = make()
    sample["kernel"] = "6.12 <b>&amp;"
    assert main(["bench", "report", *files(sample), "-o", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "report.html").read_text()
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open and not page.outside
    assert "<script" not in text and "@import" not in text and "6.12 <b>&amp;" in page.text
    assert len(page.ids) == len(set(page.ids))
    for workload in {run["workload"] for run in sample["runs"]}:
        assert table.TITLES[workload] in page.text
    assert (tmp_path / "out" / "histogram.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "out" / "histogram.svg").read_text()


def test_the_plots_repeat(tmp_path: Path, files: Callable[..., list[str]]) -> None:
    pytest.importorskip("matplotlib")
    file = files(bench_samples.icount())
    for name in ("a", "b"):
        assert main(["bench", "report", *file, "-o", str(tmp_path / name)]) == 0
    for name in ("report.html", "histogram.svg"):
        assert (tmp_path / "a" / name).read_text() == (tmp_path / "b" / name).read_text()


def test_where_it_cannot_be_written(tmp_path: Path, files: Callable[..., list[str]],
                                    capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["bench", "report", *files(bench_samples.icount()), "-o", str(blocked)]) == 1
    assert "choose a directory" in capsys.readouterr().err
