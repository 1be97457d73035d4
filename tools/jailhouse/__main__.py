# SPDX-License-Identifier: GPL-2.0-only
"""`python3 -m jailhouse GROUP COMMAND ...`, with PYTHONPATH=tools."""

import io
import os
import sys
from collections.abc import Callable, Sequence

from jailhouse.bench import command as bench_command
from jailhouse.config import command as config_command
from jailhouse.faults import command as faults_command

GROUPS: dict[str, Callable[[Sequence[str]], int]] = {
    "bench": bench_command.main,
    "config": config_command.main,
    "explain": faults_command.main,
}


def main(arguments: Sequence[str]) -> int:
    group = GROUPS.get(arguments[0]) if arguments else None
    if group is None:
        print(f"usage: jailhouse {{{','.join(GROUPS)}}} ...", file=sys.stderr)
        return 2
    return group(arguments[1:])


def run() -> int:
    """Output that a terminal cannot show, or that nobody reads any more, is no reason to end with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(run())
