/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Segments, what each CPU has of its own, how another one is started. */
#ifndef INMATE_X86_64_CPU_H
#define INMATE_X86_64_CPU_H

#define SEGMENT_CODE 0x08
#define SEGMENT_DATA 0x10
#define SEGMENT_USER_DATA 0x1b
#define SEGMENT_USER_CODE 0x23

/* Of the SIPI: the image's page 2 (inmate.lds) */
#define SECONDARY_VECTOR 2

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By GS. */
struct cpu_local {
	uint64_t deadline;	/* the timer's: never asserted earlier; UINT64_MAX: disarmed */
};

/* Lies at the top of a started CPU's stack, which cpu_starting points to. */
struct cpu_boot {
	struct cpu_local local;	/* first: GS */
	void (*entry)(void *argument);
	void *argument;
	uint64_t pad;
};

_Static_assert(offsetof(struct cpu_boot, local) == 0, "start.S");
_Static_assert(sizeof(struct cpu_boot) % 16 == 0, "the stack pointer's alignment");
_Static_assert(offsetof(struct cpu_local, deadline) == 0, "cpu_deadline()");

extern char cpu_secondary_entry[];
/* Where the CPU that was started finds its struct cpu_boot; NULL as soon as it has. */
extern struct cpu_boot *volatile cpu_starting;
extern struct cpu_local image_local;

/* Called by the start code. */
void cpu_begin(void);
_Noreturn void cpu_secondary(struct cpu_boot *boot);

static inline uint64_t cpu_deadline(void)
{
	uint64_t deadline;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(deadline));
	return deadline;
}

static inline void cpu_set_deadline(uint64_t deadline)
{
	__asm__ volatile("movq %0, %%gs:0" :: "r"(deadline) : "memory");
}

/* Which of the two instructions hypercall() uses. */
bool hypercall_is_vmmcall(void);

/* Carries out INIT and SIPI, as ICR's low half says, for one CPU by its APIC id. */
void cpu_send(uint64_t affinity, uint32_t low);
#endif

#endif
