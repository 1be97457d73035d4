# SPDX-License-Identifier: GPL-2.0-only
"""Lines for what tomllib read."""

import tomllib

from conftest import DEMO, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from jailhouse.config.locate import Path, locate

TEXT = '''# [not] = "a table"
title = "x # no comment" # a comment

[a.b]
one = 1
"quoted key" = \'\'\'
[not.this]
two = 2\'\'\'
c.d = { e = 1, f = [
  "x]",   # ]
  { g = """ "" \\""" """ },
] }

[[list]]
n = 1
[list.sub]
m = 1

[[list]]
[[list.inner]]
k = 1
[[list.inner]]
k = 2
'''


def test_lines() -> None:
    tomllib.loads(TEXT)
    lines = locate(TEXT)
    wanted: dict[Path, int] = {
        ("title",): 2, ("a", "b"): 4, ("a", "b", "one"): 5, ("a", "b", "quoted key"): 6,
        ("a", "b", "c", "d"): 9, ("a", "b", "c", "d", "f"): 9, ("a", "b", "c", "d", "f", 0): 10,
        ("a", "b", "c", "d", "f", 1): 11, ("a", "b", "c", "d", "f", 1, "g"): 11,
        ("list",): 14, ("list", 0): 14, ("list", 0, "n"): 15, ("list", 0, "sub"): 16,
        ("list", 0, "sub", "m"): 17, ("list", 1): 19, ("list", 1, "inner", 0): 20,
        ("list", 1, "inner", 0, "k"): 21, ("list", 1, "inner", 1): 22,
        ("list", 1, "inner", 1, "k"): 23,
    }
    assert {path: lines.get(path) for path in wanted} == wanted
    assert ("not",) not in lines
    assert ("not", "this") not in lines


def paths(value: object, path: Path = ()) -> set[Path]:
    found = {path}
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths(item, (*path, index))
    return found


def test_everything_of_our_texts_has_a_line() -> None:
    for file in (DEMO, DEMO.parent / "machine.toml"):
        text = file.read_text()
        assert set(locate(text)) == paths(tomllib.loads(text))
    assert list((ROOT / "configs").glob("**/*.toml"))


SCALARS = ["1", "-31", "true", "1.5e3", "1979-05-27T07:32:00Z", '"a # b"', "'c ] d'", '"\\""',
           '"""e\n"\'}"""', "'''f\n#'''", "1979-05-27 07:32:00", '""', "''", '""""g""""']
VALUES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: "[ # x ]\n" + ",\n".join(v) + "\n]"),
        st.lists(inner, max_size=3).map(
            lambda v: "{ " + ", ".join(f"k{n} = {i}" for n, i in enumerate(v)) + " }")),
    max_leaves=6)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(tables=st.lists(st.tuples(st.sampled_from(["[t{}]", "[[u]]", "[u.v{}]", "['w\"'.\"x{}\"]"]),
                                 st.lists(VALUES, max_size=3)), max_size=5))
def test_same_paths_as_tomllib(tables: list[tuple[str, list[str]]]) -> None:
    text = "[[u]]\n"
    for number, (header, values) in enumerate(tables):
        text += header.format(number) + "  # [c]\n"
        text += "".join(f"k{n}.'d e' = {value}  # c\n" for n, value in enumerate(values))
    assert set(locate(text)) == paths(tomllib.loads(text))
