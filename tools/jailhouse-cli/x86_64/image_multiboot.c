// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "image_multiboot.h"

/* 3.1 */
#define MAGIC 0x1badb002
#define SEARCHED 8192
#define ALIGN 4
#define HEADER_SIZE 12
#define HEADER_SIZE_ADDRESSES 32
#define FLAG_ALIGN (1u << 0)		/* of modules, of which there are none */
#define FLAG_MEMORY (1u << 1)
#define FLAG_VIDEO (1u << 2)
#define FLAG_ADDRESSES (1u << 16)
#define FLAGS_REQUIRED 0xffffu

struct header {
	size_t at;		/* in the file */
	uint32_t flags;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

static const uint8_t *find(const uint8_t *file, size_t size)
{
	size_t searched = size < SEARCHED ? size : SEARCHED;

	for (size_t at = 0; at + HEADER_SIZE <= searched; at += ALIGN)
		if (get32(file + at) == MAGIC && !(uint32_t)(MAGIC + get32(file + at + 4) + get32(file + at + 8)))
			return file + at;
	return NULL;
}

bool multiboot_is(const void *data, size_t size)
{
	return find(data, size);
}

static bool read_header(const uint8_t *file, size_t size, struct header *h, char *problem)
{
	const uint8_t *at = find(file, size);

	*h = (struct header){ .at = (size_t)(at - file), .flags = get32(at + 4) };
	if (h->flags & FLAGS_REQUIRED & ~(FLAG_ALIGN | FLAG_MEMORY))
		return problem_say(problem, "its Multiboot header wants what no cell has%s (flags 0x%x)",
			      h->flags & FLAG_VIDEO ? ", a video mode" : "", h->flags);
	if (!(h->flags & FLAG_ADDRESSES))
		return true;
	if (size - h->at < HEADER_SIZE_ADDRESSES)
		return problem_say(problem, "ends within its Multiboot header");
	h->header_addr = get32(at + 12);
	h->load_addr = get32(at + 16);
	h->load_end_addr = get32(at + 20);
	h->bss_end_addr = get32(at + 24);
	h->entry_addr = get32(at + 28);
	return true;
}

/* 3.1.3 */
static bool take_addresses(const struct header *h, size_t size, struct elf *elf, char *problem)
{
	struct elf_segment *s = &elf->segment[0];
	uint64_t end = h->load_end_addr;

	if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > h->at)
		return problem_say(problem, "its Multiboot header says that it is at 0x%x of what is loaded to 0x%x: it is damaged",
			      h->header_addr, h->load_addr);
	s->address = h->load_addr;
	s->offset = h->at - (h->header_addr - h->load_addr);
	if (!end)
		end = s->address + (size - s->offset);
	s->size = end - s->address;
	if (end <= s->address || s->size > size - s->offset)
		return problem_say(problem, "ends before what its Multiboot header says is loaded (load_end_addr 0x%llx)",
			      (unsigned long long)end);
	s->memory = h->bss_end_addr > end ? h->bss_end_addr - s->address : s->size;
	elf->entry = h->entry_addr;
	elf->count = 1;
	return true;
}

static struct elf *parse_addresses(const struct header *h, size_t size, char *problem)
{
	struct elf *elf = calloc(1, sizeof(*elf) + sizeof(elf->segment[0]));

	if (elf && !take_addresses(h, size, elf, problem)) {
		free(elf);
		elf = NULL;
	}
	return elf;
}

struct elf *multiboot_parse(const void *data, size_t size, char problem[PROBLEM_SIZE])
{
	const uint8_t *file = data;
	struct header h;

	problem[0] = '\0';
	if (!read_header(file, size, &h, problem))
		return NULL;
	if (h.flags & FLAG_ADDRESSES)
		return parse_addresses(&h, size, problem);
	if (!elf_is(data, size)) {
		problem_say(problem, "its Multiboot header has no addresses, and it is no ELF file: nothing says where it goes");
		return NULL;
	}
	return elf_parse(data, size, size > EI_CLASS && file[EI_CLASS] == ELFCLASS32 ? "i386" : "x86_64", problem);
}
