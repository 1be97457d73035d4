// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the command that act on nothing, for test_guest_images.py:
 *
 *   kernel FILE			what kernel_parse() makes of it
 *   tree CELL SYSTEM OUT [-d FILE] [-c WORDS] [-i ADDRESS SIZE]
 *   place CELL SYSTEM SIZE	where a region of so many bytes would go
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_place.h"
#include "tree.h"

struct file {
	void *data;
	size_t size;
};

/* As long as the file, for AddressSanitizer. */
static struct file file_get(const char *path)
{
	FILE *stream = fopen(path, "rb");
	struct file f = { 0 };

	if (!stream)
		exit(2);
	fseek(stream, 0, SEEK_END);
	f.size = (size_t)ftell(stream);
	rewind(stream);
	f.data = malloc(f.size);
	if (f.size && (!f.data || fread(f.data, 1, f.size, stream) != f.size))
		exit(2);
	fclose(stream);
	return f;
}

static struct config parsed(const struct file *f, uint8_t kind)
{
	struct config config;
	struct why why = { "" };

	if (config_parse(f->data, f->size, ABI_ARCH_ARM64, kind, &config, &why) != OK) {
		puts(why.text);
		exit(2);
	}
	return config;
}

static void kernel(const char *path)
{
	char problem[PROBLEM_SIZE];
	struct file f = file_get(path);
	struct kernel k;

	if (kernel_parse(f.data, f.size, &k, problem))
		printf("%" PRIu64 " %" PRIu64 "\n", k.offset, k.memory);
	else
		puts(problem);
	free(f.data);
}

static void tree(struct tree_wish *wish, const char *out, int count, char **words)
{
	char problem[PROBLEM_SIZE];
	struct file user = { 0 };
	struct tree made;
	FILE *stream;

	for (int i = 0; i + 1 < count; i += 2) {
		if (!strcmp(words[i], "-d")) {
			user = file_get(words[i + 1]);
			wish->user = user.data;
			wish->user_size = user.size;
		} else if (!strcmp(words[i], "-c")) {
			wish->bootargs = words[i + 1];
		} else {
			wish->initrd = strtoull(words[i + 1], NULL, 0);
			wish->initrd_size = strtoull(words[i + 2], NULL, 0);
			i++;
		}
	}
	if (tree_make(wish, &made, problem)) {
		stream = fopen(out, "wb");
		if (!stream || fwrite(made.bytes, 1, made.size, stream) != made.size || fclose(stream))
			exit(2);
		puts(made.note);
		free(made.bytes);
	} else {
		printf("refused: %s\n", problem);
	}
	free(user.data);
}

int main(int count, char **words)
{
	struct tree_wish wish = { 0 };
	struct config cell, system;
	struct file files[2];

	if (count == 3 && !strcmp(words[1], "kernel")) {
		kernel(words[2]);
		return 0;
	}
	if (count < 5)
		return 2;
	files[0] = file_get(words[2]);
	files[1] = file_get(words[3]);
	cell = parsed(&files[0], ABI_KIND_CELL);
	system = parsed(&files[1], ABI_KIND_SYSTEM);
	wish.cell = &cell;
	wish.system = &system;
	if (!strcmp(words[1], "tree"))
		tree(&wish, words[4], count - 5, words + 5);
	else
		printf("%#" PRIx64 "\n", place_region(&cell, &system, strtoull(words[4], NULL, 0)));
	free(files[0].data);
	free(files[1].data);
	return 0;
}
