# SPDX-License-Identifier: GPL-2.0-only
"""
From what a machine says of itself to its text, in the order the data takes:

    facts (folder, tar or .dtb) -> tree or acpi, pci -> from_tree or from_pc (-> description) -> write (-> machine text)
"""
