# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse console CELL`, with the test as its terminal and as the cell."""

import os
import pty
import select
import subprocess
import time
import tty
from pathlib import Path

import pytest
from parts import FLAGS, command_parts
from test_cli import NO_CELL, USAGE

HERE = Path(__file__).resolve().parent
ESCAPE = b"\x1d"


class End:
    """One end of a terminal."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.got = b""

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def read(self, until: bytes) -> bytes:
        deadline = time.monotonic() + 20
        while until not in self.got:
            assert time.monotonic() < deadline, self.got
            if select.select([self.master], [], [], 1)[0]:
                self.got += os.read(self.master, 65536)
        said, self.got = self.got.split(until, 1)
        return said + until

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def cell():
    """Raw, as the driver's device is."""
    end = End()
    tty.setraw(end.slave)
    yield end
    end.close()


@pytest.fixture
def person():
    end = End()
    yield end
    end.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def binary(place) -> Path:
    """The command, whose device is the terminal that a link names."""
    subprocess.run(["gcc", *FLAGS, f'-DJAILHOUSE_DEVICE="{place}/device"', f'-DJAILHOUSE_SYSFS="{place}/sysfs"',
                    "-Dioctl=console_ioctl", str(HERE / "console_driver.c"), *command_parts(place), "-o",
                    str(place / "jailhouse")], check=True)
    return place / "jailhouse"


@pytest.fixture
def device(place, cell) -> None:
    (place / "device").unlink(missing_ok=True)
    (place / "device").symlink_to(os.ttyname(cell.slave))


@pytest.fixture
def start(binary, device, person):
    started = []

    def run(*words: str, stdin=None, stdout=None) -> subprocess.Popen:
        started.append(subprocess.Popen([str(binary), "console", *words], stdin=person.slave if stdin is None else stdin,
                                        stdout=person.slave if stdout is None else stdout, stderr=subprocess.PIPE))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait(60)
        process.stderr.close()


def test_a_person_talks_to_a_cell(start, cell, person):
    process = start("one")
    cell.write(b"login: ")
    assert person.read(b"login: ").endswith(b"login: ")
    # each key at once, unchanged, and echoed by nobody but the cell; Ctrl-C is the cell's
    person.write(b"ro\x03\x04\x7f\x1b[A")
    assert cell.read(b"\x1b[A") == b"ro\x03\x04\x7f\x1b[A"
    person.write(b"\r")
    cell.write(b"cell\nnext\r\n")
    assert cell.read(b"\r") == b"\r"
    # ends of lines are a terminal's, once
    assert person.read(b"next\r\r\n") == b"cell\r\nnext\r\r\n"
    person.write(b"tail" + ESCAPE + b"not this")
    assert process.wait(60) == 0
    said = process.stderr.read()
    assert b"Ctrl-] leaves" in said and b"left the console" in said
    assert cell.read(b"tail") == b"tail"


def test_the_terminal_is_as_before(start, cell, person):
    import termios
    before = termios.tcgetattr(person.slave)
    process = start("one")
    cell.write(b"hello")
    person.read(b"hello")
    assert termios.tcgetattr(person.slave)[3] != before[3]
    person.write(ESCAPE)
    assert process.wait(60) == 0
    assert termios.tcgetattr(person.slave) == before


def test_what_is_piped_in_arrives_whole(start, cell):
    text = bytes(range(256)) * 64
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as feeder:
        process = start("-i", "one", stdin=feeder.stdout, stdout=subprocess.DEVNULL)
        came = b""
        for at in range(0, len(text), 1024):
            feeder.stdin.write(text[at:at + 1024])
            feeder.stdin.flush()
            # the escape is a byte like any other here
            while len(came) < at + 1024:
                came += os.read(cell.master, 4096)
        feeder.stdin.close()
        assert process.wait(60) == 0
    assert came == text


def test_a_cell_that_takes_nothing_is_waited_for(start, cell):
    """A terminal's buffer is 4 KiB: more is tried again, in order, until it is read."""
    text = b"".join(b"%06d\n" % n for n in range(3000))
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as feeder:
        process = start("-i", "one", stdin=feeder.stdout, stdout=subprocess.DEVNULL)
        feeder.stdin.write(text)
        feeder.stdin.close()
        time.sleep(0.3)
        assert process.poll() is None
        assert cell.read(b"002999\n") == text
        assert process.wait(60) == 0


def test_in_a_pipe_it_prints_what_is_there(start, cell):
    cell.write(b"\x1b[1mraw\x00\xff\n")
    process = start("1", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    # a terminal has its characters at once
    assert process.communicate(timeout=60)[0] == b"\x1b[1mraw\x00\xff\n"
    assert process.returncode == 0


def test_no_such_cell(start):
    process = start("two")
    assert process.wait(60) == NO_CELL and process.stderr.read() == b"jailhouse: console: no cell like that\n"


@pytest.mark.parametrize("words", [["-i"], ["-a", "one"], ["one", "two"], ["-i", "-f"]])
def test_wrong_usage(binary, words):
    result = subprocess.run([str(binary), "console", *words], capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == USAGE and "usage: jailhouse console" in result.stderr
