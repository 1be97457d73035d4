# SPDX-License-Identifier: GPL-2.0-only
"""
Devices that come along with others: what a device of a cell's needs, and nothing else on the machine does, is of no use
to anybody but that cell. What others need too stays with the root cell, and check_devices.py says what follows.
"""

from dataclasses import replace

from jailhouse.config.model import Cell, Device, Given, Machine, System


def with_companions(system: System) -> System:
    given = {g.name for c in system.cells for g in c.devices}
    return replace(system, cells=tuple(_with_companions(cell, given, system.machine) for cell in system.cells))


def _with_companions(cell: Cell, given: set[str], machine: Machine) -> Cell:
    """given: the devices of all cells, to which those found are added."""
    devices = list(cell.devices)
    for mine in devices:		# those found on the way are looked at, too
        device = machine.devices.get(mine.name)
        for need in device.needs if device else ():
            name = need.device.name
            theirs = {d.name for d in devices}
            if name in machine.devices and name not in given and _only_theirs(name, theirs, machine) and \
                    not _beside_others(machine.devices[name], theirs, machine):
                devices.append(Given(name, mine.where))
                given.add(name)
    return replace(cell, devices=tuple(devices))


def _only_theirs(name: str, devices: set[str], machine: Machine) -> bool:
    """Does nothing but these need it? Consoles and IOMMUs are of use by themselves."""
    if machine.devices[name].iommu is not None or machine.devices[name].uart is not None:
        return False
    users = {d.name for d in machine.devices.values() if any(n.device.name == name for n in d.needs)}
    return users <= devices


def _beside_others(device: Device, theirs: set[str], machine: Machine) -> bool:
    """Is something else's on one of its pages, or of its lines? Then it could not go without that."""
    pages = [p.span.pages() for p in device.registers]
    lines = {n for line in device.lines for n in line.numbers}
    return any(lines & {n for line in d.lines for n in line.numbers} or
               any(p.span.pages().overlaps(page) for p in d.registers for page in pages)
               for d in machine.devices.values() if d is not device and d.name not in theirs)
