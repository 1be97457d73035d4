# SPDX-License-Identifier: GPL-2.0-only
"""Records as `jailhouse bench -o` writes them, made by hand."""

from typing import Any

Json = dict[str, Any]
COSTS = {"timer-spin": (2, 2, 2, 118), "timer-wfi": (3, 55, 3, 121), "self-sgi": (4, 61, 61, 77),
         "ipi": (9, 66, 66, 140), "device": (5, 5, 5, 122), "hypercall": (None, 74, 74, 74), "psci": (None, 85, 85, 85),
         "gicd-read": (2, 101, 101, 101), "gicr-write": (2, 140, 140, 140), "tick": (58, 58, 58, 170)}
WHERES = ("bare", "direct", "trusted", "injected")


def run(where: str, workload: str, histogram: list[list[int]] | None, load: str = "idle", **more: Any) -> Json:
    samples = sum(count for _, count in histogram) if histogram else 1000
    return {"where": where, "load": load, "workload": workload, "samples": samples, "resolution": 0,
            "histogram": histogram, "exits": None, "hypervisor_instructions": None, **more}


def record(runs: list[Json], mode: str = "icount", **more: Any) -> Json:
    return {"format": 1, "mode": mode, "unit": {"icount": "instructions", "wall": "ns"}[mode],
            "machine": {"model": "linux,dummy-virt", "cpus": 4, "midr": "0x410fd083", "counter_hz": 1_000_000_000,
                        "emulator": mode == "icount", "gic": "one security state"},
            "kernel": "6.12.95+deb12-arm64", "hypervisor": "0.1", "config": {"bench-direct/bench.cell": "1f2e3d4c"},
            "samples": 1000, "runs": runs, **more}


def icount() -> Json:
    """Every workload once in every place."""
    runs = []
    for workload, costs in COSTS.items():
        for where, cost in zip(WHERES, costs):
            if cost is not None:
                exits = {"total": 1000, "sgi": 1000} if where != "bare" and cost > 60 else {"total": 0, "sgi": 0}
                runs.append(run(where, workload, [[cost, 1000]], exits=None if where == "bare" else exits))
    runs.append(run("direct", "timer-spin", None, load="loaded", exits={"total": 0}, hypervisor_instructions=0))
    return record(runs, lifecycle=[
        {"operation": "create", "cell": "bench", "memory": 2 << 20, "rounds": 3, "times": [812345, 812345, 812399],
         "pauses": [4000, 4001, 4000], "quiet_pauses": [3990, 3990, 3990]}],
        root=[{"load": "idle", "seconds": 10, "exits": {"total": 42, "sgi": 40, "hypercall": 2}}])


def wall() -> Json:
    """Scattered, as a board's are."""
    def spread(base: int) -> list[list[int]]:
        return [[base + 7 * i + i * i, max(1, 60000 >> (i // 2))] for i in range(40)]
    runs = [run(where, workload, spread(base + shift), load=load, exits={"total": 0} if where != "bare" else None)
            for workload, base in (("timer-spin", 180), ("self-sgi", 420), ("compute", 90_000))
            for where, shift in (("bare", 0), ("direct", 3), ("injected", 300))
            for load in (("idle",) if where == "bare" else ("idle", "loaded"))]
    runs.append(run("linux", "cyclictest", [[2, 500], [3, 400], [9, 99], [240, 1]], unit="us"))
    return record(runs, "wall")
