# SPDX-License-Identifier: GPL-2.0-only
"""Machines made of files, and the commands of both architectures that look at them."""

import os
import platform
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import libfdt
import pytest
from parts import FLAGS, MACHINES, command_parts

ARCHES = tuple(MACHINES)
HOST = next((arch for arch, machine in MACHINES.items() if machine == platform.machine()), "")
# Root is not denied anything; this root is
DENIED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


_built: dict[str, Path] = {}


def command(factory: pytest.TempPathFactory, arch: str) -> Path:
    """The jailhouse command for `arch`, to run here under the sanitizers; built once."""
    if arch not in _built:
        place = factory.mktemp(f"jailhouse-{arch}")
        subprocess.run(["gcc", *FLAGS, *command_parts(place, arch=arch), "-o", str(place / "jailhouse")], check=True)
        _built[arch] = place / "jailhouse"
    return _built[arch]


@dataclass(frozen=True)
class Tree:
    """Files of a machine below a folder."""

    root: Path
    arch: str

    def put(self, path: str, content: str | bytes) -> Path:
        """Written, in place of what is there; 8-bit characters as they are."""
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        self.drop(path)
        at.write_bytes(content.encode("latin-1") if isinstance(content, str) else content)
        return at

    def link(self, path: str, target: str) -> Path:
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        self.drop(path)
        at.symlink_to(target)
        return at

    def drop(self, path: str) -> None:
        at = self.root / path
        if at.is_dir() and not at.is_symlink():
            shutil.rmtree(at)
        else:
            at.unlink(missing_ok=True)

    def replace(self, path: str, before: str, after: str) -> None:
        at = self.root / path
        text = at.read_text("latin-1")
        assert before in text, f"{path} has no {before!r}"
        at.write_text(text.replace(before, after), "latin-1")


def acpi(signature: bytes, body: bytes) -> bytes:
    """A table with its header (ACPI 6.5, 5.2.6), its checksum aside."""
    return struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 5, 0, b"TEST", b"TABLE", 1, b"TEST", 1) + body


def madt(*entries: bytes, local_apic: int = 0xfee0_0000) -> bytes:
    return acpi(b"APIC", struct.pack("<II", local_apic, 1) + b"".join(entries))


def ioapic(number: int = 0) -> bytes:
    return struct.pack("<BBBBII", 1, 12, number, 0, 0xfec0_0000 + 0x1000 * number, 24 * number)


def gicd(version: int) -> bytes:
    return struct.pack("<BBHIQIB3x", 0xc, 24, 0, 0, 0x0800_0000, 0, version)


def fadt(arm_boot: int) -> bytes:
    return acpi(b"FACP", bytes(129 - 36) + struct.pack("<H", arm_boot) + bytes(276 - 131))


def mcfg(segment: int = 0, first_bus: int = 0) -> bytes:
    return acpi(b"MCFG", bytes(8) + struct.pack("<QHBB4x", 0xb000_0000, segment, first_bus, 255))


def device_tree(gic: str = "arm,gic-v3", method: str = "smc", ram: int = 2 << 30, no_map: int = 0) -> bytes:
    """Empty words leave a node out."""
    fdt = libfdt.FdtSw()
    fdt.finish_reservemap()
    with fdt.add_node(""):
        fdt.property_u32("#address-cells", 2)
        fdt.property_u32("#size-cells", 2)
        with fdt.add_node("cpus"):
            pass
        if gic:
            with fdt.add_node("intc@8000000"):
                fdt.property_string("compatible", gic)
        if method:
            with fdt.add_node("psci"):
                fdt.property("compatible", b"arm,psci-1.0\0arm,psci-0.2\0")
                fdt.property_string("method", method)
        if ram:
            with fdt.add_node("memory@40000000"):
                fdt.property_string("device_type", "memory")
                fdt.property("reg", struct.pack(">QQ", 0x4000_0000, ram))
        with fdt.add_node("reserved-memory"):
            fdt.property_u32("#address-cells", 2)
            fdt.property_u32("#size-cells", 2)
            with fdt.add_node("pool@80000000"):
                fdt.property("reg", struct.pack(">QQ", 0x8000_0000, 1 << 20))
            if no_map:
                with fdt.add_node("cells@b0000000"):
                    fdt.property("reg", struct.pack(">QQ", 0xb000_0000, no_map))
                    fdt.property("no-map", b"")
    tree = fdt.as_fdt()
    tree.pack()
    return bytes(tree.as_bytearray())


OPTIONS = "".join(f"CONFIG_{name}=y\n" for name in ("MODULES", "MODULE_UNLOAD", "SMP", "HOTPLUG_CPU", "FW_LOADER",
                                                    "CRC32", "KVM", "MODULE_SIG"))
CONFIG = {"arm64": OPTIONS + "CONFIG_ARM64_4K_PAGES=y\n",
          "x86_64": OPTIONS + "CONFIG_KVM_AMD=m\n# CONFIG_KVM_INTEL is not set\n"}
RELEASE = {"arm64": "6.12.95+deb12-arm64", "x86_64": "6.12.95+deb12-amd64"}
CMDLINE = {"arm64": "console=ttyAMA0 mem=1792M kvm-arm.mode=nvhe kvm-arm.mode=none\n",
           "x86_64": "console=ttyS0 memmap=256M$0x30000000\n"}
LOG = {"arm64": "<6>[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
                "<6>[    0.000000] GICv3: GICD_CTRL.DS=1, SCR_EL3.FIQ=0\n"
                "<6>[    0.310125] CPU: All CPU(s) started at EL2\n",
       "x86_64": "<5>[    0.000000] Linux version 6.12.95+deb12-amd64\n<6>[    0.020000] x2apic enabled\n"}
CPUINFO = {"arm64": "processor\t: {}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n\n",
           "x86_64": "processor\t: {}\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu apic nx svm npt\n\n"}
INTERRUPTS = {"arm64": " 11:  1809  1849  GICv3  30 Level  arch_timer\n",
              "x86_64": "  4:  0  146  IO-APIC   4-edge  ttyS0\n"}


def machine(root: Path, arch: str) -> Tree:
    """One that has everything but the driver and the hypervisor's image."""
    t = Tree(root, arch)
    files: dict[str, str | bytes] = {
        "proc/iomem": "40000000-afffffff : System RAM\n", "proc/ioports": "0000-0cf7 : PCI Bus\n",
        "proc/interrupts": INTERRUPTS[arch], "proc/cpuinfo": "".join(CPUINFO[arch].format(n) for n in range(4)),
        "proc/cmdline": CMDLINE[arch], "proc/version": f"Linux version {RELEASE[arch]} (debian) #1 SMP\n",
        "proc/meminfo": "MemTotal: 1 kB\n", "proc/mounts": "proc /proc proc rw 0 0\n",
        "proc/modules": "ext4 1 0 - Live 0x0\n",
        "etc/os-release": "ID=debian\n", f"boot/config-{RELEASE[arch]}": CONFIG[arch], "dmesg.txt": LOG[arch],
        "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
        "sys/module/module/parameters/sig_enforce": "N\n",
        "sys/devices/system/cpu/present": "0-3\n", "sys/devices/system/cpu/possible": "0-3\n",
        "sys/devices/system/cpu/online": "0-3\n",
        "sys/devices/system/cpu/cpu0/topology/core_id": "0\n", "sys/devices/system/cpu/cpu0/cache/index0/size": "32K\n",
        "sys/bus/pci/devices/0000:00:1f.2/config": bytes(256), "sys/bus/pci/devices/0000:00:1f.2/class": "0x010601\n",
        "sys/bus/pci/devices/0000:00:1f.2/msi_irqs/27": "msi\n",
        "sys/kernel/iommu_groups/2/type": "DMA\n", "sys/kernel/iommu_groups/2/devices/0000:00:1f.2": "",
    }
    for path, content in files.items():
        t.put(path, content)
    t.link("sys/bus/pci/devices/0000:00:1f.2/driver", "../../../../bus/pci/drivers/ahci")
    if arch == "arm64":
        t.put("sys/firmware/fdt", device_tree())
    else:
        t.put("sys/firmware/acpi/tables/APIC", madt(ioapic()))
        t.put("sys/firmware/acpi/tables/MCFG", mcfg())
        t.put("sys/firmware/memmap/0/start", "0x0\n")
        t.put("sys/firmware/memmap/0/end", "0x7fffffff\n")
        t.put("sys/firmware/memmap/0/type", "System RAM\n")
    return t
