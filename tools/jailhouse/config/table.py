# SPDX-License-Identifier: GPL-2.0-only
"""One table of a text, read key by key. What was asked for is what is known."""

import difflib
from typing import Any

from jailhouse.config.abi import NAME_SIZE
from jailhouse.config.load import Document
from jailhouse.config.locate import Path
from jailhouse.config.model import Function, Given, Line, Named, Placed, Span
from jailhouse.config.problems import Problems, Where
from jailhouse.config.units import UNITS, parse_function, parse_number, parse_range

_SIZE_FIX = f"write a number or e.g. \"64M\"; units are {', '.join(u for u in UNITS if u)}"


class Table:
    """`title` is how messages call it, e.g. `cell "rtos"`."""

    def __init__(self, document: Document, path: Path, data: dict[str, Any], title: str,
                 problems: Problems) -> None:
        self.document = document
        self.path = path
        self.data = data
        self.title = title
        self.problems = problems
        self.known: list[str] = []

    def with_data(self, data: dict[str, Any]) -> "Table":
        """The same place in the text, saying this."""
        table = Table(self.document, self.path, data, self.title, self.problems)
        table.known = list(self.known)
        return table

    def where(self, *below: str | int) -> Where:
        return self.document.where(self.path + below)

    def get(self, key: str, required: bool = False) -> Any:
        self.known.append(key)
        if required and key not in self.data:
            self.problems.error(self.where(), f"{self.title}: `{key}` is missing",
                                "nothing sensible can stand in for it", f"add `{key} = ...`")
        return self.data.get(key)

    def wrong(self, key: str, what: str, fix: str, *below: str | int) -> None:
        self.problems.error(self.where(key, *below), f"{self.title}: `{key}`: {what}",
                            "it cannot be turned into a configuration", fix)

    def done(self) -> None:
        """Every key has been asked for: say which are none of them."""
        for key in self.data:
            if key in self.known:
                continue
            near = difflib.get_close_matches(key, self.known, 1)
            self.problems.error(self.where(key), f"{self.title}: unknown key `{key}`",
                                "what it asks for would silently not happen",
                                f"did you mean `{near[0]}`?" if near else
                                f"remove it; known here: {', '.join(sorted(self.known))}")

    def text(self, key: str, required: bool = False) -> str | None:
        value = self.get(key, required)
        if value is not None and not isinstance(value, str):
            self.wrong(key, f"{value!r} is no text", "put it in quotes")
            return None
        return value

    def named(self, key: str, required: bool = False) -> Named | None:
        value = self.text(key, required)
        return Named(value, self.where(key)) if value is not None else None

    def choice(self, key: str, choices: list[str], default: str | None) -> str | None:
        value = self.text(key, required=default is None)
        if value is None:
            return default
        if value not in choices:
            near = difflib.get_close_matches(value, choices, 1)
            self.wrong(key, f'"{value}" is not known',
                       (f'did you mean "{near[0]}"? ' if near else "") +
                       f"known: {', '.join(choices)}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"{value!r} is neither true nor false", "write true or false")
            return default
        return value

    def number(self, key: str, required: bool = False, default: int | None = None) -> int | None:
        value = self.get(key, required)
        if value is None:
            return default
        try:
            return parse_number(value)
        except ValueError as error:
            self.wrong(key, str(error), _SIZE_FIX)
            return None

    def size(self, key: str = "size") -> int | None:
        number = self.number(key, required=True)
        if number == 0:
            self.problems.error(self.where(key), f"{self.title}: `{key}` is 0",
                                "a region of nothing is refused by the hypervisor",
                                "give it a size, or remove the region")
            return None
        return number

    def name(self, key: str = "name", default: str | None = None) -> str | None:
        value = self.text(key, required=default is None)
        if value is None:
            return default
        return value if self.check_name(value, self.where(key)) else None

    def check_name(self, value: str, where: Where) -> bool:
        what = name_problem(value)
        if what:
            self.problems.error(where, f'{self.title}: name "{value}": {what}',
                                "the hypervisor's messages show it from a field of "
                                f"{NAME_SIZE} bytes", "choose a shorter, plain name")
        return what is None

    def items(self, key: str, required: bool = False) -> list[Any]:
        value = self.get(key, required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, f"{value!r} is no list", f"write `{key} = [ ... ]`")
            return []
        return value

    def lines(self, key: str, valid: range, required: bool = False) -> tuple[Line, ...]:
        """A list of numbers and ranges in text, all of them in `valid`."""
        found = []
        for index, item in enumerate(self.items(key, required)):
            try:
                found.append(Line(parse_range(item, valid.start, valid.stop),
                                  self.where(key, index)))
            except ValueError as error:
                self.wrong(key, str(error), f'write numbers from {valid.start} to '
                           f'{valid.stop - 1}, e.g. [{valid.start}] or '
                           f'["{valid.start}-{valid.stop - 1}"]', index)
        return tuple(found)

    def ports(self, key: str, valid: range) -> tuple[Line, ...]:
        """A list of I/O ports and ranges of them."""
        found = []
        for index, item in enumerate(self.items(key)):
            try:
                if isinstance(item, str) and "-" not in item:
                    item = parse_number(item)
                found.append(Line(parse_range(item, valid.start, valid.stop),
                                  self.where(key, index)))
            except ValueError as error:
                self.wrong(key, str(error), f"write ports below {valid.stop:#x}, e.g. "
                           '["0x2f8-0x2ff"]', index)
        return tuple(found)

    def functions(self, key: str) -> tuple[Function, ...]:
        """One PCI function as text, or a list of them."""
        value = self.get(key)
        whole = isinstance(value, list)
        found = []
        for index, item in enumerate(value if whole else [] if value is None else [value]):
            where = self.where(key, index) if whole else self.where(key)
            try:
                found.append(Function(parse_function(item), where))
            except ValueError as error:
                self.problems.error(where, f"{self.title}: `{key}`: {error}",
                                    "it cannot be turned into a configuration",
                                    'write it as `lspci` does, e.g. "00:1f.2"')
        return tuple(found)

    def refuse(self, words: dict[str, str]) -> None:
        """Keys that mean something elsewhere, with what is the case here."""
        for key, what in words.items():
            if key in self.data and key not in self.known:
                self.known.append(key)
                self.problems.error(self.where(key), f"{self.title}: `{key}`: {what}",
                                    "what it asks for would silently not happen", "remove it")

    def given(self, key: str) -> tuple[Given, ...]:
        """A list of devices: names, or tables { name, guest }."""
        found = []
        for index, item in enumerate(self.items(key)):
            if isinstance(item, str):
                found.append(Given(item, self.where(key, index)))
            elif isinstance(item, dict):
                table = Table(self.document, self.path + (key, index), item, f"{self.title}: {key}", self.problems)
                name, guest = table.text("name", required=True), table.number("guest", required=True)
                table.done()
                if name is not None:
                    found.append(Given(name, self.where(key, index), guest))
            else:
                self.wrong(key, f"{item!r} is no name", "put it in quotes", index)
        return tuple(found)

    def table(self, key: str, required: bool = False) -> "Table | None":
        value = self.get(key, required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, f"{value!r} is no table", f"write `[{key}]` with keys below it")
            return None
        return Table(self.document, self.path + (key,), value, key, self.problems)

    def tables(self, key: str, required: bool = False) -> "list[Table]":
        """A list of tables; one table stands for a list of one."""
        value = self.get(key, required)
        if isinstance(value, dict):
            return [Table(self.document, self.path + (key,), value, f"{self.title}: {key}",
                          self.problems)]
        if value is not None and not isinstance(value, list):
            self.wrong(key, f"{value!r} is no table", f"write `{key} = {{ ... }}`")
            return []
        if required and value == []:
            self.wrong(key, "the list is empty", f"write `{key} = [{{ ... }}]`")
        found = []
        for index, item in enumerate(value or []):
            if isinstance(item, dict):
                found.append(Table(self.document, self.path + (key, index), item,
                                   f"{self.title}: {key}[{index}]", self.problems))
            else:
                self.wrong(key, f"{item!r} is no table", f"write `{key} = [{{ ... }}]`", index)
        return found

    def named_tables(self, key: str) -> "list[tuple[str, Table]]":
        """[key.NAME] tables, without those whose name cannot be used."""
        group = self.table(key)
        found = []
        for name in group.data if group else ():
            assert group is not None
            item = group.table(name)
            if item and item.check_name(name, item.where()):
                item.title = f'{key} "{name}"'
                found.append((name, item))
        return found

    def span(self, name: str) -> Placed | None:
        """This table as { start, size }. The caller asks for other keys first."""
        start, size = self.number("start", required=True), self.size()
        self.done()
        if start is None or size is None:
            return None
        if start + size > 1 << 64:
            self.problems.error(self.where(), f"{self.title}: {start:#x} + {size:#x} wraps",
                                "there are no addresses of more than 64 bits",
                                "correct `start` or `size`")
            return None
        return Placed(name, Span(start, size), self.where())


def name_problem(value: str) -> str | None:
    if not value:
        return "it is empty"
    if not all(" " <= c <= "~" for c in value):
        return "it has characters that are not printable ASCII"
    if len(value) >= NAME_SIZE:
        return f"it has {len(value)} bytes, {len(value) - NAME_SIZE + 1} more than fit"
    return None
