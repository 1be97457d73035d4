# SPDX-License-Identifier: GPL-2.0-only
"""gdb on the running hypervisor, both cells of the demonstration running under it.

    python -m machine.debug [--before-enable] [--kernel 6.12] [--cpu NAME]
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from . import paths
from .demo import carve, guarded
from .machine import Machine
from .steps import Steps
from .target import TARGET

GDB = "gdb-multiarch"


def _gdb(machine: Machine, elf: Path, socket: Path) -> int:
    """Runs gdb on the terminal while the machine's console goes to its log."""
    ended = threading.Event()

    def keep_draining() -> None:
        while not ended.is_set():
            machine.drain(0.2)

    console = threading.Thread(target=keep_draining, daemon=True)
    console.start()
    try:
        return subprocess.run([GDB, "-q", str(elf), "-ex", f"target remote {socket}",
                               "-ex", "info threads"], check=False).returncode
    except FileNotFoundError:
        raise paths.MissingError(f"{GDB} is missing: run 'make setup' (as root)") from None
    finally:
        ended.set()
        console.join()


def debug(options: argparse.Namespace) -> None:
    """Brings the machine there, then lets gdb stop it and take over."""
    elf = paths.built(paths.BUILD / "hypervisor.elf", "hypervisor")
    log = paths.BUILD / "debug.log"
    steps = Steps()
    with tempfile.TemporaryDirectory(prefix="debug.") as folder:
        socket = Path(folder) / "gdb"
        with Machine(kernel=options.kernel, cpu=options.cpu, gdb=socket, log_path=log) as machine:
            if not options.before_enable:
                carve(steps, machine)
            print(f"console: {log.relative_to(paths.TOP)}; 'quit' ends the machine. The hypervisor's memory\n"
                  f"is seen from a CPU that is in it: 'hbreak {TARGET.hypercall}', or 'thread N' of a sleeping cell's.")
            status = _gdb(machine, elf, socket)
            if status != 0:
                raise paths.MissingError(f"{GDB} ended with status {status}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="debug", description=__doc__.splitlines()[0])
    parser.add_argument("--before-enable", action="store_true", help="stop before the hypervisor is enabled")
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.1-rt, 6.12 or 6.12-rt")
    parser.add_argument("--cpu", default=TARGET.cpu, help="QEMU's name, such as max")
    options = parser.parse_args()
    return guarded(lambda: debug(options))


if __name__ == "__main__":
    sys.exit(main())
