# SPDX-License-Identifier: GPL-2.0-only
"""Random machines, and what somebody could want of them: little is said, the rest is to be found."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jailhouse.config.toml_text import entry_lines

MIB = 1 << 20
RAM = 0x4000_0000
BOARD: dict[str, Any] = {
    "name": "board", "arch": "arm64", "cpus": 8, "ram": {"start": RAM, "size": 1024 * MIB},
    "gic": {"gicd": {"start": 0x800_0000, "size": 0x1_0000}, "gicr": {"start": 0x80a_0000, "size": 0x10_0000},
            "maintenance_irq": 25, "spis": 96},
}


def text(table: dict[str, Any]) -> str:
    return "\n".join(line for key, value in table.items() for line in entry_lines(key, value)) + "\n"


def write(folder: Path, board: dict[str, Any], **system: Any) -> Path:
    (folder / "board.toml").write_text(text(board))
    (folder / "system.toml").write_text(text({"machine": "board.toml", **system}))
    return folder / "system.toml"


@st.composite
def intents(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    count = draw(st.integers(2, 12))
    size = draw(st.integers(1, count))
    groups = [list(range(n, min(n + size, count))) for n in range(0, count, size)]
    topology: dict[str, Any] = {}
    if draw(st.booleans()):
        topology["clusters"] = groups
    if draw(st.booleans()):
        topology["threads"] = [[n, n + 1] for n in range(0, count - 1, 2)]
    names = [f"c{n}" for n in range(draw(st.integers(1, min(4, count - 1))))]
    holes = draw(st.lists(st.integers(0, 1023), max_size=3, unique=True))
    board = BOARD | {"cpus": count, "gic": BOARD["gic"] | {"gicr": {"start": 0x80a_0000, "size": 0x2_0000 * count}},
                     "firmware": [{"name": f"f{n}", "start": RAM + n * MIB, "size": draw(st.sampled_from([4096, MIB]))} for n in holes],
                     "topology": topology}
    cells = []
    for name in names:
        one = {"name": name, "cpus": draw(st.one_of(st.integers(1, min(4, count - 1)), st.lists(st.integers(0, count - 1), min_size=1, max_size=2,
                                                                                 unique=True))),
               "memory": 4096 * draw(st.integers(1, 40_000))}
        if draw(st.booleans()):
            one["exits"] = draw(st.integers(0, 1000))
        others = [n for n in names if n != name]
        if others and draw(st.booleans()):
            one["share"] = [{"with": draw(st.sampled_from(others)), "size": 4096 * draw(st.integers(1, 600))}]
        cells.append(one)
    return board, {"cell": cells}
