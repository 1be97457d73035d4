# SPDX-License-Identifier: GPL-2.0-only
"""The Python tools' types, by mypy."""

import os
import subprocess
from pathlib import Path

from conftest import ROOT


def test_types_fit(tmp_path: Path) -> None:
    """Strictly; matplotlib and libfdt have none."""
    done = subprocess.run(["mypy", "--strict", "--cache-dir", tmp_path, "-p", "jailhouse", "--config-file", ROOT / "tools" / "mypy.ini"],
                          env={**os.environ, "MYPYPATH": str(ROOT / "tools")}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
