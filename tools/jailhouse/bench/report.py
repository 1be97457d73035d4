# SPDX-License-Identifier: GPL-2.0-only
"""One HTML file with everything in it: no scripts, nothing from elsewhere."""

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from jailhouse.bench import plot, table
from jailhouse.bench.record import Record
from jailhouse.bench.table import Row

STYLE = """
:root { color-scheme: light dark; --ink: #1d2127; --soft: #5d6570; --line: #d8dce2; --paper: #fff; --band: #f5f6f8;
  --good: #157a55; --bad: #c0392b }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9aa3ae; --line: #363c45; --paper: #15181c;
  --band: #1d2126; --good: #4cc596; --bad: #ff7a6b } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: .5rem 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
p { max-width: 46rem } .soft { color: var(--soft) } .good { color: var(--good) } .bad { color: var(--bad) }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line) }
tr:last-child td { border-bottom: 0 } tr.first td { border-top: 2px solid var(--line) }
th { color: var(--soft); font-weight: 600; background: var(--band) }
th.name, td.name { text-align: left }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .7rem; background: var(--band); border-radius: 6px; font-size: .8125rem }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1rem;
  align-items: start }
.plots svg { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem } }
"""


def _rows(head: Row, rows: Sequence[Row], names: int, group: int = 0) -> str:
    """A table, the first `names` columns to the left; a line between different row[group]."""
    def cells(row: Row, tag: str) -> str:
        return "".join(f'<{tag}{" class=name" if i < names else ""}>{escape(cell)}</{tag}>'
                       for i, cell in enumerate(row))
    lines = []
    last = ""
    grouped = len({row[group] for row in rows}) < len(rows)
    for row in rows:
        first = ' class="first"' if grouped and last not in ("", row[group]) else ""
        lines.append(f"<tr{first}>{cells(row, 'td')}</tr>")
        last = row[group]
    return (f'<div class="wide"><table><thead><tr>{cells(head, "th")}</tr></thead>\n<tbody>'
            + "\n".join(lines) + "</tbody></table></div>")


def _facts(facts: Mapping[str, object]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
                            for name, value in facts.items() if value != "") + "</dl>"


def _what(record: Record) -> str:
    text = {"icount": "Instructions, counted by an emulator whose clock advances one tick for each: they repeat bit for "
                      "bit. They find what became longer; they do not predict a latency on a board.",
            "wall": "Nanoseconds of the machine's own counter."}[record.mode]
    if record.mode == "wall" and record.machine["emulator"]:
        text += " This is an emulator: its nanoseconds are the host's, so there is no verdict."
    machine = record.machine
    facts = {"mode": f"{record.mode}, {record.unit}", "samples": f"{record.samples:,} of each",
             "machine": f"{machine['model']}, {machine['cpus']} CPUs", "MIDR": machine["midr"] or "",
             "counter": "not known" if machine["counter_hz"] is None else f"{machine['counter_hz']:,} Hz", "GIC": machine["gic"] or "", "kernel": record.kernel,
             "hypervisor": record.hypervisor, **record.about,
             **{f"CRC of {name}": crc for name, crc in record.config.items()}}
    return f"<p>{escape(text)}</p>\n{_facts(facts)}"


def _rules(record: Record) -> str:
    rows = []
    for rule in record.rules:
        mark, word = ("good", "kept") if rule.kept else ("bad", "BROKEN")
        rows.append(f'<tr><td class=name>{escape(rule.name)}</td><td>{rule.value:,}</td><td>{rule.limit:,}</td>'
                    f'<td class="{mark}">{word}</td></tr>')
    return ('<div class="wide"><table><thead><tr><th class=name>must hold</th><th>is</th><th>at most</th><th></th></tr>'
            "</thead><tbody>" + "\n".join(rows) + "</tbody></table></div>")


def _plots(record: Record) -> str:
    drawn = [plot.panel_svg(i, workload, runs, runs[0].unit)
             for i, (workload, runs) in enumerate(plot.panels(record))]
    return '<div class="plots">' + "\n".join(drawn) + "</div>"


def _rerun(record: Record) -> str:
    loads = {run.load for run in record.runs}
    load = "both" if len(loads) > 1 else next(iter(loads), "idle")
    command = ["jailhouse", "bench", "--mode", record.mode, "--samples", str(record.samples), "--load", load, "-o",
               "again.json"]
    lines = [record.about["rerun"]] if "rerun" in record.about else []
    lines += ["# in the root cell:", shlex.join(command), "# anywhere:", "jailhouse bench report again.json -o report",
              "jailhouse bench compare before.json again.json"]
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _sections(record: Record) -> list[tuple[str, str]]:
    sections = [("What was run", _what(record))]
    if record.rules:
        sections.append(("What must hold", _rules(record)))
    if record.runs:
        head, rows = table.drop_empty(table.RUN_HEAD, table.run_rows(record))
        note = (f'<p class="soft">{escape(record.unit)}. “{table.NOTHING}”: not measured, or fewer samples than that '
                "percentile needs.</p>")
        refused = "".join(f'<p class="bad">{escape(run.name)}: refused: {escape(run.refused)}</p>'
                          for run in record.runs if run.refused)
        sections.append(("Latencies and exits", note + _rows(head, rows, 3) + refused))
    if plot.panels(record):
        sections.append(("Histograms", _plots(record)))
    if record.lifecycle:
        head, rows = table.drop_empty(table.LIFE_HEAD, table.life_rows(record))
        note = '<p class="soft">Pauses: the longest time another CPU of the root cell did not run meanwhile.</p>'
        sections.append(("Life cycle", note + _rows(head, rows, 2)))
    if record.root:
        sections.append(("Exits of the root cell", _rows(table.ROOT_HEAD, table.root_rows(record), 3)))
    if record.numbers:
        rows = [(name, f"{value:,}") for name, value in sorted(record.numbers.items())]
        sections.append(("Other numbers", f"<details><summary>{len(rows)} of them</summary>"
                         + _rows(("name", ""), rows, 1) + "</details>"))
    sections.append(("How to run it again", _rerun(record)))
    return sections


def page(record: Record) -> str:
    body = "\n".join(f"<section><h2>{title}</h2>\n{text}</section>" for title, text in _sections(record))
    return ('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>jailhouse bench: {escape(record.machine['model'])}</title>\n<style>{STYLE}</style></head>\n"
            f"<body>\n<h1>jailhouse bench</h1>\n{body}\n</body></html>\n")


def write(record: Record, folder: Path) -> list[Path]:
    """The plots as files of their own, and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    written = plot.write(record, folder)
    path = folder / "report.html"
    path.write_text(page(record))
    return [*written, path]
