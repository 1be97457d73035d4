# SPDX-License-Identifier: GPL-2.0-only
"""The jailhouse command on the build host, with a device and a sysfs made of files."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from foreground import signals_as_at_a_terminal  # noqa: F401, a fixture
from parts import FLAGS, TOP, command_parts  # noqa: F401, for others too

OTHER, USAGE, ABSENT, NO_CELL, CONFIG, SPACE, MACHINE = 1, 2, 3, 4, 7, 8, 9


class Command:
    """The command, built so that it looks for its device and sysfs below `place`."""

    def __init__(self, place: Path):
        self.place = place
        self.device = place / "device"
        self.sysfs = place / "sysfs"
        self.binary = place / "jailhouse"
        subprocess.run(
            ["gcc", *FLAGS, f'-DJAILHOUSE_DEVICE="{self.device}"', f'-DJAILHOUSE_SYSFS="{self.sysfs}"',
             *command_parts(place), "-o", str(self.binary)],
            check=True,
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.binary), *words], capture_output=True, text=True, timeout=30,
            env={**os.environ, **environment},
        )

    def start(self, *words: str, output=subprocess.PIPE, **environment: str) -> subprocess.Popen:
        """It runs on; to be ended by the test."""
        return subprocess.Popen(
            [str(self.binary), *words], stdout=output, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )

    def clear(self) -> None:
        self.device.unlink(missing_ok=True)
        shutil.rmtree(self.sysfs, ignore_errors=True)

    def enabled(self, yes: bool = True) -> None:
        (self.sysfs / "cells").mkdir(parents=True, exist_ok=True)
        (self.sysfs / "enabled").write_text("1\n" if yes else "0\n")

    def cell(self, number: int, name: str, state: str, cpus: str, failed: str = "") -> Path:
        folder = self.sysfs / "cells" / str(number)
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
        (folder / "state").write_text(state + "\n")
        (folder / "cpus_assigned_list").write_text(cpus + "\n")
        (folder / "cpus_failed_list").write_text(failed + "\n")
        return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Command:
    return Command(tmp_path_factory.mktemp("cli"))


@pytest.fixture
def cli(built) -> Command:
    built.clear()
    return built


def test_help_lists_commands_and_exit_statuses(cli):
    r = cli.run("--help")
    assert r.returncode == 0 and r.stderr == ""
    for word in ("enable", "cell create", "cell load", "cell linux", "config", "Exit status:"):
        assert word in r.stdout
    for status in range(10):
        assert f"\n  {status}  " in r.stdout


def test_no_command_is_wrong_usage(cli):
    r = cli.run()
    assert r.returncode == USAGE and "usage:" in r.stderr and r.stdout == ""


def test_version(cli):
    assert cli.run("--version").stdout == "jailhouse 1.2-test\n"


@pytest.mark.parametrize("words, meant", [
    (["enabel"], "enable"),
    (["cell", "lsit"], "cell list"),
    (["cel", "start", "x"], "cell start"),
    (["list"], "cell list"),
    (["consol"], "console"),
])
def test_nearest_command_is_suggested(cli, words, meant):
    r = cli.run(*words)
    assert r.returncode == USAGE
    assert f"did you mean: jailhouse {meant}?" in r.stderr


def test_far_command_is_not_suggested(cli):
    r = cli.run("frobnicate")
    assert r.returncode == USAGE and "did you mean" not in r.stderr


@pytest.mark.parametrize("words", [
    ["cell", "load", "--help"], ["enable", "--help"], ["cell", "--help"], ["disable", "-h"],
])
def test_help_of_one_command(cli, words):
    r = cli.run(*words)
    assert r.returncode == 0 and "jailhouse " + words[0] in r.stdout


@pytest.mark.parametrize("words, problem", [
    (["enable"], "which configuration file?"),
    (["enable", "a", "b"], "one argument too many: b"),
    (["enable", "-x"], "unknown option: -x"),
    (["disable", "now"], "takes no argument: now"),
    (["console", "-x"], "unknown option: -x"),
    (["console", "-f", "one", "two"], "does not take: two"),
    (["cell", "list", "1"], "takes no argument: 1"),
    (["cell", "start"], "which cell?"),
    (["cell", "start", "--name"], "which cell?"),
    (["cell", "start", "a", "b"], "one argument too many: b"),
    (["cell", "load", "a"], "which image?"),
    (["cell", "load", "a", "-s"], "which string?"),
    (["cell", "load", "a", "-s", "x", "-a"], "which address?"),
    (["cell", "load", "a", "-s", "x", "-a", "0x"], "no address"),
    (["cell", "load", "a", "-s", "x", "-a", "-1"], "no address"),
    (["cell", "load", "a", "-s", "x", "-a", "12Q"], "no address"),
    (["cell", "load", "a", "-s", "x", "-a", "4KK"], "no address"),
    (["cell", "load", "a", "-s", "x", "-a", "99999999999999999999"], "no address"),
    (["cell", "load", "a", "-s", "x", "-a", "0xffffffffffffffffK"], "no address"),
    (["cell", "load", "a", "-z"], "unknown option: -z"),
    (["cell", "stats", "-w", "--json"], "which cell?"),
    (["cell", "stats", "-x", "a"], "unknown option: -x"),
    (["cell", "stats", "a", "b"], "one argument too many: b"),
])
def test_wrong_usage_names_the_word_and_the_right_form(cli, words, problem):
    r = cli.run(*words)
    assert r.returncode == USAGE
    assert problem in r.stderr and "usage: jailhouse " + words[0] in r.stderr


@pytest.mark.parametrize("address", ["0", "4096", "0x1000", "0X1f", "4K", "0x10m", "1G"])
def test_addresses_that_are_good_reach_the_device(cli, address):
    r = cli.run("cell", "load", "a", "-s", "x", "-a", address)
    assert r.returncode == ABSENT and "not loaded" in r.stderr


def test_too_many_images(cli):
    r = cli.run("cell", "load", "a", *["-s", "x"] * 33)
    assert r.returncode == USAGE and "too many images" in r.stderr


def test_file_errors_are_named(cli, tmp_path):
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    large = tmp_path / "large"
    large.write_bytes(bytes(64 * 1024 + 1))
    for path, status, words in (
        (tmp_path / "none", OTHER, "there is no such file"),
        (tmp_path, OTHER, "is a directory"),
        (empty, OTHER, "is empty"),
        (Path("/dev/null"), OTHER, "is no regular file"),
        (large, SPACE, "is too large: 65537 bytes, at most 65536"),
    ):
        r = cli.run("enable", str(path))
        assert r.returncode == status
        assert r.stderr.startswith(f"jailhouse: {path}: ") and words in r.stderr


def test_names_that_no_cell_can_have(cli):
    r = cli.run("cell", "start", "n" * 32)
    assert r.returncode == NO_CELL and "at most 31" in r.stderr
    r = cli.run("cell", "start", "4294967295")
    assert r.returncode == NO_CELL and "no cell 4294967295" in r.stderr


@pytest.mark.parametrize("words", [
    ["disable"], ["console"], ["cell", "list"], ["cell", "start", "1"], ["cell", "stats", "1"],
])
def test_without_driver(cli, words):
    r = cli.run(*words)
    assert r.returncode == ABSENT and "modprobe jailhouse" in r.stderr


def test_list_when_not_enabled(cli):
    cli.enabled(False)
    r = cli.run("cell", "list")
    assert r.returncode == ABSENT and "jailhouse enable" in r.stderr


def test_a_device_that_is_no_driver(cli):
    cli.device.write_text("")
    r = cli.run("disable")
    assert r.returncode == ABSENT and "different versions" in r.stderr


def test_list_is_aligned_and_sorted_by_id(cli):
    cli.enabled()
    cli.cell(10, "late", "failed", "3", "3")
    cli.cell(2, "a-name-of-thirty-one-characters", "shut down", "1-2")
    cli.cell(0, "root", "running", "0")
    r = cli.run("cell", "list")
    assert r.returncode == 0
    lines = r.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "0", "2", "10"]
    for row, column, text in ((1, "Name", "root"), (2, "State", "shut down"),
                              (2, "Assigned CPUs", "1-2"), (3, "Failed CPUs", "3")):
        at = lines[0].index(column)
        assert lines[row][at:].startswith(text) and lines[row][at - 1] == " "
    assert not any(line.endswith(" ") for line in lines)


def test_list_keeps_the_usual_columns(cli):
    cli.enabled()
    cli.cell(0, "root", "running", "0-3")
    assert cli.run("cell", "list").stdout == (
        f"{'ID':8}{'Name':24}{'State':18}{'Assigned CPUs':24}Failed CPUs\n"
        f"{'0':8}{'root':24}{'running':18}0-3\n"
    )


def statistics(folder: Path, numbers: dict) -> None:
    folder.mkdir()
    for name, value in numbers.items():
        (folder / f"vmexits_{name}").write_text(f"{value}\n")


@pytest.mark.parametrize("reference", [["1"], ["rt"], ["--name", "rt"]])
def test_stats(cli, reference):
    cli.enabled()
    cli.cell(0, "root", "running", "0")
    folder = cli.cell(1, "rt", "running", "2,10") / "statistics"
    statistics(folder, {"mmio": 5, "total": 12, "alpha": 7})
    statistics(folder / "cpu10", {"mmio": 1, "total": 4, "alpha": 3})
    statistics(folder / "cpu2", {"mmio": 4, "total": 8, "alpha": 4})
    r = cli.run("cell", "stats", *reference)
    assert r.returncode == 0
    rows = [line.split() for line in r.stdout.splitlines()]
    assert rows[1:] == [
        ["Reason", "Sum", "CPU", "2", "CPU", "10"],
        ["total", "12", "8", "4"], ["alpha", "7", "4", "3"], ["mmio", "5", "4", "1"],
    ]


REASONS = ("fault", "hypercall", "irq", "maintenance", "management", "mmio", "other", "psci", "sgi",
           "smccc", "sysreg", "wfi")


def contract(cli, cpus=(2, 3), exits="none", interrupts="direct", wfi="trapped") -> Path:
    """A cell "rt" with all files the driver makes, its counters 0. Returns its statistics."""
    cli.enabled()
    cli.cell(0, "root", "running", "0")
    cell = cli.cell(1, "rt", "running", ",".join(map(str, cpus)))
    for name, text in (("exits", exits), ("interrupts", interrupts), ("wfi", wfi)):
        (cell / name).write_text(text + "\n")
    numbers = {name: 0 for name in ("total", *REASONS, "over_budget")}
    statistics(cell / "statistics", numbers)
    for cpu in cpus:
        statistics(cell / f"statistics/cpu{cpu}", numbers)
    return cell / "statistics"


def count(folder: Path, name: str, value: int) -> None:
    """As one step, as a reader of the driver's files sees it."""
    new = folder.parent.parent / "new"
    new.write_text(f"{value}\n")
    new.rename(folder / f"vmexits_{name}")


def test_stats_say_the_contract_and_keep_it_apart_from_the_reasons(cli):
    folder = contract(cli, exits="500/s", interrupts="injected", wfi="untrapped")
    for name, value in (("irq", 7), ("mmio", 5), ("over_budget", 3), ("total", 99)):
        count(folder / "cpu3", name, value)
    lines = cli.run("cell", "stats", "rt").stdout.splitlines()
    assert lines[:2] == ['Exits of cell 1 "rt": running',
                         "exits: 500/s, 3 over budget; interrupts: injected; wfi: untrapped"]
    rows = [line.split() for line in lines[3:]]
    # the sum of what is printed, whatever was counted while it was read
    assert rows[0] == ["total", "12", "0", "12"]
    assert [row[0] for row in rows[1:13]] == list(REASONS)
    assert ["irq", "7", "0", "7"] in rows and ["wfi", "0", "0", "0"] in rows
    assert rows[13:] == [[], ["over_budget", "3", "0", "3"]]


def test_a_counter_that_cannot_be_read_is_not_shown_as_a_number(cli):
    folder = contract(cli)
    count(folder / "cpu2", "mmio", 4)
    (folder / "cpu3/vmexits_mmio").unlink()
    out = cli.run("cell", "stats", "rt").stdout
    assert ["mmio", "4", "4", "-"] in [line.split() for line in out.splitlines()]
    answer = json.loads(cli.run("cell", "stats", "--json", "rt").stdout)
    assert answer["reasons"]["mmio"]["cpus"] == [4, None]


@pytest.mark.parametrize("words", [["--json", "rt"], ["rt", "--json"]])
def test_stats_for_scripts(cli, words):
    folder = contract(cli)
    count(folder / "cpu2", "sgi", 2**63)
    count(folder / "cpu3", "sgi", 5)
    count(folder / "cpu3", "over_budget", 1)
    answer = json.loads(cli.run("cell", "stats", *words).stdout)
    assert answer.pop("monotonic_seconds") > 0
    sgi = answer["reasons"].pop("sgi")
    assert sgi == {"sum": 2**63 + 5, "per_second": None, "cpus": [2**63, 5]}
    assert sorted(answer.pop("reasons")) == sorted(set(REASONS) - {"sgi"})
    assert answer == {
        "id": 1, "name": "rt", "state": "running", "exits": "none", "interrupts": "direct",
        "wfi": "trapped", "cpus": [2, 3], "total": 2**63 + 5,
        "over_budget": {"sum": 1, "per_second": None, "cpus": [0, 1]},
    }


def test_stats_of_a_name_with_quotes_are_json_still(cli):
    cli.enabled()
    statistics(cli.cell(0, 'ro"o\\t', "running", "0") / "statistics", {"mmio": 0})
    answer = json.loads(cli.run("cell", "stats", "--json", "0").stdout)
    assert answer["name"] == 'ro"o\\t' and answer["exits"] is None and "over_budget" not in answer


def test_rates_are_of_the_time_that_passed(cli):
    """The command is held up for longer than the second it wants to wait."""
    folder = contract(cli)
    p = cli.start("cell", "stats", "-w", "--json", "rt")
    first = json.loads(p.stdout.readline())
    assert first["reasons"]["wfi"]["per_second"] is None
    p.send_signal(signal.SIGSTOP)
    count(folder / "cpu2", "wfi", 1000)
    count(folder / "cpu3", "wfi", 500)
    time.sleep(2)
    p.send_signal(signal.SIGCONT)
    second = json.loads(p.stdout.readline())
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == 0
    passed = second["monotonic_seconds"] - first["monotonic_seconds"]
    assert passed > 1.9
    assert second["reasons"]["wfi"]["per_second"] == pytest.approx(1500 / passed, abs=0.01)
    assert second["reasons"]["mmio"]["per_second"] == 0


def blocks_of(p: subprocess.Popen, wanted: int) -> list[list[list[str]]]:
    """The words of each line of each block, without those that end it."""
    found: list[list[list[str]]] = [[]]
    while len(found) <= wanted:
        words = p.stdout.readline().split()
        assert words or found[-1], "no blank line at the start"
        if words and words[0] == "over_budget":
            found[-1].append(words)
            found.append([])
            if len(found) <= wanted:
                assert p.stdout.readline() == "\n"
        elif words:
            found[-1].append(words)
    return found[:wanted]


def test_watch_in_a_pipe_prints_blocks(cli):
    folder = contract(cli)
    p = cli.start("cell", "stats", "rt", "-w", TERM="xterm")
    first, = blocks_of(p, 1)
    assert first[2] == ["Reason", "Sum", "Per", "second", "CPU", "2", "CPU", "3"]
    assert first[3] == ["total", "0", "-", "-", "-"] and len(first) == 4 + len(REASONS) + 1
    # with a second's distance: before the next sample, and between the two after it
    count(folder / "cpu3", "mmio", 100000)
    assert p.stdout.readline() == "\n"
    second, = blocks_of(p, 1)
    p.terminate()
    assert p.wait(60) == 0 and "\033" not in str((first, second))
    rows = {row[0]: row[1:] for row in second}
    assert rows["mmio"][0] == "100000" and 10000 < float(rows["mmio"][1]) <= 110000
    assert rows["mmio"][1:] == [rows["mmio"][3], "0", rows["mmio"][3]]
    assert rows["total"] == rows["mmio"] and rows["wfi"] == ["0", "0", "0", "0"]


def test_a_counter_that_began_anew_has_no_rate(cli):
    """Linux's CPU was a cell's meanwhile, and another came."""
    folder = contract(cli)
    count(folder / "cpu3", "mmio", 50)
    p = cli.start("cell", "stats", "-w", "--json", "rt")
    p.stdout.readline()
    count(folder / "cpu3", "mmio", 10)
    statistics(folder / "cpu10", {"mmio": 7})
    second = json.loads(p.stdout.readline())
    p.terminate()
    assert p.wait(60) == 0
    assert second["cpus"] == [2, 3, 10]
    assert second["reasons"]["mmio"] == {"sum": 17, "per_second": 0, "cpus": [0, 10, 7]}
    assert second["reasons"]["wfi"]["cpus"] == [0, 0, None]


@pytest.mark.parametrize("replaced", [False, True])
def test_watch_ends_with_the_cell(cli, replaced):
    contract(cli)
    p = cli.start("cell", "stats", "-w", "rt")
    blocks_of(p, 1)
    cell = cli.sysfs / "cells/1"
    if replaced:
        (cell / "name").write_text("other\n")
    else:
        cell.rename(cli.sysfs / "gone")
    error = p.communicate(timeout=60)[1]
    assert p.returncode == NO_CELL and 'cell 1 "rt" is gone' in error


class Terminal:
    """What runs on it, and what it writes there."""

    def __init__(self, cli, rows: int, columns: int, *words: str, kind: str = "xterm"):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = cli.start(*words, output=slave, TERM=kind)
        os.close(slave)
        self.text = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until: str) -> str:
        """What comes up to and with `until`."""
        deadline = time.monotonic() + 10
        while until not in self.text:
            assert time.monotonic() < deadline, self.text
            if select.select([self.master], [], [], 1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode()
                except OSError:  # EIO: nobody has it open any more
                    assert until in self.text, self.text
        said, self.text = self.text.split(until, 1)
        return said + until

    def screen(self) -> list[str]:
        """The next whole screen without its sequences; each line must clear what was behind it."""
        said = self.read("\033[J").split("\033[H", 1)[1].removesuffix("\033[J")
        lines = said.split("\r\n")
        assert lines.pop() == "" and all(line.endswith("\033[K") for line in lines)
        return [re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", line) for line in lines]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(60)
        os.close(self.master)


@pytest.fixture
def terminal(cli):
    made = []

    def make(rows: int, columns: int, *words: str, kind: str = "xterm") -> Terminal:
        made.append(Terminal(cli, rows, columns, *words, kind=kind))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_live_view(cli, terminal):
    folder = contract(cli)
    count(folder / "cpu3", "mmio", 5)
    count(folder / "cpu3", "over_budget", 5)
    t = terminal(24, 80, "cell", "stats", "-w", "rt")
    assert t.read("\033[?7l") == "\033[?1049h\033[?25l\033[?7l"
    lines = t.screen()
    assert lines[1] == "exits: none, 5 over budget; interrupts: direct; wfi: trapped"
    assert [line.split()[0] for line in lines[3:-2]] == ["total", *REASONS]
    assert lines[-2] == "" and lines[-1].split() == ["over_budget", "5", "-", "-", "-"]
    count(folder / "cpu3", "mmio", 1005)
    t.screen()
    rows = {line.split()[0]: line.split()[1:] for line in t.screen()[3:] if line}
    assert rows["mmio"] == rows["total"] and rows["mmio"][0] == "1005" and len(rows["mmio"]) == 4
    assert t.end(signal.SIGINT) == 0
    # the screen is left, and what was last seen stays
    left = t.read("over_budget")
    assert "\033[?7h\033[?25h\033[?1049l" in left and "\033" not in left.split("1049l", 1)[1]
    assert "mmio" in left and "1005" in left


def test_live_view_dims_what_never_happened(cli, terminal):
    folder = contract(cli)
    count(folder / "cpu3", "mmio", 5)
    t = terminal(24, 80, "cell", "stats", "-w", "rt")
    said = t.read("\033[J")
    assert re.search(r"\n\033\[2mwfi [^\n]*\033\[0m\033\[K\r\n", said)
    assert re.search(r"\nmmio ", said) and "\033[1m" not in said


def test_live_view_fits_the_terminal(cli, terminal):
    folder = contract(cli)
    count(folder / "cpu3", "mmio", 5)
    t = terminal(24, 66, "cell", "stats", "-w", "rt")
    assert t.screen()[2].split()[-4:] == ["CPU", "2", "CPU", "3"]
    t.resize(19, 65)
    t.process.send_signal(signal.SIGWINCH)
    lines = t.screen()
    assert lines[2].split() == ["Reason", "Sum", "Per", "second"]
    assert lines[-1] == "each CPU's rates: from 66 columns on"
    assert [line.split()[0] for line in lines[3:5]] == ["total", "mmio"]
    assert "11 reasons without an exit" in lines and len(lines) < 19
    t.resize(20, 66)
    t.process.send_signal(signal.SIGWINCH)
    assert len(t.screen()) < 20


def test_live_view_ends_with_the_cell(cli, terminal):
    contract(cli)
    t = terminal(24, 80, "cell", "stats", "-w", "rt")
    t.screen()
    (cli.sysfs / "cells/1").rename(cli.sysfs / "gone")
    assert 'cell 1 "rt" is gone' in t.process.communicate(timeout=60)[1]
    assert t.process.returncode == NO_CELL
    assert t.read("1049l").endswith("\033[?7h\033[?25h\033[?1049l")


def test_a_terminal_that_cannot_move_its_cursor_gets_blocks(cli, terminal):
    contract(cli)
    t = terminal(24, 80, "cell", "stats", "-w", "rt", kind="dumb")
    said = t.read("over_budget") + t.read("over_budget")
    assert "\033" not in said and said.count("Exits of cell") == 2
    assert t.end(signal.SIGTERM) == 0


def test_list_marks_a_cell_over_its_contract(cli):
    folder = contract(cli)
    assert "over contract" not in cli.run("cell", "list").stdout
    count(folder, "over_budget", 2)
    lines = cli.run("cell", "list").stdout.splitlines()
    assert lines[2].startswith("1       rt ") and " running (over contract) 2,3" in lines[2]
    assert "over contract" not in lines[1]
    assert lines[0].index("Assigned CPUs") == lines[2].index("2,3")


@pytest.mark.parametrize("reference", [["7"], ["none"], ["--name", "0"]])
def test_stats_of_no_cell_names_those_there_are(cli, reference):
    cli.enabled()
    cli.cell(0, "root", "running", "0")
    cli.cell(3, "rt", "running", "1")
    r = cli.run("cell", "stats", *reference)
    assert r.returncode == NO_CELL and "there are: 0 root, 3 rt" in r.stderr


def test_console_prints_all(cli):
    text = "".join(f"line {n}\n" for n in range(10000))
    cli.device.write_text(text)
    assert cli.run("console").stdout == text


def test_output_that_cannot_be_written_is_an_error(cli):
    with open("/dev/full", "w") as full:
        r = subprocess.run([str(cli.binary), "--help"], stdout=full, stderr=subprocess.PIPE)
    assert r.returncode == OTHER


def test_python_part_is_started_with_its_arguments(cli, tmp_path):
    package = tmp_path / "jailhouse"
    package.mkdir()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:]); sys.exit(7)\n")
    r = cli.run("config", "build", "a b", "--help", JAILHOUSE_PYTHONPATH=str(tmp_path))
    assert r.returncode == 7 and r.stdout == "['config', 'build', 'a b', '--help']\n"


def test_python_part_missing(cli, tmp_path):
    r = cli.run("config", "build", "x", JAILHOUSE_PYTHONPATH=str(tmp_path))
    assert r.returncode == OTHER and "JAILHOUSE_PYTHONPATH" in r.stderr


def test_python_missing(cli, tmp_path):
    (tmp_path / "jailhouse").mkdir()
    (tmp_path / "jailhouse/__main__.py").write_text("")
    r = cli.run("config", "build", "x", JAILHOUSE_PYTHONPATH=str(tmp_path), PATH=str(tmp_path))
    assert r.returncode == OTHER and "python3" in r.stderr
