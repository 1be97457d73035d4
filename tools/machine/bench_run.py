# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's machines: one tick of the counter is one instruction, and nothing of this
machine's own time gets in."""

import os
import re
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import paths, rootfs

CROSS = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")
COUNTER_HZ = 1_000_000_000
CPU = f"cortex-a72,cntfrq={COUNTER_HZ}"
CLOCK = ("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm")
QEMU = ("qemu-system-aarch64", "-cpu", CPU, "-smp", "4", "-m", "2G", "-display", "none", "-monitor", "none",
        "-nic", "none", "-no-reboot", *CLOCK)
RUN_SECONDS = 280.0
# Where the bare machine runs a program; it starts with its device tree
BASE = 0x4020_0000
CMDLINE = 0x1000
COMM = 0x8000_0000


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
        raise paths.MissingError("qemu-system-aarch64 is missing: run 'make setup' (as root)") from None
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
    return run_qemu(("-M", "virt,virtualization=on,gic-version=3,dtb-randomness=off",
                     "-kernel", str(paths.kernel_image(kernel)), "-initrd", str(initrd), "-append",
                     "console=ttyAMA0 mem=1792M kvm-arm.mode=nvhe kvm-arm.mode=none quiet agent",
                     *counting), folder / "console", "@end")


# --- the bare machine -----------------------------------------------------------------

def comm_page() -> bytes:
    """What a program finds at COMM: the board's UART and GICv3 (include/abi/comm.h)."""
    page = struct.pack("<6sH4I", b"JHCOMM", 2, 0, 0, 0, 0)
    page += struct.pack("<QIHHIIQ", 0x0900_0000, 0x1000, 3, 1, 0, 0, 0)
    page += struct.pack("<QB7xQQQII", 0, 3, 0x0800_0000, 0, 0x080a_0000, 0, 0)
    return page.ljust(4096, b"\0")


def link_bare(objects: Iterable[Path], cmdline: str, out: Path) -> Path:
    """The same program, linked for the bare machine's memory, its command line in it."""
    library = sorted((paths.BUILD / "inmates").glob("lib/**/*.o"))
    elf, image = out / "bare.elf", out / "bare.bin"
    tool("ld", "-nostdlib", "--gc-sections", "-z", "noexecstack", "--no-warn-rwx-segments", "--build-id=none",
         "-T", paths.TOP / "inmates" / "lib" / "arm64" / "inmate.lds", f"--defsym=BASE={BASE:#x}",
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
        raise paths.MissingError("build/arm64/inmates/bench is missing: run 'make inmates'")
    return objects


def run_bare(cmdline: str, until: str) -> str:
    """The benchmark's program at EL1 of the machine without anything under it."""
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        image = link_bare(bench_objects(), cmdline, folder)
        comm = folder / "comm.bin"
        comm.write_bytes(comm_page())
        return run_qemu(("-M", "virt,gic-version=3,dtb-randomness=off", "-device",
                         f"loader,file={image},addr={BASE:#x},force-raw=on", "-device",
                         f"loader,addr={BASE:#x},cpu-num=0", "-device",
                         f"loader,file={comm},addr={COMM:#x},force-raw=on"), folder / "console", until)


# --- the counting plugin --------------------------------------------------------------

def symbols(elf: Path) -> dict[str, int]:
    """Addresses, without what link-time optimisation puts behind a name."""
    lines = (line.split() for line in tool("nm", elf).splitlines())
    return {words[2].split(".")[0]: int(words[0], 16) for words in lines
            if len(words) == 3 and words[1] not in "wWvV"}


def opcode(elf: Path, address: int) -> str:
    listing = tool("objdump", "-d", f"--start-address={address:#x}", f"--stop-address={address + 4:#x}", elf)
    found = re.search(rf"^\s*{address:x}:\s+([0-9a-f]{{8}})", listing, re.MULTILINE)
    if not found:
        raise BenchError(f"{elf.name} has no instruction at {address:#x}")
    return found[1]


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
