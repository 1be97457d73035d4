# SPDX-License-Identifier: GPL-2.0-only
"""
The keys of both texts as JSON Schema (draft 2020-12): for editors, which complete and check by it, and for the tables of
docs/configuration.md, which are made of it. The reader (read.py, read_machine.py) says what is wrong in more words.
"""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_NAME = r"^[ -~]{1,31}$"
_RANGE = r"^(0[xX][0-9a-fA-F]+|[0-9]+) ?- ?(0[xX][0-9a-fA-F]+|[0-9]+)$"
_NUMBER = r"^(0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*|[0-9]+(_[0-9]+)*) ?[KMGT]?$"
_FUNCTION = r"^(0000:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$"


# --- what values there are ---

def _number(about: str = "") -> Json:
    return {"description": about, "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _NUMBER}]}


def _text(about: str = "", **more: Any) -> Json:
    return {"description": about, "type": "string", **more}


def _name(about: str = "") -> Json:
    return _text(about, pattern=_NAME)


def _choice(about: str, *words: str) -> Json:
    return _text(about, enum=list(words))


def _flag(about: str = "") -> Json:
    return {"description": about, "type": "boolean"}


def _list(item: Json, about: str = "") -> Json:
    return {"description": about, "type": "array", "items": item}


def _lines(about: str = "") -> Json:
    """Numbers and ranges in text."""
    return _list({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"{_RANGE}|{_NUMBER}"}]}, about)


def _table(about: str, required: list[str], /, **keys: Json) -> Json:
    return {"description": about, "type": "object", "properties": keys, "required": required, "additionalProperties": False}


def _named(about: str, item: Json) -> Json:
    return {"description": about, "type": "object", "propertyNames": {"pattern": _NAME}, "additionalProperties": item}


def _any(about: str, *schemas: Json) -> Json:
    return {"description": about, "anyOf": list(schemas)}


def _one_or_many(item: Json, about: str = "") -> Json:
    return _any(about, item, _list(item))


def _span(about: str = "", *names: str) -> Json:
    return _table(about, ["start", "size"], **({"name": _name()} if "name" in names else {}), start=_number(), size=_number())


# --- the machine text ---

_TOPOLOGY = _table(
    "which CPUs share what, by Linux's numbers; all of it may be left out", [],
    threads=_list(_lines(), 'sets of CPUs that are threads of one core: `[[0, 1], ["2-3"]]`'),
    clusters=_list(_lines(), "the same for clusters"),
    caches=_one_or_many(_table(
        "", ["level", "cpus"], level=_number(), kind=_choice("", "unified", "data", "instruction"), size=_number(), cpus=_lines()),
        'a list of `{ level, kind, size, cpus }`; `kind`: `"unified"` (the default), `"data"` or `"instruction"`'))
_GIC = _table(
    "arm64: the interrupt controller", ["gicd", "gicr", "maintenance_irq", "spis"],
    version={"description": "3", "const": 3},
    gicd=_span("the distributor, `{ start, size }`"),
    gicr=_span("all redistributors, `{ start, size }`"),
    maintenance_irq=_number("the PPI's INTID, 25 mostly"),
    spis=_number("how many the distributor has"))
_APIC = _table(
    "x86_64: the interrupt controllers, and what else ACPI's tables say", ["ioapics"],
    ioapics=_one_or_many(_table("", ["address", "pins"], address=_number(), first=_number(), pins=_number()),
                         "a list of `{ address, first, pins }`, at most four; `first` is the global system interrupt of pin 0"),
    mmconfig=_span("PCI's configuration space in memory, `{ start, size }`: 1 MiB for each bus from bus 0"),
    apic_khz=_number("what the local APICs' timers count undivided; measured if left out"),
    pm_timer=_number("the ACPI PM timer's port, if there is one"))
_DEVICE = _table(
    "", [],
    about=_text("words for the reader: what it is compatible with, who made it"),
    registers=_one_or_many(_span("", "name"), "`{ start, size }`, or a list of them, each with a `name` that is shown as `NAME.name`"),
    interrupts=_lines("its lines"),
    edges=_lines("those of `interrupts` that are edges, as a cell's device tree has to say; the others are levels"),
    uart=_choice('for what can be a console: `"pl011"`, `"8250"` or `"8250-32"` (registers four bytes apart)', "pl011", "8250", "8250-32"),
    ports=_lines('x86_64: its I/O ports; a `"8250"` without `registers` is reached by them'),
    pci=_any('x86_64: the PCI function it is, as `lspci` writes it (`"00:1f.2"`), or a list of them; in a cell it interrupts by MSI and '
             "MSI-X, whose table must lie in its `registers`, and never by INTx",
             _text("", pattern=_FUNCTION), _list(_text("", pattern=_FUNCTION))),
    dma=_flag("it reads and writes memory by itself"),
    needs=_named('what of other devices\' it does not work without: `{ clocks = ["cru"], supply = ["i2c0"] }`', _list(_name())),
    group=_number("of the IOMMU's groups the one it is in"),
    streams=_one_or_many(_table("", ["iommu", "ids"], iommu=_name(), ids=_lines()),
                         "`{ iommu, ids }` or a list of them: what an IOMMU knows its DMA by"),
    iommu=_text("which kind of IOMMU it is itself"))

MACHINE: Json = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "machine text"} | _table(
    "A board: each of its addresses stands here once", ["name", "arch", "cpus", "ram"],
    name=_name("of the board"),
    arch=_choice('`"arm64"` or `"x86_64"`', "arm64", "x86_64"),
    cpus=_any("how many, or the list of what the hardware calls them in Linux's order (arm64: MPIDR affinities, x86_64: APIC ids). A "
              "number stands on arm64 for clusters of sixteen: CPU n has affinity `n / 16 << 8 | n % 16`; on x86_64 CPU n has APIC id n",
              {"type": "integer", "minimum": 1}, _list(_number())),
    address_bits=_number("physical addresses are below 1 << this; left out, the most the architecture has (48). A machine with fewer is "
                         "found out by the hypervisor"),
    ram=_one_or_many(_span(), "`{ start, size }`, or a list of them"),
    firmware=_one_or_many(_span("", "name"), "parts of `ram` that firmware keeps for itself, `{ name, start, size }` or a list of them: "
                                             "nothing is placed there"),
    console=_name("the device the hypervisor prints on; may be left out"),
    tree_cells=_list({"type": "integer", "minimum": 1, "maximum": 2},
                     "arm64: `#address-cells` and `#size-cells` of the root node of the machine's device tree, as `reserved-memory.dts` has to "
                     "have them too; `[2, 2]` if left out"),
    topology=_TOPOLOGY, gic=_GIC, apic=_APIC, devices=_named("", _DEVICE))


# --- the system text ---

_REGION = _table("", ["name", "guest", "size"], name=_name(), guest=_number(), size=_number(), access=_choice("", "r", "rw", "rx", "rwx"),
                 loadable=_flag(), host=_number(), boot=_flag())
_CELL = _table(
    "", ["name", "cpus"],
    name=_name("also of its file, `NAME.cell`"),
    cpus=_any("Linux's numbers of them, or how many; at least one, and Linux keeps at least one; on x86_64 CPU 0, which it cannot take "
              "offline", {"type": "integer", "minimum": 1}, _lines()),
    memory=_any('`"64M"`: so much, from 0 on and loadable, around the communication page and its devices\' registers. Or a list of '
                "`{ name, guest, size, access, loadable, host }`, each with a `name` of its own. `guest` is where the cell sees it. "
                "`access` is `\"r\"`, `\"rw\"`, `\"rx\"` or "
                "`\"rwx\"`. `loadable = true`: `cell load` may fill it. `host` is where it lies in the machine, and is best left out. `boot = "
                "true`, for one of them, says what a flash is on a board: `cell load` and `cell linux` put images there, and a loader that "
                "copies each to its place at each start; it is loadable, and its access `\"rx\"`, without being said "
                "([linux-cells.md](linux-cells.md)). On x86_64 its `guest` is a multiple of 64K, and it ends below 4 GiB",
                _number(), _REGION, _list(_REGION)),
    entry=_number("where its first instruction is; 0, or the start of the region with `boot`, in which it must lie. An ELF file is loaded "
                  "only if its entry is the same, or if there is such a region. On x86_64 it is in real mode, below 4 GiB"),
    comm_page=_any("where it sees the communication page: arm64 `0x8000_0000`, x86_64 `0x10_0000`; `false` for none", _number(),
                   {"const": False}),
    console=_name('`"putc"`: the debug-console hypercall; `"uart"`: its `uart`, which is the default where it has one; or a UART of its '
                  "`devices`; may be left out"),
    putc=_flag('may it print by the debug-console hypercall; true with `console = "putc"`'),
    uart=_table("a UART that only the hypervisor has ([below](#a-uart-that-is-none-of-the-machines)): arm64: `{ guest, interrupt, line }`, a "
                "PL011; x86_64: `{ port }`, an 8250", [], guest=_number(), interrupt=_number(), line=_number(), port=_number()),
    platform=_choice('arm64: `"qemu-virt"` stands for a number of these keys ([below](#another-machine-to-stand-in-for))', "qemu-virt"),
    ram=_number("with `platform`: how much RAM it has"),
    flash=_number("with `platform`: how much of the first flash there is"),
    boot=_number("with `platform`: how much memory it is started from"),
    devices=_list(_any("", _name(), _table("", ["name", "guest"], name=_name(), guest=_number())),
                  "names from the machine text: their registers, at the addresses they have, and their interrupts. `{ name = \"uart1\", guest = "
                  "0x0900_0000 }`: the cell sees the first page of its registers there, and others as far away as they are"),
    lines=_lines("interrupt lines beside its devices'"),
    ports=_lines("x86_64: I/O ports beside its devices'"),
    other_ports=_choice('x86_64: what an access to a port that is not its own is: `"refused"`, and the cell fails; or `"absent"`, as on a '
                        "machine with nothing there: reads are all ones, writes are lost, the log names the first few. For systems that look "
                        "for a PC's devices before they are told what there is, as a stock Linux does", "refused", "absent"),
    pci=_any('x86_64: PCI functions beside its devices\', `["00:1f.2"]`', _text("", pattern=_FUNCTION), _list(_text("", pattern=_FUNCTION))),
    interrupts=_choice('arm64: how they reach it: `"direct"`, `"injected"` or `"auto"`, which is direct unless something needs injection (a '
                       "renumbered line does)", "direct", "injected", "auto"),
    renumber=_named('arm64: `{ "40" = 33, "48-51" = 36 }`: the machine\'s line 40 is the cell\'s 33, its lines 48 to 51 are 36 to 39',
                    {"type": "integer", "minimum": 0}),
    cpu_ids=_choice('arm64: what it calls its CPUs (MPIDR affinity): `"machine"` as the machine does, which is the default, or `"counted"`: 0, '
                    "1, 2, ... in the order of Linux's numbers, as QEMU's virt machine has them", "machine", "counted"),
    gic=_table("arm64: `{ gicd, gicr }`: where it sees the distributor and the redistributors, multiples of 64K; where the machine has them, "
               "if left out", ["gicd", "gicr"], gicd=_number(), gicr=_number()),
    wfi=_choice('arm64: `"trapped"` or, for a direct cell, `"trusted"`', "trapped", "trusted"),
    exits=_any('how many exits each of its CPUs may cause in a second: `"none"`, a number, or `"any"`, which is the default',
               {"enum": ["none", "any"]}, _number()),
    settle_ms=_number("from a CPU's start until `exits` holds: 1000, at most 600000"),
    on_violation=_choice('a CPU over `exits`: `"log"` it, or `"fail"` the cell', "log", "fail"),
    shared=_one_or_many(_table("", ["name", "guest"], name=_name(), guest=_number(), access=_choice("", "r", "rw")),
                        'list of `{ name, guest, access }`: a shared region, at `guest`, `"rw"` or `"r"`'),
    share=_one_or_many(_table("", ["with", "size"], **{"with": _name(), "size": _number()}),
                       "list of `{ with, size }`: memory in common with that other cell, at the same address in both, from `0x7000_0000` on. It "
                       "is a shared region `CELL-OTHER`; one of the two says it"),
    image=_text("the file it is to run, for the commands in `next-steps.txt`"))

SYSTEM: Json = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "system text"} | _table(
    "Who has what of a machine", ["machine"],
    machine=_text("the machine text's file, beside this one"),
    memory=_table(
        "what of RAM is whose; what is left out is found", [],
        linux=_one_or_many(_span(), "what Linux boots with, `{ start, size }` or a list of them"),
        cells=_span("what is kept from it and given to cells"),
        hypervisor=_span("nobody else's; 2 MiB-aligned, 4M or more")),
    root=_table("", [], name=_name("of the root cell, if not `root`")),
    shared=_named("", _table("memory of several cells, which the root cell sees too", ["size"], size=_number("of that memory"),
                             host=_number("where it lies in the machine; best left out"))),
    cell=_one_or_many(_CELL))

SCHEMAS = {"machine": MACHINE, "system": SYSTEM}


# --- the tables in docs/configuration.md ---

# Which keys each has
_TABLES: dict[str, tuple[str, Json]] = {
    "machine": ("", MACHINE),
    "memory": ("", {"properties": {key: SYSTEM["properties"][key] for key in ("machine", "memory", "root", "shared")}}),
    "cell": ("", _CELL),
}
_MARKED = re.compile(r"<!-- keys of (\w+) -->\n.*?<!-- end -->\n", re.DOTALL)


def with_tables(text: str) -> str:
    """The document with each table as the schema has it now."""
    def table(found: re.Match[str]) -> str:
        prefix, schema = _TABLES[found[1]]
        rows = "".join(f"{row}\n" for row in _rows(schema, prefix))
        return f"<!-- keys of {found[1]} -->\n| key | |\n|---|---|\n{rows}<!-- end -->\n"
    return _MARKED.sub(table, text)


def _rows(schema: Json, prefix: str) -> Iterator[str]:
    """A key's row, then those of the keys below it that say something."""
    for key, value in schema.get("properties", {}).items():
        name = f"{prefix}{key}"
        if value.get("description"):
            yield f"| `{name}` | {value['description'].replace('|', chr(92) + '|')} |"
        below = value.get("additionalProperties")
        yield from _below(below, f"{name}.NAME.") if isinstance(below, dict) else _below(value, f"{name}.")


def _below(value: Json, prefix: str) -> Iterator[str]:
    if any(v.get("description") for v in value.get("properties", {}).values()):
        yield from _rows(value, prefix)
