#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches Debian's stock kernels of $ARCH, their headers, busybox, libfdt, a program that knows nothing of us and, for
# the tests, who alone want -rt kernels, cyclictest, and unpacks them under build/$ARCH without installing anything:
#   build/$ARCH/linux/<release>/{vmlinuz,root/}   root holds the headers
#   build/$ARCH/linux/<release>/modules/          those of the kernel that tests load
#   build/$ARCH/linux/<release>/dtb/              device trees of boards, where $ARCH.sh says that this kernel's are wanted
#   build/$ARCH/linux/<name> -> <release>
#   build/$ARCH/linux/rt-tests/                   cyclictest, its libraries and their loader
#   build/$ARCH/busybox
#   build/$ARCH/libfdt/                           its headers and libfdt.a, for the command
#   build/$ARCH/u-boot.bin, memtest.bin           as $ARCH.sh names it
# usage: ARCH=arm64|x86_64 kernels.sh NAME...    NAME: 6.1, 6.1-rt, 6.12 or 6.12-rt

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tools/setup/apt.sh"
BUILD=$TOP/build/$ARCH
CACHE=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/jailhouse

# Downloaded packages outlive `make clean` where the user's cache may be written
use_cache() {
	if ! mkdir -p "$CACHE" 2>/dev/null || ! [ -w "$CACHE" ]; then
		CACHE=$TOP/build/debs
		mkdir -p "$CACHE"
	fi
}

# matches SIZE HASH FILE: the cached file is what the package list describes
matches() {
	[ -f "$3" ] && [ "$(stat -c %s "$3")" = "$1" ] || return 1
	case $2 in
	SHA256:*) [ "$(sha256sum <"$3" | cut -d' ' -f1)" = "${2#SHA256:}" ] ;;
	SHA512:*) [ "$(sha512sum <"$3" | cut -d' ' -f1)" = "${2#SHA512:}" ] ;;
	*) return 1 ;;
	esac
}

# fetch PACKAGE: leaves its path in $deb
fetch() {
	line=$(apt_foreign apt-get --print-uris download "$1" 2>/dev/null | grep "^'" | tail -1) || true
	[ -n "$line" ] || die "package $1 is in none of the lists (see build/apt/update.log): check the network and the apt sources"
	file=$(echo "$line" | cut -d' ' -f2)
	size=$(echo "$line" | cut -d' ' -f3)
	deb=$CACHE/$file
	matches "$size" "$(echo "$line" | cut -d' ' -f4)" "$deb" && return
	say "fetching $1 ($((size / 1000000 + 1)) MB)"
	part=$(mktemp -d "$CACHE/.part.XXXXXX")
	if ! (cd "$part" && apt_foreign apt-get -qq download "$1") || ! [ -f "$part/$file" ]; then
		rm -rf "$part"
		die "could not download $1: check the network and the free space in $CACHE"
	fi
	mv "$part/$file" "$deb"
	rm -rf "$part"
}

# release_of NAME: what `uname -r` says in the newest kernel of that series
release_of() {
	case $1 in
	6.1-rt | 6.12-rt) meta=linux-image-rt-$DEBIAN_ARCH ;;
	6.1 | 6.12) meta=linux-image-$DEBIAN_ARCH ;;
	*) die "unknown kernel '$1': choose from 6.1, 6.1-rt, 6.12, 6.12-rt" ;;
	esac
	apt_foreign apt-cache show "$meta:$DEBIAN_ARCH" 2>/dev/null |
		awk -v series="${1%-rt}." '
			/^Version: / { version = $2 }
			/^Depends: / { image = $2; sub(/,$/, "", image) }
			/^$/ || /^Package: / { report() }
			END { report() }
			function report() {
				if (index(version, series) == 1 && image ~ /^linux-image-/)
					print version, substr(image, 13)
				version = image = ""
			}' | sort -V | tail -1 | cut -d' ' -f2
}

# needs PACKAGE: the header packages it depends on, by name
needs() {
	apt_foreign apt-cache show --no-all-versions "$1:$DEBIAN_ARCH" |
		sed -n 's/^Depends: //p' | tr ',' '\n' |
		awk '$1 ~ /^linux-headers-.*-common(-rt)?$/ || $1 ~ /^linux-kbuild-/ { print $1 }'
}

# unpack_headers RELEASE INTO: a tree modules can be built against in place
unpack_headers() {
	headers=linux-headers-$1
	dependencies=$(needs "$headers")
	[ "$(echo "$dependencies" | wc -w)" -eq 2 ] ||
		die "$headers depends on '$dependencies', expected the common headers and linux-kbuild"
	fetch "$headers:$DEBIAN_ARCH"
	dpkg -x "$deb" "$2"
	for package in $dependencies; do
		fetch "$package"
		dpkg -x "$deb" "$2"
	done
	# Its Makefile names the common headers by their installed place
	sed -i "s|^include /usr/src/|include $BUILD/linux/$1/root/usr/src/|" "$2/usr/src/$headers/Makefile"
	grep -q "^include $BUILD" "$2/usr/src/$headers/Makefile" ||
		die "$headers has no 'include /usr/src/...' line to redirect"
}

# has_trees NAME: by its name or its release, a kernel whose device trees are wanted
has_trees() {
	case $1 in
	*-rt | *-rt-*) return 1 ;;
	"$TREES_OF" | "$TREES_OF".*) [ -n "$TREES_OF" ] ;;
	*) return 1 ;;
	esac
}

# unpack_image RELEASE INTO: the kernel of $deb, the modules that $ARCH.sh names, not compressed, and device trees
unpack_image() {
	dpkg-deb --fsys-tarfile "$deb" >"$2/image.tar"
	tar -x -O -f "$2/image.tar" "./boot/vmlinuz-$1" >"$2/vmlinuz" || die "$deb has no boot/vmlinuz-$1"
	[ -z "$KERNEL_MODULES" ] || tar -t -f "$2/image.tar" >"$2/image.list"
	for module in $KERNEL_MODULES; do
		path=$(grep -E "/$module\.ko(\.xz)?\$" "$2/image.list") || die "$deb has no module $module"
		mkdir -p "$2/modules"
		case $path in
		*.xz) tar -x -O -f "$2/image.tar" "$path" | xz -dc >"$2/modules/$module.ko" ;;
		*) tar -x -O -f "$2/image.tar" "$path" >"$2/modules/$module.ko" ;;
		esac
	done
	if has_trees "$1"; then
		mkdir -p "$2/dtb"
		tar -x -f "$2/image.tar" -C "$2/dtb" --strip-components=4 --wildcards "./usr/lib/linux-image-$1/*.dtb" ||
			die "$deb has no device trees"
	fi
	rm -f "$2/image.tar" "$2/image.list"
}

# whole NAME: that kernel is there, with all of it
whole() {
	[ -f "$BUILD/linux/$1/vmlinuz" ] || return 1
	[ -z "$KERNEL_MODULES" ] || [ -d "$BUILD/linux/$1/modules" ] || return 1
	! has_trees "$1" || [ -d "$BUILD/linux/$1/dtb" ]
}

kernel() {
	release=$(release_of "$1")
	[ -n "$release" ] || die "no kernel $1 for $DEBIAN_ARCH in the package lists (see build/apt/update.log)"
	if ! whole "$release"; then
		tree=$BUILD/linux/.part.$release
		rm -rf "$tree"
		mkdir -p "$tree/root"
		fetch "linux-image-$release:$DEBIAN_ARCH"
		unpack_image "$release" "$tree"
		unpack_headers "$release" "$tree/root"
		rm -rf "$BUILD/linux/$release"
		mv "$tree" "$BUILD/linux/$release"
	fi
	ln -sfn "$release" "$BUILD/linux/$1"
	say "kernel $1 is $release"
}

busybox() {
	fetch "busybox-static:$DEBIAN_ARCH"
	dpkg-deb --fsys-tarfile "$deb" >"$BUILD/busybox.tar"
	tar -x -O -f "$BUILD/busybox.tar" ./bin/busybox >"$BUILD/busybox.part" 2>/dev/null ||
		tar -x -O -f "$BUILD/busybox.tar" ./usr/bin/busybox >"$BUILD/busybox.part" ||
		die "busybox-static has no busybox"
	rm "$BUILD/busybox.tar"
	chmod 755 "$BUILD/busybox.part"
	mv "$BUILD/busybox.part" "$BUILD/busybox"
}

# member PATTERN NAME: the one regular file of $deb whose path fits -> $tree/NAME
member() {
	path=$(dpkg-deb --fsys-tarfile "$deb" | tar -t -v -f - | awk '/^-/ { print $6 }' | grep -E "$1" | head -1) || true
	[ -n "$path" ] || die "$deb has no file like $1"
	dpkg-deb --fsys-tarfile "$deb" | tar -x -O -f - "$path" >"$tree/$2"
	chmod 755 "$tree/$2"
}

libfdt() {
	tree=$BUILD/.part.libfdt
	rm -rf "$tree"
	mkdir -p "$tree"
	fetch "libfdt-dev:$DEBIAN_ARCH"
	for file in libfdt.a libfdt.h libfdt_env.h fdt.h; do
		member "/$(echo "$file" | sed 's/\./\\./g')\$" "$file"
	done
	rm -rf "$BUILD/libfdt"
	mv "$tree" "$BUILD/libfdt"
}

stranger() {
	tree=$BUILD
	fetch "$STRANGER_PACKAGE"
	member "$STRANGER_MEMBER" "$STRANGER.part"
	mv "$BUILD/$STRANGER.part" "$BUILD/$STRANGER"
}

cyclictest() {
	tree=$BUILD/linux/.part.rt-tests
	rm -rf "$tree"
	mkdir -p "$tree"
	fetch "rt-tests:$DEBIAN_ARCH"
	member '/bin/cyclictest$' cyclictest
	fetch "libnuma1:$DEBIAN_ARCH"
	member '/libnuma\.so\.1' libnuma.so.1
	fetch "libc6:$DEBIAN_ARCH"
	for file in libc.so.6 libpthread.so.0 librt.so.1 "$LOADER"; do
		member "/$(echo "$file" | sed 's/\./\\./g')\$" "$file"
	done
	rm -rf "$BUILD/linux/rt-tests"
	mv "$tree" "$BUILD/linux/rt-tests"
}

missing=
measured=
booted=
for name; do
	whole "$name" || missing="$missing $name"
	# Only who wants to test asks for these
	case $name in
	*-rt)
		[ -f "$BUILD/linux/rt-tests/cyclictest" ] || measured=cyclictest
		;;
	esac
done
[ -f "$BUILD/$STRANGER" ] || booted=stranger
[ -z "$missing$measured$booted" ] && [ -f "$BUILD/busybox" ] && [ -d "$BUILD/libfdt" ] && exit 0

say "Debian's own $DEBIAN_ARCH kernels ($*), busybox and libfdt: unpacked under build/$ARCH, not installed"
mkdir -p "$BUILD/linux" "$APT_ROOT"
exec 9>"$APT_ROOT/lock"
flock 9
use_cache
apt_refresh
[ -f "$BUILD/busybox" ] || busybox
[ -d "$BUILD/libfdt" ] || libfdt
[ -z "$measured" ] || cyclictest
[ -z "$booted" ] || stranger
for name in $missing; do
	kernel "$name"
done
