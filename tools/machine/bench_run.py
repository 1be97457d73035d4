# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's machines: one tick of the counter is one instruction, and nothing of this
machine's own time gets in."""

import os
import platform
import re
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import paths, rootfs
from .bench_target import BENCH
from .target import TARGET

CROSS = os.environ.get("CROSS_COMPILE", "" if platform.machine() == BENCH.gnu else f"{BENCH.gnu}-linux-gnu-")
COUNTER_HZ = 1_000_000_000
CLOCK = ("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm")
QEMU = (TARGET.qemu, "-cpu", BENCH.cpu, "-smp", "4", "-m", "2G", "-display", "none", "-monitor", "none",
        "-nic", "none", "-no-reboot", *CLOCK)
RUN_SECONDS = 280.0
CMDLINE = 0x1000


class BenchError(Exception):
    """It could not be measured; the text says what and how to go on."""


def tool(name: str, *arguments: object) -> str:
    """What a program of the cross compiler's prints."""
    command = [CROSS + name, *(str(argument) for argument in arguments)]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise paths.MissingError(f"{command[0]} is missing: run 'make setup' (as root)") from None
    except subprocess.CalledProcessError as error:
        raise BenchError(f"'{' '.join(command)}' failed: {error.stderr.strip()}") from error


def run_qemu(arguments: Iterable[str], console: Path, until: str, seconds: float = RUN_SECONDS) -> str:
    """What the machine printed by the time it said `until` on a line. It reads no input. The
    second UART is there, and nothing is connected to it."""
    command = [*QEMU, "-serial", f"file:{console}", "-serial", "null", *arguments]
    console.write_text("")
    deadline = time.monotonic() + seconds
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise paths.MissingError(f"{TARGET.qemu} is missing: run 'make setup {TARGET.make}' (as root)") from None
    with process:
        while True:
            over = ended(process, console, deadline)
            said = console.read_text(errors="replace").replace("\r", "")
            if re.search(rf"^{until}$", said, re.MULTILINE):
                return settled(process, console)
            if over:
                process.kill()
                raise BenchError(f"the measured machine did not finish ({over}{process.communicate()[1].strip()}); it "
                                 "said last:\n" + "\n".join(said.splitlines()[-15:]))
            time.sleep(0.1)


def ended(process: subprocess.Popen[str], console: Path, deadline: float) -> str:
    """Why it says nothing more; nothing if it may."""
    if process.poll() is not None:
        return "QEMU ended "
    if time.monotonic() > deadline:
        return "no end in time"
    fault = re.search(r"jailhouse BUG|Kernel panic|Internal error: ", console.read_text(errors="replace"))
    if fault is None:
        return ""
    # What it is comes behind it
    time.sleep(1)
    return fault[0]


def settled(process: subprocess.Popen[str], console: Path) -> str:
    """Linux powers itself off; a bare program goes on for ever."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    return console.read_text(errors="replace").replace("\r", "")


def run_root(script: str, kernel: str, folder: Path, plugin: str = "",
             files: Mapping[str, bytes | Path] | None = None) -> str:
    """A script in Linux, which ends with `@end`. plugin: count.so's arguments."""
    # What the console's driver has not sent yet is lost with the machine's power
    more = {**(files or {}), "bin/agent": f"({script})\nsleep 1\n".encode()}
    initrd = rootfs.write(folder / "initrd.cpio", rootfs.image(kernel, files=more))
    counting = ("-plugin", f"{build_plugin(folder)},{plugin}") if plugin else ()
    return run_qemu((*BENCH.root_machine, "-kernel", str(paths.kernel_image(kernel)), "-initrd", str(initrd),
                     "-append", f"{BENCH.append} agent", *counting), folder / "console", "@end")


# --- the bare machine -----------------------------------------------------------------

def comm_page() -> bytes:
    """What a program finds besides itself: the board's UART and what it has for interrupts and
    timers (include/abi/comm.h)."""
    return (struct.pack("<6sH4I", b"JHCOMM", 2, 0, 0, 0, 0) + BENCH.comm_console).ljust(4096, b"\0")


def link_bare(objects: Iterable[Path], cmdline: str, out: Path) -> Path:
    """The same program, linked for the bare machine's memory, its command line in it."""
    library = sorted((paths.BUILD / "inmates").glob("lib/**/*.o"))
    elf, image = out / "bare.elf", out / "bare.bin"
    tool("ld", "-nostdlib", "--gc-sections", "-z", "noexecstack", "--no-warn-rwx-segments", "--build-id=none",
         "-T", paths.TOP / "inmates" / "lib" / TARGET.name / "inmate.lds", *BENCH.link,
         *objects, *library, "-o", elf)
    tool("objcopy", "-O", "binary", elf, image)
    content = bytearray(image.read_bytes())
    text = cmdline.encode() + b"\0"
    content[CMDLINE:CMDLINE + len(text)] = text
    image.write_bytes(content)
    return image


def bench_objects() -> list[Path]:
    """Of the benchmark's program."""
    # What is left of a source that is no more is none of it
    objects = sorted(found for found in (paths.BUILD / "inmates" / "bench").rglob("*.o")
                     if (paths.TOP / found.relative_to(paths.BUILD).with_suffix("")).is_file())
    if not objects:
        raise paths.MissingError(f"build/{TARGET.name}/inmates/bench is missing: run 'make inmates {TARGET.make}'")
    return objects


def run_bare(cmdline: str, until: str) -> str:
    """The benchmark's program on the machine without anything under it."""
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        image = link_bare(bench_objects(), cmdline, folder)
        comm = folder / "comm.bin"
        comm.write_bytes(comm_page())
        return run_qemu((*BENCH.bare_machine, *BENCH.start(image, folder), "-device",
                         f"loader,file={comm},addr={BENCH.comm:#x},force-raw=on"), folder / "console", until)


# --- the counting plugin --------------------------------------------------------------

def symbols(elf: Path) -> dict[str, int]:
    """Addresses, without what link-time optimisation puts behind a name."""
    lines = (line.split() for line in tool("nm", elf).splitlines())
    return {words[2].split(".")[0]: int(words[0], 16) for words in lines
            if len(words) == 3 and words[1] not in "wWvV"}


def opcode(elf: Path, address: int) -> str:
    """The instruction's first 4 bytes, or all if it is shorter, as a number that lies in memory."""
    listing = tool("objdump", "-d", "-w", f"--start-address={address:#x}", f"--stop-address={address + 16:#x}", elf)
    found = re.search(rf"^\s*{address:x}:\t([0-9a-f ]+)", listing, re.MULTILINE)
    if not found:
        raise BenchError(f"{elf.name} has no instruction at {address:#x}")
    # One word, or one byte after the other
    units = found[1].split()[:4]
    return f"{sum(int(unit, 16) << 8 * i for i, unit in enumerate(units)):x}"


def mark(name: str, elf: Path, address: int) -> str:
    return f"mark={name}:{address:x}:{opcode(elf, address)}"


def build_plugin(folder: Path) -> Path:
    plugin = folder / "count.so"
    compiler = os.environ.get("HOSTCC", "gcc")
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
               "-fvisibility=hidden", "-o", str(plugin), str(paths.TOP / "tools" / "machine" / "count.c")]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"the counting plugin is not built ({error}): run 'make setup' (as root)") from error
    return plugin
