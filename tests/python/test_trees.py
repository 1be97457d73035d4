# SPDX-License-Identifier: GPL-2.0-only
"""The device trees of a thousand boards, as Debian's kernel brings them: each is described, or refused with a reason."""

import re
from collections import Counter

import pytest
from conftest import ROOT
from trees import Said, check

from jailhouse.probe.description import Refused
from jailhouse.probe.from_tree import describe_tree

TREES = ROOT / "build/arm64/linux/6.12/dtb"
# What a boot loader would have put into the tree. No board has a device there
RAM = b"8000000000-803fffffff : System RAM\n"
# How a board is refused, without what is its own
REASONS = ("a GICv2 is not served", "the machine has no GICv3", "is not served", "the redistributors are in",
           "and the GIC's registers")


@pytest.mark.skipif(not TREES.is_dir(), reason="make setup ARCH=arm64 has not unpacked them")
def test_every_board(request: pytest.FixtureRequest) -> None:
    counts: Counter[str] = Counter()
    for path in sorted(TREES.rglob("*.dtb")):
        try:
            description = describe_tree(Said({"sys/firmware/fdt": path.read_bytes(), "proc/iomem": RAM}))
            check(description)
        except Refused as refused:
            counts[next((r for r in REASONS if r in refused.what), f"{path.name}: {refused}")] += 1
            continue
        except Exception as error:
            raise AssertionError(path) from error
        filled = any("says no RAM" in note for note in description.notes)
        counts["described" + (", with the RAM that its boot loader would fill in" if filled else "")] += 1
        counts["devices"] += len(description.devices)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("".join(f"\n    {count:6} {reason}" for reason, count in counts.most_common()), flush=True)
    assert {re.sub(", .*", "", reason) for reason in counts} <= {"described", "devices", *REASONS}
    assert counts["described"] > 200 and counts["devices"] > 40_000
