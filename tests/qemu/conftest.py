# SPDX-License-Identifier: GPL-2.0-only
"""What the scenarios in emulated machines share.

    def test_something(boot):
        machine = boot(kernel="6.1", cpu="max")
        machine.check("insmod ...")

`boot` takes Machine's arguments; the machines end with the test, and each one's console
is kept in build/arm64/tests/<test>-<number>.log.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from machine import paths  # noqa: E402
from machine.machine import Machine  # noqa: E402

LOGS = paths.BUILD / "tests"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: more than a minute of wall time")
    config.addinivalue_line("markers", "bare: needs no hypervisor, only a kernel")


@pytest.fixture(scope="session")
def kernels() -> dict[str, str]:
    """Short name -> release of every kernel the tests boot; missing ones are an error."""
    return {name: paths.kernel_release(name) for name in paths.KERNELS}


def _say(request: pytest.FixtureRequest, text: str) -> None:
    """A line for whoever watches, past pytest's capture."""
    manager = request.config.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled():
        print(f"\n    {text}", end="", flush=True)


@pytest.fixture
def boot(request: pytest.FixtureRequest) -> Iterator[Callable[..., Machine]]:
    """Boots machines; see above."""
    machines: list[Machine] = []
    LOGS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", request.node.name)

    def start(**arguments: Any) -> Machine:
        log = LOGS / f"{name}-{len(machines) + 1}.log"
        arguments.setdefault("log_path", log)
        kernel, cpu = arguments.get("kernel", "6.12"), arguments.get("cpu", "cortex-a72")
        began = time.monotonic()
        machine = Machine(**arguments)
        machines.append(machine)
        _say(request, f"booted {kernel} on {cpu} in {time.monotonic() - began:.1f} s ({log.relative_to(paths.TOP)})")
        return machine

    yield start
    for machine in machines:
        machine.close()


@pytest.fixture
def machine(boot: Callable[..., Machine]) -> Machine:
    """A machine with all defaults."""
    return boot()
