# SPDX-License-Identifier: GPL-2.0-only
"""jailhouse.config.abi is include/abi/config.h: sizes, offsets, constants."""

import re
import subprocess

import pytest
from conftest import ROOT, compile_c

from jailhouse.config import abi

HEADER = ROOT / "include" / "abi" / "config.h"
DEFINE = re.compile(r"^#define (ABI_[A-Z0-9_]+) (.+?)\s*(?:/\*.*)?$", re.MULTILINE)
STRUCT = re.compile(r"^struct (abi_\w+) \{(.*?)^\};", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"(\w+)(?:\[\w+\])?;")


def numbers() -> list[str]:
    return [name for name, value in DEFINE.findall(HEADER.read_text()) if name != "ABI_CONFIG_H"
            and not value.startswith('"')]


def fields(layout: abi.Layout) -> list[tuple[str, str]]:
    return [(layout.name, field) for field in layout.fields]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the compiler says of the header: constants by name, "struct", "struct.field"."""
    lines = [f'P("{name}", {name});' for name in numbers()]
    for layout in abi.LAYOUTS:
        lines.append(f'P("{layout.name}", sizeof(struct {layout.name}));')
        for struct, field in fields(layout):
            lines.append(f'P("{struct}.{field}", offsetof(struct {struct}, {field}));')
            lines.append(f'P("{struct}.{field}.size", sizeof(((struct {struct} *)0)->{field}));')
    source = tmp_path_factory.mktemp("abi") / "layout.c"
    source.write_text('#include <stdio.h>\n#include "abi/config.h"\n'
                      '#define P(name, value) printf("%s %llu\\n", name, '
                      "(unsigned long long)(value))\n"
                      "int main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
    tool = compile_c(source.with_suffix(""), [source])
    text = subprocess.run([tool], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def test_every_constant(compiled: dict[str, int]) -> None:
    ours = {name: getattr(abi, name, None) for name in numbers()}
    assert len(ours) > 15
    assert ours == {name: compiled[name] for name in ours}


def test_magic() -> None:
    text = dict(DEFINE.findall(HEADER.read_text()))["ABI_CONFIG_MAGIC"]
    assert text == f'"{abi.ABI_CONFIG_MAGIC.decode()}"'


def test_every_struct_is_there() -> None:
    declared = {name for name, _ in STRUCT.findall(HEADER.read_text())}
    assert declared == {layout.name for layout in abi.LAYOUTS}


@pytest.mark.parametrize("layout", abi.LAYOUTS, ids=lambda layout: layout.name)
def test_layout(layout: abi.Layout, compiled: dict[str, int]) -> None:
    assert layout.size == compiled[layout.name]
    for field, offset in layout.offsets.items():
        assert offset == compiled[f"{layout.name}.{field}"]
    ends = [*list(layout.offsets.values())[1:], layout.size]
    for (field, offset), end in zip(layout.offsets.items(), ends, strict=True):
        assert end - offset == compiled[f"{layout.name}.{field}.size"]


@pytest.mark.parametrize("layout", abi.LAYOUTS, ids=lambda layout: layout.name)
def test_every_field_in_order(layout: abi.Layout) -> None:
    body = dict(STRUCT.findall(HEADER.read_text()))[layout.name]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    body = re.sub(r"union \{.*?\} (\w+);", r"int \1;", body, flags=re.DOTALL)
    assert FIELD.findall(body) == list(layout.fields)


def test_pack_refuses_unknown_field() -> None:
    with pytest.raises(KeyError, match="abi_irq has no field last"):
        abi.IRQ.pack(first=32, last=33)
