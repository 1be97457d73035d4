# SPDX-License-Identifier: GPL-2.0-only
"""Histograms: one panel for each workload, the configurations over one another in lanes.

A lane of its own for each keeps what is equal visible: on the bare machine and in a
direct cell all samples often lie in the same single bar.
"""

import io
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter  # noqa: E402

from jailhouse.bench.record import Record, Run  # noqa: E402
from jailhouse.bench.stats import MAX, MIN, statistic  # noqa: E402
from jailhouse.bench.table import TITLES, ordered  # noqa: E402

# Readable on white and on black
COLOURS = {"bare": "#8a8f98", "direct": "#1f9d74", "trusted": "#2b8fd6", "injected": "#e0792b", "linux": "#b565c9"}
OTHER_COLOUR = "#c2556b"
# Stands for the text's colour until the page decides on one
INK = "#010203"
LANE_INCHES, PANEL_INCHES, WIDTH_INCHES = 0.44, 0.86, 5.4
# From here on a linear axis would press all but one bar to its left edge
WIDE = 400


def panels(record: Record) -> list[tuple[str, list[Run]]]:
    """Runs with a histogram, by workload."""
    found: dict[str, list[Run]] = {}
    for run in ordered(record):
        if run.histogram:
            found.setdefault(run.workload, []).append(run)
    return list(found.items())


def _limits(runs: list[Run]) -> tuple[float, float, bool]:
    """Of the value axis, and whether it is logarithmic."""
    low = min(run.histogram[0][0] for run in runs if run.histogram)
    high = max(run.histogram[-1][0] for run in runs if run.histogram)
    if high > WIDE * max(low, 1):
        return max(low, 0.5) / 1.5, high * 1.6, True
    margin = max((high - low) * 0.06, 1.5)
    return low - margin, high + margin, False


def _lane(axes: Axes, run: Run, logarithmic: bool, limits: tuple[float, float]) -> None:
    assert run.histogram
    colour = COLOURS.get(run.where, OTHER_COLOUR)
    values = [max(value, 0.5) if logarithmic else value for value, _ in run.histogram]
    axes.vlines(values, 0.5, [count for _, count in run.histogram], colors=colour, lw=2.2 if len(values) < 80 else 1)
    most = max(count for _, count in run.histogram)
    axes.set_yscale("log")
    axes.set_ylim(0.5, most * 3)
    axes.set_yticks(sorted({1, 10 ** (len(str(most)) - 1)}))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    if logarithmic:
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlim(*limits)
    low, high = statistic(run, MIN), statistic(run, MAX)
    said = f"{low:,}" if low == high else f"{low:,} – {high:,}"
    axes.set_ylabel(f"{run.where}\n{run.load}", rotation=0, ha="right", va="center", fontsize=8, color=INK)
    axes.text(1.01, 0.5, said, transform=axes.transAxes, ha="left", va="center", fontsize=8, color=INK)
    axes.tick_params(labelsize=7, colors=INK, length=2)
    axes.tick_params(axis="y", which="both", labelsize=6, pad=1)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(INK)
        spine.set_linewidth(0.5)


def _panel(figure: Figure, area: tuple[float, float, float, float], workload: str, runs: list[Run],
           unit: str) -> None:
    """area: left, bottom, width, height as shares of the figure."""
    left, bottom, width, height = area
    low, high, logarithmic = _limits(runs)
    inches = figure.get_figheight()
    top, foot = 0.34 / inches, 0.46 / inches
    lane = (height - top - foot) / len(runs)
    for i, run in enumerate(runs):
        at = bottom + foot + lane * (len(runs) - 1 - i)
        axes = figure.add_axes((left + 0.17 * width, at + 0.12 * lane, 0.61 * width, lane * 0.76))
        _lane(axes, run, logarithmic, (low, high))
        if i + 1 == len(runs):
            scale = ", logarithmic" if logarithmic else ""
            axes.set_xlabel(f"{unit}{scale}; count: logarithmic", fontsize=7, color=INK, labelpad=2)
        else:
            axes.tick_params(labelbottom=False)
    figure.text(left + 0.02 * width, bottom + height - 0.2 / inches, TITLES[workload], fontsize=9.5, weight="bold",
                color=INK, va="center")


def panel_inches(runs: list[Run]) -> float:
    return PANEL_INCHES + LANE_INCHES * len(runs)


def panel_svg(number: int, workload: str, runs: list[Run], unit: str) -> str:
    """One panel to stand within a page: its text in the page's colour, its names its own."""
    figure = Figure(figsize=(WIDTH_INCHES, panel_inches(runs)))
    _panel(figure, (0, 0, 1, 1), workload, runs, unit)
    text = _svg(figure, transparent=True)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg"):], flags=re.DOTALL)
    text = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>p{number}-", text)
    # The page's width decides, not points
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1),
                  count=1)
    return text.replace(INK, "currentColor").replace("<svg", f'<svg role="img" aria-label="{TITLES[workload]}"', 1)


def _svg(figure: Figure, transparent: bool = False) -> str:
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "jailhouse",
                                "font.family": "DejaVu Sans"}):
        figure.savefig(out, format="svg", transparent=transparent, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _columns(record: Record) -> list[list[tuple[str, list[Run]]]]:
    """Two columns of about the same height."""
    columns: list[list[tuple[str, list[Run]]]] = [[], []]
    heights = [0.0, 0.0]
    for workload, runs in panels(record):
        shorter = 0 if heights[0] <= heights[1] else 1
        columns[shorter].append((workload, runs))
        heights[shorter] += panel_inches(runs)
    return [column for column in columns if column]


def write(record: Record, folder: Path) -> list[Path]:
    """All panels in histogram.svg and histogram.png; nothing if there is no histogram."""
    columns = _columns(record)
    if not columns:
        return []
    height = max(sum(panel_inches(runs) for _, runs in column) for column in columns)
    figure = Figure(figsize=(WIDTH_INCHES * len(columns), height), facecolor="white")
    for i, column in enumerate(columns):
        at = 1.0
        for workload, runs in column:
            share = panel_inches(runs) / height
            at -= share
            _panel(figure, (i / len(columns), at, 1 / len(columns), share), workload, runs, runs[0].unit)
    svg, png = folder / "histogram.svg", folder / "histogram.png"
    svg.write_text(_svg(figure))
    figure.savefig(png, dpi=120, metadata={"Software": None})
    return [svg, png]
