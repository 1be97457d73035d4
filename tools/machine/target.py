# SPDX-License-Identifier: GPL-2.0-only
"""The architecture that is meant: `make` says it in the environment, as ARCH."""

import os

from . import arch_arm64, arch_x86_64
from .arch import Arch

ARCHES = {arch.name: arch for arch in (arch_arm64.ARCH, arch_x86_64.ARCH)}


def _target() -> Arch:
    name = os.environ.get("ARCH") or arch_arm64.ARCH.name
    if name not in ARCHES:
        raise SystemExit(f"ARCH={name} is not supported; {' and '.join(ARCHES)} are")
    return ARCHES[name]


TARGET = _target()
