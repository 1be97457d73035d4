// SPDX-License-Identifier: GPL-2.0-only
/* elf_harness MACHINE FILE: what elf_parse() makes of the file, for test_elf.py. */
#include <stdio.h>
#include <stdlib.h>

#include "image_elf.h"

int main(int argc, char **argv)
{
	char problem[PROBLEM_SIZE];
	FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
	struct elf *elf;
	size_t size;
	char *data;

	if (!file)
		return 2;
	/* as long as the file, for AddressSanitizer */
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	data = malloc(size);
	if (!data || fread(data, 1, size, file) != size)
		return 2;
	fclose(file);
	elf = elf_is(data, size) ? elf_parse(data, size, argv[1], problem) : NULL;
	if (!elf)
		puts(elf_is(data, size) ? problem : "raw");
	else
		printf("entry %#llx\n", (unsigned long long)elf->entry);
	for (unsigned i = 0; elf && i < elf->count; i++)
		printf("%#llx %#llx %#llx %#llx\n", (unsigned long long)elf->segment[i].address,
		       (unsigned long long)elf->segment[i].memory, (unsigned long long)elf->segment[i].offset,
		       (unsigned long long)elf->segment[i].size);
	free(elf);
	free(data);
	return 0;
}
