# SPDX-License-Identifier: GPL-2.0-only
"""
The line of every table, key and array element of a TOML text. tomllib gives none, and
it has already proved the text valid when this runs, so only what moves the position
matters here: strings, comments, brackets.
"""

import re
import tomllib

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")
# In this order: a longer quote before the shorter one it starts with
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {(): 1}
        self.array_tables: dict[Path, int] = {}

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.line())

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"line {self.line()}: not the TOML that was parsed")
        self.at = found.end()
        return found.group()

    def blank(self) -> None:
        self.match(_BLANK)

    def take(self, token: str) -> bool:
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.blank()
            if self.text[self.at] in "\"'":
                parts.append(_unquote(self.match(_STRING)))
            else:
                parts.append(self.match(_BARE_KEY))
            self.blank()
            if not self.take("."):
                return parts

    def document(self) -> None:
        table: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.take("[["):
                table = self.header(is_array=True)
            elif self.take("["):
                table = self.header(is_array=False)
            else:
                self.pair(table)
            self.blank()

    def header(self, is_array: bool) -> Path:
        start = self.at
        keys = self.key()
        end, self.at = self.at, start
        path: Path = ()
        for depth, key in enumerate(keys):
            path += (key,)
            last = depth == len(keys) - 1
            if last and is_array:
                self.note(path)
                self.array_tables[path] = self.array_tables.get(path, 0) + 1
            if path in self.array_tables:
                path += (self.array_tables[path] - 1,)
            self.note(path)
        self.at = end
        self.take("]]" if is_array else "]")
        return path

    def pair(self, table: Path) -> None:
        self.blank()
        start = self.at
        keys = self.key()
        end, self.at = self.at, start
        path = table
        for key in keys:
            path += (key,)
            self.note(path)
        self.at = end
        self.take("=")
        self.value(path)

    def value(self, path: Path) -> None:
        self.blank()
        self.note(path)
        if self.take("["):
            self.array(path)
        elif self.take("{"):
            self.inline_table(path)
        elif self.text[self.at] in "\"'":
            self.match(_STRING)
        else:
            self.match(_SCALAR)

    def array(self, path: Path) -> None:
        index = 0
        while True:
            self.blank()
            if self.take("]"):
                return
            self.value(path + (index,))
            index += 1
            self.blank()
            self.take(",")

    def inline_table(self, path: Path) -> None:
        while True:
            self.blank()
            if self.take("}"):
                return
            self.pair(path)
            self.blank()
            self.take(",")


def _unquote(quoted: str) -> str:
    """A key as tomllib reads it; escapes in keys are rare enough to let TOML do it."""
    return str(tomllib.loads("k = " + quoted)["k"])


def locate(text: str) -> dict[Path, int]:
    """Text as tomllib accepted it, line ends normalised to \\n."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines
