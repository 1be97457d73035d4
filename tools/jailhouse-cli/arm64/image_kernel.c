// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "image_kernel.h"

/* Little-endian, as the machines are that this is for */
struct header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	char magic[4];
	uint32_t pe;
};

_Static_assert(offsetof(struct header, magic) == 0x38 && sizeof(struct header) == 64, "booting.rst 4");

static const char magic[4] = "ARM\x64";

/* Kernels before 3.17 say neither size nor where they want to be */
#define OLD_TEXT_OFFSET 0x80000
/* No kernel is larger; keeps sums small */
#define MEMORY_LIMIT (1ull << 40)

static const struct disguise disguises[] = {
	{ 4, "zimg", "is a kernel that EFI unpacks (vmlinuz.efi): take arch/arm64/boot/Image" },
	{ 0, "\x7f" "ELF", "is an ELF file (vmlinux): take arch/arm64/boot/Image" },
};

bool kernel_is(const void *data, size_t size)
{
	return size >= sizeof(struct header) &&
	       !memcmp((const char *)data + offsetof(struct header, magic), magic, sizeof(magic));
}

static const char *why_none(const void *data, size_t size)
{
	const char *words = disguise_words(data, size, disguises, sizeof(disguises) / sizeof(disguises[0]));

	return words ? words : "is no kernel image for arm64: no \"ARM\\x64\" at 0x38";
}

bool kernel_parse(const void *data, size_t size, struct kernel *kernel, char problem[PROBLEM_SIZE])
{
	struct header h;

	if (!kernel_is(data, size)) {
		snprintf(problem, PROBLEM_SIZE, "%s", why_none(data, size));
		return false;
	}
	memcpy(&h, data, sizeof(h));
	if (!h.image_size)
		h.text_offset = OLD_TEXT_OFFSET;
	if (h.text_offset >= KERNEL_ALIGN || h.image_size > MEMORY_LIMIT) {
		snprintf(problem, PROBLEM_SIZE, "its header says text_offset 0x%llx, image_size 0x%llx: it is damaged",
			 (unsigned long long)h.text_offset, (unsigned long long)h.image_size);
		return false;
	}
	kernel->offset = h.text_offset;
	kernel->memory = h.image_size > size ? h.image_size : size;
	return true;
}
