# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the Python tools share."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
DEMO = ROOT / "configs" / "qemu-arm64" / "demo.toml"
PC_DEMO = ROOT / "configs" / "qemu-x86_64" / "demo.toml"
# Before the cell whose CPU and memory the tests have other uses for
GUEST = "\n# For a program that was built for "
sys.path[:0] = [str(ROOT / "tools"), str(HERE)]


def compile_c(output: Path, sources: list[Path]) -> Path:
    subprocess.run(
        ["gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin",
         "-fsanitize=undefined", "-fno-sanitize-recover=all", f"-I{ROOT}/include",
         f"-I{ROOT}/hypervisor", f"-I{ROOT}/hypervisor/include", "-o", str(output),
         *map(str, sources)], check=True)
    return output


@pytest.fixture(scope="session")
def admit_tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hypervisor's own parser and ownership rules as a program; see admit_harness.c."""
    sources = [HERE / "admit_harness.c", *sorted((ROOT / "hypervisor/base").glob("*.c")),
               *sorted((ROOT / "hypervisor/config").glob("*.c"))]
    return compile_c(tmp_path_factory.mktemp("harness") / "admit", sources)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Path]:
    """
    A copy of the demo, without its guest, in which pieces of text were replaced: (old, new) in demo.toml, or in
    machine.toml where that is where `old` stands. Each must be there exactly once.
    """
    return lambda *changes: _edit(DEMO, tmp_path, changes)


@pytest.fixture
def edited_pc(tmp_path: Path) -> Callable[..., Path]:
    """The same of the demo for a PC."""
    return lambda *changes: _edit(PC_DEMO, tmp_path, changes)


def _edit(demo: Path, directory: Path, changes: tuple[tuple[str, str], ...]) -> Path:
    texts = {name: (demo.parent / name).read_text() for name in ("demo.toml", "machine.toml")}
    texts["demo.toml"] = texts["demo.toml"].split(GUEST, maxsplit=1)[0]
    for old, new in changes:
        name = next(n for n, text in texts.items() if old in text)
        assert texts[name].count(old) == 1, f"{old!r} is ambiguous"
        texts[name] = texts[name].replace(old, new)
    for name, text in texts.items():
        (directory / name).write_text(text)
    return directory / "demo.toml"
