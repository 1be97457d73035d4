# SPDX-License-Identifier: GPL-2.0-only
"""docs/configuration.md names every key there is, and its examples work."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DEMO, PC_DEMO, ROOT

from jailhouse.config.command import checked_system, main
from jailhouse.config.table import Table

TEXT = (ROOT / "docs" / "configuration.md").read_text()


def asked_keys(file: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """All that is looked for in a system's texts, but for what they name themselves."""
    asked: set[str] = set()
    original = Table.get

    def get(self: Table, key: str, required: bool = False) -> object:
        asked.add(key)
        return original(self, key, required)

    monkeypatch.setattr(Table, "get", get)
    system, problems = checked_system(str(file))
    assert system is not None, [str(p) for p in problems]
    return asked - set(system.machine.devices) - {"box"}


MORE = (("[memory]", '[root]\nname = "linux"\n[shared.box]\nsize = "4K"\n[memory]'),
        ("cpus = [3]", 'cpus = [3]\nshared = [{ name = "box", guest = 0x7000_0000 }]'))


def test_every_key_is_documented(monkeypatch: pytest.MonkeyPatch, edited: Callable[..., Path],
                                 edited_pc: Callable[..., Path]) -> None:
    words = set(re.findall(r"\w+", TEXT))
    for edit, own in ((edited, "maintenance_irq"), (edited_pc, "mmconfig")):
        asked = asked_keys(edit(*MORE), monkeypatch)
        assert len(asked) > 30
        assert own in asked
        assert asked <= words


def test_examples(edited: Callable[..., Path]) -> None:
    device, shared = re.findall(r"```toml\n(devices.*?)```\n.*?```toml\n(\[shared.*?)```", TEXT,
                                re.DOTALL)[0]
    table, use = shared.split("# in each [[cell]]\n")
    device = device.replace('console = "uart1"\n', "")
    file = edited(("[memory]", f"{table}\n[memory]"), ("cpus = [2]", f"cpus = [2]\n{use}"),
                  ('cpus = [3]\nconsole = "putc"', f'cpus = [3]\nconsole = "uart1"\n{use}{device}'))
    system, problems = checked_system(str(file))
    assert system is not None, [str(p) for p in problems]
    assert list(problems) == []


def test_the_memory_example_is_the_demos() -> None:
    example = re.search(r"```toml\nmachine = \"machine.toml\"\n\n\[memory.*?```", TEXT, re.DOTALL)
    assert example
    demo = " ".join(DEMO.read_text().split())
    for line in example.group().splitlines()[1:-1]:
        assert " ".join(line.split("#")[0].split()) in demo


def test_the_open_example(edited: Callable[..., Path], tmp_path: Path) -> None:
    """It can be built as it stands, and what it is made into is all there."""
    example = re.search(r"This is one:\n\n```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example
    folder = edited().parent
    (folder / "open.toml").write_text(example[1])
    system, problems = checked_system(str(folder / "open.toml"))
    assert system is not None, [str(p) for p in problems]
    assert list(problems) == []
    assert [sorted(c.cpu_numbers()) for c in system.cells] == [[3], [1, 2]]
    assert main(["build", str(folder / "open.toml"), "-o", str(tmp_path / "out")]) == 0
    for name in ("expanded.toml", "next-steps.txt"):
        assert f"`{name}`" in TEXT and (tmp_path / "out" / name).is_file()


RTOS = re.search(r'cpus = \[3\]\n.*?(?=memory)', DEMO.read_text(), re.DOTALL)


def test_the_contract_example(edited: Callable[..., Path]) -> None:
    example = re.search(r"```toml\n(exits.*?)```", TEXT, re.DOTALL)
    assert example and RTOS
    system, problems = checked_system(str(edited((RTOS.group(), f"cpus = [3]\n{example[1]}"))))
    assert system is not None, [str(p) for p in problems]
    assert list(problems) == []


def test_what_build_prints(edited: Callable[..., Path], tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"^    (rtos: CPU .*)$", TEXT, re.MULTILINE)
    assert shown
    assert main(["build", str(edited(("exits = 10_000", "exits = 500"))), "-o",
                 str(tmp_path / "out")]) == 0
    assert shown[1] in capsys.readouterr().out.splitlines()


def test_the_error_example(edited: Callable[..., Path]) -> None:
    shown = re.search(r"^    demo.toml:\d+: error.*?fix.*?$", TEXT, re.MULTILINE | re.DOTALL)
    assert shown
    file = edited(("cpus = [2]", "cpus = [3]"))
    _, problems = checked_system(str(file))
    said = "\n".join(map(str, problems)).replace(str(file), file.name)
    assert shown[0].replace("\n    ", "\n").strip() == said


@pytest.mark.parametrize("number, demo", enumerate([DEMO, PC_DEMO]))
def test_the_boot_examples(number: int, demo: Path, tmp_path: Path) -> None:
    """docs/linux-cells.md's cells, on the demos' machines and memory."""
    examples = re.findall(r"```toml\n(\[\[cell\]\].*?)```", (ROOT / "docs" / "linux-cells.md").read_text(), re.DOTALL)
    system = demo.read_text().split("[[cell]]")[0].replace('"machine.toml"', f'"{demo.parent / "machine.toml"}"')
    (tmp_path / "guest.toml").write_text(system + examples[number])
    system_found, problems = checked_system(str(tmp_path / "guest.toml"))
    assert system_found is not None, [str(p) for p in problems]
    assert list(problems) == []
