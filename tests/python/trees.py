# SPDX-License-Identifier: GPL-2.0-only
"""Small machines as device trees, and what must be so of every description."""

import subprocess
from itertools import pairwise

from jailhouse.config.model import Span
from jailhouse.probe.description import Description, Device, Gic
from jailhouse.probe.facts import Facts
from jailhouse.probe.from_tree import describe_tree

NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
CPUS = """
    cpus {
        #address-cells = <1>; #size-cells = <0>;
        cpu@0 { device_type = "cpu"; compatible = "arm,cortex-a53"; reg = <0>; };
        cpu@1 { device_type = "cpu"; compatible = "arm,cortex-a53"; reg = <1>; };
    };"""
MEMORY = 'memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };'
GIC = """
    gic: interrupt-controller@8000000 {
        compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>;
        #address-cells = <2>; #size-cells = <2>; ranges;
        reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x100000>;
        interrupts = <1 9 4>;
    };"""


class Said(Facts):
    """Facts by their paths."""

    def __init__(self, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
        self.source = "a test"
        self.files = files
        self.links = links or {}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def names(self, path: str) -> list[str]:
        return []

    def link(self, path: str) -> str | None:
        return self.links.get(path)


def machine(devices: str = "", cpus: str = CPUS, memory: str = MEMORY, gic: str = GIC, before: str = "") -> str:
    """A whole machine. before: what stands before its root, e.g. /memreserve/."""
    return f"""/dts-v1/; {before}
/ {{
    compatible = "acme,board-1", "acme,soc"; interrupt-parent = <&gic>; #address-cells = <2>; #size-cells = <2>;
    {cpus} {memory} {gic} {devices}
}};"""


def compiled(text: str) -> bytes:
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=text.encode(), check=True,
                          capture_output=True).stdout


def describe(text: str, links: dict[str, str] | None = None, **files: str) -> Description:
    """files: further facts by their names: dmesg, iomem, cmdline."""
    paths = {"dmesg": "dmesg.txt", "iomem": "proc/iomem", "cmdline": "proc/cmdline"}
    facts = {"sys/firmware/fdt": compiled(text)} | {paths[name]: said.encode() for name, said in files.items()}
    description = describe_tree(Said(facts, links))
    check(description)
    return description


def device(description: Description, name: str) -> Device:
    return next(d for d in description.devices if d.name == name)


def registers(one: Device) -> list[tuple[str, int, int]]:
    return [(p.name, p.span.start, p.span.size) for p in one.registers]


def needs(one: Device) -> set[tuple[str, str]]:
    return {(need.what, need.device) for need in one.needs}


def disjoint(spans: list[Span]) -> bool:
    spans = sorted(spans, key=lambda s: s.start)
    return all(a.end <= b.start for a, b in pairwise(spans))


def merged(spans: list[Span]) -> list[Span]:
    """Those that overlap as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        if found and span.start < found[-1].end:
            last = found.pop()
            span = Span(last.start, max(last.end, span.end) - last.start)
        found.append(span)
    return found


def check(description: Description) -> None:
    """What the rest of the tools takes for granted."""
    gic = description.platform
    assert isinstance(gic, Gic)
    _check_cpus(description)
    for frames in (gic.gicd, gic.gicr):
        assert frames.start % 0x10000 == frames.size % 0x10000 == 0 and frames.end <= 1 << 48
    assert gic.gicr.size >= 0x20000 * len(description.hwids)
    assert gic.maintenance_irq in range(16, 32) and 1 <= gic.spis <= 988
    assert description.ram
    for span in [*description.ram, *(p.span for p in description.firmware)]:
        assert span.start % 4096 == span.size % 4096 == 0 < span.size
    assert disjoint([*description.ram, gic.gicd, gic.gicr])
    assert disjoint([p.span for p in description.firmware])
    assert all(any(p.span.within(ram) for ram in description.ram) for p in description.firmware)
    _check_devices(description, gic)
    said = [description.name, *description.notes, *description.cpu_names]
    said += [text for d in description.devices for text in (d.name, d.about, *d.notes)]
    assert not [text for text in said if not (text.isascii() and text.isprintable())]


def _check_cpus(description: Description) -> None:
    numbers = list(range(len(description.hwids)))
    assert len(set(description.hwids)) == len(description.cpu_names) == len(numbers) > 0
    assert sorted(n for cluster in description.clusters for n in cluster) == numbers
    assert all(len(core) > 1 for core in description.threads)
    assert all(cache.cpus and set(cache.cpus) <= set(numbers) for cache in description.caches)


def _check_devices(description: Description, gic: Gic) -> None:
    names = [d.name for d in description.devices]
    assert len(names) == len(set(names))
    assert all(name and len(name) <= 24 and NAME.issuperset(name) for name in names)
    assert disjoint([p.span for d in description.devices for p in d.registers])
    pages = [p.span.pages() for d in description.devices for p in d.registers]
    taken = [*description.ram, gic.gicd, gic.gicr]
    assert disjoint([*merged(pages), *taken])
    for one in description.devices:
        assert one.registers and all(0 < p.span.size and p.span.end <= 1 << 48 for p in one.registers)
        pieces = [p.name for p in one.registers]
        assert pieces == [""] or len(set(pieces)) == len(pieces) and all(map(NAME.issuperset, pieces)) and all(pieces)
        assert all(len(f"{one.name}.{piece}") < 32 for piece in pieces)
        assert list(one.interrupts) == sorted(set(one.interrupts))
        assert list(one.edges) == sorted(set(one.edges) & set(one.interrupts))
        assert not one.interrupts or 32 <= one.interrupts[0] <= one.interrupts[-1] < 32 + gic.spis
        assert all(need.device in names and need.device != one.name for need in one.needs)
        assert len(set(one.needs)) == len(one.needs)
        assert all(stream.iommu in names for stream in one.streams)
    assert description.console is None or device(description, description.console).uart is not None
