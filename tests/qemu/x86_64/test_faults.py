# SPDX-License-Identifier: GPL-2.0-only
"""A cell that touches what is not its own fails alone, or nothing comes of it; it can always be had back."""

import re

import pytest
from board import MODES
from conftest import STATE, Root

PC = r"at PC (0x[0-9a-f]+)"
RAM = '"ram" 0x0..0xfffff rwx'
CONST = '"const" 0x2000000..0x200ffff r--'
DATA = '"data" 0x3000000..0x31fffff rw-'
COMM = '"comm page" 0x100000..0x100fff rw-'
ACCESS = {"exec": "execute"}


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def more_machine(mode):
    return {"x2apic": mode == "x2apic"}


def memory(what: str, nearest: str, *addresses: int, ops: tuple[str, ...] = ("read", "write", "exec")):
    return [(f"op={op} addr={at:#x}", rf"{what}: {ACCESS.get(op, op)} of {at:#x} {PC}; nearest is {re.escape(nearest)}")
            for op in ops for at in addresses]


# Words for the hostile program, and what it fails for
CRIMES = {
    # Of Linux, of the hypervisor, of the cell's own by its address in the machine, the HPET, nothing at all
    "outside": [
        *memory("not its memory", COMM, 0x10_1000),
        *memory("not its memory", DATA, 0x4000_0000, 0x3f00_0000, 0x3000_0000, 0xfed0_0000, 0xffff_f000),
    ],
    "forbidden": [
        *memory("not permitted", CONST, 0x200_0000, ops=("write", "exec")),
        *memory("not permitted", DATA, 0x300_0000, ops=("exec",)),
        *memory("not permitted", COMM, 0x10_0000, ops=("exec",)),
        *memory("not permitted", DATA, 0xfee0_0000, ops=("exec",)),
    ],
    "ports": [
        ("op=in port=0x3f8", f"read of port 0x3f8 {PC}"),
        ("op=in port=0x2f8 size=4", f"read of port 0x2f8 {PC}"),
        ("op=out port=0x3f8", f"write to port 0x3f8 {PC}"),
        ("op=out port=0x70", f"write to port 0x70 {PC}"),
        ("op=out port=0xcf9", f"write to port 0xcf9 {PC}"),
        ("op=out port=0x604 size=2", f"write to port 0x604 {PC}"),
        ("op=out port=0xe4 size=2 value=0x34", f"write to port 0xe4 {PC}"),
        ("op=in port=0xe5", f"read of port 0xe5 {PC}"),
        ("op=in port=0xffff", f"read of port 0xffff {PC}"),
        ("op=string port=0x60", f"string instruction on port 0x60 {PC}"),
    ],
    "instructions": [
        *((f"op=svm only={name.lower()}", f"{name} {PC}")
          for name in ("VMRUN", "VMLOAD", "VMSAVE", "STGI", "CLGI", "SKINIT", "INVLPGA")),
        ("op=triple", f"triple fault {PC}"),
    ],
    "tables": [(f"op=tables addr={at:#x}", f"its page tables, .*: write of {at:#x} {PC}; nearest is .*")
               for at in (0x4000_0000, 0x3f00_0000, 0x200_0000, 0xfee0_0000)],
    "odd": [(f"op=odd only={name}", f"a device is accessed by MOV .*: write of 0xfee000d0 {PC}; nearest is .*")
            for name in ("movs", "push", "cmpxchg", "sse")],
}


@pytest.mark.parametrize("kind", CRIMES)
def test_crime_fails_the_cell_alone(root, say, kind):
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 1")
    root.create("a")
    for words, report in CRIMES[kind]:
        root.rerun("a", "attack", words)
        found = root.expect(rf'^FAILED cell "a": CPU 3: {report}$', 30)
        executed = re.search(r"op=exec addr=(0x[0-9a-f]+)", words)
        if executed:
            assert found[1] == executed[1]
        else:
            assert 0 < int(found[1], 16) < 0x10_0000
        assert "survived" not in root.said()
        assert re.search(r"^\d+ +a +failed +3 +3$", root.listed(), re.MULTILINE), root.listed()
    root.refused("cell start a", STATE, "cell \"a\": it failed: load its images again, then start it")
    root.goes_on("b")
    assert root.timers_run() == 2
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 2")
    say(f"{len(CRIMES[kind])} of them")


REFUSED = r"exception 13 code=0x0 address=0x0"
UNDEFINED = r"exception 6 code=0x0 address=0x0"
DENIED, NO_SUCH_CALL = -1, -38
# include/abi/power.h
POWER_OFF, POWER_RESET = 0x34, 1
# Words for the hostile program, and what it says of the outcome
ATTEMPTS = {
    "hypercalls": (
        ("op=hypercall", r"hypercall survived denied=8 of=8"),
        ("op=hypercall nr=6", rf"hypercall survived nr=6 result={DENIED}"),
        ("op=hypercall nr=7 arg=0", rf"hypercall survived nr=7 result={DENIED}"),
        ("op=hypercall nr=12", rf"hypercall survived nr=12 result={NO_SUCH_CALL}"),
        ("op=ring3", rf"ring3 survived {UNDEFINED}"),
    ),
    # EFER.SVME, VM_CR, VM_HSAVE_PA, APIC_BASE elsewhere, one there is not, and one read as it is
    "registers": (
        ("op=rdmsr msr=0xc0000080", r"rdmsr survived value=0xd00"),
        ("op=wrmsr msr=0xc0000080 value=0x1d01", f"wrmsr survived {REFUSED}"),
        ("op=rdmsr msr=0xc0010114", f"rdmsr survived {REFUSED}"),
        ("op=wrmsr msr=0xc0010117", f"wrmsr survived {REFUSED}"),
        ("op=wrmsr msr=0x1b value=0xfed00900", f"wrmsr survived {REFUSED}"),
        ("op=rdmsr msr=0x12345", f"rdmsr survived {REFUSED}"),
        # The LVT entry of machine checks, and an address between registers
        ("op=wrmsr msr=0x82f value=0x10000", "wrmsr survived value=0x10000"),
        ("op=rdmsr msr=0x82f", "rdmsr survived value=0x0"),
        ("op=rdmsr msr=0x80e", f"rdmsr survived {REFUSED}"),
        ("op=msrs", r"msrs survived registers=\d+ read=\d+ written=\d+ svme=0"),
        ("op=apicbase", r"apicbase survived writes=(\d+) refused=\1 changed=0"),
    ),
    "interrupts": (
        ("op=ipi", r"ipi survived sent=\d+ refused=\d+"),
        ("op=ipi target=0", r"ipi survived sent=\d+ refused=\d+"),
        ("op=ipi target=2", r"ipi survived sent=\d+ refused=\d+"),
        ("op=ioapic", r"ioapic survived lines=24 stuck=0"),
    ),
    # Bytes that say nothing to ACPI's registers, and what else there is around them
    "power": (
        ("op=in port=0xe4", "in survived value=0x0"),
        *((f"op=out port=0xe4 value={value:#x}", "out survived .*") for value in (0, 0x20, 0x14, 0x30, 0x80, 0xfe)),
    ),
    "pci": (
        ("op=in port=0xcfc size=4", "in survived value=0xffffffff"),
        ("op=pci", "pci survived seen=0 stuck=0"),
        ("op=pci ecam=0xb0000000", "pci survived seen=0 stuck=0"),
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
        root.stop("a")
        assert root.cell_state("a") == "shut down"
    root.goes_on("b")


@pytest.mark.parametrize("op", ("loop", "hlt", "mwait", "ud", "cpuid", "icr", "cache", "calls", "doze"))
def test_cell_that_does_not_listen_is_stopped(root, op):
    """Deaf, asleep, or always in the hypervisor: `cell shutdown` works all the same."""
    root.run_cell("b", "hello")
    root.run_cell("a", "attack", f"op={op}")
    root.expect(rf"^\[a\] attack: {op} begins$")
    # It is in its loop a moment after the line
    root.check("usleep 200000")
    assert root.cell_state("a") == "running"
    root.check("timeout 20 jailhouse cell shutdown a", 30)
    assert root.cell_state("a") == "shut down"
    root.goes_on("b")
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 2")
    root.destroy("a", "b")
    assert root.timers_run() == 4


def test_power_off_and_reset_from_inside(root):
    """By ACPI's registers; what the program says behind them is never said."""
    root.run_cell("a", "attack", f"op=out port=0xe4 value={POWER_OFF:#x}")
    root.expect(r'^cell "a" powered itself off$')
    root.wait_state("a", "shut down")
    root.rerun("a", "attack", f"op=out port=0xe4 value={POWER_RESET}")
    # Again and again: the memory is as it was
    for _ in range(3):
        root.expect(r'^cell "a" restarts itself$')
        root.mark()
    assert root.cell_state("a") == "running"
    assert "survived" not in root.said()
    root.stop("a")


def test_root_cell_has_no_power_port(root):
    """It has the machine's, where there is nothing."""
    written = f"printf '\\{POWER_OFF:03o}' | dd of=/dev/port bs=1 seek=$((0xe4)) 2>/dev/null"
    root.check(f"{written}; dd if=/dev/port bs=1 skip=$((0xe4)) count=1 2>/dev/null | od -An -tx1 | grep -q ff")
    assert "port 0xe4" not in root.said()


def test_cell_that_was_never_loaded(root):
    """Zeros are executed: its own trouble only."""
    root.create("a")
    root.start("a")
    root.check("usleep 100000")
    root.stop("a")
    assert root.cell_state("a") == "shut down"


def test_failed_cell_can_be_destroyed(root):
    root.run_cell("a", "attack", "op=read addr=0x10000000")
    root.wait_state("a", "failed")
    root.jailhouse("cell destroy a")
    assert root.timers_run() == 4


def test_cell_with_two_cpus(root, say):
    """INIT and SIPI between its own, and nobody else's; it fails whole."""
    root.run_cell("pair", "smp", "second=3 foreign=1", "pair")
    say(root.expect(r"^\[pair\] smp: (ok \d+ checks|\d+ of \d+ .*)$")[0])
    assert re.search(r"smp: ok", root.said()), root.said()
    assert root.timers_run() == 2
    root.stop("pair")
    root.rerun("pair", "attack", "op=read addr=0x10000000")
    root.wait_state("pair", "failed")
    assert re.search(r"^\d+ +pair +failed +2-3 +2$", root.listed(), re.MULTILINE), root.listed()
    root.rerun("pair", "hello")
    root.expect(r"^\[pair\] hello: 2")


NMIS = 2000


@pytest.mark.parametrize("op", ("sleep", "call"))
def test_nmis_of_a_cell_that_sleeps(root, say, op):
    """
    From one of its CPUs to the other, at any moment between `sti; hlt` and the next, or `sti; int` into a handler
    that halts: each comes once, and none behind an instruction that holds it back. Then it is an exit or two more
    than its own and its IRET's.
    """
    root.create("pair", "pair")
    # Which moments it is, is the host's
    for _ in range(5):
        root.rerun("pair", "nmi", f"op={op} second=3 count={NMIS}")
        said = root.expect(r"^\[pair\] (nmi: .*|inmate: .*)$", 300)[1]
        held_back = root.statistics(root.cell_id("pair"), 3)["nmi"] - 2 * NMIS
        root.stop("pair")
        say(f"{said}; {held_back} exits more")
        assert said == f"nmi: {NMIS} of {NMIS} came, 0 too early"
        if held_back:
            break
    assert held_back > 0


def test_reset_against_halt(root):
    """One CPU of the cell ends it, the other starts that one again all the time: it ends, and nothing else comes of it."""
    root.create("pair", "pair")
    for _ in range(10):
        root.load("pair", "poweroff", "second=3")
        root.start("pair")
        root.wait_state("pair", "shut down")
        root.check("timeout 20 jailhouse cell shutdown pair", 30)
    assert "[pair]" not in root.said(), root.said()
    root.rerun("pair", "hello")
    root.expect(r"^\[pair\] hello: 1")
    root.destroy("pair")
    assert root.timers_run() == 4


@pytest.mark.parametrize("image, line", (("regs", "regs: clean"), ("features", "features: done")))
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


def test_root_cell_cannot_touch_a_cell(root: Root):
    """Linux reads all ones, its writes go nowhere, and the log says it; the cell lives."""
    root.run_cell("a", "hello")
    root.expect(r"^\[a\] hello: 1")
    for address in (0x3000_0000, 0x3060_0000, 0x3f00_0000):
        root.mark()
        assert int(root.check(f"devmem {address:#x} 64"), 16) == (1 << 64) - 1
        root.check(f"devmem {address:#x} 64 0")
        root.expect(rf'^refused to root cell "root": CPU \d: not its memory: read of {address:#x}')
    root.goes_on("a")
