# SPDX-License-Identifier: GPL-2.0-only
"""An emulated machine whose root cell runs a stock Debian kernel.

    with Machine(kernel="6.12") as machine:
        print(machine.check("uname -r"))
"""

import hashlib
import re
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pexpect

from . import paths, rootfs
from .target import TARGET

# A terminal's canonical line is limited; stay far below
PIECE = 200
# ... and nothing of a command is the terminal's, or `printf %b`'s
SAFE = re.compile(r"[^A-Za-z0-9 ./_=:,;-]")
ATTEMPTS = 5
TAIL_LINES = 60
# After a fault its report is still being printed
REPORT_SECONDS = 3.0

FAULT = re.compile(
    rb"Kernel panic - not syncing|Internal error: |Unable to handle kernel"
    rb"|kernel BUG at|\bBUG\b|soft lockup|Synchronous External Abort|: [0-9a-f]{4} \[#\d+\]")
# The same in the middle of a command's answer, where only the kernel's own time stamp
# tells it from output that speaks of faults
FAULT_IN_ANSWER = re.compile(rb".\[ *\d+\.\d+\] .*(?:" + FAULT.pattern + rb")")


# While Linux boots, before anything of ours is loaded: QEMU's x86 CPUs are threads, and one may
# execute the breakpoint that another has just put there to patch an instruction, after Linux
# has forgotten it
TORN_PATCH = re.compile(r"Oops: int3: ")


class MachineError(Exception):
    """The machine did not do as it was told; the text ends with its last lines."""

    def __init__(self, what: str, tail: str):
        super().__init__(f"{what}\n--- the machine's last lines ---\n{tail}")
        self.what = what
        self.tail = tail


class MachineFault(MachineError):
    """The kernel or the hypervisor reported a fault of its own, or QEMU ended."""


class MachineTimeout(MachineError):
    """No answer in time."""


class CommandFailed(MachineError):
    """A checked command's status was not 0."""


@dataclass(frozen=True)
class Result:
    """What a command printed (both streams) and its exit status."""

    status: int
    output: str


class Serial:
    """The other end of the second UART."""

    def __init__(self, path: str):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._got = b""

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self, size: int, timeout: float = 30.0) -> bytes:
        """The next `size` bytes, or as many as come in time."""
        deadline = time.monotonic() + timeout
        while len(self._got) < size:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self._socket.recv(4096)
            except TimeoutError:
                break
            if not more:
                break
            self._got += more
        data, self._got = self._got[:size], self._got[size:]
        return data

    def close(self) -> None:
        self._socket.close()


class Machine:
    """Boots on construction and returns with the shell ready.

    kernel: 6.1, 6.1-rt, 6.12, 6.12-rt or a release. append: the kernel command line,
    replacing the default. extra: further QEMU arguments. serials: how many UARTs with
    something at their other end, 2 at most; see `serial`. icount: deterministic, its
    clock counts instructions. bare: boot busybox alone. files: further files of the
    initial file system. qmp, gdb: paths of sockets to open. plugins: TCG plugins.
    boot_timeout: seconds. special: what only machines of this architecture have
    (machine() in arch_*.py).
    """

    def __init__(self, kernel: str = "6.12", cpu: str = TARGET.cpu, smp: int = 4,
                 memory: str = "2G", append: str = TARGET.append,
                 extra: Sequence[str] = (), serials: int = 1, icount: bool = False,
                 log_path: Path | str | None = None, bare: bool = False,
                 files: Mapping[str, bytes | Path] | None = None, qmp: Path | None = None,
                 gdb: Path | None = None, plugins: Sequence[str] = (),
                 boot_timeout: float = 180.0, **special: Any):
        self.kernel = kernel
        self.release = paths.kernel_release(kernel)
        self._number = 0
        self._pending = b""
        self._console: list[bytes] = []
        self._workspace = tempfile.TemporaryDirectory(prefix="machine.")
        self.serial: Serial | None = None
        self._log = open(log_path, "wb") if log_path else None
        initrd = rootfs.write(Path(self._workspace.name) / "initrd.cpio",
                              rootfs.image(kernel, bare, files))
        self.arguments = [
            *TARGET.machine(**special),
            "-cpu", cpu, "-smp", str(smp), "-m", memory, "-nographic", "-no-reboot", "-nic", "none",
            "-kernel", str(paths.kernel_image(kernel)), "-initrd", str(initrd),
            "-append", " ".join(filter(None, (append, TARGET.more_append(**special), "agent"))),
            # An explicit one takes the place of the console that -nographic makes
            *(("-serial", "mon:stdio", "-serial", f"unix:{self._workspace.name}/serial,server=on,wait=off")
              if serials > 1 else ()),
            *(("-icount", TARGET.icount) if icount else ()),
            *(("-qmp", f"unix:{qmp},server=on,wait=off") if qmp else ()),
            *(("-chardev", f"socket,id=gdb,path={gdb},server=on,wait=off", "-gdb", "chardev:gdb")
              if gdb else ()),
            *(argument for plugin in plugins for argument in ("-plugin", plugin)),
            *extra,
        ]
        self._process: Any = None
        try:
            self._boot(boot_timeout)
            if serials > 1:
                self.serial = Serial(f"{self._workspace.name}/serial")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    # --- commands ---------------------------------------------------------------------

    def run(self, command: str, timeout: float = 60.0) -> Result:
        """Runs a shell command in the root cell, from / and in a shell of its own."""
        self._number += 1
        mark = f"JH{self._number:05d}"
        self._note(f"$ {command}\n")
        text = SAFE.sub(lambda found: "".join(rf"\0{byte:03o}" for byte in found[0].encode()), command)
        for at in range(0, len(text), PIECE):
            self._send("+" + text[at:at + PIECE])
        self._send("!" + mark)
        deadline = time.monotonic() + timeout
        for _ in range(ATTEMPTS):
            status, output = self._answer(mark.encode(), deadline, command)
            if output is not None:
                return Result(status, output.decode(errors="replace"))
            # Somebody else's message tore the answer: it is kept there, ask again
            self._send("?" + mark)
        raise MachineError(f"the answer to '{command}' came damaged {ATTEMPTS} times", self.tail())

    def check(self, command: str, timeout: float = 60.0) -> str:
        """Like run, for a command that must succeed; returns its output."""
        result = self.run(command, timeout)
        if result.status != 0:
            raise CommandFailed(f"'{command}' ended with status {result.status}: "
                                f"{result.output.strip()}", self.tail())
        return result.output

    def interact(self) -> None:
        """Hands the terminal to a person until that shell ends."""
        self._send("$")
        seen = b""

        def watch(text: bytes) -> bytes:
            nonlocal seen
            seen = (seen + text)[-64:]
            if b"agent: ready" in seen:
                raise _ShellEnded
            return text

        try:
            self._process.interact(escape_character="\x1d", output_filter=watch)
        except _ShellEnded:
            pass

    def drain(self, seconds: float) -> None:
        """Takes what the console says for a while; a UART nobody reads stalls its CPU."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._pending += self._read(deadline)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return

    # --- life -------------------------------------------------------------------------

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The console's last lines, answers included."""
        return b"\n".join([*self._console[-lines:], self._pending]).decode(errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """Ends this machine's own QEMU; may be called twice."""
        if self._process:
            self._process.close(force=True)
        if self.serial:
            self.serial.close()
        if self._log:
            self._log.close()
            self._log = None
        self._workspace.cleanup()

    def _boot(self, timeout: float) -> None:
        """
        To the shell; once more where it was the emulator that failed Linux, in which nothing is ours yet. As Linux boots it moves
        PCI functions' memory, and QEMU may lose another CPU's interrupt by that (docs/testing.md).
        """
        for last in (False, True):
            self._start()
            try:
                self._wait_for(b"agent: ready", timeout, "the shell after booting")
                return
            except MachineTimeout:
                if last:
                    raise
            except MachineFault as fault:
                if last or not TORN_PATCH.search(fault.tail):
                    raise
            self._process.close(force=True)
            self._pending = b""
            self._console.clear()

    def _start(self) -> None:
        try:
            self._process = pexpect.spawn(TARGET.qemu, self.arguments, echo=False,
                                          timeout=None, logfile=None, maxread=65536)
        except pexpect.ExceptionPexpect as error:
            raise paths.MissingError(f"QEMU does not start ({error}): run 'make setup {TARGET.make}'") from error
        # Closing must not wait for a QEMU that ends as told
        self._process.delayafterclose = self._process.delayafterterminate = 0.05
        self._process.delaybeforesend = None

    # --- the console ------------------------------------------------------------------

    def _note(self, text: str) -> None:
        if self._log:
            self._log.write(text.encode())
            self._log.flush()

    def _send(self, line: str) -> None:
        self._process.send((line + "\n").encode())

    def _read(self, deadline: float) -> bytes:
        """Some bytes; raises at the deadline or when QEMU ends."""
        left = max(0.0, deadline - time.monotonic())
        text: bytes = self._process.read_nonblocking(65536, left)
        if self._log:
            self._log.write(text)
            self._log.flush()
        return text

    def _line(self, deadline: float) -> bytes:
        """The next whole line, without its end."""
        while b"\n" not in self._pending:
            self._pending += self._read(deadline)
        line, self._pending = self._pending.split(b"\n", 1)
        line = line.removesuffix(b"\r")
        self._console.append(line)
        del self._console[:-2000]
        return line

    def _next(self, deadline: float, waiting_for: str, answer: bytes = b"") -> bytes:
        """A line, faults and silence turned into errors; `answer` begins our own lines."""
        try:
            line = self._line(deadline)
        except pexpect.TIMEOUT:
            raise MachineTimeout(f"no answer in time, waiting for {waiting_for}", self.tail()) from None
        except pexpect.EOF:
            raise MachineFault(f"QEMU ended ({self._ending()}), waiting for {waiting_for}", self.tail()) from None
        own = answer and line.startswith(answer)
        if (FAULT_IN_ANSWER if own else FAULT).search(line):
            self._collect_report()
            raise MachineFault(f"a fault was reported, waiting for {waiting_for}: "
                               f"{line.decode(errors='replace').strip()}", self.tail())
        return line

    def _ending(self) -> str:
        """How: by itself, as a guest's reset ends it, or by a signal."""
        self._process.wait()
        signal = self._process.signalstatus
        return f"status {self._process.exitstatus}" if signal is None else f"signal {signal}"

    def _collect_report(self) -> None:
        deadline = time.monotonic() + REPORT_SECONDS
        try:
            while True:
                self._line(deadline)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return

    def _wait_for(self, text: bytes, timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while text not in self._next(deadline, what):
            pass

    def _answer(self, mark: bytes, deadline: float, command: str) -> tuple[int, bytes | None]:
        """Status and output, or None for the output when it came damaged."""
        waiting_for = f"'{command}'"
        lines: list[bytes] = []
        try:
            while True:
                line = self._next(deadline, waiting_for, mark)
                if line.startswith(mark + b"|"):
                    lines.append(line[len(mark) + 1:])
                elif end := re.match(mark + rb"=(\d+) ([0-9a-f]{32})  -$", line):
                    break
                elif line.startswith(mark + b"="):
                    return 0, None
        except MachineTimeout:
            self._process.send(b"\x03")
            raise
        output = b"\n".join(lines)
        # that its last line has an end is not seen in the answer
        whole = (text for text in (output + b"\n", output) if hashlib.md5(text).hexdigest().encode() == end[2])
        return int(end[1]), next(whole, None)


class _ShellEnded(Exception):
    pass


def main() -> int:
    """python -m machine.machine [KERNEL [CPU]]: a shell in a bare machine."""
    arguments = sys.argv[1:]
    with Machine(*arguments[:2], bare=True) as machine:
        print(machine.check("uname -a; cat /proc/cmdline; nproc"), end="")
        if sys.stdin.isatty():
            machine.interact()
    return 0


if __name__ == "__main__":
    sys.exit(main())
