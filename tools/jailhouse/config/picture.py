# SPDX-License-Identifier: GPL-2.0-only
"""A system as a page with a picture: CPUs by cluster, RAM and devices, each in its owner's colour. One file, nothing to fetch."""

from collections.abc import Iterator
from html import escape

from jailhouse.config.model import System
from jailhouse.config.partition import HYPERVISOR, SHARED, Owned, device_text, memory_map, root_cpus, root_devices
from jailhouse.config.model import Given
from jailhouse.config.solve_cpus import clusters, cores
from jailhouse.config.toml_text import address_text
from jailhouse.config.units import size_text

# Distinct for most eyes, dark enough for white letters (after Okabe and Ito)
_COLOURS = ["#0072b2", "#d55e00", "#007a5e", "#a64d79", "#8a6d00", "#5b4a9e", "#4d7a1f", "#9b3d3d"]
_ROOT, _HYPERVISOR, _SHARED, _NOBODY = "#5f6b76", "#1b1f23", "#b8860b", "#e3e7eb"
_BAR = 420
_LEAST = 24		# so that a page can still be read

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1f23; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .6rem; }
p { margin: .2rem 0; color: #4a545e; }
.legend, .clusters, .devices { display: flex; flex-wrap: wrap; gap: .5rem; }
.chip { color: #fff; border-radius: .35rem; padding: .15rem .6rem; }
.cluster { border: 1px solid #c3cad1; border-radius: .5rem; padding: .4rem .5rem .5rem; }
.cluster > span { font-size: .8rem; color: #4a545e; }
.cores { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .25rem; }
.core { display: flex; gap: 1px; }
.cpu { color: #fff; min-width: 3.2rem; padding: .5rem .3rem; text-align: center; border-radius: .3rem; }
.ram { display: grid; grid-template-columns: max-content 1fr; column-gap: .8rem; }
.ram code { text-align: right; color: #4a545e; border-top: 1px solid #c3cad1; padding-top: .1rem; }
.piece { color: #fff; padding: .1rem .6rem; border-top: 1px solid #fff; overflow: hidden; }
.nobody { color: #4a545e; }
@media print { body { margin: 0; } }
""".strip()


def page(system: System) -> str:
    return "\n".join(_lines(system)) + "\n"


class _Colours:
    def __init__(self, system: System) -> None:
        self.of = {system.root_name: _ROOT, HYPERVISOR: _HYPERVISOR, SHARED: _SHARED, "": _NOBODY}
        self.of |= {cell.name: _COLOURS[n % len(_COLOURS)] for n, cell in enumerate(system.cells)}

    def style(self, owner: str) -> str:
        return f"background:{self.of[owner]}"


def _lines(system: System) -> Iterator[str]:
    colours, machine = _Colours(system), system.machine
    yield "<!DOCTYPE html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(machine.name)}: who has what</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
    yield f"<h1>{escape(machine.name)}</h1>"
    yield (f"<p>{machine.arch}, {len(machine.hwids)} CPUs, {size_text(sum(r.span.size for r in machine.ram))} of RAM, "
           f"{len(machine.devices)} devices</p>")
    yield '<h2>Owners</h2><div class="legend">'
    names = [(system.root_name, f"{system.root_name} (Linux)"), *((c.name, c.name) for c in system.cells), (HYPERVISOR, "hypervisor")]
    if system.shared:
        names.append((SHARED, "shared by cells"))
    yield from (f'<span class="chip" style="{colours.style(owner)}">{escape(title)}</span>' for owner, title in names)
    yield '</div><h2>CPUs</h2><div class="clusters">'
    yield from _cpus(system, colours)
    yield '</div><h2>RAM</h2><div class="ram">'
    yield from _ram(memory_map(system), colours)
    yield '</div><h2>Devices</h2><div class="devices">'
    yield from _devices(system, colours)
    yield "</div></body></html>"


def _cpus(system: System, colours: _Colours) -> Iterator[str]:
    owner = {n: c.name for c in system.cells for n in c.cpu_numbers()} | {n: system.root_name for n in root_cpus(system)}
    for number, cluster in enumerate(clusters(system.machine)):
        yield f'<div class="cluster"><span>cluster {number}</span><div class="cores">'
        for core in cores(system.machine):
            if core & cluster:
                cpus = "".join(f'<div class="cpu" style="{colours.style(owner[n])}" title="{escape(owner[n])}">CPU {n}</div>'
                               for n in sorted(core & cluster))
                yield f'<div class="core">{cpus}</div>'
        yield "</div></div>"


def _ram(pieces: list[Owned], colours: _Colours) -> Iterator[str]:
    """Heights say sizes, but for those that would be too small to be read."""
    total = sum(p.span.size for p in pieces)
    for piece in pieces:
        height = max(_LEAST, round(_BAR * piece.span.size / total))
        owner = f"{piece.owner.strip('()')}: " if piece.owner not in ("", HYPERVISOR) else ""
        nobody = "" if piece.owner else " nobody"
        yield (f"<code>{address_text(piece.span.start)}</code>"
               f'<div class="piece{nobody}" style="{colours.style(piece.owner)};height:{height}px">'
               f"{escape(owner + piece.name)}, {size_text(piece.span.size)}</div>")


def _devices(system: System, colours: _Colours) -> Iterator[str]:
    """The cells' first: they are few, and chosen."""
    given = [(cell.name, g) for cell in system.cells for g in cell.devices]
    given += [(system.root_name, Given(name, system.where)) for name in root_devices(system)]
    for owner, one in given:
        about = system.machine.devices[one.name].about
        title = f"{device_text(one, system.machine)}{f' ({about})' if about else ''}"
        yield f'<span class="chip" style="{colours.style(owner)}" title="{escape(title)}">{escape(one.name)}</span>'
