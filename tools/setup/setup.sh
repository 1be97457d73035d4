#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a Debian 12 machine able to build and run everything here: installs the
# packages that are missing, saying first which and why, then fetches the kernels
# named on the command line. Says nothing when all is there.
# usage: ARCH=arm64|x86_64 setup.sh [KERNEL...]

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tools/setup/apt.sh"
QEMU_WANTED=10
missing=

# group REASON PACKAGE...: notes and says what of it is missing
group() {
	reason=$1
	shift
	absent=
	for package; do
		# ${...} is dpkg-query's
		# shellcheck disable=SC2016
		state=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) || true
		case " $state" in
		*" installed "*) ;;
		*) absent="$absent $package" ;;
		esac
	done
	[ -n "$absent" ] || return 0
	say "to install$absent: $reason"
	missing="$missing$absent"
}

qemu_is_recent() {
	version=$("$QEMU_PROGRAM" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')
	[ "${version:-0}" -ge "$QEMU_WANTED" ]
}

cross_packages() {
	if [ "$(dpkg --print-architecture)" = "$DEBIAN_ARCH" ]; then
		echo gcc-12 libc6-dev binutils
	else
		echo "gcc-12-$CROSS_SUFFIX" "libc6-dev-$DEBIAN_ARCH-cross" "binutils-$CROSS_SUFFIX"
	fi
}

# quietly COMMAND...: output to build/apt/install.log; on a terminal the seconds run
quietly() {
	if [ -t 1 ]; then
		(
			seconds=0
			while sleep 1; do
				seconds=$((seconds + 1))
				printf '\rsetup: installing, %d s ' "$seconds"
			done
		) &
		ticker=$!
	else
		ticker=
	fi
	status=0
	"$@" >"$APT_ROOT/install.log" 2>&1 </dev/null || status=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
		wait "$ticker" 2>/dev/null || true
		printf '\r\033[K'
	fi
	[ "$status" -eq 0 ] || tail -n 15 "$APT_ROOT/install.log" >&2
	return "$status"
}

need_root() {
	[ "$(id -u)" -eq 0 ] ||
		die "installing packages needs root: run 'sudo make setup ARCH=$ARCH' once, or install what is listed above by hand"
}

command -v dpkg-query >/dev/null || die "this machine has no dpkg; the set-up knows Debian 12 (bookworm) only"
group "to build what runs on this machine" gcc clang make git libc6-dev
# shellcheck disable=SC2046
group "to build the hypervisor, the driver and the command for $ARCH" $(cross_packages)
group "for make menuconfig and the .config" kconfig-frontends
group "to read and make device trees" device-tree-compiler libfdt-dev python3-libfdt
group "to read ACPI tables, in tests" acpica-tools
group "the configuration compiler and the tests" python3 python3-pytest python3-pexpect python3-hypothesis python3-jsonschema mypy pyflakes3 pycodestyle
group "the host tests and their sanitizers" libcmocka-dev libcapstone-dev libclang-rt-14-dev
group "to build kernel modules and initial file systems" bc cpio xz-utils
group "for make debug" gdb-multiarch
group "the plots of jailhouse bench report" python3-matplotlib
packages=$missing
qemu=
if ! qemu_is_recent; then
	qemu=$QEMU_PACKAGE
	say "to install $QEMU_PACKAGE from backports: the emulated $ARCH machine; QEMU $QEMU_WANTED or later is needed"
fi

if [ -n "$packages$qemu" ]; then
	need_root
	mkdir -p "$APT_ROOT"
	export DEBIAN_FRONTEND=noninteractive
	apt_refresh
	if [ -n "$packages" ]; then
		# shellcheck disable=SC2086
		quietly apt_host apt-get -y -qq --no-install-recommends install $packages ||
			die "apt could not install:$packages (its last messages are above, all in build/apt/install.log)"
	fi
	if [ -n "$qemu" ]; then
		quietly apt_host apt-get -y -qq --no-install-recommends -t "$CODENAME-backports" install "$qemu" ||
			die "apt could not install $qemu from $CODENAME-backports (its last messages are above, all in build/apt/install.log)"
		qemu_is_recent || die "$QEMU_PROGRAM is still older than $QEMU_WANTED: is another one in PATH before it?"
	fi
fi

# Under sudo the clone stays its owner's
give_back() {
	[ -z "${SUDO_UID:-}" ] || ! [ -d "$TOP/build" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$TOP/build"
}
trap give_back EXIT

[ $# -eq 0 ] || ARCH=$ARCH sh "$TOP/tools/setup/kernels.sh" "$@"
