// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_elf.h"

struct file {
	const unsigned char *data;
	size_t size;
	Elf64_Ehdr header;	/* of 32 bits: what it says, in this form */
	bool narrow;
	char *problem;
};

static const struct machine {
	const char *name;
	Elf64_Half number;
	bool narrow;		/* ELF32 */
} machines[] = {
	{ "aarch64", EM_AARCH64, false },
	{ "x86_64", EM_X86_64, false },
	{ "i386", EM_386, true },
};

bool elf_is(const void *data, size_t size)
{
	return size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

static const struct machine *find_machine(const char *name)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (!strcmp(name, machines[i].name))
			return &machines[i];
	return NULL;
}

static void read_narrow(struct file *f)
{
	Elf32_Ehdr h;

	memcpy(&h, f->data, sizeof(h));
	memcpy(f->header.e_ident, h.e_ident, sizeof(h.e_ident));
	f->header.e_type = h.e_type;
	f->header.e_machine = h.e_machine;
	f->header.e_entry = h.e_entry;
	f->header.e_phoff = h.e_phoff;
	f->header.e_phentsize = h.e_phentsize;
	f->header.e_phnum = h.e_phnum;
}

static size_t program_header_size(const struct file *f)
{
	return f->narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

static bool check_header(struct file *f, const char *machine)
{
	const struct machine *m = find_machine(machine);
	const Elf64_Ehdr *h = &f->header;

	f->narrow = m && m->narrow;
	if (f->size < (f->narrow ? sizeof(Elf32_Ehdr) : sizeof(*h)))
		return problem_say(f->problem, "ends within the ELF header");
	if (f->narrow)
		read_narrow(f);
	else
		memcpy(&f->header, f->data, sizeof(*h));
	if (h->e_ident[EI_CLASS] != (f->narrow ? ELFCLASS32 : ELFCLASS64) || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return problem_say(f->problem, "is no little-endian ELF file of %d bits", f->narrow ? 32 : 64);
	if (!m || h->e_machine != m->number)
		return problem_say(f->problem, "is for another machine (ELF machine number %u) than this %s", h->e_machine, machine);
	if (h->e_type != ET_EXEC)
		return problem_say(f->problem, "has no addresses of its own (ELF type %u): link it as an executable, "
			      "not position independent", h->e_type);
	if (h->e_phentsize != program_header_size(f) || h->e_phnum == PN_XNUM)
		return problem_say(f->problem, "has program headers that are not those of ELF%d", f->narrow ? 32 : 64);
	if (h->e_phoff > f->size || h->e_phnum > (f->size - h->e_phoff) / program_header_size(f))
		return problem_say(f->problem, "ends before its program headers do");
	return true;
}

static Elf64_Phdr program_header(const struct file *f, unsigned n)
{
	const unsigned char *at = f->data + f->header.e_phoff + n * program_header_size(f);
	Elf64_Phdr p = { 0 };
	Elf32_Phdr q;

	if (!f->narrow) {
		memcpy(&p, at, sizeof(p));
		return p;
	}
	memcpy(&q, at, sizeof(q));
	p.p_type = q.p_type;
	p.p_flags = q.p_flags;
	p.p_offset = q.p_offset;
	p.p_vaddr = q.p_vaddr;
	p.p_paddr = q.p_paddr;
	p.p_filesz = q.p_filesz;
	p.p_memsz = q.p_memsz;
	return p;
}

static bool check_segment(const struct file *f, const Elf64_Phdr *p, unsigned n)
{
	if (p->p_filesz > p->p_memsz)
		return problem_say(f->problem, "segment %u has more bytes in the file than in memory", n);
	if (p->p_offset > f->size || p->p_filesz > f->size - p->p_offset)
		return problem_say(f->problem, "ends before its segment %u does", n);
	if (p->p_paddr > UINT64_MAX - (p->p_memsz - 1) || p->p_vaddr > UINT64_MAX - (p->p_memsz - 1))
		return problem_say(f->problem, "segment %u reaches past the last address there is", n);
	return true;
}

static bool add(const struct file *f, struct elf *elf, const Elf64_Phdr *p)
{
	struct elf_segment new = { p->p_paddr, p->p_memsz, p->p_offset, p->p_filesz };

	for (unsigned i = 0; i < elf->count; i++) {
		const struct elf_segment *old = &elf->segment[i];

		if (ranges_overlap(new.address, new.memory, old->address, old->memory))
			return problem_say(f->problem, "two of its segments share memory, at 0x%llx",
				      (unsigned long long)(new.address > old->address ? new.address : old->address));
	}
	elf->segment[elf->count++] = new;
	return true;
}

/* The entry is a virtual address: its segment says where that is. */
static bool find_entry(const struct file *f, struct elf *elf)
{
	for (unsigned n = 0; n < f->header.e_phnum; n++) {
		Elf64_Phdr p = program_header(f, n);

		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X) || f->header.e_entry < p.p_vaddr ||
		    f->header.e_entry - p.p_vaddr >= p.p_memsz)
			continue;
		elf->entry = p.p_paddr + (f->header.e_entry - p.p_vaddr);
		return true;
	}
	return problem_say(f->problem, "its entry 0x%llx is in none of its executable segments",
		      (unsigned long long)f->header.e_entry);
}

static bool take_segments(const struct file *f, struct elf *elf)
{
	for (unsigned n = 0; n < f->header.e_phnum; n++) {
		Elf64_Phdr p = program_header(f, n);

		if (p.p_type == PT_INTERP || p.p_type == PT_DYNAMIC)
			return problem_say(f->problem, "wants a dynamic linker: link it statically");
		if (p.p_type == PT_LOAD && p.p_memsz && (!check_segment(f, &p, n) || !add(f, elf, &p)))
			return false;
	}
	if (!elf->count)
		return problem_say(f->problem, "has nothing to load: no PT_LOAD segment");
	return find_entry(f, elf);
}

struct elf *elf_parse(const void *data, size_t size, const char *machine, char problem[PROBLEM_SIZE])
{
	struct file f = { .data = data, .size = size, .problem = problem };
	struct elf *elf;

	problem[0] = '\0';
	if (!check_header(&f, machine))
		return NULL;
	elf = calloc(1, sizeof(*elf) + f.header.e_phnum * sizeof(elf->segment[0]));
	if (elf && !take_segments(&f, elf)) {
		free(elf);
		elf = NULL;
	}
	return elf;
}
