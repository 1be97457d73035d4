# SPDX-License-Identifier: GPL-2.0-only
"""A cell that touches what is not its own fails alone, and can always be had back."""

import re
from dataclasses import dataclass

import pytest
from conftest import STATE, Root


@dataclass(frozen=True)
class Crime:
    """An access, and the words of the report on it."""

    op: str
    address: int
    what: str
    nearest: str

    @property
    def access(self) -> str:
        return {"exec": "execute"}.get(self.op, self.op)


RAM = '"ram" 0x0..0xfffff rwx'
CONST = '"const" 0x2000000..0x200ffff r--'
DATA = '"data" 0x3000000..0x31fffff rw-'
COMM = '"comm page" 0x80000000..0x80000fff rw-'
# Guest-physical, which no cell has: of Linux, of the hypervisor, of the other cell, a UART
OUTSIDE = (
    Crime("read", 0x10_0000, "not its memory", RAM),
    Crime("write", 0x10_0000, "not its memory", RAM),
    Crime("exec", 0x10_0000, "not its memory", RAM),
    Crime("read", 0x4000_0000, "not its memory", DATA),
    Crime("write", 0xbf00_0000, "not its memory", COMM),
    Crime("exec", 0xbf00_0000, "not its memory", COMM),
    Crime("read", 0xb100_0000, "not its memory", COMM),
    Crime("write", 0x0900_0000, "not its memory", DATA),
    Crime("read", 0xff_ffff_f000, "not its memory", COMM),
)
FORBIDDEN = (
    Crime("write", 0x200_0000, "not permitted", CONST),
    Crime("exec", 0x200_0000, "not permitted", CONST),
    Crime("exec", 0x300_0000, "not permitted", DATA),
    Crime("exec", 0x8000_0000, "not permitted", COMM),
)
ODD = (
    Crime("exec", 0x0800_0000, "the device takes no such access", DATA),
)


def goes_on(root: Root) -> None:
    """The other cell and Linux."""
    root.mark()
    root.expect(r"^\[b\] hello: ")
    assert re.search(r"^\d+ +b +running +2$", root.listed(), re.MULTILINE)


@pytest.mark.parametrize("crimes", (OUTSIDE, FORBIDDEN, ODD), ids=("outside", "forbidden", "gic"))
def test_access_fails_the_cell_alone(root, say, crimes):
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 1")
    root.create("a")
    for crime in crimes:
        root.rerun("a", "attack", f"op={crime.op} addr={crime.address:#x}")
        report = root.expect(
            rf'^FAILED cell "a": CPU 3: {crime.what}: {crime.access} of {crime.address:#x} at PC '
            rf"(0x[0-9a-f]+); nearest is {re.escape(crime.nearest)}$", 30)
        pc = int(report[1], 16)
        assert pc == crime.address if crime.op == "exec" else 0 < pc < 0x10_0000, report[0]
        assert "survived" not in root.said()
        assert re.search(r"^\d+ +a +failed +3 +3$", root.listed(), re.MULTILINE), root.listed()
    root.refused("cell start a", STATE, "cell \"a\": it failed: load its images again, then start it")
    goes_on(root)
    assert root.timers_run() == 2
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 2")
    assert re.search(r"^\d+ +a +running +3$", root.listed(), re.MULTILINE), root.listed()
    say(f"{len(crimes)} accesses")


def test_failed_cell_can_be_destroyed(root):
    root.run_cell("a", "attack", "op=read addr=0x10000000")
    root.wait_state("a", "failed")
    root.jailhouse("cell destroy a")
    assert root.timers_run() == 4


def test_what_may_be_read_is_read(root):
    """The counterpart: `r` memory is read, `rw` memory written, without a fault."""
    root.run_cell("a", "attack", "op=read addr=0x2000000")
    root.expect(r"^\[a\] attack: read survived value=0x0$")
    root.stop("a")
    root.rerun("a", "attack", "op=write addr=0x31ffffc value=0x1234")
    root.expect(r"^\[a\] attack: write survived value=0x1234$")


NOT_SUPPORTED = -1
DENIED = -1
NO_SUCH_CALL = -38
# What the kernel's hyp stub answers to what it does not know
STUB_ERROR = 0xbadca11
# Words for the hostile program, and what it says of the outcome
ATTEMPTS = {
    "interrupts": (
        ("op=sgi", r"sgi survived sent=\d+ undefined=0"),
        ("op=sgi target=0", r"sgi survived sent=\d+ undefined=0"),
        ("op=gicd own=220", r"gicd survived lines=\d{3} stuck=0"),
        ("op=gicr", r"gicr survived frames=4 stuck=0"),
    ),
    "hypercalls": (
        ("op=hvc", r"hvc survived denied=8 of=8"),
        ("op=hvc nr=6", rf"hvc survived nr=6 result={DENIED}"),
        ("op=hvc nr=7 arg=0", rf"hvc survived nr=7 result={DENIED}"),
        ("op=hvc nr=12", rf"hvc survived nr=12 result={NO_SUCH_CALL}"),
        ("op=hvc nr=0xffffffffffffff", rf"hvc survived nr=\d+ result={NO_SUCH_CALL}"),
        ("op=hvc fn=1", rf"hvc survived result={STUB_ERROR}"),
    ),
    "firmware": (
        # A SiP's call, SYSTEM_RESET2, a trusted OS's call
        ("op=smc fn=0xc2000001", rf"smc survived result={NOT_SUPPORTED}"),
        ("op=smc fn=0x84000012", rf"smc survived result={NOT_SUPPORTED}"),
        ("op=smc fn=0xb2000001", rf"smc survived result={NOT_SUPPORTED}"),
    ),
    "registers": (
        ("op=sysreg", r"sysreg survived registers=\d+ undefined=\d+"),
    ),
}


@pytest.mark.parametrize("kind", ATTEMPTS)
def test_attempt_that_comes_to_nothing(root, say, kind):
    """It is refused or ignored, the cell lives, and so does everybody else."""
    root.run_cell("b", "hello")
    root.create("a")
    for words, line in ATTEMPTS[kind]:
        root.rerun("a", "attack", words)
        say(root.expect(rf"^\[a\] attack: {line}$", 30)[0])
        assert root.timers_run() == 2
        assert root.cell_state("a") == "running"
        # To be had back afterwards: the management interrupt is still armed
        root.stop("a")
        assert root.cell_state("a") == "shut down"
    goes_on(root)


EL2_REGISTERS = ("hcr_el2", "vttbr_el2", "sctlr_el2", "vbar_el2", "cnthctl_el2", "ich_hcr_el2",
                 "s3_5_c1_c0_0", "sctlr_el3", "at_s12e1r", "tlbi_ipas2e1is", "tlbi_alle1is")


def test_el2_registers_are_undefined_in_a_cell(root):
    root.run_cell("a", "attack", "op=sysreg")
    root.expect(r"^\[a\] attack: sysreg survived")
    said = root.said()
    for register in EL2_REGISTERS:
        assert f"[a] attack: sysreg {register} undefined\n" in said
    for register in ("icc_pmr_el1", "cntkctl_el1"):
        assert f"[a] attack: sysreg {register} accessed\n" in said


@pytest.mark.parametrize("op", ("loop", "ap1r0", "wfi"))
def test_cell_that_does_not_listen_is_stopped(root, op):
    """Everything masked: `cell shutdown` works all the same, and Linux gets the CPU."""
    root.run_cell("b", "hello")
    root.run_cell("a", "attack", f"op={op}")
    root.expect(rf"^\[a\] attack: {op} begins$")
    # It is in its loop a moment after the line
    root.check("usleep 200000")
    assert root.cell_state("a") == "running"
    root.stop("a")
    assert root.cell_state("a") == "shut down"
    goes_on(root)
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 2")
    root.destroy("a", "b")
    assert root.timers_run() == 4


def test_cell_that_was_never_loaded(root):
    """Zeros are executed: its own trouble only."""
    root.create("a")
    root.start("a")
    root.check("usleep 100000")
    root.stop("a")
    assert root.cell_state("a") == "shut down"


def test_cell_switches_itself_off(root):
    root.run_cell("a", "psci", "mode=off foreign=2")
    root.expect(r"^\[a\] psci: ok \d+ checks$")
    root.wait_state("a", "shut down")
    root.expect(r'^cell "a" powered itself off$')
    assert "returned" not in root.said()
    # Its memory is still what it was
    root.start("a")
    root.expect(r"^\[a\] psci: restarted$")


def test_cell_that_says_it_has_ended(root):
    """It gave its state and switched its CPU off: it is loaded anew, or destroyed, as it is."""
    root.run_cell("a", "memcheck")
    root.expect(r"^\[a\] memcheck: give the size ")
    root.wait_state("a", "failed")
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 1")
    root.stop("a")
    root.rerun("a", "memcheck")
    root.wait_state("a", "failed")
    root.jailhouse("cell destroy a")
    assert root.timers_run() == 4


def test_cell_restarts_itself(root):
    root.run_cell("a", "psci", "mode=reset foreign=0")
    root.expect(r"^\[a\] psci: ok \d+ checks$")
    root.expect(r'^cell "a" restarts itself$')
    root.expect(r"^\[a\] psci: restarted$")
    assert root.cell_state("a") == "running"
    assert "returned" not in root.said()


def test_cell_with_two_cpus(root):
    """Starts and stops its second, and restarts with it."""
    root.run_cell("pair", "psci", "cpus=2 second=3 foreign=1 mode=reset", "pair")
    root.expect(r"^\[pair\] psci: ok \d+ checks$")
    root.expect(r"^\[pair\] psci: restarted$")
    root.stop("pair")
    root.rerun("pair", "psci", "cpus=2 second=3 foreign=0 mode=off")
    root.expect(r"^\[pair\] psci: ok \d+ checks$")
    root.wait_state("pair", "shut down")


def test_cell_with_two_cpus_fails_whole(root):
    root.run_cell("pair", "attack", "op=read addr=0x10000000", "pair")
    root.wait_state("pair", "failed")
    assert re.search(r"^\d+ +pair +failed +2-3 +2$", root.listed(), re.MULTILINE), root.listed()
    root.rerun("pair", "hello")
    root.expect(r"^\[pair\] hello: 2")


@pytest.mark.parametrize("image, line", (("regs", "regs: clean"), ("isv", r"isv: ok \d+ forms"),
                                         ("psci", r"psci: ok \d+ checks")))
def test_programs_that_look_at_their_surroundings(root, say, image, line):
    """On a CPU that was Linux's, then after a program that left things in its registers."""
    root.run_cell("a", image)
    say(root.expect(rf"^\[a\] {line}$")[0])
    root.stop("a")
    root.rerun("a", "latency", "samples=100")
    root.expect(r"^\[a\] latency: done ")
    root.stop("a")
    root.rerun("a", image)
    root.expect(rf"^\[a\] {line}$")


def test_root_cell_cannot_touch_a_cell(root):
    """Linux's process gets a bus error; the log says what was refused; the cell lives."""
    root.run_cell("a", "hello")
    root.expect(r"^\[a\] hello: 1")
    for address in (0xb000_0000, 0xb060_0000, 0xbf00_0000):
        root.mark()
        for words, access in ((f"{address:#x}", "read"), (f"{address:#x} 32 0", "write")):
            assert root.run(f"devmem {words}").status != 0
            root.expect(rf'^refused to root cell "root": CPU \d: not its memory: {access} of {address:#x}')
    root.mark()
    root.expect(r"^\[a\] hello: ")
