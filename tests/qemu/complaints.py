# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel that is well does not say, and what is known to be its own fault."""

import re

# Its time stamp stands before
COMPLAINT = (r"WARNING: |BUG: |Call trace|Oops|nobody cared|detected stall|blocked for more"
             r"|Internal error|unexpected|irq.*(lost|stuck)")
# To be searched for, too: what it lists below the warning of DYING
LISTED = r"CPU[0-9]+ enqueued tasks|pid: [0-9]+, name: "

# Linux 6.12.95 counts a CPU's deadline server as one of its tasks. Upstream it does not since "sched/deadline:
# Don't count nr_running for dl_server proxy tasks" (52d15521eb75, 6.17), which is not among what 6.12.92
# took over of the servers. A CPU on its way offline that stands still for a second, as CPUs of an
# emulator may, is "not properly vacated" then, with nothing left on it but the one that takes it down. So says
# the bare kernel too: 4 times in 100 cycles, with QEMU stopped (SIGSTOP) for a second now and then.
DYING = re.compile(r"WARNING: CPU: (\d+) PID: (\d+) at kernel/sched/core\.c:\d+ sched_cpu_dying\+")


def _server_counted(lines: list[str], at: int) -> int:
    """Two are counted, and the only one listed is the stopper that says so: how many lines that is; 0: it is not."""
    if not (found := DYING.search(lines[at])):
        return 0
    cpu, pid = found.groups()
    # arm64 says so above the calls; x86_64's "Call Trace" is none of COMPLAINT's
    calls = any(line.endswith("] Call trace:") for line in lines[at + 1:at + 2])
    first = at + (2 if calls else 1)
    below = lines[first:first + 3]
    expected = [rf"\] CPU{cpu} enqueued tasks \(2 total\):$", rf"\] \tpid: {pid}, name: migration/{cpu}$"]
    known = (len(below) >= 2 and all(map(re.search, expected, below))
             and not any("] \tpid: " in line for line in below[2:]))
    return first + 2 - at if known else 0


def unknown(lines: list[str]) -> list[str]:
    """Of lines with COMPLAINT or LISTED in them, in their order: what nothing here explains."""
    found, at = [], 0
    while at < len(lines):
        if known := _server_counted(lines, at):
            at += known
        else:
            found.append(lines[at])
            at += 1
    return found
