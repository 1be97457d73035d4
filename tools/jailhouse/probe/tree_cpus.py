# SPDX-License-Identifier: GPL-2.0-only
"""
The CPUs in the order of Linux's numbers, and what they share. Linux gives number 0 to the CPU that it was booted on and
the others theirs in the order of the tree (arch/arm64/kernel/smp.c).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.config import abi
from jailhouse.config.arches import ARCHES
from jailhouse.probe.description import Cache, Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.tree import Flaw, Node, Tree, number_of

_BOOTED = re.compile(r"Booting Linux on physical CPU (0x[0-9a-f]{1,16})\b")
_JOINED = re.compile(r"\bCPU([0-9]{1,4}): Booted secondary processor (0x[0-9a-f]{1,16})\b")
_CACHE_KINDS = (("data", "d-cache-size"), ("instruction", "i-cache-size"), ("unified", "cache-size"))
_LEVEL_MAX = 8

Sets = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Cpus:
    """As in Description."""
    hwids: tuple[int, ...]
    names: tuple[str, ...]
    threads: Sets
    clusters: Sets
    caches: tuple[Cache, ...]
    notes: tuple[str, ...]


def find_cpus(tree: Tree, facts: Facts) -> Cpus:
    cpus = _hwids(tree)
    notes: list[str] = []
    order = _order(cpus, facts, notes)
    numbers = {node: number for number, node in enumerate(order)}
    threads, clusters = _topology(tree, numbers, [cpus[node] for node in order], notes)
    caches = _caches(tree, numbers, notes)
    return Cpus(tuple(cpus[node] for node in order), tuple(_name(node) for node in order), threads, clusters, caches,
                tuple(notes))


def _hwids(tree: Tree) -> dict[Node, int]:
    """In the tree's order."""
    parent = tree.root.child("cpus")
    found: dict[Node, int] = {}
    for node in parent.children if parent is not None else ():
        if (node.base != "cpu" and node.strings("device_type") != ("cpu",)) or not node.enabled:
            continue
        try:
            hwid = number_of(node.cells("reg"))
            problem = ARCHES["arm64"].hwid_problem(hwid) if node.has("reg") else "it has no `reg`"
        except Flaw as flaw:
            hwid, problem = 0, str(flaw)
        if hwid in found.values():
            problem = f"another CPU has {hwid:#x} too"
        if problem:
            raise Refused(f"{tree.source}: {node.path}: which CPU that is cannot be told", problem,
                          "correct `reg` in the tree: its cells are MPIDR_EL1's affinity fields")
        found[node] = hwid
    if not found:
        raise _no_cpus(tree)
    if len(found) > abi.MAX_CPUS:
        raise Refused(f"{tree.source}: the machine has {len(found)} CPUs", f"the hypervisor serves {abi.MAX_CPUS}",
                      "boot it with fewer: disable nodes of /cpus in its tree")
    return found


def _no_cpus(tree: Tree) -> Refused:
    chosen = tree.root.child("chosen")
    if chosen is not None and chosen.has("linux,uefi-system-table"):
        return Refused(f"{tree.source}: the tree has no CPUs",
                       "the machine was booted with ACPI's tables, and the tree only says where its firmware is",
                       "boot it with its device tree (acpi=off on Linux's command line)")
    return Refused(f"{tree.source}: the tree has no CPUs", "/cpus has no enabled node of a CPU",
                   "give the tree of a whole machine; an overlay is none")


def _order(cpus: dict[Node, int], facts: Facts, notes: list[str]) -> list[Node]:
    """As /sys has them, else as the kernel's log does, else the tree."""
    named = {node.name: node for node in cpus}
    linked = [facts.link(f"sys/devices/system/cpu/cpu{number}/of_node") for number in range(len(cpus))]
    if len(named) == len(cpus) and set(linked) == set(named):
        return [named[name] for name in linked if name is not None]
    by_hwid = {hwid: node for node, hwid in cpus.items()}
    log = facts.text("dmesg.txt") or ""
    booted = [(0, int(hwid, 16)) for hwid in _BOOTED.findall(log)[:1]]
    seen = dict(booted + [(int(number), int(hwid, 16)) for number, hwid in _JOINED.findall(log)])
    if sorted(seen) == list(range(len(cpus))) and set(seen.values()) == set(by_hwid):
        return [by_hwid[seen[number]] for number in range(len(cpus))]
    first = by_hwid.get(seen[0]) if 0 in seen else None
    if first is None:
        notes.append("which CPU is Linux's 0, the one it is booted on, is not known: taken to be the tree's first")
        return list(cpus)
    return [first, *(node for node in cpus if node is not first)]


def _name(node: Node) -> str:
    """arm,cortex-a53 -> Cortex-A53"""
    if not node.compatible:
        return "unknown"
    model = node.compatible[0].rpartition(",")[2]
    return "-".join(part[:1].upper() + part[1:] for part in model.split("-"))


def _topology(tree: Tree, numbers: dict[Node, int], hwids: list[int], notes: list[str]) -> tuple[Sets, Sets]:
    parent = tree.root.child("cpus")
    top = parent.child("cpu-map") if parent is not None else None
    if top is not None:
        try:
            return _mapped(tree, top, numbers)
        except Flaw as flaw:
            notes.append(f"cpu-map cannot be meant: {flaw}")
    return (), _by_affinity(hwids, notes)


def _mapped(tree: Tree, top: Node, numbers: dict[Node, int]) -> tuple[Sets, Sets]:
    """A cluster is what has cores, whatever is around it; a core has a CPU, or threads that have."""
    threads: list[tuple[int, ...]] = []
    clusters: list[tuple[int, ...]] = []
    for node in (top, *top.below()):
        cores = [child for child in node.children if child.name.startswith("core")]
        members = [_members(tree, core, numbers) for core in cores]
        threads += [of_core for of_core in members if len(of_core) > 1]
        if any(members):
            clusters.append(tuple(sorted(n for of_core in members for n in of_core)))
    if sorted(n for cluster in clusters for n in cluster) != list(range(len(numbers))):
        raise Flaw("it does not name each CPU once")
    return tuple(sorted(threads)), tuple(sorted(clusters))


def _members(tree: Tree, core: Node, numbers: dict[Node, int]) -> tuple[int, ...]:
    """Disabled CPUs stand in it too."""
    named = (tree.pointer(node, "cpu") for node in (core, *core.children))
    return tuple(sorted(numbers[cpu] for cpu in named if cpu in numbers))


def _by_affinity(hwids: list[int], notes: list[str]) -> Sets:
    """The tree does not say MPIDR_EL1.MT. Where it is set, Aff0 is the thread, and Aff1 the core."""
    shift = 8 if any(hwid & 0xFF for hwid in hwids) or len(hwids) == 1 else 16
    sets: dict[int, list[int]] = {}
    for number, hwid in enumerate(hwids):
        sets.setdefault(hwid >> shift, []).append(number)
    taken = "those whose affinities differ in Aff0 only are taken for one" if shift == 8 else \
        "Aff0 is 0 everywhere and taken for the thread, those whose affinities differ in Aff1 only are taken for one"
    notes.append(f"the tree does not say which CPUs are a cluster: {taken}")
    return tuple(sorted(tuple(members) for members in sets.values()))


def _caches(tree: Tree, numbers: dict[Node, int], notes: list[str]) -> tuple[Cache, ...]:
    """A size of 0 is one that the tree does not say."""
    sharers: dict[tuple[Node, int, str, int], list[int]] = {}
    for cpu, number in numbers.items():
        try:
            for cache in _chain(tree, cpu):
                sharers.setdefault(cache, []).append(number)
        except Flaw as flaw:
            notes.append(f"caches of CPU {number}: {flaw}")
    found = [Cache(level, kind, size, tuple(cpus)) for (_, level, kind, size), cpus in sharers.items()]
    return tuple(sorted(found, key=lambda cache: (cache.level, cache.cpus, cache.kind)))


def _chain(tree: Tree, cpu: Node) -> Iterator[tuple[Node, int, str, int]]:
    """From the CPU's own outwards: the node, level, kind, size."""
    node: Node | None = cpu
    seen: set[Node] = set()
    level = 0
    while node is not None:
        if node in seen or level >= _LEVEL_MAX:
            raise Flaw(f"they go in a circle at {node.path}")
        seen.add(node)
        level = node.number("cache-level", level + 1) if node is not cpu else 1
        kinds = [(node, level, kind, node.number(key)) for kind, key in _CACHE_KINDS if node.has(key)]
        yield from kinds or ([(node, level, "unified", 0)] if node is not cpu else [])
        key = "next-level-cache" if node.has("next-level-cache") else "l2-cache"
        node = tree.pointer(node, key)
