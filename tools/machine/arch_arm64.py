# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's virt, as configs/qemu-arm64/machine.toml describes it."""

from collections.abc import Sequence

from .arch import Arch


def machine(options: str = "", secure: bool = False) -> Sequence[str]:
    """options: further properties of -M virt. secure: with EL3, so that GICD_CTLR.DS is 0;
    the second UART is then the secure world's."""
    more = ("secure=on" if secure else "", options)
    return ("-M", ",".join(("virt,virtualization=on,gic-version=3", *filter(None, more))))


# RAM is 0x40000000..0xc0000000; above 1792 MiB it belongs to the cells and the
# hypervisor. Both kvm-arm modes, in this order, leave EL2 to us on every CPU.
ARCH = Arch(name="arm64", board="qemu-arm64", qemu="qemu-system-aarch64", cpu="cortex-a72",
            append="console=ttyAMA0 mem=1792M kvm-arm.mode=nvhe kvm-arm.mode=none",
            icount="shift=0,sleep=off", loader_folder="lib", hypercall="exit_hvc", machine=machine,
            more_append=lambda **_: "")
