// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kernel_text.h"

#define CPUS_MAX 65536u

static void copy(char *to, size_t size, const char *from, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = 0;
}

bool text_has(const char *text, const char *what)
{
	return text && strstr(text, what);
}

/* Behind its end; NULL if it was the last. */
static const char *next_line(const char *line)
{
	line = strchr(line, '\n');
	return line && line[1] ? line + 1 : NULL;
}

void text_word_behind(const char *text, const char *before, char *word, size_t size)
{
	*word = 0;
	for (const char *line = text; line && *line; line = next_line(line)) {
		if (strncmp(line, before, strlen(before)))
			continue;
		line += strlen(before);
		copy(word, size, line, strcspn(line, " \t\n"));
		return;
	}
}

/* --- the command line --- */

struct param {
	const char *name, *value;	/* value NULL: none */
	size_t name_length, value_length;
};

static bool is_blank(char c)
{
	return isspace((unsigned char)c);
}

/* As lib/cmdline.c next_arg() has it: quotation marks hold blanks, and are no part of the value they stand around. */
static bool param_next(const char **at, struct param *p)
{
	bool quoted = false;
	const char *end;

	while (is_blank(**at))
		++*at;
	*p = (struct param){ .name = *at };
	for (end = *at; *end && (quoted || !is_blank(*end)); end++) {
		quoted ^= *end == '"';
		if (*end == '=' && !p->value)
			p->value = end + 1;
	}
	if (end == *at)
		return false;
	*at = end;
	p->name_length = (size_t)((p->value ? p->value - 1 : end) - p->name);
	if (!p->value)
		return true;
	if (*p->value == '"' && end > p->value + 1 && end[-1] == '"') {
		p->value++;
		end--;
	}
	p->value_length = (size_t)(end - p->value);
	return true;
}

/* What follows is the first process's. */
static bool is_end(const struct param *p)
{
	return p->name_length == 2 && !p->value && !memcmp(p->name, "--", 2);
}

static bool param_is(const struct param *p, const char *name)
{
	for (size_t i = 0; i < p->name_length; i++)
		if (p->name[i] != name[i] && !((p->name[i] == '-' || p->name[i] == '_') && (name[i] == '-' || name[i] == '_')))
			return false;
	return !name[p->name_length];
}

bool param_find(const char *cmdline, const char *name, char *value, size_t size)
{
	const char *at = cmdline;
	bool found = false;
	struct param p;

	*value = 0;
	while (at && param_next(&at, &p) && !is_end(&p)) {
		if (!param_is(&p, name))
			continue;
		found = true;
		copy(value, size, p.value ? p.value : "", p.value_length);
	}
	return found;
}

bool param_has(const char *cmdline, const char *name, const char *value)
{
	const char *at = cmdline;
	struct param p;

	while (at && param_next(&at, &p) && !is_end(&p))
		if (p.value && param_is(&p, name) && p.value_length == strlen(value) && !memcmp(p.value, value, p.value_length))
			return true;
	return false;
}

bool param_true(const char *cmdline, const char *name)
{
	char value[8];

	return param_find(cmdline, name, value, sizeof(value)) &&
	       *value && (strchr("1yYtTeE", *value) || !strncasecmp(value, "on", 2));
}

/* lib/cmdline.c memparse(); *end NULL: it is no size. */
static uint64_t size_read(const char *text, const char **end)
{
	static const char suffixes[] = "kmgtpe";
	const char *suffix;
	uint64_t value;
	char *behind;
	size_t shift;

	*end = NULL;
	if (!isdigit((unsigned char)*text))
		return 0;
	errno = 0;
	value = strtoull(text, &behind, 0);
	suffix = *behind ? strchr(suffixes, tolower((unsigned char)*behind)) : NULL;
	shift = suffix ? 10 * (size_t)(suffix - suffixes + 1) : 0;
	if (errno || value > UINT64_MAX >> shift)
		return 0;
	*end = behind + (suffix ? 1 : 0);
	return value << shift;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* SIZE$START,SIZE$START,... */
static uint64_t reserved_by(const char *at, const char *end)
{
	uint64_t sum = 0;

	while (at < end) {
		const char *behind;
		uint64_t size = size_read(at, &behind);

		if (behind && *behind == '$')
			sum = add(sum, size);
		at += strcspn(at, ",");
		at++;
	}
	return sum;
}

uint64_t param_memmap_reserved(const char *cmdline)
{
	const char *at = cmdline;
	uint64_t sum = 0;
	struct param p;

	while (at && param_next(&at, &p) && !is_end(&p))
		if (p.value && param_is(&p, "memmap"))
			sum = add(sum, reserved_by(p.value, p.value + p.value_length));
	return sum;
}

uint64_t param_mem(const char *cmdline)
{
	const char *at = cmdline, *behind;
	uint64_t least = 0, size;
	struct param p;

	while (at && param_next(&at, &p) && !is_end(&p)) {
		if (!p.value || !param_is(&p, "mem"))
			continue;
		size = size_read(p.value, &behind);
		if (behind && size && (!least || size < least))
			least = size;
	}
	return least;
}

/* --- other files --- */

char config_option(const char *config, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = config; line && *line; line = next_line(line)) {
		if (strncmp(line, "CONFIG_", 7) || strncmp(line + 7, name, length) || line[7 + length] != '=')
			continue;
		line += 7 + length + 1;
		if (*line && strchr("ymn", *line) && (!line[1] || line[1] == '\n'))
			return *line;
		return '?';
	}
	return 'n';
}

static bool read_number(const char **at, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*number = strtoul(*at, &end, 10);
	*at = end;
	return *number < CPUS_MAX;
}

unsigned cpu_list_count(const char *list)
{
	unsigned long first, last, count = 0;

	for (;;) {
		if (!read_number(&list, &first))
			return 0;
		last = first;
		if (*list == '-') {
			list++;
			if (!read_number(&list, &last) || last < first)
				return 0;
		}
		count += last - first + 1;
		if (*list != ',')
			break;
		list++;
	}
	return (*list && *list != '\n') || count > CPUS_MAX ? 0 : (unsigned)count;
}

unsigned release_number(const char *release)
{
	unsigned long major, minor;

	if (!read_number(&release, &major) || *release++ != '.' || !read_number(&release, &minor) || major > 999 || minor > 999)
		return 0;
	return (unsigned)(major * 1000 + minor);
}

/* Behind "KEY\t: " where the line has this key. */
static const char *value_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length))
		return NULL;
	line += length;
	line += strspn(line, " \t");
	return *line == ':' ? line + 1 : NULL;
}

const char *cpuinfo_arch(const char *cpuinfo)
{
	for (const char *line = cpuinfo; line && *line; line = next_line(line)) {
		if (value_of(line, "CPU implementer"))
			return "arm64";
		if (value_of(line, "vendor_id"))
			return "x86_64";
	}
	return NULL;
}

static bool line_has_word(const char *line, const char *word)
{
	size_t length = strlen(word);

	while (*line && *line != '\n') {
		size_t n;

		line += strspn(line, " \t");
		n = strcspn(line, " \t\n");
		if (n == length && !memcmp(line, word, n))
			return true;
		line += n;
	}
	return false;
}

bool cpuinfo_flag(const char *cpuinfo, const char *flag)
{
	bool any = false;

	for (const char *line = cpuinfo; line && *line; line = next_line(line)) {
		const char *flags = value_of(line, "flags");

		if (!flags)
			continue;
		if (!line_has_word(flags, flag))
			return false;
		any = true;
	}
	return any;
}

bool resources_have_addresses(const char *text)
{
	for (const char *line = text; line && *line; line = next_line(line))
		if (strcspn(line, "123456789abcdef") < strcspn(line, ":\n"))
			return true;
	return false;
}

bool modules_has(const char *modules, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = modules; line && *line; line = next_line(line))
		if (!strncmp(line, name, length) && line[length] == ' ')
			return true;
	return false;
}

void text_choice(const char *text, char *word, size_t size)
{
	const char *at = strchr(text, '[');

	*word = 0;
	if (at)
		copy(word, size, at + 1, strcspn(at + 1, "]\n"));
}
