# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong with a text: where, what, why it matters and what to change."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Where:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Problem:
    where: Where
    what: str
    why: str
    fix: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning" if self.warning else "error"
        return f"{self.where}: {kind}: {self.what}\n    why: {self.why}\n    fix: {self.fix}"


class Problems:
    """Collects; nobody stops at the first one."""

    def __init__(self) -> None:
        self._list: list[Problem] = []

    def error(self, where: Where, what: str, why: str, fix: str) -> None:
        self._add(Problem(where, what, why, fix))

    def warn(self, where: Where, what: str, why: str, fix: str) -> None:
        self._add(Problem(where, what, why, fix, warning=True))

    def _add(self, problem: Problem) -> None:
        if problem not in self._list:
            self._list.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._list, key=lambda p: p.where))

    @property
    def errors(self) -> int:
        return sum(not p.warning for p in self._list)
