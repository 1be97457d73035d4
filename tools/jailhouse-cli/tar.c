// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "tar.h"

/* 2000-01-01, as some extractors doubt 0 */
#define MTIME 946684800ull

/* GNU's entries that hold the name or the link of the one behind them, where ustar's fields are too short */
#define LONG_ENTRY "././@LongLink"
#define LONG_NAME 'L'
#define LONG_LINK 'K'

/* POSIX.1-2017 pax, "ustar Interchange Format" */
struct header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char uname[32], gname[32];
	char devmajor[8], devminor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a block");

static void octal(char *field, size_t size, unsigned long long value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%0*llo", (int)size - 1, value);
	memcpy(field, digits, size);
}

/* All that fits; a field that is full has no NUL. */
static void field(char *to, size_t size, const char *text, size_t length)
{
	memcpy(to, text, length < size ? length : size);
}

#define SIZE_OF(field) sizeof(((struct header *)0)->field)

/* Where the path is divided at a '/' into prefix and name; NULL: nowhere, or it need not be. */
static const char *division(const char *path)
{
	size_t length = strlen(path);
	const char *at = length > SIZE_OF(name) ? strchr(path + length - SIZE_OF(name) - 1, '/') : NULL;

	return at && at > path && (size_t)(at - path) <= SIZE_OF(prefix) ? at : NULL;
}

static bool name_is_long(const char *path)
{
	return strlen(path) > SIZE_OF(name) && !division(path);
}

static bool link_is_long(const char *link)
{
	return link && strlen(link) > SIZE_OF(link);
}

static void set_name(struct header *h, const char *path)
{
	const char *at = division(path);

	if (at)
		field(h->prefix, sizeof(h->prefix), path, (size_t)(at - path));
	path = at ? at + 1 : path;
	field(h->name, sizeof(h->name), path, strlen(path));
}

static void set_sum(struct header *h)
{
	const unsigned char *bytes = (const void *)h;
	unsigned sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	/* six digits, NUL and the blank that is there */
	octal(h->sum, sizeof(h->sum) - 1, sum);
}

static bool put_header(FILE *to, const char *path, const char *link, size_t size, char type)
{
	struct header h = { .magic = "ustar", .version = { '0', '0' }, .type = type };

	set_name(&h, path);
	octal(h.mode, sizeof(h.mode), link ? 0777 : 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), size);
	octal(h.mtime, sizeof(h.mtime), MTIME);
	octal(h.devmajor, sizeof(h.devmajor), 0);
	octal(h.devminor, sizeof(h.devminor), 0);
	if (link)
		field(h.link, sizeof(h.link), link, strlen(link));
	set_sum(&h);
	return fwrite(&h, sizeof(h), 1, to) == 1;
}

static size_t padded(size_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static bool put_data(FILE *to, const void *data, size_t size)
{
	static const char zero[TAR_BLOCK];
	size_t rest = padded(size) - size;

	return (!size || fwrite(data, size, 1, to) == 1) && (!rest || fwrite(zero, rest, 1, to) == 1);
}

static bool put_long(FILE *to, const char *text, char type)
{
	return put_header(to, LONG_ENTRY, NULL, strlen(text) + 1, type) && put_data(to, text, strlen(text) + 1);
}

size_t tar_entry_size(const struct tar_entry *e)
{
	return TAR_BLOCK + padded(e->size) + (name_is_long(e->path) ? TAR_BLOCK + padded(strlen(e->path) + 1) : 0) +
	       (link_is_long(e->link) ? TAR_BLOCK + padded(strlen(e->link) + 1) : 0);
}

bool tar_put(FILE *to, const struct tar_entry *e)
{
	return (!name_is_long(e->path) || put_long(to, e->path, LONG_NAME)) &&
	       (!link_is_long(e->link) || put_long(to, e->link, LONG_LINK)) &&
	       put_header(to, e->path, e->link, e->size, e->link ? '2' : '0') && put_data(to, e->data, e->size);
}

/* Two empty blocks. */
bool tar_end(FILE *to)
{
	static const char zero[2 * TAR_BLOCK];

	return fwrite(zero, sizeof(zero), 1, to) == 1;
}
