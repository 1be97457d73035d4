# SPDX-License-Identifier: GPL-2.0-only
"""The architectures, as the texts call them."""

from jailhouse.config.arch import Arch
from jailhouse.config.arch_arm64 import ARM64
from jailhouse.config.arch_x86_64 import X86_64

ARCHES: dict[str, Arch] = {"arm64": ARM64, "x86_64": X86_64}
