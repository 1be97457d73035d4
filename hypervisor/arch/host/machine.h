/* SPDX-License-Identifier: GPL-2.0-only */
/* The model's insides: the one object all its state lies in. */
#ifndef ARCH_HOST_MACHINE_H
#define ARCH_HOST_MACHINE_H

#include <pthread.h>
#include <time.h>

#include "arch/host/cpus.h"
#include "arch/host/host.h"
#include "arch/host/ram.h"

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

/* One CPU that runs core's code: a thread that runs only when it is told to. */
struct host_thread {
	pthread_t id;
	struct cpu *cpu;
	enum host_at at;		/* this and the next three under host_lock */
	bool go;
	bool end;
	bool kicked;
	unsigned pause_in;		/* calls into the architecture until it pauses; 0: never */
	jmp_buf base;			/* the start of its stack */
	void (*run)(struct cpu *self);	/* what it continues in there; NULL: the guest */
	void (*exit)(struct cpu *self, void *arg);
	void *exit_arg;
	bool quiet;			/* its guest's interrupts were silenced since it ran */
	unsigned starts;
	struct vcpu_start start;	/* the last one */
};

/* A piece of RAM as one CPU sees it: bytes reach RAM when they are cleaned, or late, on closing. */
struct host_window {
	uint8_t *bytes;			/* NULL: closed */
	uint8_t *before;
	hpa_t at;
	uint64_t size;
};

struct host_ram {
	uint8_t *memory;		/* as allocated */
	uint8_t *bytes;			/* of the first page */
	uint8_t *dirty;			/* by page: the hypervisor's writes lie in a cache */
	uint32_t *cleaned;		/* by page: checksum when cleaned in place */
	struct span span;		/* host-physical */
	struct span hypervisor;		/* the part no window may show */
};

struct host_machine {
	struct host_cpu cpu[HOST_CPUS];
	struct host_thread thread[HOST_CPUS];
	unsigned threads;
	pthread_cond_t stopped;
	pthread_cond_t going;
	struct host_window window[HOST_CPUS];
	struct host_ram ram;
	char complaint[240];
	unsigned flushes;
	uint64_t now;			/* atomic */
	void (*step)(void *arg);
	void *step_arg;

	jmp_buf bug_catch;
	bool bug_armed;
	bool bug_hit;
	char bug_text[240];
};

struct host_machine *host_machine(void);
/* Guards the machine; may be taken again by who has it. */
void host_lock(void);
void host_unlock(void);
/* With host_lock, which others have meanwhile. The second returns false when it is too late. */
void host_wait(pthread_cond_t *condition);
bool host_wait_until(pthread_cond_t *condition, const struct timespec *deadline);
/* The CPU that calls, or NULL for the test itself. */
struct host_thread *host_this_thread(void);
/* At the start of every call of the contract; `self` NULL: any CPU may. Without host_lock. */
void host_enter(const struct cpu *self, const char *what);
/* On a CPU: it came upon a BUG. */
_Noreturn void host_stop_for_bug(void);
void host_step(void);

#endif
