# SPDX-License-Identifier: GPL-2.0-only
"""The Python half of the jailhouse command: what is done on the build host."""
