# SPDX-License-Identifier: GPL-2.0-only
"""Files in, texts out. Nothing is written here."""

import os
from collections.abc import Sequence

from jailhouse.config.problems import Problems
from jailhouse.config_import.decode import SIZE_MAX, DecodeError, decode
from jailhouse.config_import.records import Cell, Place, System
from jailhouse.config_import.translate import translate_cell, translate_system
from jailhouse.config_import.write import fragment_toml, machine_toml, system_toml

MACHINE, SYSTEM = "machine.toml", "system.toml"


def import_files(files: Sequence[str], problems: Problems) -> dict[str, bytes]:
    """
    The texts by their names: a system's two, or without a system file one for each cell. Empty if there is an error
    in `problems`.
    """
    decoded = [record for file in files if (record := _decoded(file, problems)) is not None]
    systems = [record for record in decoded if isinstance(record, System)]
    cells = [record for record in decoded if isinstance(record, Cell)]
    for other in systems[1:]:
        problems.error(other.at, f"it is a second system file beside {systems[0].at.file}", "a text has one machine",
                       "import one system at a time, with its cells")
    texts = _system_texts(systems[0], cells, problems) if systems else _fragments(cells, problems)
    return {} if problems.errors else {name: text.encode() for name, text in texts.items()}


def _decoded(file: str, problems: Problems) -> System | Cell | None:
    try:
        with open(file, "rb") as stream:
            return decode(file, stream.read(SIZE_MAX + 1))
    except OSError as error:
        problems.error(Place(file, 0, "file"), f"cannot read: {error.strerror}", "there is nothing to import",
                       "correct the file's name or its permissions")
    except DecodeError as error:
        problems.error(error.at, error.what, error.why, error.fix)
    return None


def _system_texts(system: System, cells: list[Cell], problems: Problems) -> dict[str, str]:
    if problems.errors:
        return {}
    imported = translate_system(system, cells, problems)
    if imported is None:
        return {}
    names = [os.path.basename(at.file) for at in (system.at, *(cell.at for cell in cells))]
    return {MACHINE: machine_toml(imported.machine, names[0]),
            SYSTEM: system_toml(imported.system, ", ".join(names))}


def _fragments(cells: list[Cell], problems: Problems) -> dict[str, str]:
    found: dict[str, str] = {}
    for cell in cells:
        fragment = translate_cell(cell, problems)
        name = f"{fragment.cell.name}.toml"
        if name in found:
            problems.error(cell.at, f'it is a second cell "{fragment.cell.name}"', f"both would be written to {name}",
                           "import one of them into another directory")
        found[name] = fragment_toml(fragment, os.path.basename(cell.at.file))
    return found
