# SPDX-License-Identifier: GPL-2.0-only
"""
What a device does not work without: who provides its clocks, resets, power and so on.

A provider is a node. The device that has it is the node itself, or the nearest one above it that is a device: pins
belong to the pin controller above their node, a regulator on an I2C bus to the I2C controller. What has no device above
it (an oscillator, a regulator that a GPIO switches, a node without registers) needs what it refers to itself, and that
is what is needed. Firmware (PSCI, SCMI) is nobody's device.

A device below another needs that one ("bus"), and what runs the buses between them, which have no registers.
"""

import re
from collections.abc import Iterator

from jailhouse.probe.description import Need, Refused
from jailhouse.probe.tree import Flaw, Node, Tree
from jailhouse.probe.tree_interrupts import Interrupts

# Property: what it is called in a Need, the property of the provider that says how many arguments
_LISTS = {
    "clocks": ("clocks", "#clock-cells"),
    "resets": ("resets", "#reset-cells"),
    "power-domains": ("power-domains", "#power-domain-cells"),
    "phys": ("phys", "#phy-cells"),
    "dmas": ("dmas", "#dma-cells"),
    "mboxes": ("mboxes", "#mbox-cells"),
    "hwlocks": ("hwlocks", "#hwlock-cells"),
    "interconnects": ("interconnects", "#interconnect-cells"),
    "io-channels": ("io-channels", "#io-channel-cells"),
    "pwms": ("pwms", "#pwm-cells"),
}
# Names of properties that refer to a block of registers of several drivers', by which nothing but the name says so
_SHARED = re.compile(r"syscon|regmap|[,-](?:grf|pmugrf|pmu|gpr|syscfg|sysreg|sysctrl)$")
# What a bus is run by. What else stands there (a number of the chip's, in nvmem-cells) is for the bus's own driver
_OF_BUSES = {"clocks", "resets", "power-domains"}
_FIRMWARE = ("arm,psci", "arm,scmi", "arm,scpi", "linaro,optee-tz")
_VISITS_MAX = 1 << 15	# for a whole tree; the boards known take less than a thousand


def references_of(tree: Tree, node: Node, notes: list[str]) -> Iterator[tuple[str, Node]]:
    """What for, and the provider."""
    for key in node.properties:
        if _SHARED.search(key) and (shared := _shared(tree, node, key)) is not None:
            yield "syscon", shared
        what, count_key, default = _meaning(key)
        if what is None:
            continue
        try:
            for reference in tree.references(node, key, count_key, default):
                yield what, reference.node
        except Flaw as flaw:
            notes.append(str(flaw))


def _shared(tree: Tree, node: Node, key: str) -> Node | None:
    try:
        target = tree.pointer(node, key)
    except Flaw:
        return None
    return target if target is not None and "syscon" in target.compatible else None


def _meaning(key: str) -> tuple[str | None, str | None, int | None]:
    if key in _LISTS:
        return (*_LISTS[key], None)
    if key == "nvmem-cells":
        return "nvmem", "#nvmem-cell-cells", 0
    if key.startswith("pinctrl-") and key[8:].isdecimal():
        return "pinctrl", None, None
    if key.endswith("-supply"):
        return "supply", None, None
    named = key in ("gpio", "gpios") or key.endswith(("-gpio", "-gpios"))
    # nr-gpios says how many there are
    if named and not key.endswith("nr-gpios"):
        return "gpios", "#gpio-cells", None
    return None, None, None


class Needs:
    """names: each node that is a device or part of one, with the device's name."""

    def __init__(self, tree: Tree, names: dict[Node, str], gic: Node, interrupts: Interrupts) -> None:
        self.tree = tree
        self.names = names
        self.gic = gic
        self.interrupts = interrupts
        self._visits = 0
        self._firmware = tree.root.child("firmware")
        self._reached: dict[Node, tuple[str, ...]] = {}

    def of(self, nodes: list[Node], notes: list[str]) -> tuple[Need, ...]:
        """All nodes of one device."""
        own = self.names[nodes[0]]
        found: dict[Need, None] = {}
        for node in nodes:
            for what, provider in self._direct(node, notes):
                for name in self._devices(provider):
                    if name != own:
                        found[Need(what, name)] = None
        return tuple(found)

    def _direct(self, node: Node, notes: list[str]) -> Iterator[tuple[str, Node]]:
        yield from references_of(self.tree, node, notes)
        yield from self._controllers(node)
        for above in list(node.ancestry())[1:]:
            if above in self.names:
                yield "bus", above
                return
            yield from (found for found in references_of(self.tree, above, []) if found[0] in _OF_BUSES)

    def _controllers(self, node: Node) -> Iterator[tuple[str, Node]]:
        """A Flaw in them is said where the interrupts are."""
        try:
            for interrupt in self.interrupts.of(node):
                if interrupt.controller is not self.gic:
                    yield "interrupts", interrupt.controller
        except Flaw:
            return

    def _devices(self, provider: Node) -> tuple[str, ...]:
        """Those that have it, or that it needs itself where none has it."""
        if provider not in self._reached:
            self._reached[provider] = tuple(self._search(provider))
        return self._reached[provider]

    def _is_firmware(self, node: Node) -> bool:
        return any(above is self._firmware or any(c.startswith(_FIRMWARE) for c in above.compatible)
                   for above in node.ancestry())

    def _search(self, provider: Node) -> Iterator[str]:
        left, seen = [provider], {provider}
        while left:
            node = left.pop()
            self._visits += 1
            if self._visits > _VISITS_MAX:
                raise Refused(f"{self.tree.source}: nodes without registers refer to one another without end",
                              f"{_VISITS_MAX} steps did not find what provides all clocks, supplies and the like",
                              "correct the tree: take that of the running machine, /sys/firmware/fdt")
            if not node.enabled or self._is_firmware(node):
                continue
            above = list(node.ancestry())
            device = next((n for n in above if n in self.names), None)
            if device is not None:
                yield self.names[device]
                continue
            further = [n for at in above for _, n in references_of(self.tree, at, [])]
            further += [n for at in above for _, n in self._controllers(at)]
            new = [n for n in dict.fromkeys(further) if n not in seen]
            seen.update(new)
            left += reversed(new)
