# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark of the architecture that is meant (target.py)."""

from . import bench_arm64, bench_x86_64
from .bench_arch import Bench
from .target import TARGET

BENCHES = {"arm64": bench_arm64.BENCH, "x86_64": bench_x86_64.BENCH}
BENCH: Bench = BENCHES[TARGET.name]
