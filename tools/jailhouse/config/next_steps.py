# SPDX-License-Identifier: GPL-2.0-only
"""
What lies beside the .cell files for people: the text with everything said, what is to be told to Linux and where, and
the commands that bring the cells up.
"""

import os
import shlex
from collections.abc import Iterator

from jailhouse.config.arch import KernelWords
from jailhouse.config.arches import ARCHES
from jailhouse.config.expansion import expansion
from jailhouse.config.guest_tree import guest_tree
from jailhouse.config.model import Cell, Device, Function, Machine, Span, System
from jailhouse.config.spans import merged, minus
from jailhouse.config.tree_text import reg
from jailhouse.config.units import function_text

EXPANDED = "expanded.toml"
NEXT_STEPS = "next-steps.txt"
RESERVED_MEMORY = "reserved-memory.dts"


def kernel_words(system: System) -> KernelWords:
    """What of the root cell's memory is firmware's alone is nothing that Linux has to be told of."""
    linux = tuple(p for p in system.linux if not any(p.span.within(f.span) for f in system.machine.firmware))
    return ARCHES[system.machine.arch].kernel_words(system.machine.ram, linux)


def texts(file: str, system: System, directory: str) -> dict[str, str]:
    """Contents by name."""
    words = kernel_words(system)
    found = {EXPANDED: expansion(file, system, directory),
             NEXT_STEPS: "\n".join(_steps(system, words, directory)) + "\n"}
    if _have_trees(system):
        found |= {f"{cell.name}.dts": guest_tree(cell, system.machine) for cell in system.cells}
    if words.tree:
        found[RESERVED_MEMORY] = "\n".join(_fragment(system)) + "\n"
    return found


def _have_trees(system: System) -> bool:
    """Else the cells' programs are told by ACPI's tables."""
    return not ARCHES[system.machine.arch].ports


def _steps(system: System, words: KernelWords, directory: str) -> Iterator[str]:
    yield "1. Have Linux leave alone what is not its own. Its kernel parameters get, beside what they say already:"
    yield from ("", f"       {words.parameters}", "")
    if words.parameters:
        yield from _places(words.parameters)
    if words.tree:
        yield from _tree(directory)
    yield "   Then reboot. `jailhouse hardware check` says whether it worked."
    released = [line for cell in system.cells for line in _releases(cell, system.machine)]
    if released:
        yield from ("", "2. Linux's drivers let go of what the cells get. One that touched its device later would fail:", "")
        yield from (f"       {line}" for line in (*_RELEASE, *released))
        yield ""
        yield "   A driver that is left shows in /proc/iomem and /proc/ioports, below the line of the device itself."
    yield from ("", f"{2 + bool(released)}. Slide the hypervisor under it, and make the cells:", "")
    yield f"       jailhouse enable {_path(directory, 'system.cell')}"
    for cell in system.cells:
        yield from (f"       {line}" for line in _commands(cell, system, directory))
    yield from ("", f"{3 + bool(released)}. Look: `jailhouse cell list`, `jailhouse console --all`, `jailhouse cell stats NAME`.")
    if _have_trees(system):
        yield f"   A cell's device tree, for programs that want one: {_path(directory, 'NAME.dts')}."


def _places(parameters: str) -> Iterator[str]:
    # "$" is GRUB's own, and the shell's that reads /etc/default/grub
    yield "   GRUB: in /etc/default/grub, then update-grub"
    yield '       GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ' + parameters.replace("$", r"\\\$") + '"'
    yield "   extlinux.conf: at the end of the line `append`"
    yield f"       {parameters}"
    yield "   U-Boot: before the boot command"
    yield "       setenv bootargs \"${bootargs} " + parameters.replace("$", r"\$") + '"'
    yield ""


def _tree(directory: str) -> Iterator[str]:
    source = _path(directory, RESERVED_MEMORY)
    yield f"   And its device tree gets what is in {source}. Made into an overlay by"
    yield f"       dtc -@ -I dts -O dtb -o reserved-memory.dtbo {source}"
    yield "   extlinux.conf: a line `fdtoverlays /reserved-memory.dtbo`"
    yield "   U-Boot: load it behind the tree, then `fdt apply ADDRESS`"
    yield "   without either: fdtoverlay -i BOARD.dtb -o NEW.dtb reserved-memory.dtbo, and boot with NEW.dtb"
    yield ""


# Called with devices of Linux's, or with the files of their `resources`. A driver that is built in may have no `unbind`
_RELEASE = """release() {
    for d; do
        d=${d%/resources}
        [ ! -e "$d/driver" ] || echo "${d##*/}" >"$d/driver/unbind" ||
            echo "${d##*/}: its driver cannot let go: nobody may use it as long as a cell has it"
    done
}""".splitlines()


def _releases(cell: Cell, machine: Machine) -> Iterator[str]:
    """A line for each thing that a driver of Linux's may have: by the names that Linux makes of what a machine has."""
    of_linux = _of_acpi if ARCHES[machine.arch].ports else _of_tree
    for function in cell.functions:
        yield f"release {_function(function)}      # cell \"{cell.name}\""
    for given in cell.devices:
        device = machine.devices[given.name]
        names = [_function(f) for f in device.functions] or of_linux(device)
        yield from (f"release {name}      # {device.name}, cell \"{cell.name}\"" for name in names)


def _function(function: Function) -> str:
    return f"/sys/bus/pci/devices/0000:{function_text(function.bdf)}"


def _of_tree(device: Device) -> list[str]:
    """A node of a device tree is called by where its registers are, and its device is one of AMBA's or of none."""
    return [" ".join(f"/sys/bus/{bus}/devices/{placed.span.start:x}.*" for bus in ("amba", "platform"))
            for placed in device.registers]


def _of_acpi(device: Device) -> list[str]:
    """What is no PCI function has a number, which says nothing, and lists what it has."""
    found = [*(f"mem {placed.span.start:#x}" for placed in device.registers),
             *(f"io {line.numbers.start:#x}" for line in device.ports)]
    return [f"$(grep -ls '{has}-' /sys/bus/pnp/devices/*/resources)" for has in found]


def _path(directory: str, name: str) -> str:
    """As a shell takes it."""
    return shlex.quote(os.path.join(directory, name))


def _commands(cell: Cell, system: System, directory: str) -> Iterator[str]:
    image = shlex.quote(cell.image) if cell.image else "IMAGE"
    yield f"jailhouse cell create {_path(directory, f'{cell.name}.cell')}"
    if any(r.boot for r in cell.memory):
        devices = ""
        # without devices the command makes the same tree by itself
        if _have_trees(system) and any(system.machine.devices[given.name].registers for given in cell.devices):
            yield f"dtc -@ -O dtb -o {cell.name}.dtb {_path(directory, f'{cell.name}.dts')}"
            devices = f"-d {cell.name}.dtb "
        yield f"jailhouse cell linux {devices}{cell.name} {image}      # a kernel; else:"
    yield f"jailhouse cell load {cell.name} {image}"
    yield f"jailhouse cell start {cell.name}"


def _fragment(system: System) -> Iterator[str]:
    """An overlay: what is neither mapped nor used by Linux (Devicetree Specification 0.4, 3.5.4)."""
    address, size = system.machine.tree_cells
    # Linux takes the node only with the root node's numbers
    yield from ("/dts-v1/;", "/plugin/;", "", "&{/} {", "\treserved-memory {")
    yield from (f"\t\t#address-cells = <{address}>;", f"\t\t#size-cells = <{size}>;", "\t\tranges;")
    for whole in merged(minus((r.span for r in system.machine.ram), [p.span for p in system.linux])):
        for span in _pieces(whole, size):
            yield from ("", f"\t\tpartition@{span.start:x} {{", f"\t\t\t{reg([span], address, size)}", "\t\t\tno-map;", "\t\t};")
    yield from ("\t};", "};")


def _pieces(span: Span, cells: int) -> Iterator[Span]:
    """No larger than a size of so many cells."""
    most = 1 << 31 if cells == 1 else 1 << 63
    for start in range(span.start, span.end, most):
        yield Span(start, min(most, span.end - start))
