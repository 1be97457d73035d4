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
# Of the hypervisor: the parser of configurations
PARSER = tuple(str(TOP / "hypervisor" / name) for name in ("config/parse.c", "base/crc.c", "base/fmt.c", "base/why.c"))


def loader(place: Path) -> Path:
    """What starts an arm64 cell, as bytes."""
    cross = "" if platform.machine() == "aarch64" else "aarch64-linux-gnu-"
    made, image = place / "loader.o", place / "loader.bin"
    subprocess.run([f"{cross}gcc-12", f"-I{TOP}/include", "-c", str(TOP / "inmates/loader/arm64/loader.S"), "-o", str(made)],
                   check=True)
    subprocess.run([f"{cross}objcopy", "-O", "binary", "-j", ".text", str(made), str(image)], check=True)
    return image


def command_parts(place: Path, without: str = "") -> list[str]:
    """Words for gcc: all sources but one, with what they need."""
    (place / "version.h").write_text('#define JAILHOUSE_VERSION "1.2-test"\n')
    sources = [str(path) for path in sorted(CLI.glob("*.c")) if path.name != without]
    return [*INCLUDE, f"-I{place}", f'-DBOOT_LOADER="{loader(place)}"', *sources, *PARSER, "-lfdt"]
