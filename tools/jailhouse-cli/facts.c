// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facts.h"
#include "kernel_text.h"

#define CHUNK 65536

/* klogctl(2) */
#define LOG_READ_ALL 3
#define LOG_SIZE 10

int facts_open(struct facts *f, const char *folder)
{
	f->live = !folder || !strcmp(folder, "/");
	f->root = open(folder ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->root < 0 ? errno : 0;
}

void facts_close(struct facts *f)
{
	close(f->root);
}

/* A copy may be anybody's: no link of it leads to files of this machine. */
static int open_below(const struct facts *f, const char *path, int flags, int *fd)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	*fd = f->live ? openat(f->root, path, flags | O_CLOEXEC)
		      : (int)syscall(SYS_openat2, f->root, path, &how, sizeof(how));
	return *fd < 0 ? errno : 0;
}

/* Nobody waits at the other end of a FIFO, and a device is no fact. */
int facts_open_file(const struct facts *f, const char *path, int *fd)
{
	int error = open_below(f, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, fd);
	struct stat info;

	if (error)
		return error;
	if (fstat(*fd, &info))
		error = errno;
	else if (S_ISDIR(info.st_mode))
		error = EISDIR;
	else if (!S_ISREG(info.st_mode))
		error = ENODEV;
	if (error)
		close(*fd);
	return error;
}

static int grow(struct content *c, size_t *room)
{
	char *more;

	*room = *room * 2 + CHUNK;
	more = realloc(c->data, *room + 1);
	if (!more)
		return ENOMEM;
	c->data = more;
	return 0;
}

static int drop(struct content *c, int error)
{
	free(c->data);
	*c = (struct content){ 0 };
	return error;
}

/* Files of /proc and /sys do not know their size. */
int facts_read_from(int fd, struct content *c)
{
	size_t room = 0;
	char *fitting;
	ssize_t n = 1;

	*c = (struct content){ 0 };
	while (n) {
		if (c->size == room && grow(c, &room))
			return drop(c, ENOMEM);
		n = read(fd, c->data + c->size, room - c->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return drop(c, errno);
		c->size += (size_t)n;
		if (c->size > FACTS_FILE_MAX)
			return drop(c, EFBIG);
	}
	/* most are small, and there can be many */
	fitting = realloc(c->data, c->size + 1);
	c->data = fitting ? fitting : c->data;
	c->data[c->size] = 0;
	return 0;
}

int facts_read(const struct facts *f, const char *path, struct content *c)
{
	int fd, error = facts_open_file(f, path, &fd);

	*c = (struct content){ 0 };
	if (error)
		return error;
	error = facts_read_from(fd, c);
	close(fd);
	return error;
}

static int read_link_at(int folder, const char *name, struct content *c)
{
	char text[4096];
	ssize_t n = readlinkat(folder, name, text, sizeof(text));

	if (n < 0)
		return errno;
	if ((size_t)n == sizeof(text))
		return ENAMETOOLONG;
	c->data = strndup(text, (size_t)n);
	if (!c->data)
		return ENOMEM;
	c->size = strlen(c->data);
	return 0;
}

int facts_read_link(const struct facts *f, const char *path, struct content *c)
{
	const char *name = strrchr(path, '/');
	char *folder = name ? strndup(path, (size_t)(name - path)) : strdup(".");
	int fd, error;

	*c = (struct content){ 0 };
	if (!folder)
		return ENOMEM;
	error = open_below(f, folder, O_PATH | O_DIRECTORY, &fd);
	free(folder);
	if (error)
		return error;
	error = read_link_at(fd, name ? name + 1 : path, c);
	close(fd);
	return error;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct names *n, const char *name)
{
	char **more;

	/* doubled whenever it is a power of two */
	if (!(n->count & (n->count - 1))) {
		more = realloc(n->name, (n->count ? n->count * 2 : 1) * sizeof(*more));
		if (!more)
			return ENOMEM;
		n->name = more;
	}
	n->name[n->count] = strdup(name);
	return n->name[n->count++] ? 0 : ENOMEM;
}

static int read_names(DIR *folder, struct names *n)
{
	struct dirent *entry;
	int error = 0;

	while (!error) {
		errno = 0;
		entry = readdir(folder);
		if (!entry)
			return errno;
		if (entry->d_name[0] != '.')
			error = add_name(n, entry->d_name);
	}
	return error;
}

int facts_list(const struct facts *f, const char *path, struct names *n)
{
	int fd, error = open_below(f, path, O_RDONLY | O_DIRECTORY, &fd);
	DIR *folder;

	*n = (struct names){ 0 };
	if (error)
		return error;
	folder = fdopendir(fd);
	if (!folder) {
		error = errno;
		close(fd);
		return error;
	}
	error = read_names(folder, n);
	closedir(folder);
	if (error)
		names_free(n);
	else if (n->count)
		qsort(n->name, n->count, sizeof(*n->name), compare);
	return error;
}

void names_free(struct names *n)
{
	while (n->count)
		free(n->name[--n->count]);
	free(n->name);
	*n = (struct names){ 0 };
}

static int read_kernel_log(struct content *c)
{
	int size = klogctl(LOG_SIZE, NULL, 0);
	int n;

	if (size < 0)
		return errno;
	if ((size_t)size > FACTS_FILE_MAX)
		size = (int)FACTS_FILE_MAX;
	c->data = malloc((size_t)size + 1);
	if (!c->data)
		return ENOMEM;
	n = klogctl(LOG_READ_ALL, c->data, size);
	if (n < 0)
		return drop(c, errno);
	c->data[n] = 0;
	c->size = (size_t)n;
	return 0;
}

int facts_read_log(const struct facts *f, struct content *c)
{
	*c = (struct content){ 0 };
	return f->live ? read_kernel_log(c) : facts_read(f, FACTS_LOG, c);
}

const char *facts_reason(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "is not there";
	case EACCES:
	case EPERM:
		return "must not be read";
	case EFBIG:
		return "is larger than 4 MiB";
	case ENOSPC:
		return "would make the whole larger than 64 MiB";
	case ENODEV:
	case EISDIR:
		return "is no regular file";
	default:
		return strerror(error);
	}
}

/* It becomes a part of a path. */
static bool is_file_name(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '/')
			return false;
	return *text && text[0] != '.';
}

void facts_release(const struct facts *f, char release[FACTS_RELEASE_SIZE])
{
	static const struct {
		const char *path, *before;
	} places[] = { { "proc/version", "Linux version " }, { "facts/manifest", "release " } };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct content c;

		if (facts_read(f, places[i].path, &c))
			continue;
		text_word_behind(c.data, places[i].before, release, FACTS_RELEASE_SIZE);
		free(c.data);
		if (is_file_name(release))
			return;
	}
	*release = 0;
}
