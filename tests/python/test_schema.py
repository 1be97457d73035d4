# SPDX-License-Identifier: GPL-2.0-only
"""The schema says what the readers read: the same keys, and no text that they take is refused by it."""

import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import ROOT
from hypothesis import given, settings
from specs import Spec, systems
from test_docs import MORE, asked_keys
from verdict import SLOW_IS_FINE

from jailhouse.config.command import main
from jailhouse.config.schema import MACHINE, SYSTEM, with_tables

DOCUMENT = ROOT / "docs" / "configuration.md"
TEXTS = [*sorted((ROOT / "configs").glob("*/*.toml")), *sorted((ROOT / "tests/qemu").glob("*64/*.toml"))]


def refusals(text: str) -> list[str]:
    """What the schema has against a text of either kind."""
    data = tomllib.loads(text)
    schema = SYSTEM if "machine" in data or "cell" in data else MACHINE
    return [f"{list(e.absolute_path)}: {e.message}" for e in jsonschema.Draft202012Validator(schema).iter_errors(data)]


def test_the_schemas_are_schemas() -> None:
    for schema in (MACHINE, SYSTEM):
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_that_are_there(file: Path) -> None:
    assert refusals(file.read_text()) == []


@settings(SLOW_IS_FINE, max_examples=60)
@given(spec=systems())
def test_any_right_text(spec: Spec) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spec.write(Path(folder))
        assert [refusals((Path(folder) / name).read_text()) for name in ("board.toml", "system.toml")] == [[], []]


@pytest.mark.parametrize("text", [
    'machine = "m"\ncolour = 1', 'machine = "m"\n[[cell]]\nname = "a"\ncpus = [1]\nexits = "some"', 'machine = 5',
    'machine = "m"\n[[cell]]\nname = "a"\ncpus = 0', 'name = "b"\narch = "riscv"\ncpus = 4\nram = { start = 0, size = "1G" }',
    'name = "b"\narch = "arm64"\ncpus = 4\nram = { start = -1, size = "1G" }', 'machine = "m"\n[memory]\ncells = { start = 0, size = "1Q" }',
])
def test_wrong_texts(text: str) -> None:
    assert len(refusals(text)) >= 1


def keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for below in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from keys(below)


def test_the_readers_know_the_same_keys(monkeypatch: pytest.MonkeyPatch, edited: Callable[..., Path],
                                        edited_pc: Callable[..., Path]) -> None:
    """All that is asked for is in a schema; what is not asked for in these two texts stands in tables that they have not."""
    asked = asked_keys(edited(*MORE), monkeypatch) | asked_keys(edited_pc(*MORE), monkeypatch)
    known = {*keys(MACHINE), *keys(SYSTEM)}
    assert asked - known == set()
    assert known - asked <= {"caches", "threads", "clusters", "level", "kind", "ids", "with", "flash", "ram", "interrupt", "line", "gicd",
                             "gicr", "port", "boot", "platform"}


def test_the_document_has_the_tables() -> None:
    text = DOCUMENT.read_text()
    assert with_tables(text) == text, "the keys have changed: tests/python/test_schema.py as a program writes the tables anew"
    assert len(re.findall(r"^\| `", text, re.MULTILINE)) > 60


@pytest.mark.parametrize("name", ["machine", "system"])
def test_it_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == f"{name} text"


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
