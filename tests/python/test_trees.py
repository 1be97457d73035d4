# SPDX-License-Identifier: GPL-2.0-only
"""The device trees of a thousand boards, of Debian's kernel: each is described, or refused with a reason."""

from collections import Counter

import pytest
from conftest import ROOT
from trees import Said, check

from jailhouse.probe.description import Refused
from jailhouse.probe.from_tree import describe_tree

TREES = ROOT / "build/arm64/linux/6.12/dtb"
# What a boot loader would have put into the tree. No board has a device there
RAM = b"8000000000-803fffffff : System RAM\n"
# What a refusal says, and what is counted
REASONS = {
    "a GICv2 is not served": "have a GICv2",
    "the machine has no GICv3": "have an older interrupt controller",
    "a redistributor every": "have redistributors further apart than is served",
    "the redistributors are in": "have redistributors in several places",
    "and the GIC's registers": "have a tree with RAM where the GIC is",
}
DESCRIBED, FILLED, DEVICES = "described", "described, with RAM that the boot loader fills in", "devices of theirs"


@pytest.mark.skipif(not TREES.is_dir(), reason="make setup ARCH=arm64 has not unpacked them")
def test_every_board(request: pytest.FixtureRequest) -> None:
    counts: Counter[str] = Counter()
    for path in sorted(TREES.rglob("*.dtb")):
        try:
            description = describe_tree(Said({"sys/firmware/fdt": path.read_bytes(), "proc/iomem": RAM}))
            check(description)
        except Refused as refused:
            counts[next((said for r, said in REASONS.items() if r in refused.what), f"{path.name}: {refused}")] += 1
            continue
        except Exception as error:
            raise AssertionError(path) from error
        filled = any("says no RAM" in note for note in description.notes)
        counts[FILLED if filled else DESCRIBED] += 1
        counts[DEVICES] += len(description.devices)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("".join(f"\n    {count:6} {reason}" for reason, count in counts.most_common()), flush=True)
    assert set(counts) <= {DESCRIBED, FILLED, DEVICES, *REASONS.values()}
    assert counts[DESCRIBED] > 200 and counts[FILLED] > 300 and counts[DEVICES] > 40_000
