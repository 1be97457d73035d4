# SPDX-License-Identifier: GPL-2.0-only
"""Commands that are told to end as at a terminal, wherever the tests were started."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def signals_as_at_a_terminal():
    """A shell's background job ignores SIGINT, and so would every command started from there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
