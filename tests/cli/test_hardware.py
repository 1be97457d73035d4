# SPDX-License-Identifier: GPL-2.0-only
"""jailhouse hardware check: what a machine lacks, of machines made of files."""

import gzip
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import machines
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machines import ARCHES, DENIED, Tree, acpi, device_tree, fadt, gicd, ioapic, madt, mcfg
from parts import CLI, FLAGS, INCLUDE
from test_cli import MACHINE, OTHER, USAGE

PASSED, FAILED, UNKNOWN = "passed", "FAILED", "unknown"
AS_ROOT = "gather it on the machine itself, as root: jailhouse config collect"
WHERE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def short(value: object) -> str | None:
    """What a table of a test is called."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


@dataclass(frozen=True)
class Row:
    verdict: str
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Said:
    status: int
    rows: tuple[Row, ...]

    def row(self, begin: str) -> Row:
        """The one whose text begins so."""
        found = [row for row in self.rows if row.text.startswith(begin)]
        assert len(found) == 1, (begin, self.rows)
        return found[0]


def parse(output: str) -> tuple[Row, ...]:
    """Rows of the report, which is well-formed."""
    *lines, last = output.splitlines()
    rows: list[Row] = []
    for line in lines:
        assert len(line) <= 80 and line == line.rstrip(), line
        if match := re.match(r"(passed|FAILED|unknown) +(\S.*)", line):
            assert match.start(2) == 9
            rows.append(Row(match[1], match[2]))
        elif line.startswith(" " * 13):
            rows[-1] = Row(rows[-1].verdict, rows[-1].text, f"{rows[-1].fix} {line.strip()}".strip())
        else:
            assert line.startswith(" " * 9) and not rows[-1].fix
            rows[-1] = Row(rows[-1].verdict, f"{rows[-1].text} {line.strip()}")
    count = {verdict: sum(row.verdict == verdict for row in rows) for verdict in (PASSED, FAILED, UNKNOWN)}
    assert last == f"{count[PASSED]} passed, {count[FAILED]} failed, {count[UNKNOWN]} unknown"
    assert all(row.fix for row in rows if row.verdict != PASSED)
    return tuple(rows)


Check = Callable[..., Said]


@pytest.fixture
def check(tmp_path_factory) -> Check:
    def run(tree: Tree, before: tuple[str, ...] = (), arch: str | None = None) -> Said:
        r = subprocess.run([*before, machines.command(tmp_path_factory, arch or tree.arch), "hardware", "check", "-r",
                            str(tree.root)],
                           capture_output=True, text=True, timeout=60)
        assert r.stderr == "" and r.returncode in (0, MACHINE), r.stderr
        rows = parse(r.stdout)
        assert (r.returncode == MACHINE) == any(row.verdict == FAILED for row in rows)
        return Said(r.returncode, rows)

    return run


@pytest.fixture
def arm64(tmp_path) -> Tree:
    return machines.machine(tmp_path / "arm64", "arm64")


@pytest.fixture
def x86_64(tmp_path) -> Tree:
    return machines.machine(tmp_path / "x86_64", "x86_64")


@pytest.fixture(params=ARCHES)
def tree(request, tmp_path) -> Tree:
    """A machine of each."""
    return machines.machine(tmp_path / request.param, request.param)


# --- the whole --------------------------------------------------------------------------

def test_a_good_machine_passes(tree, check):
    said = check(tree)
    assert said.status == 0
    assert [row.text for row in said.rows if row.verdict != PASSED] == [
        "driver: it is not loaded yet", "hypervisor: lib/firmware/jailhouse.bin is not there"]
    tree.put("proc/modules", "jailhouse 53248 0 - Live 0x0 (O)\n")
    tree.put("lib/firmware/jailhouse.bin", "image")
    assert {row.verdict for row in check(tree).rows} == {PASSED}


def test_a_machine_that_shows_nothing_is_unknown(tmp_path, check):
    for arch in ARCHES:
        (tmp_path / arch).mkdir()
        said = check(Tree(tmp_path / arch, arch))
        assert said.status == 0 and len(said.rows) > 10
        assert {row.verdict for row in said.rows} == {UNKNOWN}
        assert said.row("CPUs").fix == AS_ROOT


def test_it_goes_on_behind_what_failed(x86_64, check):
    good = len(check(x86_64).rows)
    for flag in (" svm", " npt", " nx"):
        x86_64.replace("proc/cpuinfo", flag, "")
    x86_64.put("sys/devices/system/cpu/present", "0\n")
    said = check(x86_64)
    assert len(said.rows) == good and sum(row.verdict == FAILED for row in said.rows) == 4


def test_of_another_architecture_only_what_is_common_is_said(tree, check):
    other = next(arch for arch in ARCHES if arch != tree.arch)
    said = check(tree, arch=other)
    assert said.row("architecture") == Row(
        FAILED, f"architecture: {tree.arch}, and this command is for {other}",
        "use the jailhouse command that was built for that machine; rows that depend on it are left out")
    assert {row.verdict for row in said.rows[1:]} == {PASSED, UNKNOWN} and len(said.rows) < len(check(tree).rows)


def test_who_may_not_read_is_told_so(x86_64, check):
    for path in ("sys/firmware/acpi/tables/APIC", "dmesg.txt", "proc/cmdline"):
        (x86_64.root / path).chmod(0)
    said = check(x86_64, DENIED)
    assert said.row("interrupt controllers") == Row(UNKNOWN, "interrupt controllers: the table APIC cannot be read",
                                                    AS_ROOT)
    assert said.row("memory kept").verdict == UNKNOWN
    assert check(x86_64, DENIED).status == 0


@pytest.mark.parametrize("words, says", [
    (["x"], "takes no argument: x"), (["-x"], "unknown option: -x"), (["--root"], "it needs a folder: --root"),
    (["-r", "/", "-r"], "it needs a folder: -r")])
def test_usage(tmp_path_factory, words, says):
    r = subprocess.run([machines.command(tmp_path_factory, "arm64"), "hardware", "check", *words], capture_output=True,
                       text=True)
    assert r.returncode == USAGE and says in r.stderr and "usage: jailhouse hardware check [-r|--root DIR]" in r.stderr


def test_no_folder(tmp_path_factory, tmp_path):
    r = subprocess.run([machines.command(tmp_path_factory, "arm64"), "hardware", "check", "-r", str(tmp_path / "none")],
                       capture_output=True, text=True)
    assert r.returncode == OTHER and "cannot be opened: No such file or directory: name a folder" in r.stderr


@pytest.mark.skipif(not machines.HOST, reason="this machine is of no architecture there is")
def test_this_machine(tmp_path_factory):
    """Whatever it has, the report is one."""
    r = subprocess.run([machines.command(tmp_path_factory, machines.HOST), "hardware", "check"], capture_output=True,
                       text=True)
    assert r.returncode in (0, MACHINE) and r.stderr == ""
    assert parse(r.stdout)[0] == Row(PASSED, f"architecture: {machines.HOST}")


# --- rows of both -----------------------------------------------------------------------

@pytest.mark.parametrize("present, online, verdict, says, fix", [
    ("0", "0", FAILED, "CPUs: 1, which Linux keeps: none is left for a cell", "nosmp"),
    ("0-1", "0-1", PASSED, "CPUs: 2, one of which Linux keeps", ""),
    ("0-3", "0,2", UNKNOWN, "CPUs: 4, of which 2 are offline", "echo 1 >"),
    ("0-64", "0-64", UNKNOWN, "CPUs: 65, and the hypervisor is built for 64", "MAX_CPUS"),
    ("0-256", "0-256", FAILED, "CPUs: 257, and at most 256 are possible", "switch some off"),
    ("0-", "0", UNKNOWN, "CPUs: sys/devices/system/cpu does not say how many", AS_ROOT)])
def test_cpus(tree, check, present, online, verdict, says, fix):
    tree.put("sys/devices/system/cpu/present", present + "\n")
    tree.put("sys/devices/system/cpu/online", online + "\n")
    row = check(tree).row("CPUs")
    assert row.verdict == verdict and row.text.startswith(says) and fix in row.fix


@pytest.mark.parametrize("release, verdict, says", [
    ("5.15.0-1-amd64", FAILED, "older than"), ("6.1.0-56-rt", PASSED, "kernel: 6.1.0-56-rt"),
    ("6.6.1", PASSED, "kernel: 6.6.1"),
    ("6.13.0", UNKNOWN, "was not tested with 6.13.0"), ("x", UNKNOWN, "does not say which"),
    ("../6.1", UNKNOWN, "does not say which")])
def test_kernel(tree, check, release, verdict, says):
    tree.put("proc/version", f"Linux version {release} (x)\n")
    row = check(tree).row("kernel:")
    assert row.verdict == verdict and says in row.text


def test_kernel_from_the_manifest(tree, check):
    tree.drop("proc/version")
    tree.put("facts/manifest", "format 1\narch x\nrelease 6.1.5\n")
    assert check(tree).row("kernel:") == Row(PASSED, "kernel: 6.1.5")


@pytest.mark.parametrize("option", ["MODULES", "SMP", "HOTPLUG_CPU", "FW_LOADER", "CRC32"])
def test_an_option_that_is_needed(tree, check, option):
    tree.replace(f"boot/config-{machines.RELEASE[tree.arch]}", f"CONFIG_{option}=y", f"# CONFIG_{option} is not set")
    row = check(tree).row(f"kernel option CONFIG_{option}:")
    assert row.verdict == FAILED and "use a kernel with it" in row.fix


def test_an_option_as_a_module_is_set(tree, check):
    tree.replace(f"boot/config-{machines.RELEASE[tree.arch]}", "CONFIG_CRC32=y", "CONFIG_CRC32=m")
    assert check(tree).row("kernel option CONFIG_CRC32").verdict == PASSED


def test_unload_is_a_comfort(tree, check):
    tree.replace(f"boot/config-{machines.RELEASE[tree.arch]}", "CONFIG_MODULE_UNLOAD=y", "")
    assert check(tree).row("kernel option CONFIG_MODULE_UNLOAD") == Row(
        PASSED, "kernel option CONFIG_MODULE_UNLOAD: it is not set", "the driver stays until the machine starts again")


def test_options_from_the_kernel_itself(tree, check):
    tree.drop(f"boot/config-{machines.RELEASE[tree.arch]}")
    assert check(tree).row("kernel options").verdict == UNKNOWN
    tree.put("proc/config.gz", gzip.compress(machines.CONFIG[tree.arch].replace("SMP=y", "SMP=n").encode()))
    assert check(tree).row("kernel option CONFIG_SMP").verdict == FAILED
    for damaged in (b"", b"no gzip", gzip.compress(bytes(1000))[:-9], gzip.compress(bytes(5 << 20))):
        tree.put("proc/config.gz", damaged)
        assert check(tree).row("kernel options").verdict == UNKNOWN


def test_signatures(tree, check):
    sig = "sys/module/module/parameters/sig_enforce"
    tree.put(sig, "Y\n")
    row = check(tree).row("module signatures")
    assert row.verdict == FAILED and row.fix.startswith("sign jailhouse.ko")
    tree.put("proc/modules", "jailhouse 1 0 - Live 0x0\n")
    assert check(tree).row("module signatures").verdict == PASSED
    tree.put("proc/modules", "jailhouse2 1 0 - Live 0x0\n")
    tree.drop(sig)
    assert check(tree).row("module signatures").verdict == UNKNOWN
    tree.replace(f"boot/config-{machines.RELEASE[tree.arch]}", "CONFIG_MODULE_SIG=y\n", "")
    assert check(tree).row("module signatures").verdict == PASSED


def test_lockdown(tree, check):
    variable = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    tree.put(variable, b"\6\0\0\0\1")
    tree.put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    row = check(tree).row("lockdown")
    assert row.verdict == FAILED
    assert row.text == "lockdown: integrity: only signed modules are loaded; Secure Boot is on"
    tree.put(variable, b"\6\0\0\0\0")
    tree.put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
    assert check(tree).row("lockdown") == Row(PASSED, "lockdown: none, Secure Boot is off")
    tree.drop("sys/kernel/security/lockdown")
    assert check(tree).row("lockdown").verdict == PASSED
    tree.put(f"boot/config-{machines.RELEASE[tree.arch]}",
             machines.CONFIG[tree.arch] + "CONFIG_SECURITY_LOCKDOWN_LSM=y\n")
    assert check(tree).row("lockdown").verdict == UNKNOWN
    tree.put("sys/kernel/security/lockdown", "\n")
    assert check(tree).row("lockdown").verdict == UNKNOWN


@pytest.mark.parametrize("arch, cmdline, verdict, says", [
    ("x86_64", "memmap=256M$0x30000000", PASSED, "256 MiB by memmap="),
    ("x86_64", "memmap=1M$16M,2M$32M memmap=5M$64M", PASSED, "8 MiB by memmap="),
    ("x86_64", "memmap=64K$0x1000", FAILED, "64 KiB by memmap=; the hypervisor alone takes 4 MiB"),
    ("x86_64", "memmap=256M0x30000000", FAILED, "none"),
    ("x86_64", "mem=1G", PASSED, "1024 MiB by mem="),
    ("x86_64", "quiet", FAILED, "none"),
    ("arm64", "mem=1792M", PASSED, "256 MiB by mem="),
    ("arm64", "mem=2G", FAILED, "0 KiB by mem="),
    ("arm64", "mem=4G", FAILED, "0 KiB by mem="),
    ("arm64", "quiet -- mem=1G", FAILED, "none")])
def test_memory(tmp_path, check, arch, cmdline, verdict, says):
    tree = machines.machine(tmp_path, arch)
    tree.put("proc/cmdline", cmdline + "\n")
    row = check(tree).row("memory kept")
    assert row.verdict == verdict and says in row.text


def test_memory_that_nobody_counts(tree, check):
    tree.put("proc/cmdline", "mem=1G\n")
    tree.drop("sys/firmware")
    row = check(tree).row("memory kept")
    assert row.verdict == UNKNOWN and "mem=1024M is given, but not how much RAM there is" in row.text


def test_reserved_memory_of_the_device_tree(arm64, check):
    arm64.put("proc/cmdline", "quiet\n")
    assert check(arm64).row("memory kept").verdict == FAILED
    arm64.put("sys/firmware/fdt", device_tree(no_map=64 << 20))
    row = check(arm64).row("memory kept")
    assert row.verdict == UNKNOWN and "65536 KiB in 1 reserved-memory nodes" in row.text


# --- arm64 ------------------------------------------------------------------------------

@pytest.mark.parametrize("log, verdict, says", [
    ("CPU: All CPU(s) started at EL1", FAILED, "EL2: the firmware started Linux in EL1"),
    ("CPU: CPUs started in inconsistent modes", FAILED, "EL2: only some"),
    ("late", UNKNOWN, "EL2: the kernel log does not say")])
def test_el2(arm64, check, log, verdict, says):
    arm64.replace("dmesg.txt", "CPU: All CPU(s) started at EL2", log)
    row = check(arm64).row("EL2")
    assert row.verdict == verdict and row.text.startswith(says)


def test_no_log_tells_nothing(arm64, check):
    arm64.drop("dmesg.txt")
    assert check(arm64).row("EL2") == Row(UNKNOWN, "EL2: the kernel log cannot be read", AS_ROOT)
    assert check(arm64).row("VHE") == Row(PASSED, "VHE: switched off (kvm-arm.mode=nvhe)")
    arm64.put("proc/cmdline", "kvm_arm.mode=none\n")
    assert check(arm64).row("VHE").verdict == UNKNOWN


def test_vhe_and_kvm(arm64, check):
    arm64.put("proc/cmdline", "mem=1G\n")
    assert check(arm64).row("VHE").verdict == PASSED
    row = check(arm64).row("KVM")
    assert row.verdict == FAILED and "kvm-arm.mode=nvhe kvm-arm.mode=none" in row.fix
    arm64.put("dmesg.txt", machines.LOG["arm64"] + "CPU features: detected: Virtualization Host Extensions\n")
    assert check(arm64).row("VHE").verdict == FAILED
    arm64.put("proc/cmdline", "mem=1G kvm-arm.mode=none kvm-arm.mode=nvhe\n")
    assert check(arm64).row("KVM").verdict == FAILED, "the last one counts"
    arm64.replace("boot/config-6.12.95+deb12-arm64", "CONFIG_KVM=y\n", "")
    assert check(arm64).row("KVM") == Row(PASSED, "KVM: the kernel has none")


def test_pseudo_nmis(arm64, check):
    arm64.put("proc/cmdline", "irqchip.gicv3_pseudo_nmi=1\n")
    assert check(arm64).row("pseudo-NMIs").verdict == PASSED, "the kernel was built without"
    arm64.put("boot/config-6.12.95+deb12-arm64", machines.CONFIG["arm64"] + "CONFIG_ARM64_PSEUDO_NMI=y\n")
    assert check(arm64).row("pseudo-NMIs").verdict == FAILED
    arm64.put("proc/cmdline", "irqchip.gicv3_pseudo_nmi=1 irqchip.gicv3_pseudo_nmi=0\n")
    assert check(arm64).row("pseudo-NMIs").verdict == PASSED


def test_page_size(arm64, check):
    arm64.replace("boot/config-6.12.95+deb12-arm64", "CONFIG_ARM64_4K_PAGES=y", "CONFIG_ARM64_64K_PAGES=y")
    assert check(arm64).row("page size").verdict == FAILED


@pytest.mark.parametrize("gic, table, interrupts, verdict, says", [
    ("arm,gic-v3", gicd(2), "GICv2", PASSED, "GICv3"),
    ("arm,cortex-a15-gic", gicd(3), "GICv3", FAILED, "GICv2"),
    ("", gicd(3), "", PASSED, "GICv3"),
    ("", gicd(4), "", PASSED, "GICv4"),
    ("", gicd(2), "", FAILED, "GICv2"),
    ("", gicd(0), "GICv2", FAILED, "GICv2"),
    ("", bytes((0xc, 24)), "", UNKNOWN, "no description"),
    ("", bytes((0xc, 20)) + bytes(18), "", UNKNOWN, "no description"),
    ("", gicd(0) + struct.pack("<BBHQI", 0xe, 16, 0, 0x080a_0000, 0xf6_0000), "", PASSED, "GICv3"),
    ("", b"", "GICv3", PASSED, "GICv3"),
    ("", b"", "", UNKNOWN, "no description")], ids=short)
def test_gic(arm64, check, gic, table, interrupts, verdict, says):
    arm64.put("sys/firmware/fdt", device_tree(gic=gic))
    if table:
        arm64.put("sys/firmware/acpi/tables/APIC", madt(table))
    arm64.put("proc/interrupts", f" 11: 1 {interrupts} 30 Level\n")
    row = check(arm64).row("interrupt controller")
    assert row.verdict == verdict and says in row.text


@pytest.mark.parametrize("method, verdict, says", [
    ("smc", PASSED, "PSCI: by SMC"), ("hvc", FAILED, "PSCI: by HVC"), ("", FAILED, "PSCI: the firmware has none"),
    ("other", UNKNOWN, "no description")])
def test_psci(arm64, check, method, verdict, says):
    arm64.put("sys/firmware/fdt", device_tree(method=method))
    row = check(arm64).row("PSCI")
    assert row.verdict == verdict and says in row.text


def test_a_method_without_an_end_is_none(arm64, check):
    arm64.put("sys/firmware/fdt", device_tree().replace(b"smc\0", b"smcx"))
    assert check(arm64).row("PSCI").text == "PSCI: the firmware has none"


@pytest.mark.parametrize("table, verdict", [
    (fadt(1), PASSED), (fadt(3), FAILED), (fadt(0), FAILED), (acpi(b"FACP", bytes(129 - 36)), UNKNOWN),
    (acpi(b"FACP", bytes(130 - 36)), UNKNOWN)], ids=short)
def test_psci_of_acpi(arm64, check, table, verdict):
    arm64.drop("sys/firmware/fdt")
    arm64.put("sys/firmware/acpi/tables/FACP", table)
    assert check(arm64).row("PSCI").verdict == verdict


def test_damaged_device_tree(arm64, check):
    whole = device_tree()
    for damaged in (b"", whole[:-1], whole[:39], b"\0" * len(whole), whole[:8] + b"\xff\xff\xff\xf0" + whole[12:]):
        arm64.put("sys/firmware/fdt", damaged)
        said = check(arm64)
        assert said.row("device tree").verdict == UNKNOWN and "damaged" in said.row("device tree").text
        assert said.row("interrupt controller").text == "interrupt controller: GICv3", "Linux found one"


@WHERE
@given(st.lists(st.tuples(st.integers(0, len(device_tree(no_map=4096)) - 1), st.integers(0, 255)), min_size=1,
                max_size=8))
def test_hostile_device_trees(arm64, check, changes):
    content = bytearray(device_tree(no_map=4096))
    for at, byte in changes:
        content[at] = byte
    arm64.put("sys/firmware/fdt", bytes(content))
    arm64.put("proc/cmdline", "mem=1G\n")
    assert check(arm64).row("device tree").verdict in (PASSED, UNKNOWN)


# --- x86_64 -----------------------------------------------------------------------------

def test_svm(x86_64, check):
    x86_64.put("dmesg.txt", machines.LOG["x86_64"] + "[ 1.0] SVM disabled (by BIOS) in MSR_VM_CR\n")
    assert check(x86_64).row("SVM") == Row(FAILED, "SVM: the firmware has switched it off",
                                           "switch it on in the firmware's set-up, often called \"SVM mode\"")
    x86_64.put("dmesg.txt", machines.LOG["x86_64"])
    x86_64.put("proc/version", "Linux version 6.1.0 (x)\n")
    assert check(x86_64).row("SVM").verdict == UNKNOWN
    x86_64.put("dmesg.txt", "kvm_amd: Nested Paging enabled\n")
    assert check(x86_64).row("SVM").verdict == PASSED
    (x86_64.root / "proc/cpuinfo").write_text((x86_64.root / "proc/cpuinfo").read_text().replace(" svm", "", 1))
    assert check(x86_64).row("SVM").verdict == FAILED, "one CPU has none"


def test_vmx_is_not_served(x86_64, check):
    x86_64.replace("proc/cpuinfo", "svm", "vmx")
    x86_64.replace("proc/cpuinfo", "AuthenticAMD", "GenuineIntel")
    row = check(x86_64).row("SVM")
    assert row.verdict == FAILED and "Intel's VMX" in row.text and row.fix == "use an AMD machine"


@pytest.mark.parametrize("before, after, begin", [
    (" npt", "", "nested paging"), (" nx", "", "NX"), (" npt", " npt la57", "page tables"),
    (" apic", "", "local APIC")])
def test_flags(x86_64, check, before, after, begin):
    assert check(x86_64).row(begin).verdict == PASSED
    x86_64.replace("proc/cpuinfo", before, after)
    assert check(x86_64).row(begin).verdict == FAILED


def test_memory_encryption(x86_64, check):
    x86_64.replace("proc/cpuinfo", " npt", " npt sme")
    assert check(x86_64).row("memory encryption").verdict == PASSED
    x86_64.put("dmesg.txt", "late\n")
    assert check(x86_64).row("memory encryption").verdict == UNKNOWN
    x86_64.put("dmesg.txt", "AMD Memory Encryption Features active: SME\n")
    assert check(x86_64).row("memory encryption").verdict == FAILED


def test_kvm_that_holds_svm(x86_64, check):
    x86_64.put("proc/modules", "kvm 1 0 - Live 0x0\n")
    assert check(x86_64).row("KVM").verdict == PASSED
    x86_64.put("proc/modules", "kvm 1 1 kvm_amd, Live 0x0\nkvm_amd 1 0 - Live 0x0\n")
    assert "modprobe -r kvm_amd" in check(x86_64).row("KVM").fix
    assert check(x86_64).row("KVM").verdict == FAILED
    x86_64.drop("proc/modules")
    assert check(x86_64).row("KVM").verdict == UNKNOWN
    x86_64.replace("boot/config-6.12.95+deb12-amd64", "KVM_AMD=m", "KVM_AMD=y")
    assert check(x86_64).row("KVM").verdict == FAILED
    x86_64.replace("boot/config-6.12.95+deb12-amd64", "CONFIG_KVM_AMD=y", "")
    assert check(x86_64).row("KVM") == Row(PASSED, "KVM: the kernel has none")


def test_apic_mode(x86_64, check):
    assert check(x86_64).row("local APIC") == Row(PASSED, "local APIC: in x2APIC mode")
    x86_64.replace("dmesg.txt", "x2apic enabled", "")
    row = check(x86_64).row("local APIC")
    assert row == Row(PASSED, "local APIC: there, in xAPIC mode",
                      "in xAPIC mode each write to it is an exit, the end of an interrupt included")
    x86_64.put("proc/cmdline", "nolapic\n")
    assert check(x86_64).row("local APIC").verdict == FAILED


@pytest.mark.parametrize("table, verdict, says", [
    (madt(ioapic()), PASSED, "IOAPICs: 1"), (madt(*map(ioapic, range(4))), PASSED, "IOAPICs: 4"),
    (madt(*map(ioapic, range(5))), UNKNOWN, "5 IOAPICs"), (madt(), FAILED, "no IOAPIC"),
    (madt(ioapic(), local_apic=0xfed0_0000), FAILED, "0xfed00000"),
    (madt(bytes((1, 0)), ioapic()), FAILED, "no IOAPIC"), (madt(bytes((1, 1)), ioapic()), FAILED, "no IOAPIC"),
    (madt(ioapic(), bytes((1, 40))), PASSED, "IOAPICs: 1"), (madt(ioapic(), bytes((1,))), PASSED, "IOAPICs: 1"),
    (madt(bytes((0, 255)), ioapic()), FAILED, "no IOAPIC"),
    (madt(ioapic())[:-1], UNKNOWN, "damaged"), (b"APIC", UNKNOWN, "damaged"), (b"", UNKNOWN, "damaged"),
    (madt(ioapic()).replace(b"APIC", b"FACP"), UNKNOWN, "damaged"), (acpi(b"APIC", b""), FAILED, "0x0, not"),
    (b"APIC\x07" + madt(ioapic())[5:], UNKNOWN, "damaged")], ids=short)
def test_madt(x86_64, check, table, verdict, says):
    x86_64.put("sys/firmware/acpi/tables/APIC", table)
    row = check(x86_64).row("interrupt controllers")
    assert row.verdict == verdict and says in row.text


def test_no_acpi(x86_64, check):
    x86_64.drop("sys/firmware/acpi/tables/APIC")
    row = check(x86_64).row("interrupt controllers")
    assert row.verdict == FAILED and row.fix == "start Linux without acpi=off"


@pytest.mark.parametrize("table, verdict", [
    (mcfg(), PASSED), (mcfg(segment=1), UNKNOWN), (mcfg(first_bus=1), UNKNOWN), (mcfg()[:-1], UNKNOWN),
    (acpi(b"MCFG", bytes(8 + 15)), UNKNOWN),
    (acpi(b"MCFG", b""), UNKNOWN)], ids=short)
def test_mcfg(x86_64, check, table, verdict):
    x86_64.put("sys/firmware/acpi/tables/MCFG", table)
    assert check(x86_64).row("PCI").verdict == verdict


def test_without_mcfg_the_ports_are_left(x86_64, check):
    x86_64.drop("sys/firmware/acpi/tables/MCFG")
    row = check(x86_64).row("PCI")
    assert row.verdict == PASSED and "ports" in row.fix


@pytest.mark.parametrize("interrupts, log, says, fix", [
    ("IR-IO-APIC   4-edge  ttyS0", "x2apic enabled", "Linux uses it", "intremap=off"),
    ("IR-PCI-MSI-0000:00:1f.2  0-edge  ahci", "", "Linux uses it", "intremap=off"),
    ("IO-APIC   4-edge  IR-receiver", "x2apic enabled", "not used, but Linux is in x2APIC mode", "nox2apic"),
    ("IO-APIC   4-edge  IR-receiver", "x2apic: enabled by BIOS, switching to x2apic ops", "not used, but Linux is in x2APIC mode", "nox2apic"),
    ("IO-APIC   4-edge  IR-receiver", "x2apic: enabled by BIOS, switching to x2apic ops\n<6>[    0.2] x2apic disabled", "not used", ""),
    ("IO-APIC   4-edge  IR-receiver", "", "not used", "")])
def test_interrupt_remapping(x86_64, check, interrupts, log, says, fix):
    x86_64.put("proc/interrupts", f"  4:  0  146  {interrupts}\n")
    x86_64.replace("dmesg.txt", "x2apic enabled", log)
    row = check(x86_64).row("interrupt remapping")
    assert row.verdict == PASSED and row.text == f"interrupt remapping: {says}" and row.fix.endswith(fix)
    assert ("cells get no interrupt lines" in row.fix) == bool(fix)


@pytest.mark.parametrize("names", [[], ["smmu3.0x0000000009050000"], ["ivhd0", "ivhd1"]])
def test_iommu(tree, check, names):
    """None is needed, and whether there is one or not, none is used."""
    for name in names:
        tree.put(f"sys/class/iommu/{name}/uevent", "")
    row = check(tree).row("IOMMU")
    assert row.verdict == PASSED and row.text == f"IOMMU: Linux shows {len(names) or 'none'}"
    assert "the hypervisor uses none" in row.fix


@pytest.mark.parametrize("said, verdict, text, fix", [
    ("GICD_CTRL.DS=1, SCR_EL3.FIQ=0", PASSED, "one (GICD_CTLR.DS = 1)", ""),
    ("GICD_CTRL.DS=0, SCR_EL3.FIQ=1", PASSED, "two (GICD_CTLR.DS = 0)", ""),
    ("GICD_CTLR.DS=0, SCR_EL3.FIQ=1", PASSED, "two (GICD_CTLR.DS = 0)", ""),
    ("256 SPIs implemented", UNKNOWN, "is not in the kernel log", "jailhouse enable finds out")])
def test_security_states(arm64, check, said, verdict, text, fix):
    arm64.replace("dmesg.txt", "GICD_CTRL.DS=1, SCR_EL3.FIQ=0", said)
    row = check(arm64).row("security states")
    assert row.verdict == verdict and text in row.text and fix in row.fix


@WHERE
@given(st.binary(max_size=200), st.integers(0, 300))
def test_hostile_acpi_tables(x86_64, arm64, check, body, length):
    for tree in (x86_64, arm64):
        for signature in (b"APIC", b"FACP", b"MCFG"):
            table = acpi(signature, body)
            tree.put(f"sys/firmware/acpi/tables/{signature.decode()}",
                     table[:4] + struct.pack("<I", length) + table[8:])
        check(tree)


def test_terminals_get_no_escapes(tree, check):
    tree.put("proc/version", "Linux version 6.1\x1b[31m (x)\n")
    tree.put("sys/kernel/security/lockdown", "[\x1b[31m\x07]\n")
    assert all("\x1b" not in row.text + row.fix for row in check(tree).rows)


# --- texts ------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def text(tmp_path_factory) -> Callable[..., str]:
    program = tmp_path_factory.mktemp("text") / "harness"
    subprocess.run(["gcc", *FLAGS, *INCLUDE, str(Path(__file__).parent / "text_harness.c"), str(CLI / "kernel_text.c"),
                    "-o", str(program)],
                   check=True)

    def run(content: str, *words: str) -> str:
        r = subprocess.run([str(program), *words], input=content.encode("latin-1"), capture_output=True)
        assert r.returncode == 0 and r.stderr == b"", r.stderr
        return r.stdout.decode("latin-1").removesuffix("\n")

    return run


@pytest.mark.parametrize("words, content, result", [
    (("param", "a"), "a=1 b=2 a=3", "3"), (("param", "a"), "b=2", "none"), (("param", "a"), "a", ""),
    (("param", "a-b"), "a_b=1", "1"),
    (("param", "a"), "ab=1 b a-=2", "none"), (("param", "a"), 'b="x a=1 y" c', "none"),
    (("param", "a"), 'a="x y"', "x y"),
    (("param", "a"), "a=1 -- a=2", "1"), (("param", "a"), "a=1 --x a=2", "2"), (("param", "a"), 'a="', '"'),
    (("param", "a"), "", "none"),
    (("param", "a"), "a=0123456789abcdefgh", "0123456789abcde"), (("param", "a"), "a==", "="),
    (("has", "a", "x"), "a=x a=y", "1"), (("has", "a", "x"), "a=xy a", "0"),
    (("true", "a"), "a=on", "1"), (("true", "a"), "a=off", "0"), (("true", "a"), "a=1 a=0", "0"),
    (("true", "a"), "a", "0"),
    (("memmap",), "memmap=1M$2M", str(1 << 20)), (("memmap",), "memmap=0x10$1", "16"),
    (("memmap",), "memmap=1M@2M,64k$1", "65536"),
    (("memmap",), "memmap=$1 memmap= memmap=, memmap=-1$1 memmap", "0"), (("memmap",), "memmap=1$1 x,5$1", "1"),
    (("memmap",), "memmap=15E$1 memmap=15E$1", str(2**64 - 1)),
    (("memmap",), "memmap=17E$1 memmap=99999999999999999999$1", "0"),
    (("mem",), "mem=1G mem=512M", str(1 << 29)), (("mem",), "mem=nopentium mem=1G", str(1 << 30)),
    (("mem",), "mem", "0"),
    (("option", "A"), "CONFIG_A=y", "y"), (("option", "A"), "CONFIG_AB=y\nCONFIG_A=m\n", "m"),
    (("option", "A"), "# CONFIG_A is not set", "n"),
    (("option", "A"), "CONFIG_A=yes\n", "?"), (("option", "A"), 'CONFIG_A="y"\n', "?"),
    (("option", "A"), "CONFIG_A=", "?"), (("option", "A"), "CONFIG_A", "n"),
    (("cpus",), "0-3,5\n", "5"), (("cpus",), "", "0"), (("cpus",), "\n", "0"), (("cpus",), "3-1", "0"),
    (("cpus",), "0-99999999999", "0"),
    (("cpus",), "0-65535", "65536"), (("cpus",), "0-65535,0", "0"), (("cpus",), "1,", "0"), (("cpus",), "1x", "0"),
    (("cpus",), "-1", "0"),
    (("release",), "6.12.95+deb12", "6012"), (("release",), "6", "0"), (("release",), "6.", "0"),
    (("release",), "x.1", "0"),
    (("release",), "6.1000", "0"), (("release",), "99999999999999999999.1", "0"),
    (("flag", "svm"), "flags\t: a svm\nflags\t: svm b\n", "1"), (("flag", "svm"), "flags\t: a svm\nflags\t: b\n", "0"),
    (("flag", "svm"), "flags: svmx nosvm", "0"), (("flag", "svm"), "flagship : svm", "0"), (("flag", "svm"), "", "0"),
    (("arch",), "x\nvendor_id : y", "x86_64"), (("arch",), "CPU implementer\t: 0x41\n", "arm64"),
    (("arch",), "vendor_id", "none"),
    (("addresses",), "00000000-00000000 : System RAM 1\n", "0"), (("addresses",), "00000000-00000fff : x", "1"),
    (("addresses",), "", "0"),
    (("addresses",), "  0000-0000 : abc\n  0000-001f : dma1\n", "1"),
    (("module", "kvm"), "kvm_amd 1\nkvm 1 0\n", "1"), (("module", "kvm"), "kvm_amd 1\nxkvm 1\n", "0"),
    (("module", "kvm"), "kvm", "0"),
    (("choice",), "a [b] c", "b"), (("choice",), "a b", ""), (("choice",), "[", ""),
    (("choice",), "[abcdefghijk]", "abcdefg"),
    (("word", "release "), "x\nrelease 6.1 y", "6.1"), (("word", "release "), "release", ""),
    (("word", "r "), "r 0123456789abcdefgh", "0123456789abcde")])
def test_text(text, words, content, result):
    assert text(content, *words) == result


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([("param", "a"), ("memmap",), ("mem",), ("option", "a"), ("cpus",), ("release",), ("flag", "a"),
                        ("arch",), ("addresses",),
                        ("module", "a"), ("choice",), ("word", "a")]),
       st.text(st.sampled_from("a=\" \t\n$,-0189MKE[]:C.") | st.characters(max_codepoint=255), max_size=60))
def test_any_text(text, words, content):
    text(content, *words)


def test_no_text_ends_the_command(tmp_path_factory, tmp_path):
    """Bytes that are no text, everywhere."""
    for arch in ARCHES:
        tree = machines.machine(tmp_path / arch, arch)
        for path in tree.root.rglob("*"):
            if path.is_file():
                path.write_bytes(bytes(range(256)) * 5)
        r = subprocess.run([machines.command(tmp_path_factory, arch), "hardware", "check", "-r", str(tree.root)],
                           capture_output=True, text=True)
        assert r.stderr == "" and parse(r.stdout)
