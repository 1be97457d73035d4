# SPDX-License-Identifier: GPL-2.0-only
"""
An arm64 machine as its device tree describes it, with what the kernel said where the tree says nothing:

    tree (nodes) -> tree_bus, tree_interrupts (registers and interrupts as a CPU has them)
                 -> tree_cpus, tree_memory, tree_gic, tree_parts (which nodes are one device)
                 -> tree_devices, by tree_kinds and tree_needs

What cannot be described is refused where nothing is sound without it (a CPU, the GIC, RAM). Of a device it is left out,
and said in a note.
"""

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import TREE_CELLS
from jailhouse.probe.description import Description, Device, Gic, Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.names import NAME_MAX, plain
from jailhouse.probe.tree import Flaw, Tree, read_tree
from jailhouse.probe.tree_bus import Buses
from jailhouse.probe.tree_cpus import find_cpus
from jailhouse.probe.tree_devices import Found, describe_devices
from jailhouse.probe.tree_gic import Controller, find_gic, find_lines
from jailhouse.probe.tree_interrupts import Interrupts
from jailhouse.probe.tree_memory import Memory, find_memory
from jailhouse.probe.tree_parts import find_groups

_BLOB = "sys/firmware/fdt"


def describe_tree(facts: Facts) -> Description:
    """Refused where there is no tree, or none of a machine that the hypervisor can run on."""
    blob = facts.read(_BLOB)
    if blob is None:
        raise Refused(f"{facts.source}: there is no device tree", f"{_BLOB} cannot be read there",
                      "gather the facts as root on a machine that was booted with one, or give a .dtb")
    tree = read_tree(blob, facts.source)
    buses, interrupts = Buses(tree), Interrupts(tree)
    cpus = find_cpus(tree, facts)
    controller = find_gic(tree, buses, interrupts, len(cpus.hwids))
    memory = find_memory(tree, buses, facts)
    _check_apart(tree, memory, controller)
    notes = [*cpus.notes, *controller.notes, *memory.notes]
    lines = find_lines(tree, controller, interrupts, facts, notes)
    groups = find_groups(tree, buses, controller.node, (*memory.ram, controller.gicd, controller.gicr), notes)
    found = describe_devices(tree, groups, controller, interrupts, lines)
    return Description(
        name=_name(tree), arch="arm64", source=f"the device tree of {facts.source}", hwids=cpus.hwids, ram=memory.ram,
        platform=Gic(controller.gicd, controller.gicr, controller.maintenance_irq, len(lines)), devices=found.devices,
        firmware=memory.firmware, console=_console(tree, found, notes), cpu_names=cpus.names, threads=cpus.threads,
        clusters=cpus.clusters, caches=cpus.caches, tree_cells=_tree_cells(tree, notes), notes=tuple(notes))


def _check_apart(tree: Tree, memory: Memory, controller: Controller) -> None:
    for frames in (controller.gicd, controller.gicr):
        ram = next((span for span in memory.ram if span.overlaps(frames)), None)
        if ram is not None:
            raise Refused(f"{tree.source}: RAM {ram} and the GIC's registers {frames} overlap",
                          "one of the two is wrong in the tree", "take the tree of the running machine, "
                          "/sys/firmware/fdt: boot loaders correct the memory nodes")


def _tree_cells(tree: Tree, notes: list[str]) -> tuple[int, int]:
    try:
        address, size = (tree.root.width(key, 0) for key in ("#address-cells", "#size-cells"))
    except Flaw:
        address = size = 0
    if address in (1, 2) and size in (1, 2):
        return address, size
    notes.append("the root node lacks #address-cells or #size-cells, or they are neither 1 nor 2: reserved-memory.dts would not fit it")
    return TREE_CELLS


def _name(tree: Tree) -> str:
    """What the board is compatible with first, without its vendor."""
    said = tree.root.compatible or tree.root.strings("model")
    return plain(said[0].partition(",")[2] or said[0])[:NAME_MAX].strip("-") or "machine" if said else "machine"


def _console(tree: Tree, found: Found, notes: list[str]) -> str | None:
    node = tree.console()
    name = found.names.get(node) if node is not None else None
    device: Device | None = next((d for d in found.devices if d.name == name), None)
    if device is None or device.uart is None:
        if node is not None:
            notes.append(f"{node.path}, Linux's console, is no UART that is known here: there is no console")
        return None
    if device.uart != ARCHES["arm64"].uart:
        notes.append(f"{device.name}, the console, is no PL011: the hypervisor does not print there; `jailhouse "
                     "console` shows what it says")
    return device.name
