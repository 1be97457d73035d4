# SPDX-License-Identifier: GPL-2.0-only
"""
The device tree of a cell, as text. `jailhouse cell linux` makes the same from the files alone (arm64/tree.c), without the
devices; tests/python/test_guest_tree.py holds the two together.
"""

from jailhouse.config import abi
from jailhouse.config.arch_arm64 import FRAME, REDISTRIBUTOR
from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import ACCESS_FLAGS, Mem, Section
from jailhouse.config.guest_devices import CLOCK_HZ, Guest, GuestUart, device_nodes, labelled_uarts, uart_node, unplaced_interrupts
from jailhouse.config.model import Cell, Machine, Span
from jailhouse.config.tree_text import cells, comment, node, reg, spaced, strings

# Secure, non-secure, virtual, hypervisor's
_TIMER_PPIS = (13, 14, 11, 10)
_RWX = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE | abi.ABI_MEM_EXEC
_NO_RAM = abi.ABI_MEM_IO | abi.ABI_MEM_COMM | abi.ABI_MEM_SHARED | abi.ABI_MEM_BOOT


def guest_tree(cell: Cell, machine: Machine) -> str:
    """Of a cell for arm64. Labels are those that overlays may use with the command's own tree."""
    guest = Guest(cell, machine)
    uarts = labelled_uarts(guest)
    parts = [_root(), _psci(), _cpus(guest.section, machine), *_memory(guest.section), _other_memory(guest.section),
             _gic(guest.section, machine), _timer(), _clock(), *(uart_node(u) for u in uarts), *device_nodes(guest),
             unplaced_interrupts(guest), _chosen(uarts), _aliases(uarts)]
    lines = [*_header(cell.name), "", "/dts-v1/;", "", *node("/", spaced(p for p in parts if p))]
    return "\n".join(lines) + "\n"


def _header(name: str) -> list[str]:
    return comment(
        f'The device tree of cell "{name}". `jailhouse config build` writes it anew each time: what you change or add',
        f'belongs in a file of yours that begins with /include/ "{name}.dts".',
        "",
        "In binary form:",
        f"    dtc -@ -O dtb -o {name}.dtb {name}.dts",
        "Linux, to which the command adds kernel parameters and initrd:",
        f"    jailhouse cell linux -d {name}.dtb {name} Image",
        "Other programs: built in, or with `jailhouse cell load` at an address where they look for it.",
        "",
        "To be checked, as nothing says it: UARTs are taken to have a clock of "
        f"{CLOCK_HZ // 1_000_000} MHz, and interrupts to be levels where",
        "the machine text has no `edges`. What else devices want (clocks, resets, supplies, ...) is not here.")


def _root() -> list[str]:
    return [strings("compatible", "linux,dummy-virt"), "#address-cells = <2>;", "#size-cells = <2>;",
            "interrupt-parent = <&gic>;"]


def _psci() -> list[str]:
    return node("psci: psci", [strings("compatible", "arm,psci-1.0", "arm,psci-0.2"), strings("method", "hvc")])


def _cpu_ids(section: Section, machine: Machine) -> list[int]:
    """What the machine calls the CPUs, or what the cell does where it counts them."""
    counted = section.flags & abi.ABI_CELL_CPUS_COUNTED
    hwid = ARCHES[machine.arch].hwid
    return [hwid(count) if counted else machine.hwids[n] for count, n in enumerate(sorted(section.cpus))]


def _cpus(section: Section, machine: Machine) -> list[str]:
    ids = _cpu_ids(section, machine)
    wide = any(i >> 32 for i in ids)
    nodes = [node(f"cpu@{i:x}", [strings("device_type", "cpu"), strings("compatible", "arm,armv8"),
                                 strings("enable-method", "psci"), f"reg = <{cells(i) if wide else f'{i:#x}'}>;"]) for i in ids]
    return node("cpus: cpus", spaced([[f"#address-cells = <{2 if wide else 1}>;", "#size-cells = <0>;"], *nodes]))


def _is_ram(mem: Mem) -> bool:
    return mem.flags & (_RWX | _NO_RAM) == _RWX


def _memory(section: Section) -> list[list[str]]:
    return [node(f"memory@{mem.virt:x}", [strings("device_type", "memory"), reg([Span(mem.virt, mem.size)])])
            for mem in section.mem if _is_ram(mem)]


def _access(mem: Mem) -> str:
    return "".join(letter for letter, flag in ACCESS_FLAGS.items() if mem.flags & flag) \
        + ", shared" * bool(mem.flags & abi.ABI_MEM_SHARED)


def _other_memory(section: Section) -> list[str]:
    """A comment on it, if there is any."""
    others = [mem for mem in section.mem if not _is_ram(mem) and not mem.flags & abi.ABI_MEM_IO]
    lines = [f"{Span(mem.virt, mem.size)} {mem.name}, {_access(mem)}" for mem in others]
    return comment("Other memory, of which the tree says nothing:", *lines) if lines else []


def _gic(section: Section, machine: Machine) -> list[str]:
    assert machine.platform is not None
    platform = abi.PLATFORM_ARM64.unpack(machine.platform.encoded)
    counted = section.flags & abi.ABI_CELL_CPUS_COUNTED
    gicd = Span(section.gicd or platform["gicd"]["start"], FRAME)
    gicr = Span(section.gicr or platform["gicr"]["start"],
                len(section.cpus) * REDISTRIBUTOR if counted else platform["gicr"]["size"])
    return node(f"gic: interrupt-controller@{gicd.start:x}",
                [strings("compatible", "arm,gic-v3"), "interrupt-controller;", "#interrupt-cells = <3>;", "#address-cells = <0>;",
                 *comment("distributor, redistributors"), reg([gicd, gicr])])


def _timer() -> list[str]:
    return node("timer: timer", [strings("compatible", "arm,armv8-timer"), *comment("secure, non-secure, virtual, hypervisor's"),
                                 f"interrupts = {', '.join(f'<1 {ppi} 4>' for ppi in _TIMER_PPIS)};"])


def _clock() -> list[str]:
    return node("clock: clock", [strings("compatible", "fixed-clock"), "#clock-cells = <0>;", f"clock-frequency = <{CLOCK_HZ}>;"])


def _chosen(uarts: list[GuestUart]) -> list[str]:
    return node("chosen", [f"stdout-path = &{uarts[0].label};"] if uarts else comment("the cell has no UART for its console"))


def _aliases(uarts: list[GuestUart]) -> list[str]:
    return node("aliases", [f"{uart.label} = &{uart.label};" for uart in uarts])
