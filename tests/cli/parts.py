# SPDX-License-Identifier: GPL-2.0-only
"""What the command is made of, to be compiled for the build host."""

import platform
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CLI = TOP / "tools/jailhouse-cli"
FLAGS = (
    "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wswitch-enum -Wmissing-prototypes "
    "-Wstrict-prototypes -Wshadow -Werror -g -fsanitize=address,undefined "
    "-fno-sanitize-recover=all"
).split()
INCLUDE = (f"-I{TOP}/include", f"-I{TOP}/hypervisor", f"-I{CLI}")
# Architectures: what uname() calls them
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Of the hypervisor: the parser of configurations
PARSER = tuple(str(TOP / "hypervisor" / name) for name in ("config/parse.c", "base/crc.c", "base/fmt.c", "base/why.c"))


def loader(place: Path, arch: str = "arm64") -> Path:
    """What starts a cell, as bytes."""
    cross = "" if platform.machine() == MACHINES[arch] else f"{MACHINES[arch]}-linux-gnu-".replace("_", "-")
    made, image = place / "loader.o", place / "loader.bin"
    subprocess.run([f"{cross}gcc-12", f"-I{TOP}/include", "-c", str(TOP / f"inmates/loader/{arch}/loader.S"), "-o", str(made)],
                   check=True)
    subprocess.run([f"{cross}objcopy", "-O", "binary", "-j", ".text", str(made), str(image)], check=True)
    return image


def arch_words(place: Path, arch: str = "arm64") -> list[str]:
    """Words for gcc: where an architecture's headers are, and its loader."""
    return [f"-I{CLI / arch}", f'-DBOOT_LOADER="{loader(place, arch)}"']


def command_parts(place: Path, without: str = "", arch: str = "arm64") -> list[str]:
    """Words for gcc: all sources but one, with what they need."""
    (place / "version.h").write_text('#define JAILHOUSE_VERSION "1.2-test"\n')
    sources = [str(path) for path in sorted([*CLI.glob("*.c"), *CLI.glob(f"{arch}/*.c")]) if path.name != without]
    return [*INCLUDE, f"-I{place}", *arch_words(place, arch), *sources, *PARSER, "-lfdt"]


def boot_harness(place: Path) -> Path:
    """What of cell load and cell linux acts on nothing, as a program; see boot_harness.c."""
    names = ("boot", "problem", "image_elf", "arm64/arch", "arm64/image_kernel", "arm64/boot_place", "arm64/tree",
             "arm64/tree_user")
    sources = [TOP / "tests/cli/boot_harness.c", *(CLI / f"{name}.c" for name in names)]
    subprocess.run(["gcc", *FLAGS, *INCLUDE, *arch_words(place), *map(str, sources), *PARSER, "-lfdt",
                    "-o", str(place / "harness")], check=True)
    return place / "harness"
