# SPDX-License-Identifier: GPL-2.0-only
"""A cell is shown what it can have of the CPU, and what it is not shown it does not miss."""

import re

import pytest
from conftest import Root

from machine.target import TARGET

# Words for Linux's command line, and what a cell must find in the ID registers
SWITCHES = {
    "all": ("", r"sve=[1-9]\d* sme=[1-9]\d*"),
    "nosve-nosme": (" arm64.nosve arm64.nosme", "sve=0 sme=0"),
}


@pytest.mark.parametrize("switched", SWITCHES)
def test_features_follow_linux(boot, blobs, say, switched):
    """What Linux was told not to use stays off for EL1: cells run without it, twice over."""
    append, shown = SWITCHES[switched]
    root = Root(boot(cpu="max", append=TARGET.append + append, files=blobs))
    root.run_cell("a", "features")
    # A WFIT that is shown returns, or this is not said
    root.expect(r"^\[a\] features: done$", 30)
    said = root.said()
    line = re.search(r"^\[a\] features: shown (.*)$", said, re.MULTILINE)
    assert line and re.fullmatch(rf"{shown} wfxt=\d+", line[1]), said
    say(line[0])
    assert "is not there" not in said
    assert line[1].endswith("wfxt=0") or "features: wfit returned" in said
    for image, ends in (("regs", "regs: clean"), ("isv", r"isv: ok \d+ forms"), ("regs", "regs: clean")):
        root.stop("a")
        root.rerun("a", image)
        root.expect(rf"^\[a\] {ends}$")
    root.destroy("a")
    assert root.timers_run() == 4
    root.jailhouse("disable")
    assert not root.state().complaints
