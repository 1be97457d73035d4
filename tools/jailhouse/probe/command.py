# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse config create`: what a machine says of itself becomes its text."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from jailhouse.config.check_machine import check_machine
from jailhouse.config.files import write_all
from jailhouse.config.problems import Problems
from jailhouse.config.read_machine import read_machine
from jailhouse.probe.description import Description, Refused
from jailhouse.probe.facts import Facts, open_facts
from jailhouse.probe.write import machine_text

_TREE = "sys/firmware/fdt"
_TABLES = "sys/firmware/acpi/tables"


def add_create(commands: Any) -> None:
    """Adds the command to `jailhouse config`'s."""
    create = commands.add_parser("create", help="describe this machine, or another, as a machine text")
    create.add_argument("-r", "--root", metavar="FACTS", default="/",
                        help="what `jailhouse config collect` wrote, a folder with another machine's /proc and /sys, or a "
                        "device tree (.dtb); this machine itself if left out")
    create.add_argument("-o", "--output", metavar="MACHINE.toml", required=True)
    create.add_argument("--force", action="store_true", help="overwrite a text that is there")
    create.set_defaults(run=_create)


def _create(options: argparse.Namespace) -> int:
    if os.path.exists(options.output) and not options.force:
        print(f"{options.output}: it is there already, and somebody may have worked on it; write another file with -o, or overwrite it "
              "with --force", file=sys.stderr)
        return 1
    try:
        machine = describe(open_facts(options.root))
        problems = write_checked(machine, options.output)
    except Refused as refused:
        print(f"{options.root}: {refused}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{options.output}: cannot write: {error.strerror}; choose a folder that can be written with -o", file=sys.stderr)
        return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    _summary(machine, options.output)
    return 1 if problems.errors else 0


def describe(facts: Facts) -> Description:
    """Refused where it cannot be."""
    if facts.read(_TREE):
        return _describer("from_tree", "describe_tree")(facts)
    if facts.names(_TABLES):
        if "arch arm64" in (facts.text("facts/manifest") or "") or "CPU implementer" in (facts.text("proc/cpuinfo") or ""):
            return _describer("from_acpi_arm64", "describe_acpi_arm64")(facts)
        return _describer("from_pc", "describe_pc")(facts)
    raise Refused("there is neither a device tree (sys/firmware/fdt) nor ACPI tables (sys/firmware/acpi/tables)",
                  "one of the two says what the machine has", "run it as root, who alone can read them, or give what "
                  "`jailhouse config collect` wrote on the machine as root")


def _describer(module: str, function: str) -> Callable[[Facts], Description]:
    """Loaded when wanted: only device trees need libfdt."""
    try:
        loaded = importlib.import_module(f"jailhouse.probe.{module}")
    except ModuleNotFoundError as error:
        if error.name != "libfdt":
            raise
        raise Refused("the Python module libfdt is missing", "device trees are read by it",
                      "apt install python3-libfdt") from error
    found: Callable[[Facts], Description] = getattr(loaded, function)
    return found


def write_checked(machine: Description, output: str) -> Problems:
    """The text is written, and read back as `config build` will read it."""
    write_all(os.path.dirname(output) or ".", {os.path.basename(output): machine_text(machine).encode()})
    problems = Problems()
    read = read_machine(output, problems)
    if read is not None:
        check_machine(read, problems)
    return problems


def _summary(machine: Description, output: str) -> None:
    ram = sum(span.size for span in machine.ram)
    print(f"{output}: {machine.name}, {machine.arch}: {len(machine.hwids)} CPUs, {ram >> 20} MiB of RAM, "
          f"{len(machine.devices)} devices")
    for note in machine.notes:
        print(f"to be checked: {note}")
