# SPDX-License-Identifier: GPL-2.0-only
"""
Devices that come along with others: what a device of a cell's needs, and nothing else on the machine does, is of no use
to anybody but that cell. What others need too stays with the root cell, and check_devices.py says what follows.
"""

from dataclasses import replace

from jailhouse.config.model import Cell, Given, Machine, System


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
            if name in machine.devices and name not in given and _only_theirs(name, {d.name for d in devices}, machine):
                devices.append(Given(name, mine.where))
                given.add(name)
    return replace(cell, devices=tuple(devices))


def _only_theirs(name: str, devices: set[str], machine: Machine) -> bool:
    """Does nothing but these need it? Consoles and IOMMUs are of use by themselves."""
    if machine.devices[name].iommu is not None or machine.devices[name].uart is not None:
        return False
    users = {d.name for d in machine.devices.values() if any(n.device.name == name for n in d.needs)}
    return users <= devices
