// SPDX-License-Identifier: GPL-2.0-only
/* text_harness WHAT [NAME [VALUE]] <TEXT: what kernel_text.c makes of the text, for test_hardware.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_text.h"

/* As long as the text, for AddressSanitizer. */
static char *text_read(void)
{
	char *room = malloc(65536), *text;
	size_t size = room ? fread(room, 1, 65535, stdin) : 0;

	text = malloc(size + 1);
	if (!room || !text)
		exit(2);
	memcpy(text, room, size);
	text[size] = 0;
	free(room);
	return text;
}

static void print_param(const char *text, const char *name)
{
	char value[16];
	bool found = param_find(text, name, value, sizeof(value));

	printf("%s\n", found ? value : "none");
}

static void print_choice(const char *text)
{
	char word[8];

	text_choice(text, word, sizeof(word));
	puts(word);
}

static void print_word(const char *text, const char *before)
{
	char word[16];

	text_word_behind(text, before, word, sizeof(word));
	puts(word);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : "", *value = argc > 3 ? argv[3] : "";
	char *text = text_read();

	if (!strcmp(what, "param"))
		print_param(text, name);
	else if (!strcmp(what, "has"))
		printf("%d\n", param_has(text, name, value));
	else if (!strcmp(what, "true"))
		printf("%d\n", param_true(text, name));
	else if (!strcmp(what, "memmap"))
		printf("%" PRIu64 "\n", param_memmap_reserved(text));
	else if (!strcmp(what, "mem"))
		printf("%" PRIu64 "\n", param_mem(text));
	else if (!strcmp(what, "option"))
		printf("%c\n", config_option(text, name));
	else if (!strcmp(what, "cpus"))
		printf("%u\n", cpu_list_count(text));
	else if (!strcmp(what, "release"))
		printf("%u\n", release_number(text));
	else if (!strcmp(what, "flag"))
		printf("%d\n", cpuinfo_flag(text, name));
	else if (!strcmp(what, "arch"))
		puts(cpuinfo_arch(text) ? cpuinfo_arch(text) : "none");
	else if (!strcmp(what, "addresses"))
		printf("%d\n", resources_have_addresses(text));
	else if (!strcmp(what, "module"))
		printf("%d\n", modules_has(text, name));
	else if (!strcmp(what, "choice"))
		print_choice(text);
	else if (!strcmp(what, "word"))
		print_word(text, name);
	else
		return 2;
	free(text);
	return 0;
}
