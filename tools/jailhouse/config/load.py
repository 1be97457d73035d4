# SPDX-License-Identifier: GPL-2.0-only
"""A TOML file as a dict, with the line of everything in it."""

import os
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from jailhouse.config.locate import Path, locate
from jailhouse.config.problems import Problems, Where

_BITS = 64


@dataclass(frozen=True)
class Document:
    file: str
    data: dict[str, Any]
    lines: dict[Path, int]

    def where(self, path: Path) -> Where:
        """Of the thing itself, or of the innermost thing around it that has a line."""
        while path not in self.lines:
            path = path[:-1]
        return Where(self.file, self.lines[path])


def load(file: str, problems: Problems, asked_at: Where | None = None) -> Document | None:
    """None when the file cannot be read or is no TOML; the reason is in `problems`."""
    start = Where(file, 1)
    try:
        with open(file, "rb") as stream:
            raw = stream.read()
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        problems.error(asked_at or start, f"cannot read {file!r}: {what}" if "\0" in file else f"cannot read {file}: {what}",
                       "the system is described there",
                       "correct the file's name or its permissions")
        return None
    try:
        text = raw.decode().replace("\r\n", "\n")
        data = tomllib.loads(text)
        _check_numbers(data)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.error(Where(file, line), f"byte 0x{raw[error.start]:02x} is no UTF-8",
                       "a configuration is TOML text; built .cell files are read by "
                       "`config show`", "remove the byte or name the text it was built from")
        return None
    except (ValueError, RecursionError) as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        problems.error(Where(file, line), f"not TOML: {error}",
                       "nothing behind this place can be read", "correct the syntax there")
        return None
    return Document(os.path.normpath(file), data, locate(text))


def _check_numbers(value: object) -> None:
    """TOML 1.0, Integer: 64 bits. Python takes any, and cannot even print the longest."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ValueError(f"a number of {value.bit_length()} bits")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_numbers(part)
