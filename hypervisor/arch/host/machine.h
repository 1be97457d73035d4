/* SPDX-License-Identifier: GPL-2.0-only */
/* The model's insides: the one object all its state lies in. */
#ifndef ARCH_HOST_MACHINE_H
#define ARCH_HOST_MACHINE_H

#include "arch/host/host.h"

#define HOST_CACHED 2048

/* One entry a CPU has read and keeps, leaf or table. */
struct host_cached {
	struct span span;		/* input addresses it is good for */
	const struct paging_format *format;
	const uint64_t *entry;		/* where it was read */
	uint64_t value;
	struct pool *pool;		/* the table's, if it is one */
	uint64_t *table;		/* NULL: a leaf */
	unsigned level;
	uint16_t tag;
	bool hypervisor;
};

struct host_cpu {
	struct host_cached cached[HOST_CACHED];
	unsigned count;
	unsigned oldest;		/* once full, replaced next */
};

struct host_machine {
	struct host_cpu cpu[HOST_CPUS];
	char complaint[240];
	unsigned flushes;
	void (*step)(void *arg);
	void *step_arg;

	jmp_buf bug_catch;
	bool bug_armed;
	bool bug_hit;
	char bug_text[240];
};

struct host_machine *host_machine(void);
void host_complain(const char *format, ...) PRINTF_LIKE(1, 2);
void host_step(void);

#endif
