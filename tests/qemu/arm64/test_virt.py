# SPDX-License-Identifier: GPL-2.0-only
"""Programs that were built for QEMU's virt machine and know nothing of cells, in cells that stand in for it."""

from conftest import Root
from typing_at import said_by, type_text

from machine import paths


def test_u_boot(boot, blobs, say):
    """From flash at 0, as shipped: to its prompt, commands typed into its console, its tree, reset, off."""
    root = Root(boot(files={**blobs, "uboot/image": paths.built(paths.BUILD / "u-boot.bin", "setup")}))
    before = root.state()
    root.create("uboot", "virt")
    root.jailhouse("cell load uboot /uboot/image -a 0")
    root.start("uboot")
    said_by(root, "uboot", r"Hit any key to stop autoboot")
    # It waits 2 s; what comes later stands before the next command
    type_text(root, "uboot", " ")
    said_by(root, "uboot", r"(?m)^=> *$")
    for command, says in (("version", r"(?m)^aarch64-linux-gnu-gcc .*"), ("bdinfo", r"(?m)^devicetree  = board"),
                          ("fdt addr $fdtcontroladdr; fdt print /cpus", r'enable-method = "psci"')):
        type_text(root, "uboot", command + "\r")
        say(said_by(root, "uboot", says)[0])
    exits = root.statistics(root.cell_id("uboot"), 3)
    say(f"exits until then: {exits}")
    # it asks its UART all the time: no interrupts
    assert exits["irq"] == exits["fault"] == exits["other"] == 0
    type_text(root, "uboot", "reset\r")
    said_by(root, "uboot", r"(?s)resetting.*Hit any key to stop autoboot")
    type_text(root, "uboot", " ")
    said_by(root, "uboot", r"(?s)resetting.*=> *$")
    type_text(root, "uboot", "poweroff\r")
    root.wait_state("uboot", "shut down")
    root.destroy("uboot")
    assert root.state() == before
