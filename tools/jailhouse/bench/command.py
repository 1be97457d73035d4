# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse bench report|compare`.

Exit status: 0; 1 if a number is past the threshold or the report cannot be written;
2 for wrong usage or a file that is not what it should be.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from jailhouse.bench import compare, table
from jailhouse.bench.record import Wrong, read


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except Wrong as error:
        print(f"jailhouse bench: {error}", file=sys.stderr)
        return 2


def _percentage(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jailhouse bench")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="a table, histograms and an HTML page of what was measured")
    report.add_argument("file", metavar="FILE.json", help="what 'jailhouse bench -o FILE.json' wrote")
    report.add_argument("-o", "--output", metavar="DIR", type=Path,
                        help="write histogram.svg, histogram.png and report.html there")
    report.set_defaults(run=_report)
    compares = commands.add_parser("compare", help="ratios of two measurements; status 1 past the threshold")
    compares.add_argument("first", metavar="A.json")
    compares.add_argument("second", metavar="B.json")
    compares.add_argument("--threshold", metavar="PERCENT", type=_percentage,
                          help="a change beyond it counts (icount: 0, downwards too; wall: 10)")
    compares.set_defaults(run=_compare)
    return parser


def _report(options: argparse.Namespace) -> int:
    record = read(options.file)
    print(table.summary(record))
    if options.output is None:
        return 0
    try:
        # Only who draws needs matplotlib
        from jailhouse.bench import report
        for path in report.write(record, options.output):
            print(f"written: {path}")
    except ImportError as error:
        print(f"jailhouse bench: the plots need matplotlib ({error}): apt install python3-matplotlib", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"jailhouse bench: {options.output}: cannot write: {error.strerror}; choose a directory that can be "
              "written to", file=sys.stderr)
        return 1
    return 0


def _compare(options: argparse.Namespace) -> int:
    first, second = read(options.first), read(options.second)
    comparison = compare.compare(first, second)
    threshold = compare.THRESHOLDS[first.mode] if options.threshold is None else options.threshold
    print(compare.summary(comparison, threshold))
    for name in comparison.new:
        print(f"only in the second: {name}")
    for what in ("kernel", "hypervisor", "config"):
        if getattr(first, what) != getattr(second, what):
            print(f"note: the {what} is not the same in both")
    if first.mode == "wall" and first.machine["emulator"]:
        print("no verdict: this is an emulator, its nanoseconds are the host's")
        return 0
    reasons = compare.verdict(comparison, threshold)
    for text in reasons:
        print(f"jailhouse bench: {text}", file=sys.stderr)
    return 1 if reasons else 0
