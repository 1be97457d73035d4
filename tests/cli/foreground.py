# SPDX-License-Identifier: GPL-2.0-only
"""Commands that are told to end as at a terminal, wherever the tests were started."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def signals_as_at_a_terminal():
    """A shell's background job ignores SIGINT, one under nohup SIGHUP, and so would every command started from there:
    what is handled here is a command's own affair again."""
    before = [(number, signal.signal(number, handler)) for number, handler in
              ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None))]
    yield
    for number, handler in before:
        signal.signal(number, handler)
