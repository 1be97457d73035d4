# SPDX-License-Identifier: GPL-2.0-only
"""Devices of what was found in a tree: their names, interrupts, ids for IOMMUs, needs."""

from collections import Counter
from dataclasses import dataclass

from jailhouse.config.abi import NAME_SIZE
from jailhouse.probe.description import Device, Piece, Streams
from jailhouse.probe.names import NAME_MAX, plain, unique
from jailhouse.probe.tree import Node, Tree
from jailhouse.probe.tree_gic import Controller, spis_of
from jailhouse.probe.tree_interrupts import Interrupts
from jailhouse.probe.tree_kinds import dma_kind, iommu_kind, streams_of, uart_kind
from jailhouse.probe.tree_needs import Needs
from jailhouse.probe.tree_parts import Group


@dataclass(frozen=True)
class Found:
    """names: of each node that is a device or part of one."""
    devices: tuple[Device, ...]
    names: dict[Node, str]


@dataclass(frozen=True)
class _Surroundings:
    """lines: the SPIs that the GIC has."""
    tree: Tree
    controller: Controller
    interrupts: Interrupts
    lines: range
    names: dict[Node, str]
    needs: Needs


def describe_devices(tree: Tree, groups: list[Group], controller: Controller, interrupts: Interrupts,
                     lines: range) -> Found:
    """lines: the SPIs that the GIC has."""
    called = _names(tree, groups)
    names = {part.node: called[group] for group in groups for part in group.parts}
    around = _Surroundings(tree, controller, interrupts, lines, names, Needs(tree, names, controller.node, interrupts))
    return Found(tuple(_device(group, around) for group in groups), names)


def _names(tree: Tree, groups: list[Group]) -> dict[Group, str]:
    """An alias, else the node's name, else with the address of its first registers."""
    aliases = tree.aliases()
    bases = Counter(plain(group.node.base) for group in groups if group.node not in aliases)
    taken: set[str] = set()
    found = {group: unique(aliases[group.node], _address(group), NAME_MAX, taken)
             for group in groups if group.node in aliases}
    for group in groups:
        if group not in found:
            base = plain(group.node.base) or "device"
            # All of one name are told apart, the first among them too
            apart = {base} if bases[base] > 1 else set()
            name = unique(base, _address(group), NAME_MAX, apart | taken)
            taken.add(name)
            found[group] = name
    return found


def _address(group: Group) -> str:
    """The unit address, which people know, where it is one of the CPU's."""
    starts = [f"{piece.span.start:x}" for piece in group.pieces]
    unit = group.node.name.partition("@")[2]
    return unit if unit in starts else starts[0]


def _device(group: Group, around: _Surroundings) -> Device:
    nodes = [part.node for part in group.parts]
    name = around.names[group.node]
    notes = [_merged_note(node) for node in nodes[1:]]
    for part in group.parts:
        notes += [note if part.node is group.node else f"{part.node.path}: {note}" for note in part.notes]
    interrupts, edges = _interrupts(nodes, around, notes)
    streams = _streams(nodes, around, notes)
    dma = [dma_kind(node) for node in nodes if node is group.node or node.has("compatible")]
    if True not in dma and None in dma:
        notes.append("nothing says whether it reads and writes memory by itself: taken as if it did")
    # A UART is found where the first of its registers are
    uart = uart_kind(group.node) if group.pieces[0].span.start == group.parts[0].first else None
    iommu = next((kind for node in nodes if (kind := iommu_kind(node))), None)
    about = ", ".join([*group.node.compatible[:1], group.node.path])
    return Device(name=name, about=about, registers=_pieces(name, group.pieces), interrupts=interrupts, edges=edges,
                  uart=uart, iommu=iommu, streams=streams, dma=any(master is not False for master in dma),
                  needs=around.needs.of(nodes, notes), notes=tuple(dict.fromkeys(notes)))


def _merged_note(node: Node) -> str:
    return f"has {', '.join([*node.compatible[:1], node.path])} with it"


def _pieces(name: str, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Named where there are several; a name and its device's are shown together, which must fit."""
    if len(pieces) == 1:
        return (Piece("", pieces[0].span),)
    taken: set[str] = set()
    room = NAME_SIZE - 1 - len(name) - len(".")
    return tuple(Piece(unique(piece.name or str(index), str(index), room, taken), piece.span)
                 for index, piece in enumerate(pieces))


def _interrupts(nodes: list[Node], around: _Surroundings, notes: list[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """All, and those of them that are edges."""
    found: dict[int, bool] = {}
    for node in nodes:
        for spi, edge in spis_of(node, around.controller, around.interrupts, notes):
            if spi in around.lines:
                # of two that share it the first has said how
                found.setdefault(spi, edge)
            else:
                notes.append(f"its interrupt {spi} is none of the GIC's {len(around.lines)} SPIs, and left out")
    return tuple(sorted(found)), tuple(sorted(spi for spi, edge in found.items() if edge))


def _streams(nodes: list[Node], around: _Surroundings, notes: list[str]) -> tuple[Streams, ...]:
    found: dict[str, set[range]] = {}
    for node in nodes:
        for iommu, ids in streams_of(around.tree, node, notes):
            if iommu in around.names:
                found.setdefault(around.names[iommu], set()).update(ids)
            elif iommu.enabled:
                notes.append(f"its IOMMU {iommu.path} is no device here")
    return tuple(Streams(iommu, tuple(sorted(ids, key=lambda r: (r.start, r.stop)))) for iommu, ids in found.items())
