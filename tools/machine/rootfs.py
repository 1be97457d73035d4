# SPDX-License-Identifier: GPL-2.0-only
"""The root cell's initial file system: busybox, what was built, and a shell."""

import os
from collections.abc import Mapping
from pathlib import Path

from . import paths
from .cpio import Archive
from .target import TARGET

# Run by the kernel. With `agent` on the kernel command line commands come framed over
# the console (machine.py); else a person gets a shell.
INIT = """#!/bin/sh
export PATH=/sbin:/bin HOME=/ TERM=${TERM:-vt100}
/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /run
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/shm
ln -sf /proc/self/fd /dev/fd
dmesg -n 1
hostname root-cell
# The CPUs that the kernel was told not to bring up itself
case " $(cat /proc/cmdline) " in
*" maxcpus=1 "*) for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do echo 1 >$cpu; done ;;
esac
case " $(cat /proc/cmdline) " in
*" agent "*) setsid cttyhack sh /bin/agent ;;
*) PS1='\\w # ' setsid cttyhack sh ;;
esac
poweroff -f
"""

# Reads commands in pieces (a terminal's line is limited), runs each in a shell of its
# own and answers with its output, every line under a mark no other message carries,
# then status and checksum. `again` repeats the last answer if the checksum failed.
#   +PIECE   append, as printf's %b has it; `!MARK` run; `?MARK` answer again; `$` a person's shell
# An interrupt ends the command, not this loop. Each program that is started for an answer is felt in every test.
AGENT = """
trap : INT
stty -echo -opost
answer() {
	[ ! -s /run/out ] || sed "s/^/$1|/" /run/out
	echo
	echo "$1=$status $(md5sum </run/out)"
}
command=
echo; echo 'agent: ready'
while :; do
	IFS= read -r line || continue
	case $line in
	+*) command=$command${line#+} ;;
	!*)
		printf %b "$command" >/run/command
		command=
		echo "${line#!}:running"
		sh /run/command >/run/out 2>&1 </dev/null
		status=$?
		answer "${line#!}"
		;;
	\\?*) answer "${line#?}" ;;
	\\$)
		stty sane
		PS1='\\w # ' sh -i
		stty -echo -opost
		echo; echo 'agent: ready'
		;;
	esac
done
"""


def _tree(archive: Archive, where: str, root: Path, pattern: str) -> None:
    for path in sorted(root.glob(pattern)):
        archive.add(f"{where}/{path.relative_to(root)}", path.read_bytes())


def _products(archive: Archive, release: str) -> None:
    """What `make` built for this kernel."""
    module = paths.built(paths.BUILD / "modules" / release / "jailhouse.ko", "modules")
    archive.add(f"lib/modules/{release}/extra/jailhouse.ko", module.read_bytes())
    cli = paths.built(paths.BUILD / "jailhouse", "tools")
    archive.add("sbin/jailhouse", cli.read_bytes(), 0o755)
    firmware = paths.built(paths.BUILD / "hypervisor.bin", "hypervisor")
    archive.add("lib/firmware/jailhouse.bin", firmware.read_bytes())
    _tree(archive, "inmates", paths.built(paths.BUILD / "inmates", "inmates"), "*.bin")
    _tree(archive, "configs", paths.built(paths.BUILD / "configs", "configs"), "**/*.cell")


def measuring() -> dict[str, bytes]:
    """cyclictest with its libraries, by their paths, where `make setup-all` fetched it."""
    found = {}
    for path in sorted((paths.BUILD / "linux" / "rt-tests").glob("*")):
        folder = {"cyclictest": "bin"}.get(path.name, TARGET.loader_folder if path.name.startswith("ld-") else "lib")
        found[f"{folder}/{path.name}"] = path.read_bytes()
    return found


def image(kernel: str, bare: bool = False, files: Mapping[str, bytes | Path] | None = None) -> bytes:
    """The archive for a kernel (short name or release).

    bare: busybox alone, nothing that is built here. files: more of them, by their
    paths in the machine.
    """
    archive = Archive()
    busybox = paths.built(paths.BUILD / "busybox", "setup")
    archive.add("bin/busybox", busybox.read_bytes(), 0o755)
    for applet in ("sh", "mount"):
        archive.symlink(f"bin/{applet}", "busybox")
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3)
    for folder in ("proc", "sys", "dev", "tmp", "run", "sbin"):
        archive.directory(folder)
    archive.add("init", INIT.encode(), 0o755)
    archive.add("bin/agent", AGENT.encode(), 0o755)
    if not bare:
        release = paths.kernel_release(kernel)
        _products(archive, release)
        if "-rt-" in release:
            for path, program in measuring().items():
                archive.add(path, program, 0o755)
    for path, source in (files or {}).items():
        archive.add(path, source.read_bytes() if isinstance(source, Path) else source)
    return archive.image()


def write(out: Path, content: bytes) -> Path:
    """Replaces `out` in one step: machines that run may still read the old one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(out)
    return out
