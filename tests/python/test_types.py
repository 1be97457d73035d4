# SPDX-License-Identifier: GPL-2.0-only
"""The Python tools by what reads them without running them: mypy, pyflakes, pycodestyle."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_types_fit(tmp_path: Path) -> None:
    """Strictly; matplotlib and libfdt have none."""
    done = subprocess.run(["mypy", "--strict", "--cache-dir", tmp_path, "-p", "jailhouse", "--config-file", ROOT / "tools" / "mypy.ini"],
                          env={**os.environ, "MYPYPATH": str(ROOT / "tools")}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_statement_is_a_trap() -> None:
    """Imports, statements and syntax (E4, E7, E9): with pyflakes, what `ruff check` looks at if nobody tells it otherwise."""
    done = subprocess.run(["pycodestyle", "--select=E4,E7,E9", ROOT / "tools", ROOT / "tests"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_names_are_known_and_used() -> None:
    done = subprocess.run([sys.executable, "-m", "pyflakes", ROOT / "tools", ROOT / "tests" / "python", ROOT / "tests" / "run.py"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
