# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# A private apt under build/apt, to be sourced: own sources, lists and caches, so that
# backports and a foreign architecture can be used without the machine's apt
# configuration or lists changing. Needs TOP, and ARCH if it is not arm64; provides
# apt_refresh, apt_host (installs into this machine), apt_foreign (sees the packages of
# every architecture that is supported, only ever downloads) and what $ARCH.sh sets.

APT_ROOT=$TOP/build/apt
SETUP_DIR=$TOP/tools/setup
ARCH=${ARCH:-arm64}

# Whatever failed, the next attempt reads the package lists again
die() {
	rm -f "$APT_ROOT/updated"
	echo "setup: $*" >&2
	exit 1
}

say() {
	echo "setup: $*"
}

# shellcheck source=tools/setup/arm64.sh
case $ARCH in
arm64 | x86_64) . "$SETUP_DIR/$ARCH.sh" ;;
*) die "ARCH=$ARCH is not supported; arm64 and x86_64 are" ;;
esac

# The release this machine runs, or a refusal that says what is supported
apt_release() {
	[ -r /etc/os-release ] || die "/etc/os-release is missing: this set-up knows Debian 12 only"
	ID='' VERSION_CODENAME='' PRETTY_NAME=''
	# shellcheck disable=SC1091
	. /etc/os-release
	if [ "$ID" != debian ] || [ "$VERSION_CODENAME" != bookworm ]; then
		die "this is ${PRETTY_NAME:-an unknown system}; the packages are known for Debian 12 (bookworm) only." \
		    "Install by hand what is listed above, or use a Debian 12 machine or container"
	fi
	CODENAME=$VERSION_CODENAME
}

# Machine's sources of this release plus its backports -> $APT_ROOT/sources.d
apt_sources() {
	list=/etc/apt/sources.list parts=/etc/apt/sources.list.d
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	set --
	for file in "$list" "$parts"/*.list "$parts"/*.sources; do
		[ -f "$file" ] && [ -r "$file" ] && set -- "$@" "$file"
	done
	[ $# -gt 0 ] || die "no apt sources in $list or $parts: add Debian's $CODENAME there"
	awk -v codename="$CODENAME" -f "$SETUP_DIR/sources.awk" "$@" >"$APT_ROOT/sources.d/derived.sources"
	grep -q -- "$CODENAME-backports" "$APT_ROOT/sources.d/derived.sources" ||
		die "no enabled apt source in $list or $parts offers 'deb ... $CODENAME main': add one"
}

# Two configurations over the same sources and lists
apt_configure() {
	apt_release
	mkdir -p "$APT_ROOT/sources.d" "$APT_ROOT/lists/partial" \
		"$APT_ROOT/host/archives/partial" "$APT_ROOT/foreign/archives/partial"
	apt_sources
	: >"$APT_ROOT/foreign/status"
	cat >"$APT_ROOT/host.conf" <<-END
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$APT_ROOT/sources.d";
		Dir::State::lists "$APT_ROOT/lists";
		Dir::Cache "$APT_ROOT/host";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	END
	# The machine's own first: what names no architecture is of this one
	architectures=$(printf '%s\n' "$(dpkg --print-architecture)" amd64 arm64 | awk '!seen[$0]++ { printf " \"%s\";", $0 }')
	{
		sed "s|$APT_ROOT/host|$APT_ROOT/foreign|" "$APT_ROOT/host.conf"
		echo "Dir::State::status \"$APT_ROOT/foreign/status\";"
		echo '#clear APT::Architectures;'
		echo "APT::Architectures {$architectures };"
	} >"$APT_ROOT/foreign.conf"
}

# Package lists at most a day old. A source that fails is not fatal here: what is
# needed may come from the others, and whoever misses something says so.
apt_refresh() {
	apt_configure
	if cmp -s "$APT_ROOT/sources.d/derived.sources" "$APT_ROOT/updated.sources" &&
	   [ -n "$(find "$APT_ROOT/updated" -mmin -1440 2>/dev/null)" ] &&
	   [ -n "$(find "$APT_ROOT/lists" -maxdepth 1 -name '*Release')" ]; then
		return
	fi
	say "reading the package lists of $CODENAME and $CODENAME-backports (kept in build/apt)"
	# Without the mode a source that was not reached is only a warning
	if apt-get -c "$APT_ROOT/foreign.conf" -qq -o APT::Update::Error-Mode=any update >"$APT_ROOT/update.log" 2>&1; then
		cp "$APT_ROOT/sources.d/derived.sources" "$APT_ROOT/updated.sources"
		touch "$APT_ROOT/updated"
	else
		echo "setup: some package lists could not be read (build/apt/update.log):" >&2
		grep '^[EW]:' "$APT_ROOT/update.log" | head -3 >&2
	fi
}

apt_host() {
	tool=$1
	shift
	"$tool" -c "$APT_ROOT/host.conf" "$@"
}

apt_foreign() {
	tool=$1
	shift
	"$tool" -c "$APT_ROOT/foreign.conf" "$@"
}
