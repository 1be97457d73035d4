// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "image_bzimage.h"

/* boot.rst, "Details of header fields" */
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define JUMP_SIZE 0x201
#define MAGIC 0x202
#define VERSION 0x206
#define LOADFLAGS 0x211
#define INITRD_ADDR_MAX 0x22c
#define KERNEL_ALIGNMENT 0x230
#define CMDLINE_SIZE 0x238
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
/* Of protocol 2.10, which is the first to say how much memory it takes */
#define HEADER_END 0x264
#define VERSION_NEEDED 0x20a

#define SECTOR 512
#define SETUP_SECTS_DEFAULT 4
#define SYSSIZE_UNIT 16
#define LOADED_HIGH 1
#define HIGH 0x100000
#define ADDRESS_END (1ull << 32)

static const char magic[4] = "HdrS";

static const struct disguise disguises[] = {
	{ 0x38, "ARM\x64", "is a kernel for arm64" },
	{ 0, "\x7f" "ELF", "is an ELF file (vmlinux): take arch/x86/boot/bzImage" },
};

bool bzimage_is(const void *data, size_t size)
{
	return size >= HEADER_END && !memcmp((const char *)data + MAGIC, magic, sizeof(magic));
}

static const char *why_none(const void *data, size_t size)
{
	const char *words = disguise_words(data, size, disguises, sizeof(disguises) / sizeof(disguises[0]));

	return words ? words : "is no kernel image for x86: no \"HdrS\" at 0x202";
}

static bool check_kind(const uint8_t *file, char *problem)
{
	unsigned version = get16(file + VERSION);

	if (version < VERSION_NEEDED)
		return problem_say(problem, "speaks boot protocol %u.%02u: a kernel from 2.6.31 on speaks 2.10, which is needed",
			      version >> 8, version & 0xff);
	if (!(file[LOADFLAGS] & LOADED_HIGH))
		return problem_say(problem, "is a zImage, for the memory below 1 MiB: take a bzImage");
	return true;
}

/* Where it runs in the end is pref_address, or above: it moves there if it was not put there. */
static bool take_places(const uint8_t *file, struct bzimage *image, char *problem)
{
	uint64_t alignment = get32(file + KERNEL_ALIGNMENT);

	image->address = get64(file + PREF_ADDRESS);
	image->memory = get32(file + INIT_SIZE);
	if (image->memory < image->code_size)
		image->memory = image->code_size;
	if (image->address < HIGH || image->address >= ADDRESS_END || image->memory > ADDRESS_END - image->address ||
	    !alignment || image->address % alignment)
		return problem_say(problem, "its header says pref_address 0x%llx, kernel_alignment 0x%llx, init_size 0x%llx: it is damaged",
			      (unsigned long long)image->address, (unsigned long long)alignment,
			      (unsigned long long)image->memory);
	return true;
}

static bool take_code(const uint8_t *file, size_t size, struct bzimage *image, char *problem)
{
	size_t sectors = file[SETUP_SECTS] ? file[SETUP_SECTS] : SETUP_SECTS_DEFAULT;
	size_t setup = (sectors + 1) * SECTOR;
	uint64_t wanted = (uint64_t)get32(file + SYSSIZE) * SYSSIZE_UNIT;

	/* syssize is rounded up */
	if (size <= setup || wanted >= size - setup + SYSSIZE_UNIT)
		return problem_say(problem, "is damaged, or was cut: %zu bytes, of which its header wants %llu", size,
			      (unsigned long long)(setup + wanted));
	image->code = file + setup;
	image->code_size = size - setup;
	image->header = file + BZIMAGE_HEADER;
	image->header_size = MAGIC + (size_t)file[JUMP_SIZE] - BZIMAGE_HEADER;
	if (image->header_size > size - BZIMAGE_HEADER || image->header_size < HEADER_END - BZIMAGE_HEADER)
		return problem_say(problem, "its header says that it ends at 0x%zx: it is damaged",
			      BZIMAGE_HEADER + image->header_size);
	return true;
}

bool bzimage_parse(const void *data, size_t size, struct bzimage *image, char problem[PROBLEM_SIZE])
{
	const uint8_t *file = data;

	if (!bzimage_is(data, size))
		return problem_say(problem, "%s", why_none(data, size));
	if (!check_kind(file, problem) || !take_code(file, size, image, problem) || !take_places(file, image, problem))
		return false;
	image->initrd_end = (uint64_t)get32(file + INITRD_ADDR_MAX) + 1;
	image->cmdline_size = get32(file + CMDLINE_SIZE);
	return true;
}
