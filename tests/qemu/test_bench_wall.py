# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse bench` as on a board: of its nanoseconds nothing is asked here but that they are there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from board import LINES

from jailhouse.bench import command, record
from machine.machine import Machine
from machine.target import TARGET

SAMPLES = 200


@pytest.fixture
def result(boot: Callable[..., Machine]) -> str:
    """What the command writes of the cells it finds by itself."""
    machine = boot(serials=2, **LINES)
    machine.check(f"insmod /lib/modules/{machine.release}/extra/jailhouse.ko")
    said = machine.check(f"jailhouse bench --mode wall --samples {SAMPLES} --rounds 2 -o /tmp/a.json", timeout=600)
    assert "no verdict: this is an emulator" in said, said
    assert not machine.check("ls /sys/devices/jailhouse/cells").split()
    return machine.check("cat /tmp/a.json")


@pytest.mark.slow
def test_every_workload_is_measured_idle_and_loaded(result: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    measured = record.check(json.loads(result))
    runs = {run.key: run for run in measured.runs}
    wheres = {run.where for run in measured.runs if run.where != "linux"}
    own = {"arm64": {"psci", "gicd-read", "gicr-write"}, "x86_64": {"icr", "cpuid", "msr", "ioapic-read"}}[TARGET.name]
    wanted = own | {"timer-spin", "timer-wfi", "tick", "self-sgi", "ipi", "device", "hypercall", "compute"}
    assert set(runs) >= {(where, load, workload) for where in wheres for load in ("idle", "loaded")
                         for workload in wanted}
    assert "direct" in wheres and not [run.name for run in measured.runs if run.refused]
    assert all(run.samples == SAMPLES and run.histogram for run in measured.runs if run.where != "linux")
    for load in ("idle", "loaded"):
        for workload in ("timer-spin", "tick", "device"):
            assert runs["direct", load, workload].exits["total"] == 0
        assert runs["direct", load, "ipi"].exits["total"] == runs["direct", load, "hypercall"].exits["total"] == SAMPLES
    assert {operation.operation for operation in measured.lifecycle} >= {"create", "load", "start", "destroy"}
    file = tmp_path / "a.json"
    file.write_text(result)
    assert command.main(["compare", str(file), str(file)]) == 0
    assert command.main(["report", str(file), "-o", str(tmp_path)]) == 0
