# SPDX-License-Identifier: GPL-2.0-only
"""What `jailhouse bench` measured: checked, shown and compared."""
