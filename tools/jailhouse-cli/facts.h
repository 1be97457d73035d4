/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine shows of itself: files below its root, or below a folder that holds a copy of them. */
#ifndef JAILHOUSE_CLI_FACTS_H
#define JAILHOUSE_CLI_FACTS_H

#include <stdbool.h>
#include <stddef.h>

/* Of one file: what is larger is not read. */
#define FACTS_FILE_MAX ((size_t)4 << 20)

/* The kernel log, where it is a file */
#define FACTS_LOG "dmesg.txt"

struct facts {
	int root;		/* an open folder */
	bool live;		/* this machine, not a copy */
};

/* Whoever got it frees `data`, behind whose `size` bytes a NUL stands. */
struct content {
	char *data;
	size_t size;
};

struct names {
	char **name;		/* sorted */
	size_t count;
};

/* Paths are relative to the root. All return 0 or an errno; EFBIG: larger than FACTS_FILE_MAX. */

/* NULL or "/": this machine. To be closed by facts_close(). */
int facts_open(struct facts *f, const char *folder);
void facts_close(struct facts *f);

/* Links are followed, but never out of a copy: absolute ones begin at its root. */
int facts_open_file(const struct facts *f, const char *path, int *fd);
/* From here to its end, which the caller closes. */
int facts_read_from(int fd, struct content *c);
int facts_read(const struct facts *f, const char *path, struct content *c);
/* What the link itself says. */
int facts_read_link(const struct facts *f, const char *path, struct content *c);
/* Without those that begin with a dot. To be freed by names_free(). */
int facts_list(const struct facts *f, const char *path, struct names *n);
void names_free(struct names *n);
/* Of this machine from the kernel, else FACTS_LOG. */
int facts_read_log(const struct facts *f, struct content *c);

/* An errno of these in words. */
const char *facts_reason(int error);

/* Of the kernel, as /proc/version or else facts/manifest has it; empty: not known, or nothing that can be in a file's name. */
#define FACTS_RELEASE_SIZE 128
void facts_release(const struct facts *f, char release[FACTS_RELEASE_SIZE]);

/* kernel_config.c: the kernel's options as a text to be freed; NULL if they cannot be read. */
char *kernel_config_read(const struct facts *f, const char *release);

#endif
