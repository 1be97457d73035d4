# SPDX-License-Identifier: GPL-2.0-only
"""
Jailhouse's binary configurations, revision 14, as our texts. The data's way: decode (bytes to records), translate
(records to what the texts say), write (to TOML).
"""
