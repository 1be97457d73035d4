# SPDX-License-Identifier: GPL-2.0-only
"""Machines whose SVM is somebody else's already: `enable` says whose, and nothing changes."""

import pytest
from conftest import MACHINE, Root

from machine import paths

KERNELS = ("6.1", "6.12")
# In the order in which one needs the other
MODULES = ("irqbypass", "ccp", "kvm", "kvm-amd")


@pytest.mark.parametrize("kernel", KERNELS)
def test_kvm_has_it(boot, blobs, say, kernel):
    files = {f"modules/{name}.ko": paths.kernel_module(kernel, name) for name in MODULES}
    root = Root(boot(kernel=kernel, files={**blobs, **files}), enable=False)
    root.check(" && ".join(f"insmod /modules/{name}.ko" for name in MODULES))
    say(root.refused(f"enable {root.SYSTEM}", MACHINE, "KVM is there .*: modprobe -r kvm_amd"))
    root.check("rmmod kvm_amd")
    root.jailhouse(f"enable {root.SYSTEM}")
    root.run_cell("a", "hello")
    root.expect(r"^\[a\] hello: 1")
    # Under the hypervisor it has none of it, whatever it takes for granted: nobody else notices
    root.run("insmod /modules/kvm-amd.ko")
    root.goes_on("a")
    assert root.timers_run() == 3
    root.run("rmmod kvm_amd")
    root.destroy("a")
    root.jailhouse("disable")
    assert root.timers_run() == 4
