# SPDX-License-Identifier: GPL-2.0-only
"""What `make demo` runs once everything is built."""

import os
import re
import subprocess
import sys

from machine import paths
from machine.demo import CONFIGS, GUESTS
from machine.target import TARGET

# A program of other people's has a cell there
GUEST = GUESTS.get(TARGET.name)
STEPS = tuple(step for step in (
    "boot Linux, unpatched",
    f"jailhouse enable {CONFIGS}/system.cell",
    f"jailhouse cell create {CONFIGS}/rtos.cell",
    f"jailhouse cell create {CONFIGS}/compute.cell",
    GUEST and f"jailhouse cell create {CONFIGS}/guest.cell",
    "jailhouse cell load rtos /inmates/latency.bin",
    "jailhouse cell load compute /inmates/compute.bin",
    GUEST and GUEST.load,
    "jailhouse cell start rtos",
    "jailhouse cell start compute",
    GUEST and "jailhouse cell start guest",
    "both cells of ours run at once and report",
    GUEST and "jailhouse console guest: ",
    "jailhouse cell list",
    "jailhouse cell stats rtos",
    "jailhouse cell stats compute",
    "jailhouse cell shutdown rtos",
    "jailhouse cell destroy rtos",
    "jailhouse cell shutdown compute",
    "jailhouse cell destroy compute",
    GUEST and "jailhouse cell destroy guest",
    "jailhouse disable",
    "Linux has every CPU and every byte again",
    GUEST and "The guest, which knows nothing of cells, said:",
) if step)


def test_demo_tells_its_story(say):
    log = paths.BUILD / "tests" / "test_demo.log"
    result = subprocess.run(
        [sys.executable, "-m", "machine.demo", "--log", str(log)], capture_output=True, text=True,
        timeout=420, cwd=paths.TOP, env={**os.environ, "PYTHONPATH": str(paths.TOP / "tools")})
    assert result.returncode == 0, result.stdout + result.stderr
    at = 0
    for step in STEPS:
        found = result.stdout.find(step, at)
        assert found >= 0, f"{step!r} is missing behind {result.stdout[:at]!r} in\n{result.stdout}"
        at = found + len(step)
    buckets = re.findall(r"^  >= +\S+ \w+ +(\d+) ", result.stdout, re.MULTILINE)
    samples = re.search(r"lateness of (\d+) periods", result.stdout)
    assert samples and sum(map(int, buckets)) == int(samples[1]) > 0, result.stdout
    say(f"{len(STEPS)} steps, {samples[1]} samples in {len(buckets)} buckets")
