# SPDX-License-Identifier: GPL-2.0-only
"""`config create`: where facts come from, what is written, and what is refused."""

import os
import tarfile
from pathlib import Path

import pytest
from trees import compiled, machine

from jailhouse.config.command import main
from jailhouse.probe.description import Refused
from jailhouse.probe.facts import FILE_MAX, Folder, Running, Tar, open_facts

UART = """
    serial@9000000 { compatible = "arm,pl011"; reg = <0 0x9000000 0 0x1000>; interrupts = <0 1 4>; };
    aliases { serial0 = "/serial@9000000"; };
    chosen { stdout-path = "serial0"; };"""


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    (tmp_path / "board.dtb").write_bytes(compiled(machine(UART)))
    return tmp_path / "board.dtb"


@pytest.fixture
def folder(tmp_path: Path, blob: Path) -> Path:
    tree = tmp_path / "facts" / "sys" / "firmware" / "fdt"
    tree.parent.mkdir(parents=True)
    tree.write_bytes(blob.read_bytes())
    return tmp_path / "facts"


def test_the_same_of_a_blob_a_folder_and_a_tar(tmp_path: Path, blob: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tarfile.open(tmp_path / "facts.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    texts = []
    for number, facts in enumerate((blob, folder, tmp_path / "facts.tar.gz")):
        out = tmp_path / "out" / f"{number}.toml"
        assert main(["create", "-r", str(facts), "-o", str(out)]) == 0
        assert f"{out}: board-1, arm64: 2 CPUs, 256 MiB of RAM, 1 devices" in capsys.readouterr().out
        first, text = out.read_text().split("\n", 1)
        assert facts.name in first and str(tmp_path) not in first
        texts.append(text)
        assert 'console = "serial0"' in texts[-1]
    assert len(set(texts)) == 1
    assert sorted(os.listdir(tmp_path / "out")) == ["0.toml", "1.toml", "2.toml"]


def test_a_text_that_is_there_stays(tmp_path: Path, blob: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "machine.toml"
    out.write_text("mine")
    assert main(["create", "-r", str(blob), "-o", str(out)]) == 1
    assert "it is there already" in capsys.readouterr().err and out.read_text() == "mine"
    assert main(["create", "-r", str(blob), "-o", str(out), "--force"]) == 0
    assert 'name = "board-1"' in out.read_text()


@pytest.mark.parametrize(("data", "words"), [
    (b"", "cannot be read as a tar"), (b"no tar", "cannot be read as a tar"), (b"\xd0\x0d\xfe\xed", "device tree"), (None, "cannot be read"),
])
def test_what_holds_no_facts(tmp_path: Path, data: bytes | None, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    if data is not None:
        (tmp_path / "facts").write_bytes(data)
    assert main(["create", "-r", str(tmp_path / "facts"), "-o", str(tmp_path / "out" / "machine.toml")]) == 1
    error = capsys.readouterr().err
    assert words in error and "why: " in error and "fix: " in error
    assert not (tmp_path / "out").exists()


def test_a_folder_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "-r", str(tmp_path), "-o", str(tmp_path / "machine.toml")]) == 1
    assert "neither a device tree" in capsys.readouterr().err


def test_where_nothing_can_be_written(tmp_path: Path, blob: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "-r", str(blob), "-o", str(blob / "machine.toml")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_facts_that_are_no_files(tmp_path: Path) -> None:
    """A pipe, a device, a link to nothing, a folder, and what is too long."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "lost").symlink_to("nowhere/driver-x")
    (tmp_path / "long").write_bytes(b"x" * (FILE_MAX + 1))
    facts = Folder(str(tmp_path))
    assert [facts.read(name) for name in ("pipe", "zero", "lost", ".", "none")] == [None] * 5
    assert facts.link("lost") == "driver-x" and facts.link("long") is None
    assert len(facts.read("long") or b"") == FILE_MAX
    assert facts.names("none") == [] and facts.word("none") == ""


def test_a_tar_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "value").write_text(" 12\n")
    (tmp_path / "sys" / "driver").symlink_to("../../drivers/e1000e")
    with tarfile.open(tmp_path / "facts.tar", "w") as tar:
        tar.add(tmp_path / "sys", "sys")
    facts = Tar(str(tmp_path / "facts.tar"))
    assert facts.word("sys/value") == "12" and facts.names("sys") == ["driver", "value"] == Folder(str(tmp_path)).names("sys")
    assert facts.link("sys/driver") == "e1000e" and facts.read("sys/driver") is None


def test_the_running_system() -> None:
    facts = open_facts("/")
    assert isinstance(facts, Running) and "processor" in (facts.text("proc/cpuinfo") or "")
    assert facts.read("dmesg.txt") is None or b"Linux version" in (facts.read("dmesg.txt") or b"")


def test_refused_names_the_remedy() -> None:
    refused = Refused("it is a board", "nobody knows it", "describe it")
    assert str(refused) == "it is a board\n    why: nobody knows it\n    fix: describe it"
