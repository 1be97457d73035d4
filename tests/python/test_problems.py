# SPDX-License-Identifier: GPL-2.0-only
"""Each mistake in the demo's texts: where it is said to be, and in which words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jailhouse.config.command import checked_system, main
from jailhouse.config.problems import Problem

Edited = Callable[..., Path]

RTOS_RAM = 'name = "ram", guest = 0, size = "1M",'
RTOS = 'cpus = [3]'
RTOS_MEMORY = RTOS_RAM + ' access = "rwx", loadable = true },\n'
BOOT = '{ name = "flash", guest = 0x2000_0000, size = "2M", boot = true },\n'
COMPUTE = 'cpus = [2]'
LINUX = '0x4000_0000, size = "1792M"'
SILENT_COMPUTE = 'cpus = [2]\nconsole = "putc"'
HYPERVISOR = '0xbf00_0000, size = "16M"'

# Its name, (what to replace, by what) ..., (file, words of the line it is said of), words of it
CASES: list[tuple[str, tuple[tuple[str, str], ...], tuple[str, str], tuple[str, ...]]] = [
    ("unknown key", ((RTOS, 'cpu = [3]'),), ("demo.toml", "cpu = [3]"),
     ("unknown key `cpu`", "did you mean `cpus`?")),
    ("missing key", ((RTOS, ''),), ("demo.toml", "[[cell]]"), ('cell "rtos"', "`cpus` is missing")),
    ("unknown unit", ((RTOS_RAM, 'name = "ram", guest = 0, size = "1MB",'),), ("demo.toml", "1MB"),
     ('unknown unit "MB"', "K, M, G, T")),
    ("lower-case unit", (('size = "64M", access', 'size = "64m", access'),), ("demo.toml", "64m"),
     ('unknown unit "m"',)),
    ("no number", ((RTOS_RAM, 'name = "ram", guest = "zero", size = "1M",'),),
     ("demo.toml", '"zero"'),
     ('"zero" is no number',)),
    ("negative", ((RTOS_RAM, 'name = "ram", guest = -4096, size = "1M",'),), ("demo.toml", "-4096"),
     ("-4096 does not fit",)),
    ("float", ((RTOS_RAM, 'name = "ram", guest = 0.5, size = "1M",'),),
     ("demo.toml", "guest = 0.5"),
     ("0.5 is no number",)),
    ("too big", ((RTOS_RAM, 'name = "ram", guest = 0, size = "99999999T",'),),
     ("demo.toml", "99999999T"),
     ("does not fit 64 bits",)),
    ("zero size", ((RTOS_RAM, 'name = "ram", guest = 0, size = 0,'),), ("demo.toml", "size = 0,"),
     ("`size` is 0", "give it a size")),
    ("guest misaligned", ((RTOS_RAM, 'name = "ram", guest = 0x800, size = "1M",'),
                          (RTOS, RTOS + "\nentry = 0x800")), ("demo.toml", "guest = 0x800"),
     ("start 0x800 is no multiple of 4K", "use 0x0 or 0x1000")),
    ("access", (('size = "64M", access = "rwx"', 'size = "64M", access = "wx"'),),
     ("demo.toml", '"wx"'),
     ('"wx" is not known', "r, rw, rx, rwx")),
    ("name too long", (('"rtos"', '"' + "r" * 32 + '"'),), ("demo.toml", "rrrr"),
     ("it has 32 bytes, 1 more than fit",)),
    ("name not ASCII", (('"rtos"', '"rt\u00f6s"'),),
     ("demo.toml", "rt\u00f6s"), ("not printable ASCII",)),
    ("name empty", (('"rtos"', '""'),), ("demo.toml", 'name = ""'), ("it is empty",)),
    ("name no file name", (('"rtos"', '"../rtos"'),),
     ("demo.toml", "../rtos"), ("name of a file",)),
    ("name system", (('"rtos"', '"system"'),), ("demo.toml", '"system"'), ("beside system.cell",)),
    ("name of a fragment", (('"rtos"', '"reserved-memory"'),), ("demo.toml", '"reserved-memory"'), ("beside reserved-memory.dts",)),
    ("two of one name", (('"compute"', '"rtos"'),), ("demo.toml", "[[cell]]"),
     ('cell "rtos"', "another cell", "demo.toml:")),
    ("boot with access", ((RTOS_RAM, RTOS_RAM + ' boot = true,'),), ("demo.toml", RTOS_RAM),
     ('"ram"', "`boot`", 'access "rwx"', "leave `access` and `loadable` out")),
    ("boot not loadable", ((RTOS_MEMORY, RTOS_MEMORY + BOOT.replace("}", ", loadable = false }")),), ("demo.toml", '"flash"'),
     ('"flash"', "`boot`", "not loadable")),
    ("boot no flag", ((RTOS_MEMORY, RTOS_MEMORY + BOOT.replace("true", '"yes"')),), ("demo.toml", '"flash"'),
     ("neither true nor false",)),
    ("two to boot from", ((RTOS_MEMORY, RTOS_MEMORY + BOOT + BOOT.replace("flash", "rom").replace("0x2000", "0x3000")),),
     ("demo.toml", '"rom"'), ('memory "rom"', '"flash" (', "starts at one place")),
    ("two regions of one name", ((RTOS_MEMORY, RTOS_MEMORY + BOOT.replace("flash", "ram")),), ("demo.toml", "boot = true"),
     ('cell "rtos": two memory regions are called "ram" (', "demo.toml:", "must mean one of them", "rename one of the two")),
    ("entry not in boot", ((RTOS_MEMORY, RTOS_MEMORY + BOOT), (RTOS, RTOS + "\nentry = 0")), ("demo.toml", "entry = 0"),
     ('entry 0x0 is not in memory "flash" 0x20000000', "leave `entry` out")),
    ("device moved to nowhere", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1" }]'),), ("demo.toml", "devices"),
     ("`guest` is missing",)),
    ("device moved misaligned", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1", guest = 0x0900_0800 }]'),),
     ("demo.toml", "devices"), ('device "uart1", guest', "start 0x9000800 is no multiple of 4K")),
    ("device moved too far", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1", guest = 0x1_0000_0000_0000 }]'),),
     ("demo.toml", "devices"), ('device "uart1", guest', "0x1000000000000")),
    ("device moved onto memory", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1", guest = 0x1000 }]'),),
     ("demo.toml", "devices"), ('memory "ram"', 'device "uart1" 0x1000', "overlap in guest addresses")),
    ("device moved onto the GIC", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1", guest = 0x0800_0000 }]'),),
     ("demo.toml", "devices"), ('device "uart1" 0x8000000', "the hypervisor answers there itself")),
    ("gic with one address", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x5000_0000 }'),), ("demo.toml", "gic ="), ("`gicr`",)),
    ("gic misaligned", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x5000_8000, gicr = 0x5010_0000 }'),), ("demo.toml", "gic ="),
     ("0x50008000 is no place for it", "a multiple of 64K")),
    ("gic at 0", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x5000_0000, gicr = 0 }'),), ("demo.toml", "gic ="),
     ("0x0 is no place for it",)),
    ("gic too far", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x5000_0000, gicr = 0x1_0000_0000_0000 }'),),
     ("demo.toml", "gic ="), ('cell "compute", gicr', "0x1000000000000")),
    ("gic onto itself", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x5010_0000, gicr = 0x5000_0000 }'),), ("demo.toml", "gic ="),
     ("gicd 0x50100000", "gicr 0x50000000", "overlap where it sees them", "move one of the two in `gic`")),
    ("gic onto memory", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x1_0000, gicr = 0x5000_0000 }'),), ("demo.toml", 'name = "ram"'),
     ('memory "ram"', "overlaps gicd 0x10000+64K", "the hypervisor answers there itself", "`gic`")),
    ("gic onto the communication page", ((COMPUTE, COMPUTE + '\ngic = { gicd = 0x8000_0000, gicr = 0x5000_0000 }'),),
     ("demo.toml", ""), ("communication page", "overlaps gicd 0x80000000+64K")),
    ("gic onto a device", ((COMPUTE, COMPUTE + '\ndevices = ["uart1"]\ngic = { gicd = 0x5000_0000, gicr = 0x0904_0000 }'),),
     ("demo.toml", "devices"), ('device "uart1"', "overlaps gicr 0x9040000")),
    ("counted and memory behind the last redistributor", ((COMPUTE, COMPUTE + '\ncpu_ids = "counted"\n'
      'devices = [{ name = "uart1", guest = 0x080b_f000 }]'),), ("demo.toml", "devices"), ("overlaps gicr 0x80a0000+128K",)),
    ("cpus called otherwise", ((COMPUTE, COMPUTE + '\ncpu_ids = "count"'),), ("demo.toml", "cpu_ids"),
     ('"count" is not known', 'did you mean "counted"?')),
    ("device moved onto another", ((COMPUTE, COMPUTE + '\ndevices = ["rtc", { name = "uart1", guest = 0x0901_0000 }]'),),
     ("demo.toml", "devices"), ('device "rtc"', 'device "uart1" 0x9010000', "overlap in guest addresses")),
    ("two devices moved together", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "rtc", guest = 0xa00_0000 }, '
                                     '{ name = "uart1", guest = 0x0a00_0000 }]'),),
     ("demo.toml", "devices"), ('device "rtc" 0xa000000', 'device "uart1" 0xa000000', "overlap in guest addresses")),
    ("one of two devices on a page moved",
     (('0x0904_0000, size = "4K"', "0x0904_0000, size = 0x100"), ('0x0901_0000, size = "4K"', "0x0904_0100, size = 0x100"),
      (COMPUTE, COMPUTE + '\ndevices = ["rtc", { name = "uart1", guest = 0x0a00_0000 }]')),
     ("demo.toml", "devices"), ('device "rtc"', 'device "uart1" have registers on a common page', "move both alike")),
    ("device no table", ((COMPUTE, COMPUTE + "\ndevices = [1]"),), ("demo.toml", "devices"), ("1 is no name", "put it in quotes")),
    ("device of another key", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart1", guest = 0, host = 1 }]'),),
     ("demo.toml", "devices"), ("unknown key `host`",)),
    ("moved device unknown", ((COMPUTE, COMPUTE + '\ndevices = [{ name = "uart2", guest = 0x0900_0000 }]'),),
     ("demo.toml", "devices"), ('has no device "uart2"', 'did you mean "uart')),
    ("name of the root cell", (('"compute"', '"root"'),),
     ("demo.toml", "[[cell]]"), ("the root cell",)),
    ("CPU out of range", ((RTOS, 'cpus = [4]'),), ("demo.toml", "[4]"), ("4 is outside 0..3",)),
    ("CPU twice", ((COMPUTE, 'cpus = ["2-3"]'),), ("demo.toml", '["2-3"]'),
     ('cell "compute", CPU 3', 'cell "rtos"', "demo.toml:")),
    ("CPU twice in one", ((RTOS, 'cpus = [3, 3]'),), ("demo.toml", "[3, 3]"), ("CPU 3 again",)),
    ("no CPU", ((RTOS, 'cpus = []'),), ("demo.toml", "[[cell]]"), ("it has no CPU",)),
    ("root without a CPU", ((RTOS, 'cpus = [0, 1, 3]'),), ("demo.toml", "SPDX"),
     ("all 4 CPUs", 'the root cell "root" has none')),
    ("range backwards", ((RTOS, 'cpus = ["3-2"]'),),
     ("demo.toml", "3-2"), ("ends before it starts",)),
    ("host overlap", ((RTOS_RAM, RTOS_RAM + " host = 0xb010_0000,"),
                      ('size = "64M", access', 'size = "64M", host = 0xb000_0000, access')),
     ("demo.toml", "host = 0xb000_0000"),
     ('cell "rtos", memory "ram" (', 'demo.toml:', 'cell "compute", memory',
                      "at 0xb0100000+1M")),
    ("host outside", ((RTOS_RAM, RTOS_RAM + " host = 0x8000_0000,"),),
     ("demo.toml", "host = 0x8000_0000"),
     ("0x80000000+1M is not within the cells' RAM 0xb0000000+240M", "demo.toml:")),
    ("host half outside", ((RTOS_RAM, RTOS_RAM + " host = 0xbefff000,"),),
     ("demo.toml", "host = 0xbefff000"),
     ("is not within the cells' RAM",)),
    ("does not fit", (('size = "64M", access', 'size = "239M", access'),), ("demo.toml", "239M"),
     ("239M fit nowhere in the cells' RAM",)),
    ("linux on cells", ((LINUX, '0x4000_0000, size = "1793M"'),), ("demo.toml", "cells = {"),
     ("Linux RAM 0x40000000+1793M", "overlap at 0xb0000000+1M")),
    ("linux outside", ((LINUX, '0x3000_0000, size = "1792M"'),), ("demo.toml", "linux = {"),
     ("is not within the RAM of machine",)),
    ("hypervisor small", ((HYPERVISOR, '0xbf00_0000, size = "2M"'),),
     ("demo.toml", "hypervisor = {"),
     ("2M are too little", "4M or more")),
    ("hypervisor misaligned", ((HYPERVISOR, '0xbf10_0000, size = "14M"'),),
     ("demo.toml", "hypervisor = {"),
     ("0xbf100000 is no multiple of 2M", "0xbf000000 or 0xbf200000")),
    ("entry", ((RTOS, RTOS + "\nentry = 0x10_0000"),), ("demo.toml", "entry ="),
     ("entry 0x100000 is outside its executable memory", '"ram" 0x0+1M')),
    ("comm page on memory", ((COMPUTE, COMPUTE + "\ncomm_page = 0x1000"),),
     ("demo.toml", "comm_page = 0x1000"),
     ('memory "ram"', "communication page", "overlap in guest addresses at 0x1000+4K")),
    ("guest on the GIC", ((RTOS_RAM, 'name = "ram", guest = 0x0800_0000, size = "1M",'),
                          (RTOS, RTOS + "\nentry = 0x0800_0000")),
     ("demo.toml", "guest = 0x0800_0000"),
     ("overlaps gicd", "machine.toml:")),
    ("unknown device", ((RTOS, RTOS + '\ndevices = ["uart2"]'),), ("demo.toml", "uart2"),
     ('has no device "uart2"', 'did you mean "uart')),
    ("device twice", ((RTOS, RTOS + '\ndevices = ["uart1"]'),
                      (COMPUTE, COMPUTE + '\ndevices = ["uart1"]')), ("demo.toml", "devices ="),
     ('cell "rtos", device "uart1"', 'cell "compute", device "uart1"', "both have it")),
    ("interrupt of Linux's device", ((RTOS, RTOS + '\nlines = [34]'),),
     ("demo.toml", "lines = [34]"),
     ("interrupt 34", 'cell "rtos"', 'root cell "root", device "rtc"', "machine.toml:")),
    ("interrupt of a cell's device", ((RTOS, RTOS + '\ndevices = ["uart1"]'),
                                      (COMPUTE, COMPUTE + '\nlines = ["38-40"]')),
     ("demo.toml", 'devices = ["uart1"]'),
     ("interrupt 40", 'cell "rtos", device "uart1"', 'cell "compute"')),
    ("interrupt out of range", ((RTOS, RTOS + '\nlines = [288]'),), ("demo.toml", "288"),
     ("288 is outside 32..287",)),
    ("console unknown", (('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "uart1"'),),
     ("demo.toml", 'console = "uart1"'), ('console "uart1" is no UART of its own', "`devices`")),
    ("console of no known kind", (('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "gpio"\ndevices = ["gpio"]'),),
     ("demo.toml", 'console = "gpio"'), ('console "gpio" is no UART that is known', "no `uart`", "machine.toml:", '"putc"')),
    ("shared unknown", ((RTOS, RTOS + '\nshared = [{ name = "box", guest = 0x7000_0000 }]'),),
     ("demo.toml", '"box"'), ('no shared region "box"', "[shared.box]")),
    ("page of two owners", (('0x0904_0000, size = "4K"', '0x0903_0800, size = "1K"'),
                            ('0x0903_0000, size = "4K"', '0x0903_0000, size = "1K"'),
                            (RTOS, RTOS + '\ndevices = ["uart1"]')),
     ("demo.toml", 'devices = ["uart1"]'),
     ('cell "rtos", device "uart1"', 'root cell "root", device "gpio"',
      "same page 0x9030000+4K")),
    ("devices overlap", (('0x0904_0000, size = "4K"', '0x0903_0800, size = "4K"'),),
     ("machine.toml", "0x0903_0800"),
     ("gpio 0x9030000+4K", "uart1 0x9030800+4K", "overlap at 0x9030800+2K")),
    ("device on the GIC", (('0x0808_0000, size = "128K"', '0x0800_8000, size = "4K"'),),
     ("machine.toml", "0x0800_8000"), ("its 0x8008000+4K", "gicd")),
    ("registers too few", (('size = 0xf6_0000', 'size = "256K"'),), ("machine.toml", "gicr ="),
     ("no room for 4 redistributors of 128K",)),
    ("maintenance", (('maintenance_irq = 25', 'maintenance_irq = 32'),),
     ("machine.toml", "maintenance_irq = 32"),
     ("32 is no PPI",)),
    ("architecture", (('arch = "arm64"', 'arch = "arm46"'),), ("machine.toml", "arm46"),
     ('did you mean "arm64"?',)),
    ("CPU ids", (('cpus = 4', 'cpus = [0, 1, 1, 2]'),),
     ("machine.toml", "[0, 1, 1, 2]"), ("0x1 stands there twice",)),
    ("CPU id", (('cpus = 4', 'cpus = [0, 0x8000_0001, 2, 3]'),), ("machine.toml", "0x8000_0001"),
     ("0x80000001 is no MPIDR affinity",)),
    ("console of the machine", (('console = "uart0"', 'console = "rtc"'),),
     ("machine.toml", 'console = "rtc"'),
     ('console "rtc" is no device with a `uart`',)),
    ("machine missing", (('machine = "machine.toml"', 'machine = "mashine.toml"'),),
     ("demo.toml", "mashine"), ("cannot read", "No such file")),
    ("no TOML", ((RTOS, 'cpus = [3'),), ("demo.toml", 'console = "putc"'), ("not TOML",)),
    ("table twice", (("[devices.rtc]", "[devices.uart0]"),),
     ("machine.toml", "[devices.uart0]"), ("not TOML",)),
]


# Of a compute cell with the lines 40 and 48-79 and no console: what is added to it, the line it is
# said of, words of it
NONE = 'exits = "none"'
CONTRACTS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("lines by their old name", "interrupts = [220]", "interrupts = [220]",
     ("`interrupts` takes direct, injected or auto; lines beside its devices' are `lines` now",
      "rename the key to `lines`")),
    ("one line by its old name", "interrupts = 220", "interrupts = 220", ("are `lines` now",)),
    ("interrupts unknown", 'interrupts = "inject"', '"inject"',
     ('"inject" is not known', 'did you mean "injected"?', "known: direct, injected, auto")),
    ("wfi unknown", 'wfi = "trust"', 'wfi = "trust"', ('did you mean "trusted"?',)),
    ("on_violation unknown", 'exits = 1\non_violation = "stop"', "on_violation",
     ("known: log, fail",)),
    ("exits unknown", 'exits = "nome"', '"nome"', ('did you mean "none"?',)),
    ("exits no number", "exits = true", "exits = true", ("True is no number", 'write "none"')),
    ("exits negative", "exits = -1", "exits = -1", ("-1 does not fit",)),
    ("exits a rate", 'exits = "5/s"', '"5/s"', ('"5/s" is no number', "how many a second")),
    ("exits too many", "exits = 0xffff_ffff", "exits =", ("more than can be counted", '"any"')),
    ("key misspelt", 'exit = "none"', "exit =", ("unknown key `exit`", "did you mean `exits`?")),
    ("settles too long", "exits = 1\nsettle_ms = 600_001", "settle_ms",
     ("600001 is more than 600000",)),
    ("settles to nothing", "settle_ms = 1000", "settle_ms",
     ("`settle_ms` without a limit on exits", "remove it")),
    ("settles to any", 'exits = "any"\nsettle_ms = 0', "settle_ms", ("without a limit",)),
    ("violates nothing", 'on_violation = "log"', "on_violation",
     ("`on_violation` without a limit on exits", "remove it")),
    ("none and injected", f'{NONE}\ninterrupts = "injected"', 'interrupts = "injected"',
     ('exits are "none" (', '`interrupts` is "injected"', "each injected interrupt is an exit",
      'say interrupts = "direct"')),
    ("0 and injected", 'exits = 0\ninterrupts = "injected"', 'interrupts = "injected"',
     ('exits are "none" (',)),
    ("none and renumbered", f'{NONE}\nrenumber = {{ "40" = 33 }}', "renumber =",
     ('exits are "none" (', "line 40 is renumbered to 33 (", "needs injected interrupts",
      "remove it from `renumber`")),
    ("none and its second is renumbered", f'{NONE}\nrenumber = {{ "40" = 40, "48" = 33 }}',
     "renumber =", ("line 48 is renumbered to 33 (",)),
    ("direct and renumbered", 'interrupts = "direct"\nrenumber = { "40" = 33 }', "renumber =",
     ("line 40 is renumbered to 33", '`interrupts` is "direct" (', "demo.toml:",
      'say interrupts = "injected", or remove 40')),
    ("none and putc", f'{NONE}\nconsole = "putc"', 'console = "putc"',
     ('exits are "none" (', 'its console is "putc"', "each character", "a UART of its own")),
    ("trusted and injected", 'wfi = "trusted"\ninterrupts = "injected"', "wfi =",
     ('`wfi` is "trusted"', '`interrupts` is "injected" (', "remove `wfi`")),
    ("trusted and renumbered", 'wfi = "trusted"\nrenumber = { "50" = 33 }', "wfi =",
     ('`wfi` is "trusted"', "line 50 is renumbered to 33 (", "remove `wfi`")),
    ("renumbered no table", "renumber = [40, 33]", "renumber = [", ("is no table", "write `")),
    ("renumbered to a word", 'renumber = { "40" = "33" }', "renumber =", ("'33' is no number",)),
    ("renumbered to true", 'renumber = { "40" = true }', "renumber =", ("True is no number",)),
    ("renumbered too low", 'renumber = { "40" = 31 }', "renumber =", ("31 is outside 32..1019",)),
    ("renumbered too high", 'renumber = { "40" = 1020 }', "renumber =",
     ("1020 is outside 32..1019",)),
    ("renumbered over the end", 'renumber = { "48-79" = 989 }', "renumber =",
     ("989 is outside 32..988",)),
    ("renumbered word", 'renumber = { "uart1" = 33 }', "renumber =", ('"uart1" is no range',)),
    ("renumbered no line", 'renumber = { "288" = 33 }', "renumber =",
     ("288 is outside 32..287",)),
    ("renumbered twice", 'renumber = { "50" = 33, "48-51" = 100 }', "renumber =",
     ("line 50 stands there twice",)),
    ("renumbered another's", 'renumber = { "34" = 33 }', "renumber =",
     ("line 34 is not the cell's", "add its device to `devices` or the line to `lines`")),
    ("renumbered to a neighbour", 'renumber = { "40" = 48 }', "renumber =",
     ("line 40 would be its 48, which its line 48 is already", "renumber 48 as well")),
    ("renumbered to one number", 'renumber = { "40" = 33, "48" = 33 }', "renumber =",
     ("line 40 would be its 33, which its line 48 is already",)),
]


@pytest.mark.parametrize(("text", "line", "words"), [case[1:] for case in CONTRACTS],
                         ids=[case[0] for case in CONTRACTS])
def test_contract(edited: Edited, text: str, line: str, words: tuple[str, ...]) -> None:
    more = f'\ndevices = ["uart1", "virtio"]\n{text}'
    system, problems = checked_system(str(edited((SILENT_COMPUTE, COMPUTE + more))))
    assert system is None
    found = [(*said_of(p), str(p)) for p in problems if not p.warning]
    assert all(file == "demo.toml" and line in where for file, where, _ in found), found
    assert all(word in found[0][2] for word in words), found
    assert all(re.search(r"^\S+:\d+: error: .+\n    why: .+\n    fix: .+$", t) for _, _, t in found)


def test_contract_of_unknown_lines(edited: Edited) -> None:
    """Which lines a device has that is not there nobody knows: one mistake, one message."""
    _, problems = checked_system(str(edited((COMPUTE, COMPUTE + '\ndevices = ["uart2"]\n'
                                             'renumber = { "40" = 33 }'))))
    assert [("uart2" in str(p)) for p in problems] == [True]


def said_of(problem: Problem) -> tuple[str, str]:
    """The file's name and the line of text the message points at."""
    file = Path(problem.where.file)
    return file.name, file.read_text().splitlines()[problem.where.line - 1]


@pytest.mark.parametrize(("changes", "place", "words"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_mistake(edited: Edited, changes: tuple[tuple[str, str], ...],
                 place: tuple[str, str], words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited(*changes)))
    assert system is None
    found = [(*said_of(p), str(p)) for p in problems if not p.warning]
    assert any(file == place[0] and place[1] in line and all(word in text for word in words)
               for file, line, text in found), found
    for _, _, text in found:
        assert re.search(r"^\S+:\d+: error: .+\n    why: .+\n    fix: .+$", text)


def test_one_mistake_makes_one_message(edited: Edited) -> None:
    """Follow-up errors would hide the cause."""
    for changes in (((RTOS, 'cpus = [4]'),),
                    ((RTOS_RAM, 'name = "ram", guest = 0, size = "1MB",'),),
                    ((RTOS, RTOS + '\ndevices = ["uart2"]'),)):
        _, problems = checked_system(str(edited(*changes)))
        assert problems.errors == 1, [str(p) for p in problems]


def test_every_mistake_is_reported(edited: Edited, capsys: pytest.CaptureFixture[str]) -> None:
    file = edited((RTOS, 'cpus = [2]\ncolour = "red"'), (HYPERVISOR, '0xbf00_0000, size = "2M"'),
                  ('size = "64M", access', 'size = "64M", host = 0x4000_0000, access'),
                  ('spis = 256', 'spis = 256\nspeed = 1'))
    assert main(["check", str(file)]) == 1
    text = capsys.readouterr().err
    for words in ("unknown key `colour`", "unknown key `speed`", "CPU 2", "too little",
                  "not within the cells' RAM", "5 errors"):
        assert words in text


@pytest.mark.parametrize(("changes", "words"), [
    (((HYPERVISOR, '0xbf00_0000, size = "8M"'),), "RAM 0xbf800000+8M belongs to nobody"),
    ((('[memory]', '[shared.box]\nsize = "64K"\n[memory]'),), "no cell uses it"),
    ((('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "uart0"\ndevices = ["uart0"]'),),
     "is the hypervisor's too"),
    ((('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "putc"\ndevices = ["uart0"]'),),
     'cell "rtos": its device "uart0" is the hypervisor\'s too'),
    (((LINUX, '0x5000_0000, size = "1536M"'),), "RAM 0x40000000+256M belongs to nobody"),
    (((SILENT_COMPUTE, 'cpus = [2]\nexits = "none"'),),
     'exits are "none" and its WFI is trapped\n    why: each time it sleeps is an exit\n'
     '    fix: say wfi = "trusted"'),
    (((SILENT_COMPUTE, 'cpus = [1, 2]\nexits = 0\nwfi = "trusted"'),),
     'exits are "none" and it has 2 CPUs\n    why: each software interrupt'),
])
def test_warning(edited: Edited, changes: tuple[tuple[str, str], ...], words: str) -> None:
    system, problems = checked_system(str(edited(*changes)))
    assert system is not None, [str(p) for p in problems]
    assert any(words in str(p) for p in problems)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"JHCONFIG\x01\x00\x80", b"a = [" * 5000,
                                 b"a = " + b"9" * 5000])
def test_bytes_that_are_no_text(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(raw)
    system, problems = checked_system(str(tmp_path / "x.toml"))
    assert system is None
    assert problems.errors == 1


@pytest.mark.parametrize("text", [
    'exits = "none"\nwfi = "trusted"', "exits = 1", 'exits = 1\ninterrupts = "injected"', ""])
def test_nothing_to_note(edited: Edited, text: str) -> None:
    system, problems = checked_system(str(edited((SILENT_COMPUTE, f"{COMPUTE}\n{text}"))))
    assert system is not None
    assert list(problems) == []


def test_no_machine_is_the_only_thing_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What may stand in a cell depends on it: `memory = "64M"` would be called wrong."""
    file = tmp_path / "system.toml"
    file.write_text('machine = "machine.toml"\n[[cell]]\nname = "a"\ncpus = 1\nmemory = "64M"\n', encoding="utf-8")
    assert main(["check", str(file)]) != 0
    said = capsys.readouterr().err
    assert "cannot read" in said and "memory" not in said and "1 error\n" in said


def test_a_console_that_the_hypervisor_does_not_print_on_may_be_a_cells(edited: Edited) -> None:
    """On arm64 it knows PL011s alone."""
    given = ('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "uart0"\ndevices = ["uart0"]')
    _, problems = checked_system(str(edited(given, ('[33]\nuart = "pl011"', '[33]\nuart = "8250-32"'))))
    assert not any("is the hypervisor's too" in str(p) for p in problems)


@pytest.mark.parametrize(("edges", "words"), [
    ("[34]", "`edges`: 34 is none of its `interrupts`"), ('["33-34"]', "`edges`: 34 is none"), ("33", "33 is no list"), ("[9999]", "9999")])
def test_edges_are_of_its_interrupts(edited: Edited, edges: str, words: str) -> None:
    _, problems = checked_system(str(edited(("interrupts = [33]", f"interrupts = [33]\nedges = {edges}"))))
    assert problems.errors == 1 and any(words in str(p) for p in problems), [str(p) for p in problems]
