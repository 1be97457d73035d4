# SPDX-License-Identifier: GPL-2.0-only
"""Which CPUs share a core, a cluster and caches, as Linux shows it below /sys/devices/system/cpu."""

import re

from jailhouse.probe.description import Cache
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import cpu_list

_CPU = "sys/devices/system/cpu"
_SIZE = re.compile(r"(\d{1,9})([KM]?)", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}

Sets = tuple[tuple[int, ...], ...]


def present(facts: Facts) -> tuple[int, ...]:
    """Linux's numbers, offline ones as well; nothing where it does not say."""
    return cpu_list(facts.word(f"{_CPU}/present"))


def _sets(facts: Facts, cpus: tuple[int, ...], file: str) -> Sets:
    found = (_known(facts.word(f"{_CPU}/cpu{n}/topology/{file}"), cpus) for n in cpus)
    return tuple(dict.fromkeys(s for s in found if s))


def _known(text: str, cpus: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in cpu_list(text) if n in cpus)


def threads(facts: Facts, cpus: tuple[int, ...]) -> Sets:
    """Of each core that has two or more."""
    return tuple(s for s in _sets(facts, cpus, "thread_siblings_list") if len(s) > 1)


def caches(facts: Facts, cpus: tuple[int, ...]) -> tuple[Cache, ...]:
    found: dict[Cache, None] = {}
    for n in cpus:
        folder = f"{_CPU}/cpu{n}/cache"
        for index in facts.names(folder):
            level = facts.word(f"{folder}/{index}/level")
            size = _SIZE.fullmatch(facts.word(f"{folder}/{index}/size"))
            kind = facts.word(f"{folder}/{index}/type").lower()
            if level.isdecimal() and size and kind in ("data", "instruction", "unified"):
                shared = _known(facts.word(f"{folder}/{index}/shared_cpu_list"), cpus) or (n,)
                found.setdefault(Cache(int(level), kind, int(size[1]) * _UNITS[size[2]], shared))
    return tuple(found)


def clusters(facts: Facts, cpus: tuple[int, ...], known: tuple[Cache, ...]) -> Sets:
    """Those that share the last cache, where it is one of level 3; else a die or a package."""
    last = tuple(dict.fromkeys(c.cpus for c in known if c.level == 3))
    return last or _sets(facts, cpus, "die_cpus_list") or _sets(facts, cpus, "core_siblings_list")
