# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse config ...`. Exit status: 0, 1 for a wrong text, 2 for usage."""

import argparse
import json
import os
import sys
from collections.abc import Collection, Sequence

from jailhouse.config import blob, emit
from jailhouse.config.arches import ARCHES
from jailhouse.config.check import check
from jailhouse.config.check_machine import check_machine
from jailhouse.config.diff import diff
from jailhouse.config.files import write_all
from jailhouse.config.load import load
from jailhouse.config.model import System
from jailhouse.config.next_steps import NEXT_STEPS, RESERVED_MEMORY, kernel_words, texts
from jailhouse.config.partition import explain
from jailhouse.config.picture import page
from jailhouse.config.place import place
from jailhouse.config.problems import Problems, Where
from jailhouse.config.read import read_system
from jailhouse.config.read_machine import is_machine_text, read_machine
from jailhouse.config.schema import SCHEMAS
from jailhouse.config.show import contract, cpus, gic, show
from jailhouse.config.solve import solve
from jailhouse.config.uart import settle_uarts, uart_text
from jailhouse.config.units import size_text
from jailhouse.config_import.run import SYSTEM, import_files
from jailhouse.probe.command import add_create


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jailhouse config", epilog="`jailhouse config collect` is the command's own: "
                                     "it gathers on a board what `create -r` reads.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="turn a system text into .cell files")
    build.add_argument("file", metavar="FILE.toml")
    build.add_argument("-o", "--output", metavar="DIR", required=True)
    build.set_defaults(run=_build)
    checks = commands.add_parser("check", help="report everything wrong with a system text, or with a machine text alone")
    checks.add_argument("file", metavar="FILE.toml")
    checks.set_defaults(run=_check)
    add_create(commands)
    shows = commands.add_parser("show", help="print a built .cell file as text, or draw a system text")
    shows.add_argument("file", metavar="FILE", help="a .cell file, or with --html a system text")
    shows.add_argument("--html", metavar="PAGE.html", help="draw the system instead: a page for a browser")
    shows.set_defaults(run=_show)
    schemas = commands.add_parser("schema", help="print the keys of a text as JSON Schema, for editors")
    schemas.add_argument("text", choices=list(SCHEMAS))
    schemas.set_defaults(run=_schema)
    explains = commands.add_parser("explain", help="print who has what in a system text")
    explains.add_argument("file", metavar="FILE.toml")
    explains.set_defaults(run=_explain)
    diffs = commands.add_parser("diff", help="print what changes from one system text to another")
    diffs.add_argument("file", metavar="OLD.toml")
    diffs.add_argument("second", metavar="NEW.toml")
    diffs.set_defaults(run=_diff)
    imports = commands.add_parser("import", help="turn Jailhouse's .cell files into texts")
    imports.add_argument("files", metavar="FILE.cell", nargs="+")
    imports.add_argument("-o", "--output", metavar="DIR", required=True)
    imports.add_argument("--force", action="store_true", help="overwrite texts that are there")
    imports.set_defaults(run=_import)
    return parser


def checked_system(file: str) -> tuple[System | None, Problems]:
    """The system ready to be built, or None; and what there is to say about it."""
    problems = Problems()
    system = read_system(file, problems)
    if system is None and not problems.errors:
        problems.error(Where(file, 1), "it could not be read, and nobody said why", "that is a mistake in this program",
                       "report it, with the text")
    if system is not None:
        system = solve(system, problems)
        if system.open:
            check_machine(system.machine, problems)
            return None, problems
        system = settle_uarts(place(system, problems), problems)
        check(system, problems)
    return (None if problems.errors else system), problems


def _note_stale(directory: str, files: Collection[str]) -> None:
    """Of an earlier build: nobody should take them for this one's."""
    for name in sorted(os.listdir(directory)):
        # a user's own tree may lie there, too
        made = name.endswith(".cell") or name == RESERVED_MEMORY
        if name not in files and made:
            print(f"note: {os.path.join(directory, name)} is of an earlier build: remove it", file=sys.stderr)


def _reported(file: str) -> System | None:
    """The system ready to be built; what there is to say about it is said."""
    system, problems = checked_system(file)
    report(problems)
    return system


def report(problems: Problems) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems.errors:
        print(f"{problems.errors} error{'s' if problems.errors != 1 else ''}", file=sys.stderr)


def checked_machine(file: str) -> Problems | None:
    """What there is to say about a machine text by itself; None: it is none."""
    problems = Problems()
    document = load(file, problems)
    if document is None or not is_machine_text(document.data):
        return None
    if machine := read_machine(file, problems):
        check_machine(machine, problems)
    return problems


def _check(options: argparse.Namespace) -> int:
    if (problems := checked_machine(options.file)) is not None:
        report(problems)
        if problems.errors:
            return 1
        print(f"{options.file}: no errors; it describes a machine, and a system text says who has what of it")
        return 0
    system = _reported(options.file)
    if system is None:
        return 1
    print(f"{options.file}: no errors")
    return 0


def _build(options: argparse.Namespace) -> int:
    system = _reported(options.file)
    if system is None:
        return 1
    files = {"system.cell": blob.encode_system(emit.emit_system(system))}
    for cell in system.cells:
        files[f"{cell.name}.cell"] = blob.encode_cell(emit.emit_cell(cell, system.machine))
    files |= {name: text.encode() for name, text in texts(options.file, system, options.output).items()}
    try:
        write_all(options.output, files)
    except OSError as error:
        print(f"{options.output}: cannot write: {error.strerror}; choose a directory that can be "
              "written with -o", file=sys.stderr)
        return 1
    _note_stale(options.output, files)
    _summary(system, options.output)
    return 0


def _summary(system: System, directory: str) -> None:
    print(f'{os.path.join(directory, "system.cell")}: root cell "{system.root_name}", '
          f"{len(system.machine.hwids)} CPUs")
    arch = ARCHES[system.machine.arch]
    for cell in system.cells:
        section = emit.emit_cell(cell, system.machine).cell
        memory = " ".join(f"{r.name}={r.host:#x}+{size_text(r.size)}{' (boot)' * r.boot}" for r in cell.memory)
        print(f"{os.path.join(directory, cell.name)}.cell: CPU {cpus(section)}, {memory}")
        print(f"{cell.name}: CPU {cpus(section)}, {contract(section, arch)}" +
              (f", {gic(section)}" if section.gicd else ""))
        if uart := uart_text(cell, system.machine):
            print(f"{cell.name}: {uart}")
    words = kernel_words(system)
    print(f"kernel parameters: {words.parameters}")
    if arch.kernel_parameters_note:
        print(f"note: {arch.kernel_parameters_note}")
    if words.tree:
        print(f"device tree: {os.path.join(directory, RESERVED_MEMORY)} reserves the memory, which no parameter can")
    print(f"next steps: {os.path.join(directory, NEXT_STEPS)}")


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(SCHEMAS[options.text], indent=2))
    return 0


def _explain(options: argparse.Namespace) -> int:
    system = _reported(options.file)
    if system is None:
        return 1
    sys.stdout.write(explain(system))
    return 0


def _diff(options: argparse.Namespace) -> int:
    """Like diff(1): 0 where there is no difference, 1 where there is, 2 for trouble."""
    systems = []
    for file in (options.file, options.second):
        system, problems = checked_system(file)
        if system is None:
            report(problems)
            return 2
        systems.append(system)
    text = diff(*systems)
    sys.stdout.write(text)
    return 1 if text else 0


def _draw(options: argparse.Namespace) -> int:
    system = _reported(options.file)
    if system is None:
        return 1
    try:
        write_all(os.path.dirname(options.html) or ".", {os.path.basename(options.html): page(system).encode()})
    except OSError as error:
        print(f"{options.html}: cannot write: {error.strerror}; choose another place for the page", file=sys.stderr)
        return 1
    print(f"written: {options.html}")
    return 0


def _show(options: argparse.Namespace) -> int:
    if options.html is not None:
        return _draw(options)
    try:
        with open(options.file, "rb") as stream:
            file = blob.decode(stream.read())
    except OSError as error:
        print(f"{options.file}: cannot read: {error.strerror}; correct the file's name",
              file=sys.stderr)
        return 1
    except blob.BlobError as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(show(file))
    return 0


def _import(options: argparse.Namespace) -> int:
    problems = Problems()
    texts = import_files(options.files, problems)
    report(problems)
    paths = [os.path.join(options.output, name) for name in texts]
    there = [path for path in paths if os.path.lexists(path)]
    if there and not options.force:
        print(f"{there[0]}: it is there already, and was not overwritten; choose another directory with -o, or say "
              "--force", file=sys.stderr)
    if not texts or there and not options.force:
        return 1
    try:
        write_all(options.output, texts)
    except OSError as error:
        print(f"{options.output}: cannot write: {error.strerror}; choose a directory that can be written with -o",
              file=sys.stderr)
        return 1
    for path in paths:
        print(f"{path}: written")
    if SYSTEM not in texts:
        return 0
    system, problems = checked_system(os.path.join(options.output, SYSTEM))
    report(problems)
    return 0 if system is not None else 1
