# SPDX-License-Identifier: GPL-2.0-only
"""What devices of a cell have to do with those that are not its own: what they need, and where their DMA goes."""

from jailhouse.config.model import Cell, Device, Named, Need, System
from jailhouse.config.problems import Problems, Where

# What a device gets from another one -> what happens when that one's owner thinks that nobody needs it
_TAKEN_AWAY = {
    "clocks": "Linux switches off clocks that no driver of its own uses: boot it with clk_ignore_unused",
    "power-domains": "Linux switches off power domains that no driver of its own uses: boot it with pd_ignore_unused",
    "supply": "Linux switches off regulators that no driver of its own uses: boot it with regulator_ignore_unused",
}
_LEFT_ALONE = "the cell's program cannot set it up: let firmware or Linux do so before the cell is created"


def check_devices(system: System, problems: Problems) -> None:
    for cell in system.cells:
        own = {g.name: g.where for g in cell.devices}
        for name, where in own.items():
            device = system.machine.devices.get(name)
            if device is not None:
                _check_needs(cell, device, where, system, problems)
                _check_dma(cell, device, where, problems)
        _check_groups(cell, own, system, problems)


def _check_needs(cell: Cell, device: Device, where: Where, system: System, problems: Problems) -> None:
    """What it needs and has not is one warning for each other device."""
    own = {g.name for g in cell.devices}
    missing: dict[str, list[Need]] = {}
    for need in device.needs:
        if need.device.name not in own and need.device.name in system.machine.devices:
            missing.setdefault(need.device.name, []).append(need)
    for name, needs in missing.items():
        kinds = [n.what for n in needs]
        owner = next((f'cell "{c.name}"' for c in system.cells if name in {g.name for g in c.devices}), "the root cell")
        problems.warn(where, f'cell "{cell.name}": device "{device.name}" needs {" and ".join(dict.fromkeys(kinds))} of device '
                      f'"{name}" ({needs[0].device.where}), which is {owner}\'s',
                      "its owner decides over it, and does not know that the cell needs it",
                      "; ".join(dict.fromkeys(_TAKEN_AWAY.get(kind, _LEFT_ALONE) for kind in kinds)))


def _check_dma(cell: Cell, device: Device, where: Where, problems: Problems) -> None:
    # of PCI functions check_cells.py says so
    if device.dma and not device.functions:
        problems.warn(where, f'cell "{cell.name}": device "{device.name}" does DMA, and no IOMMU stands between it and memory',
                      "it reads and writes all memory, the hypervisor's too, if its program tells it to",
                      "give it to a program you would trust with the whole machine, or leave it to the root cell")


def _check_groups(cell: Cell, own: dict[str, Where], system: System, problems: Problems) -> None:
    devices = system.machine.devices
    for name, where in own.items():
        group = devices[name].group if name in devices else None
        others: list[Named] = [Named(d.name, d.where) for d in devices.values()
                               if group is not None and d.group == group and d.name not in own]
        if others:
            names = ", ".join(f'"{n.name}"' for n in others)
            problems.warn(where, f'cell "{cell.name}": device "{name}" is in IOMMU group {group} with {names}, which '
                          f'{"is" if len(others) == 1 else "are"} not the cell\'s',
                          "what is in one group reaches each other's registers and memory unchecked",
                          "give all of the group to the cell, or none")
