# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the machine's apt sources (deb822 *.sources and one-line *.list files) and
# writes those of the running Debian release as deb822, with the release's backports
# suite next to each occurrence of the release itself. Disabled sources, other
# distributions' suites and source packages are left out. Needs: codename.

function has(list, word,    i, n, words) {
	n = split(list, words)
	for (i = 1; i <= n; i++)
		if (words[i] == word)
			return 1
	return 0
}

# The suites of this release, in their order, backports added once
function wanted(list,    i, n, words, out) {
	n = split(list, words)
	out = ""
	for (i = 1; i <= n; i++) {
		if (words[i] == codename)
			out = out " " codename " " codename "-backports"
		else if (words[i] == codename "-updates" || words[i] == codename "-security" || words[i] == codename "/updates")
			out = out " " words[i]
	}
	return out
}

function forget(    name) {
	for (name in field)
		delete field[name]
	rest = ""
	last = ""
}

function emit(    suites) {
	suites = wanted(field["suites"])
	if (has(field["types"], "deb") && tolower(field["enabled"]) !~ /^ *(no|false|without|off|disable|0) *$/ &&
	    suites != "" && has(field["components"], "main") && field["uris"] !~ /^ *cdrom:/)
		printf "Types: deb\nURIs:%s\nSuites:%s\nComponents: main\n%s\n", field["uris"], suites, rest
	forget()
}

# deb822: fields that only narrow or switch a source are consumed, the rest is kept
function deb822(line,    colon) {
	if (line ~ /^[ \t]*$/) {
		emit()
	} else if (line ~ /^[ \t]/) {
		if (last != "")
			field[last] = field[last] " " line
		else
			rest = rest line "\n"
	} else {
		colon = index(line, ":")
		last = tolower(substr(line, 1, colon - 1))
		if (last !~ /^(types|uris|suites|components|enabled|architectures|languages|targets|pdiffs)$/) {
			rest = rest line "\n"
			last = ""
		} else {
			field[last] = " " substr(line, colon + 1)
		}
	}
}

# deb [option=value ...] uri suite component ...
function one_line(line,    options, words, n, i, pair) {
	sub(/#.*/, "", line)
	if (line !~ /^[ \t]*deb[ \t]/)
		return
	sub(/^[ \t]*deb[ \t]+/, "", line)
	options = ""
	if (line ~ /^\[/) {
		options = substr(line, 2, index(line, "]") - 2)
		line = substr(line, index(line, "]") + 1)
	}
	field["types"] = "deb"
	n = split(options, words)
	for (i = 1; i <= n; i++) {
		split(words[i], pair, "=")
		if (pair[1] == "signed-by")
			rest = rest "Signed-By: " substr(words[i], 11) "\n"
		else if (pair[1] == "trusted")
			rest = rest "Trusted: " pair[2] "\n"
		else if (pair[1] == "check-valid-until")
			rest = rest "Check-Valid-Until: " pair[2] "\n"
	}
	n = split(line, words)
	field["uris"] = " " words[1]
	field["suites"] = words[2]
	for (i = 3; i <= n; i++)
		field["components"] = field["components"] " " words[i]
	emit()
}

FNR == 1 { emit() }
/^#/ { next }
FILENAME ~ /\.list$/ { one_line($0); next }
{ deb822($0) }
END { emit() }
