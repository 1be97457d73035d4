// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "collection.h"
#include "kernel_text.h"

#define PATH_SIZE 4096

/* More are only counted. */
#define LEFT_OUT_SAID 20

/* Of the whole, for the manifest, which comes last */
#define MANIFEST_ROOM 65536

/* What of PCI's configuration space anybody may read */
#define CONFIG_HEADER 64

enum kind {
	FILES,			/* what can be read from it */
	LINKS,			/* symbolic links as such */
	NAMES,			/* empty files of these names */
};

/* `names` are parts of paths below `folder`; a * in either stands for anything but a '/'. */
struct wanted {
	const char *folder, *names;
	enum kind kind;
};

/* What is most needed comes first: it is never what there is no room for. */
static const struct wanted everything[] = {
	{ "proc", "iomem ioports interrupts cpuinfo cmdline version meminfo mounts modules", FILES },
	{ "etc", "os-release", FILES },
	{ "sys/devices/system/cpu", "present possible online kernel_max", FILES },
	{ "sys/firmware", "fdt", FILES },
	{ "sys/firmware/acpi/tables", "* data/* dynamic/*", FILES },
	{ "sys/firmware/memmap/*", "start end type", FILES },
	{ "sys/firmware/efi/efivars", "SecureBoot-*", FILES },
	{ "sys/kernel/security", "lockdown", FILES },
	{ "sys/module/module/parameters", "sig_enforce", FILES },
	{ "sys/devices/system/cpu/cpu[0-9]*", "online topology/* cache/index*/* regs/identification/*", FILES },
	{ "sys/devices/system/cpu/cpu[0-9]*", "of_node", LINKS },
	{ "sys/bus/pci/devices/*", "config resource irq class vendor device subsystem_vendor subsystem_device msi_irqs/* "
				   "numa_node dma_mask_bits label", FILES },
	{ "sys/bus/pci/devices/*", "driver iommu_group", LINKS },
	{ "sys/bus/pnp/devices/*", "id resources options", FILES },
	{ "sys/bus/acpi/devices/*", "hid path status uid adr", FILES },
	{ "sys/bus/acpi/devices/*", "physical_node", LINKS },
	{ "sys/bus/platform/devices/*", "modalias driver_override uevent", FILES },
	{ "sys/bus/platform/devices/*", "driver of_node firmware_node iommu_group", LINKS },
	{ "sys/kernel/iommu_groups/*", "type reserved_regions", FILES },
	{ "sys/kernel/iommu_groups/*", "devices/*", NAMES },
	{ "sys/class/iommu", "*", NAMES },
};

/* One path with its stars, and what came of it. */
struct walk {
	struct collection *c;
	const struct facts *facts;
	enum kind kind;
	char path[PATH_SIZE];
	size_t taken;
	int error;		/* the first; 0: none, or only of no interest */
};

const char *printable(const char *text)
{
	static char room[4][PATH_SIZE];
	static unsigned next;
	char *to = room[next++ % 4];
	size_t i;

	for (i = 0; text[i] && i < PATH_SIZE - 1; i++)
		to[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	to[i] = 0;
	return to;
}

/* --- what is there and what is not --- */

/* One more of `size` bytes behind `count`, which is a power of two whenever there is no room. */
static void *one_more(struct collection *c, void *array, size_t count, size_t size)
{
	void *more = array;

	if (!(count & (count - 1)))
		more = realloc(array, (count ? count * 2 : 1) * size);
	if (!more)
		c->out_of_memory = true;
	return more;
}

static void leave_out(struct collection *c, const char *path, const char *reason)
{
	if (c->left_out++ < LEFT_OUT_SAID)
		fprintf(c->say, "left out: %s: %s\n", printable(path), reason);
}

static void add_missing(struct collection *c, const char *path, const char *reason, bool denied)
{
	struct missing *more = one_more(c, c->missing, c->missing_count, sizeof(*more));
	char *copy = strdup(path);

	if (more)
		c->missing = more;
	if (!more || !copy) {
		c->out_of_memory = true;
		free(copy);
		return;
	}
	c->missing[c->missing_count++] = (struct missing){ copy, reason, denied };
}

static void add_missing_error(struct collection *c, const char *path, int error)
{
	add_missing(c, path, facts_reason(error), error == EACCES || error == EPERM);
}

/* Takes `data` over, which is the link's target for a link. Returns 0, ENOSPC or ENOMEM. */
static int add_entry(struct collection *c, const char *path, struct content data, bool link)
{
	struct tar_entry e = { .path = path, .link = link ? data.data : NULL, .data = data.data, .size = link ? 0 : data.size };
	struct tar_entry *more;

	if (tar_entry_size(&e) > COLLECTION_MAX - (strcmp(path, COLLECTION_MANIFEST) ? MANIFEST_ROOM : 0) - c->size) {
		leave_out(c, path, facts_reason(ENOSPC));
		free(data.data);
		return ENOSPC;
	}
	more = one_more(c, c->entry, c->count, sizeof(*more));
	if (more)
		c->entry = more;
	e.path = strdup(path);
	if (!more || !e.path) {
		c->out_of_memory = true;
		free(data.data);
		free((char *)e.path);
		return ENOMEM;
	}
	c->size += tar_entry_size(&e);
	c->entry[c->count++] = e;
	return 0;
}

/* --- the walk --- */

static bool is_resources(const char *path)
{
	return !strcmp(path, "proc/iomem") || !strcmp(path, "proc/ioports");
}

static int read_one(struct walk *w, struct content *data)
{
	*data = (struct content){ 0 };
	switch (w->kind) {
	case FILES:
		return facts_read(w->facts, w->path, data);
	case LINKS:
		return facts_read_link(w->facts, w->path, data);
	case NAMES:
		return 0;
	}
	return EINVAL;
}

static void take(struct walk *w)
{
	struct content data;
	int error = read_one(w, &data);

	if (error == EFBIG)
		leave_out(w->c, w->path, facts_reason(error));
	if (!error && !fnmatch("sys/bus/pci/devices/*/config", w->path, FNM_PATHNAME) && data.size > CONFIG_HEADER)
		w->c->short_config = false;
	if (!error)
		error = add_entry(w->c, w->path, data, w->kind == LINKS);
	if (!error)
		w->taken++;
	else if (!w->error && error != EISDIR)
		w->error = error;
}

static void walk(struct walk *w, size_t length, const char *rest);

/* Of the path's first `length` characters, and whatever comes behind. */
static void descend(struct walk *w, size_t length, const char *name, size_t name_length, const char *rest)
{
	if (length + name_length + 2 > sizeof(w->path)) {
		leave_out(w->c, w->path, "what is in it has too long a name");
		return;
	}
	if (length)
		w->path[length++] = '/';
	memcpy(w->path + length, name, name_length);
	w->path[length + name_length] = 0;
	walk(w, length + name_length, rest);
}

static void walk_folder(struct walk *w, size_t length, const char *pattern, size_t pattern_length, const char *rest)
{
	char part[64];
	struct names names;
	int error = facts_list(w->facts, w->path, &names);

	if (error == ENOMEM)
		w->c->out_of_memory = true;
	if (error && !w->error)
		w->error = error;
	if (error)
		return;
	snprintf(part, sizeof(part), "%.*s", (int)pattern_length, pattern);
	for (size_t i = 0; i < names.count; i++) {
		w->path[length] = 0;
		if (!fnmatch(part, names.name[i], 0))
			descend(w, length, names.name[i], strlen(names.name[i]), rest);
	}
	names_free(&names);
}

/* The path has `length` characters so far, `rest` is still a pattern. As deep as the pattern is. */
static void walk(struct walk *w, size_t length, const char *rest)
{
	size_t n = strcspn(rest, "/");
	const char *behind = rest + n + (rest[n] == '/' ? 1 : 0);

	w->path[length] = 0;
	if (!n)
		take(w);
	else if (memchr(rest, '*', n))
		walk_folder(w, length, rest, n, behind);
	else
		descend(w, length, rest, n, behind);
}

/* Up to the part with the first star; `pattern` itself if it has none. */
static void fixed_part(const char *pattern, char path[PATH_SIZE])
{
	const char *star = strchr(pattern, '*');

	snprintf(path, PATH_SIZE, "%s", pattern);
	if (!star)
		return;
	path[star - pattern] = 0;
	*strrchr(path, '/') = 0;
}

static void gather_pattern(struct walk *w, const char *pattern)
{
	w->taken = 0;
	w->error = 0;
	walk(w, 0, pattern);
}

/* A file by its name, which is missed by it. */
static bool gather_file(struct collection *c, const struct facts *f, const char *path)
{
	struct walk w = { .c = c, .facts = f, .kind = FILES };

	gather_pattern(&w, path);
	if (!w.taken)
		add_missing_error(c, path, w.error ? w.error : EISDIR);
	return w.taken;
}

/* What lies behind stars is missed only if there is none of it, and by the folder. */
static void gather(struct collection *c, const struct facts *f, const struct wanted *wanted)
{
	struct walk w = { .c = c, .facts = f, .kind = wanted->kind };
	char pattern[256], first[PATH_SIZE] = "";
	size_t taken = 0;
	int error = 0;

	for (const char *name = wanted->names; *name; name += strspn(name, " ")) {
		size_t n = strcspn(name, " ");

		snprintf(pattern, sizeof(pattern), "%s/%.*s", wanted->folder, (int)n, name);
		name += n;
		if (!strchr(pattern, '*')) {
			gather_file(c, f, pattern);
			continue;
		}
		if (!*first)
			fixed_part(pattern, first);
		gather_pattern(&w, pattern);
		taken += w.taken;
		error = error ? error : w.error;
	}
	if (error && !taken && wanted->kind != LINKS && !collection_missing(c, first) && !collection_has(c, first))
		add_missing_error(c, first, error);
}

static void gather_log(struct collection *c, const struct facts *f)
{
	struct content data;
	int error = facts_read_log(f, &data);

	if (!error)
		error = add_entry(c, FACTS_LOG, data, false);
	if (error)
		add_missing_error(c, FACTS_LOG, error);
}

/* The package's file, else the kernel's own. */
static void gather_config(struct collection *c, const struct facts *f)
{
	char path[FACTS_RELEASE_SIZE + 16];

	snprintf(path, sizeof(path), "boot/config-%s", c->release);
	if (!*c->release || !gather_file(c, f, path))
		gather_file(c, f, "proc/config.gz");
}

static void remove_entry(struct collection *c, size_t i)
{
	c->size -= tar_entry_size(&c->entry[i]);
	free((char *)c->entry[i].path);
	free((char *)c->entry[i].data);
	memmove(&c->entry[i], &c->entry[i + 1], (c->count - i - 1) * sizeof(*c->entry));
	c->count--;
}

/* Zeros are worse than nothing. */
static void drop_zeros(struct collection *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!is_resources(c->entry[i].path) || resources_have_addresses(c->entry[i].data))
			continue;
		add_missing(c, c->entry[i].path, "shows no addresses", true);
		remove_entry(c, i--);
	}
}

static void add_manifest(struct collection *c)
{
	struct content data = { 0 };
	FILE *to = open_memstream(&data.data, &data.size);

	if (!to) {
		c->out_of_memory = true;
		return;
	}
	fprintf(to, "format 1\narch %s\nrelease %s\n", c->arch, *c->release ? c->release : "unknown");
	for (size_t i = 0; i < c->missing_count; i++)
		fprintf(to, "missing %s: %s\n", c->missing[i].path, c->missing[i].reason);
	if (fclose(to)) {
		c->out_of_memory = true;
		free(data.data);
		return;
	}
	add_entry(c, COLLECTION_MANIFEST, data, false);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct tar_entry *)a)->path, ((const struct tar_entry *)b)->path);
}

/* What the machine itself says of that. */
static const char *arch_of(const struct facts *f, const char *otherwise)
{
	const char *arch = NULL;
	struct content c;

	if (!facts_read(f, "proc/cpuinfo", &c))
		arch = cpuinfo_arch(c.data);
	free(c.data);
	return arch ? arch : otherwise;
}

bool collection_gather(struct collection *c, const struct facts *f, const char *arch)
{
	c->arch = arch_of(f, arch);
	c->short_config = true;
	facts_release(f, c->release);
	gather_config(c, f);
	gather_log(c, f);
	for (size_t i = 0; i < sizeof(everything) / sizeof(everything[0]); i++)
		gather(c, f, &everything[i]);
	drop_zeros(c);
	c->short_config = c->short_config && collection_has(c, "sys/bus/pci/devices");
	add_manifest(c);
	if (c->left_out > LEFT_OUT_SAID)
		fprintf(c->say, "left out: %zu more\n", c->left_out - LEFT_OUT_SAID);
	if (!c->out_of_memory)
		qsort(c->entry, c->count, sizeof(*c->entry), compare);
	return !c->out_of_memory;
}

void collection_free(struct collection *c)
{
	while (c->count)
		remove_entry(c, c->count - 1);
	free(c->entry);
	while (c->missing_count)
		free(c->missing[--c->missing_count].path);
	free(c->missing);
}

bool collection_has(const struct collection *c, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < c->count; i++)
		if (!strncmp(c->entry[i].path, path, length) && (!c->entry[i].path[length] || c->entry[i].path[length] == '/'))
			return true;
	return false;
}

const struct missing *collection_missing(const struct collection *c, const char *path)
{
	for (size_t i = 0; i < c->missing_count; i++)
		if (!strcmp(c->missing[i].path, path))
			return &c->missing[i];
	return NULL;
}
