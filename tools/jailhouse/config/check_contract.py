# SPDX-License-Identifier: GPL-2.0-only
"""How a cell's interrupts reach it, and whether it can keep to the exits it may cause."""

from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import cell_numbers
from jailhouse.config.model import CONSOLE_PUTC, DIRECT, INJECTED, Cell, Machine, System
from jailhouse.config.problems import Problems


def check_contracts(system: System, problems: Problems) -> None:
    for cell in system.cells:
        _check_renumbered(cell, system.machine, problems)
        _check_direct(cell, problems)
        _check_sleep(cell, problems)
        if cell.limit.exits == 0:
            _check_none(cell, problems)
            ARCHES[system.machine.arch].warn_none(cell, problems)


def _check_renumbered(cell: Cell, machine: Machine, problems: Problems) -> None:
    if not all(named.name in machine.devices for named in cell.devices):
        return			# which lines it has is not known
    numbers = cell_numbers(cell, machine)
    for r in cell.delivery.renumbered:
        if r.line not in numbers:
            problems.error(r.where, f'cell "{cell.name}": `renumber`: line {r.line} is not the '
                           "cell's", "the number would be given to nothing",
                           "add its device to `devices` or the line to `lines`, or remove it here")
        for other in sorted(n for n in numbers if numbers[n] == r.number and n != r.line):
            problems.error(r.where, f'cell "{cell.name}": `renumber`: line {r.line} would be its '
                           f"{r.number}, which its line {other} is already",
                           "the program could not tell the two apart",
                           "choose a number that none of its lines has, or renumber "
                           f"{other} as well")


def _check_direct(cell: Cell, problems: Problems) -> None:
    delivery = cell.delivery
    for r in delivery.moved if delivery.interrupts == DIRECT else ():
        problems.error(r.where, f'cell "{cell.name}": line {r.line} is renumbered to {r.number} '
                       f'and `interrupts` is "{DIRECT}" ({delivery.where})',
                       "a direct interrupt arrives with the number the hardware has for it",
                       f'say interrupts = "{INJECTED}", or remove {r.line} from `renumber`')


def _check_sleep(cell: Cell, problems: Problems) -> None:
    if cell.delivery.trusted_wfi and cell.delivery.injected:
        problems.error(cell.delivery.wfi_where, f'cell "{cell.name}": `wfi` is "trusted" and '
                       f"{_what_injects(cell)}", "an injected cell's sleep is never trapped: there "
                       "is nothing to trust it with", "remove `wfi`")


def _check_none(cell: Cell, problems: Problems) -> None:
    delivery, limit = cell.delivery, cell.limit
    title = f'cell "{cell.name}": exits are "none" ({limit.where})'
    if delivery.injected:
        cause = delivery.where if delivery.interrupts == INJECTED else delivery.moved[0].where
        fix = f'say interrupts = "{DIRECT}"' if delivery.interrupts == INJECTED else \
            "remove it from `renumber` and let the program use the machine's number"
        problems.error(cause, f"{title} and {_what_injects(cell)}",
                       "each injected interrupt is an exit",
                       f"{fix}, or give `exits` a number that has room for its interrupts")
    if cell.uart is not None:
        problems.error(cell.uart.where, f"{title} and it has a `uart` that only the hypervisor has",
                       "each access to it is an exit",
                       "give it a UART of its own in `devices` and `console`, or give `exits` a "
                       "number that has room for what it prints")
    if cell.console is not None and cell.console.name == CONSOLE_PUTC:
        problems.error(cell.console.where, f'{title} and its console is "{CONSOLE_PUTC}"',
                       "each character it prints there is an exit",
                       "give it a UART of its own in `devices` and `console`, or give `exits` a "
                       "number that has room for what it prints")


def _what_injects(cell: Cell) -> str:
    delivery = cell.delivery
    if delivery.interrupts == INJECTED:
        return f'`interrupts` is "{INJECTED}" ({delivery.where})'
    first = delivery.moved[0]
    return (f"line {first.line} is renumbered to {first.number} ({first.where}), which needs "
            "injected interrupts")
