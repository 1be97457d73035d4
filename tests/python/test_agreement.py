# SPDX-License-Identifier: GPL-2.0-only
"""
The checker and the hypervisor of plans that something was done to at random: what the hypervisor refuses, the checker
refused; and what the checker refuses, the hypervisor refuses as well, but for what it cannot know.
"""

import copy
import re
import struct
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import intents
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mutations import Plan, mutate
from specs import Spec, systems
from verdict import SLOW_IS_FINE, checked, hypervisor_says

from jailhouse.config.command import checked_system
from jailhouse.config.expansion import expansion
from jailhouse.config.model import System

# What the hypervisor cannot refuse as it is in no file: errors of the checker's, and why they are about that
UNKNOWN = {
    # Of the machine a file has what is given away, and the interrupt controllers
    r"is not within the (machine's RAM|RAM of machine)": "what is RAM",
    r"^RAM: (start|size) ": "RAM that is nobody's",
    r"^RAM \S+ ends above the \d+ address bits": "RAM that is nobody's",
    r"^\S+( \w+)? \S+ and RAM \S+ \(.*\) overlap|^RAM \S+ and .* overlap": "RAM that is nobody's",
    r"^(cells' RAM|hypervisor) \S+ and f\d+ \S+ \(.*\) overlap|^f\d+ \S+ and (cells' RAM|hypervisor) ": "what firmware keeps",
    r"^(ports of )?d\d-\d\S* .*and d\d-\d\S* .*overlap": "which of an owner's devices has which of its pages or ports",
    r'^device "d\d-\d": PCI function \S+ is device ': "which of an owner's devices is which of its functions",
    r'^device "d\d-\d": (port|interrupt) \S+ is (mediated|none of the machine)': "what a device of the root cell's has",
    r'^machine "[^"]*": console "\S+" is no device': "a console without a UART",
    # The root cell has all that no cell has; what its devices are is not said
    r'^(interrupt|port|PCI function) .* root cell "[^"]*", device ': "what of it a device of the root cell's uses",
    r' root cell "[^"]*", device "d\d-\d" .*have registers on the same page': "what of it a device of the root cell's uses",
    # Names are not there, sets have everything once
    r': machine "[^"]*" has no device ': "devices that are not there",
    r'device "d\d-\d" stands there twice': "how often",
    r"CPU \d+ again: ": "how often",
    r'shared "[^"]*" stands there twice': "a region by its name",
    r': console "[^"]*" is no UART (of its own|that is known)': "a console without a UART",
    r"two memory regions are called ": "what is unclear to people only",
    r"there is no shared region ": "a use without a region",
    r"fit nowhere in the cells' RAM": "a region without a place",
    r'^shared "[^"]*", memory \(.*\) and shared "[^"]*", memory overlap in host': "shared regions by their names",
    r'device "d\d-\d" cannot be moved': "which pages are a PCI function's, and a device that has none",
    r"`renumber`: line \d+ is not the cell's": "lines that are not the cell's",
    r": line \d+ is renumbered to \d+ and `interrupts` is ": "lines that are not the cell's",
    # The hypervisor counts exits, and does not know what a program will do
    r': exits are "none" ': "what a program will do",
    r"(is for booting already|is not in memory .* which is for booting)": "what `cell load` will do",
    r"^cell .*: (\S+ is no multiple of 64K|it reaches beyond)": "what `cell load` will do",
    # What cannot be read is left out
    r"^\S+( \S+)?: `(cpus|lines|interrupts|interrupt|renumber|threads|clusters|uart|access)`: ": "what could not be read",
    r": uart: `(interrupt|line)`: \d+ is no line": "what could not be read",
    r": shared\[\d+\]: `access`: ": "what could not be read",
    r"^gic: `gic[dr]`: 0x0 is no place": "two zeros: where the machine has them",
    r"`(settle_ms|on_violation)` without a limit on exits": "what means nothing",
    r": \S+ \+ \S+ wraps$": "what could not be read",
}


def unknown(what: str, system: System | None) -> bool:
    """Shared regions that no cell uses are in no file, either."""
    used = {r.shared for c in system.cells for r in c.memory} if system else set()
    named = re.findall(r'shared "([^"]*)"', what)
    return any(re.search(pattern, what) for pattern in UNKNOWN) or any(name not in used for name in named)


def planned(base: Any, folder: Path) -> Plan | None:
    """With everything said that was found; None: there is not enough of something."""
    file = base.write(folder) if isinstance(base, Spec) else intents.write(folder, base[0], **base[1])
    system, _ = checked_system(str(file))
    if system is None:
        return None
    return Plan(tomllib.loads((folder / "board.toml").read_text()), tomllib.loads(expansion(str(file), system, str(folder))))


def verdict(tool: Path, system: System | None, folder: Path) -> str:
    """Of a text from which no files can be made there is none."""
    if system is None or system.machine.platform is None or system.open:
        return "no files"
    try:
        return hypervisor_says(tool, system, folder)
    except (OverflowError, struct.error):
        return "no files"


@settings(SLOW_IS_FINE, max_examples=150)
@given(base=st.one_of(systems("x86_64"), systems("arm64"), systems(), intents.intents()), data=st.data())
def test_both_say_the_same(admit_tool: Path, base: Any, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = planned(base, folder)
        assume(plan is not None)
        for _ in range(3):
            mutant = copy.deepcopy(plan)
            assert mutant is not None
            for _ in range(data.draw(st.integers(1, 3))):
                mutate(data.draw, mutant)
            agree(admit_tool, mutant, folder)


def agree(tool: Path, plan: Plan, folder: Path) -> None:
    system, problems = checked(plan.write(folder))
    says = verdict(tool, system, folder / "out")
    told = (folder / "board.toml").read_text() + (folder / "system.toml").read_text()
    errors = [p for p in problems if not p.warning]
    assert says == "ok" or errors, f"{says}\n{told}"
    unexplained = [str(p) for p in errors if says == "ok" and not unknown(p.what, system)]
    assert not unexplained, "\n".join([*unexplained, told])
