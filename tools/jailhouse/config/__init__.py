# SPDX-License-Identifier: GPL-2.0-only
"""
From configuration text to the binary blobs, in the order the data takes:

    load (text -> dict + lines) -> read (-> model) -> place (host addresses)
    -> check (ownership) -> emit (-> records) -> blob (-> bytes)
"""
