# SPDX-License-Identifier: GPL-2.0-only
"""tests/qemu/complaints.py: what Linux may say of itself, and nothing else."""

import sys

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "qemu"))

from complaints import unknown  # noqa: E402

# As 6.12.95 said it
DYING = ["[  115.927774] WARNING: CPU: 1 PID: 26 at kernel/sched/core.c:8328 sched_cpu_dying+0x93/0x230",
         "[  115.942015] CPU1 enqueued tasks (2 total):",
         "[  115.942095] \tpid: 26, name: migration/1"]
CALLS = "[  115.931313] Call trace:"
OTHER = "[  494.781695] WARNING: CPU: 2 PID: 32 at kernel/sched/deadline.c:265 task_non_contending+0x410/0x4d0"


def test_server_alone_is_known() -> None:
    assert unknown(DYING) == []
    assert unknown([OTHER, *DYING, *DYING, OTHER]) == [OTHER, OTHER]
    assert unknown([OTHER, DYING[0], CALLS, *DYING[1:], CALLS]) == [OTHER, CALLS]


@pytest.mark.parametrize("lines", [
    [*DYING, "[  115.942099] \tpid: 40, name: kworker/1:1"],
    [DYING[0], "[  115.942015] CPU1 enqueued tasks (2 total):", "[  115.942095] \tpid: 40, name: kworker/1:1"],
    [DYING[0], "[  115.942015] CPU1 enqueued tasks (3 total):", DYING[2]],
    [DYING[0], "[  115.942015] CPU2 enqueued tasks (2 total):", DYING[2]],
    [DYING[0], DYING[1], OTHER, DYING[2]],
    [DYING[0], CALLS, CALLS, *DYING[1:]],
    [DYING[0], CALLS],
    [DYING[0], CALLS, *DYING[1:], "[  115.942099] \tpid: 40, name: kworker/1:1"],
    DYING[:2], DYING[:1], DYING[1:],
])
def test_anything_else_is_not(lines: list[str]) -> None:
    assert unknown(lines) == lines
