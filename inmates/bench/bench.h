/* SPDX-License-Identifier: GPL-2.0-only */
/* The benchmark's program: what its files share. */
#ifndef BENCH_H
#define BENCH_H

#include "inmate.h"
#include "bench_arch.h"
#include "histogram.h"
#include "vector.h"

/* What the exit counters of the cell's CPUs say, summed up; counters there are none of stay false. */
struct exits {
	uint64_t count[ABI_STAT_COUNT];
	bool known[ABI_STAT_COUNT];
	uint64_t asked;			/* hypercalls for all that was read before */
};

struct bench {
	/* From the command line */
	uint64_t samples;
	uint64_t period;		/* ticks from one deadline to the next */
	uint64_t loops;			/* of the arithmetic kernel in a round */
	uint64_t uart;			/* a UART of this cell's own; 0: none */
	uint64_t line;			/* a shared line of this cell's own; 0: none */
	uint64_t target;		/* affinity of the second CPU; NO_CPU: look for one */
	bool icount;			/* a tick is an instruction: checked */
	uint64_t tick;			/* x86_64: so many are */
	/* Found */
	bool hypervisor;
	uint32_t cpus[256];		/* the machine's numbers of the cell's CPUs */
	unsigned int cpu_count;
	uint64_t asked;			/* hypercalls for exit counters so far */
	/* Of the workload that runs */
	uint64_t deadline;
	uint64_t address;		/* what a workload of the architecture needs; software interrupts: to whom */
	uint64_t second;		/* the affinity of `ipi`'s other CPU */
	uint32_t strays;		/* interrupts that nobody waited for */
	uint32_t stray;			/* the last of them */
	bool spoilt;			/* a sample that is none (icount: another CPU ran): they begin anew */
	struct histogram *histogram;
};

#define NO_CPU UINT64_MAX

struct workload {
	const char *name;
	/* False: said why not, `bench: refused: ...`. May be NULL. */
	bool (*begin)(struct bench *b);
	/* One event: what it took, in ticks. */
	uint64_t (*sample)(struct bench *b);
	/* May be NULL. */
	void (*end)(struct bench *b);
};

/* Those of this architecture alone. */
extern const struct workload arch_workloads[];
extern const size_t arch_workload_count;

/* The exit reasons as the driver calls them in sysfs; NULL: not a reason here. */
extern const char *const exit_names[ABI_STAT_COUNT];

/* timer.c: from the deadline to the vector; tick: to where the interrupted program goes on */
bool begin_timer(struct bench *b);
uint64_t sample_timer_spin(struct bench *b);
uint64_t sample_timer_wfi(struct bench *b);
bool begin_tick(struct bench *b);
uint64_t sample_tick(struct bench *b);
void end_timer(struct bench *b);
/* An interrupt that the workload does not wait for; ends it. */
void stray(struct bench *b, uint64_t line);
/*
 * Switches the timer off and takes what is pending. One that fired while it was masked and fell
 * again may still come once where interrupts are injected: a list register does not
 * follow the line.
 */
void drain(void);

/* sgi.c: from the write that sends it to the vector */
bool begin_sgi(struct bench *b);
uint64_t sample_sgi(struct bench *b);
bool begin_ipi(struct bench *b);
uint64_t sample_ipi(struct bench *b);
void end_ipi(struct bench *b);

/* compute.c: a round of arithmetic while a tick comes 1000 times a second */
bool begin_compute(struct bench *b);
uint64_t sample_compute(struct bench *b);
void end_compute(struct bench *b);

/* exits.c */
void exits_find_cpus(struct bench *b);
/* Costs hypercalls. Nothing is known where other exits come in between each time. */
void exits_read(struct bench *b, struct exits *e);
/* What lies between the two, without the asking itself. */
void exits_print(const struct exits *before, const struct exits *after);

#endif
