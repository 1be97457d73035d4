# SPDX-License-Identifier: GPL-2.0-only
"""A root cell that reaches for what is the hypervisor's: nothing comes of it, and Linux lives."""

import re

import pytest
from board import MODES
from conftest import Root

from machine import paths

EFER, EFER_SVME = 0xc000_0080, 1 << 12
VM_CR, VM_HSAVE_PA = 0xc001_0114, 0xc001_0117
APIC_BASE = 0x1b
HYPERVISOR = 0x3f00_0000


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def more_machine(mode):
    return {"x2apic": mode == "x2apic"}


@pytest.fixture
def more_files():
    return {"modules/msr.ko": paths.kernel_module("6.12", "msr")}


@pytest.fixture
def msrs(root: Root):
    """/dev/cpu/N/msr, which loading the kernel's own module brings."""
    root.run("insmod /modules/msr.ko")
    root.check("mkdir -p /dev/cpu; for cpu in 0 1; do mkdir -p /dev/cpu/$cpu;"
               "[ -e /dev/cpu/$cpu/msr ] || mknod /dev/cpu/$cpu/msr c 202 $cpu; done")
    return root


def read(root: Root, msr: int) -> int | None:
    """None where Linux had #GP. A read of the device is at the MSR's number, 8 bytes."""
    result = root.run(f"dd if=/dev/cpu/1/msr bs=8 count=1 iflag=skip_bytes skip={msr} 2>/dev/null | od -An -tx8")
    text = result.output.strip()
    return int(text, 16) if text else None


def write(root: Root, msr: int, value: int) -> bool:
    octets = "".join(f"\\{octet:03o}" for octet in value.to_bytes(8, "little"))
    return root.run(f"printf '{octets}' | dd of=/dev/cpu/1/msr bs=8 count=1 oflag=seek_bytes seek={msr} "
                    "conv=notrunc 2>/dev/null").status == 0


def test_svm_is_not_there(msrs, say):
    """EFER.SVME reads 0 and stays set; SVM's own MSRs are none of the guest's."""
    efer = read(msrs, EFER)
    say(f"EFER 0x{efer:x}")
    assert efer and not efer & EFER_SVME
    for msr in (VM_CR, VM_HSAVE_PA):
        assert read(msrs, msr) is None
        assert not write(msrs, msr, 0)
    assert msrs.timers_run() == 4


def test_its_apic_stays_where_it_is(msrs, mode):
    base = read(msrs, APIC_BASE)
    assert base & (1 << 10 if mode == "x2apic" else 1 << 11)
    assert not write(msrs, APIC_BASE, base & ~0xffff_f000 | 0x3000_0000)
    assert read(msrs, APIC_BASE) == base
    assert msrs.timers_run() == 4


def test_the_hypervisors_memory(root):
    for address in (HYPERVISOR, HYPERVISOR + 0x1000, HYPERVISOR + 0x80_0000, HYPERVISOR + 0xff_f000):
        root.mark()
        assert not root.sees(address)
        root.check(f"devmem {address:#x} 64 0")
        root.expect(rf'^refused to root cell "root": CPU \d: not its memory: (read|write) of {address:#x}')
    root.run_cell("a", "hello")
    root.expect(r"^\[a\] hello: 1")


def test_the_log_is_not_flooded(root):
    """However often it tries, what the log holds is still there."""
    root.run_cell("a", "hello")
    root.expect(r"^\[a\] hello: 1")
    root.check(f"n=0; while [ $n -lt 300 ]; do n=$((n+1)); devmem {HYPERVISOR:#x} 32 >/dev/null; done")
    lines = len(re.findall("^refused to root cell", root.said(), re.MULTILINE))
    assert 0 < lines < 300
    root.goes_on("a")
