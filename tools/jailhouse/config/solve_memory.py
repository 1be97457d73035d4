# SPDX-License-Identifier: GPL-2.0-only
"""
What of RAM is Linux's, the cells' and the hypervisor's, where the text does not say it. The two that Linux is to leave
alone lie together, at the end of RAM: there the fewest words make a kernel leave them.
"""

from collections.abc import Iterable
from dataclasses import replace

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Placed, Span, System
from jailhouse.config.place import room
from jailhouse.config.problems import Problems
from jailhouse.config.spans import merged, minus
from jailhouse.config.units import BLOCK, MIB, align_down, align_up, size_text

HYPERVISOR = 16 * MIB
LINUX_LEAST = 128 * MIB


def with_memory(system: System, problems: Problems) -> System:
    """What is open is placed, or it is said why it cannot be, and stays open."""
    if system.open & {"cells", "hypervisor"}:
        found = _place_both(system, problems)
        if found is None:
            return system
        system = found
    if "linux" in system.open:
        rest = _without_crumbs(system, minus((r.span for r in system.machine.ram),
                                             [system.reserved.span, system.hypervisor.span]))
        linux = tuple(Placed("Linux RAM", span, system.where) for span in rest)
        system = replace(system, linux=linux)
        left = sum(span.size for span in rest)
        if left < LINUX_LEAST:
            problems.error(system.where, f"{size_text(left)} are left for Linux", "it does not run with so little",
                           f"make the cells' memory smaller by {size_text(align_up(LINUX_LEAST - left, MIB))} or more")
    return replace(system, open=frozenset())


def _without_crumbs(system: System, rest: list[Span]) -> list[Span]:
    """
    Less than a block behind the cells and the hypervisor is nobody's, where that lets a kernel parameter do. What
    firmware has there stays in the root cell's sight.
    """
    cut = min(system.reserved.span.start, system.hypervisor.span.start)
    kept = [f.span for f in system.machine.firmware]
    low = [span for span in rest if span.start < cut]
    crumbs = minus((span for span in rest if span.start >= cut), kept)
    if sum(s.size for s in crumbs) < BLOCK and _needs_tree(system, rest) and not _needs_tree(system, low):
        return [*low, *merged(f for f in kept if f.start >= cut)]
    return rest


def _needs_tree(system: System, linux: list[Span]) -> bool:
    """Would no kernel parameter keep Linux to these?"""
    placed = tuple(Placed("Linux RAM", span, system.where) for span in linux)
    return ARCHES[system.machine.arch].kernel_words(system.machine.ram, placed).tree


def _place_both(system: System, problems: Problems) -> System | None:
    pinned = [Span(r.host, r.size) for c in system.cells for r in c.memory if r.host is not None and r.shared is None]
    pinned += [Span(s.host, s.size) for s in system.shared.values() if s.host is not None]
    sizes = {"cells": align_up(max(room(system), 1), BLOCK) if "cells" in system.open else 0,
             "hypervisor": HYPERVISOR if "hypervisor" in system.open else 0}
    if pinned and "cells" in system.open:
        problems.error(system.where, f"memory at {min(pinned, key=lambda s: s.start)} has a `host`, and `cells` has none",
                       "what is placed by hand must lie in what Linux leaves alone",
                       "say where `cells` is in [memory], or leave `host` out everywhere")
        return None
    at = _find(system, sizes["cells"] + sizes["hypervisor"], problems)
    if at is None:
        return None
    if sizes["cells"]:
        system = replace(system, reserved=replace(system.reserved, span=Span(at, sizes["cells"])))
    if sizes["hypervisor"]:
        system = replace(system, hypervisor=replace(system.hypervisor, span=Span(at + sizes["cells"], sizes["hypervisor"])))
    return system


def _find(system: System, size: int, problems: Problems) -> int | None:
    """Where so much of RAM is nobody's: the end of it, but where the machine's low part is large enough, there."""
    said = [p.span for p in system.linux if "linux" not in system.open]
    said += [p.span for key, p in (("cells", system.reserved), ("hypervisor", system.hypervisor)) if key not in system.open]
    free = minus((r.span for r in system.machine.ram), [*said, *(f.span for f in system.machine.firmware)])
    limit = ARCHES[system.machine.arch].cells_below
    low = [Span(s.start, min(s.end, limit) - s.start) for s in free if s.start < limit]
    if sum(s.size for s in low) >= 2 * size and (at := _highest(low, size)) is not None:
        return at
    if (at := _highest(free, size)) is not None:
        return at
    most = max((s.size for s in free), default=0)
    problems.error(system.where, f"the cells and the hypervisor need {size_text(size)} of RAM in one piece, and the largest "
                   f"that is nobody's has {size_text(most)}", "what one has no other can have",
                   f"make the cells' memory smaller by {size_text(align_up(max(size - most, BLOCK), MIB))}, or say less of it in [memory]")
    return None


def _highest(spans: Iterable[Span], size: int) -> int | None:
    found = ((align_down(s.end - size, BLOCK), s.start) for s in spans if s.size >= size)
    return max((at for at, start in found if at >= start), default=None)
