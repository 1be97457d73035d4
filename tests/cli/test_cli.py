# SPDX-License-Identifier: GPL-2.0-only
"""The jailhouse command on the build host, with a device and a sysfs made of files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FLAGS = (
    "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wswitch-enum -Wmissing-prototypes "
    "-Wstrict-prototypes -Wshadow -Werror -g -fsanitize=address,undefined "
    "-fno-sanitize-recover=all"
).split()

OTHER, USAGE, ABSENT, NO_CELL, SPACE = 1, 2, 3, 4, 8


class Command:
    """The command, built so that it looks for its device and sysfs below `place`."""

    def __init__(self, place: Path):
        self.place = place
        self.device = place / "device"
        self.sysfs = place / "sysfs"
        self.binary = place / "jailhouse"
        (place / "version.h").write_text('#define JAILHOUSE_VERSION "1.2-test"\n')
        sources = sorted((TOP / "tools/jailhouse-cli").glob("*.c"))
        subprocess.run(
            [
                "gcc", *FLAGS, f"-I{TOP}/include", f"-I{place}",
                f'-DJAILHOUSE_DEVICE="{self.device}"', f'-DJAILHOUSE_SYSFS="{self.sysfs}"',
                *map(str, sources), "-o", str(self.binary),
            ],
            check=True,
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self.binary), *words], capture_output=True, text=True, timeout=30,
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
    for word in ("enable", "cell create", "cell load", "config", "Exit status:"):
        assert word in r.stdout
    for status in range(10):
        assert f"\n  {status}  " in r.stdout
    assert "cell linux" not in r.stdout


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
    (["console", "-x"], "does not take: -x"),
    (["console", "-f", "-f"], "does not take: -f"),
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
