# SPDX-License-Identifier: GPL-2.0-only
"""Where the build leaves what an emulated machine needs."""

from pathlib import Path

from .target import TARGET

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build" / TARGET.name
KERNELS = ("6.1", "6.1-rt", "6.12", "6.12-rt")


class MissingError(Exception):
    """Something was not built or fetched yet; the text says how to get it."""


def kernel_release(name: str) -> str:
    """The release behind a short name (6.12) or a release itself."""
    folder = BUILD / "linux" / name
    if not (folder / "vmlinuz").is_file():
        raise MissingError(f"kernel {name} was not fetched: run 'make setup-all {TARGET.make}' (as root)")
    return folder.resolve().name


def kernel_image(name: str) -> Path:
    return BUILD / "linux" / kernel_release(name) / "vmlinuz"


def built(path: Path, how: str) -> Path:
    """`path`, which must exist; `how` is the make target that builds it."""
    if not path.exists():
        raise MissingError(f"{path.relative_to(TOP)} is missing: run 'make {how} {TARGET.make}'")
    return path


def kernel_module(name: str, module: str) -> Path:
    """One of the modules that the set-up took from the kernel's package."""
    return BUILD / "linux" / kernel_release(name) / "modules" / f"{module}.ko"
