/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs that run core's code, one step at a time: each is a thread that waits until the
 * test lets it go, and stops again where a CPU has nothing to do or where it was told
 * to pause. So a test decides who comes first, and whatever it decides happens each time.
 */
#ifndef ARCH_HOST_CPUS_H
#define ARCH_HOST_CPUS_H

#include "core/system.h"

enum host_at {
	HOST_NOWHERE,		/* no such CPU */
	HOST_BUSY,		/* runs, or waits for a lock that another has */
	HOST_IN_GUEST,
	HOST_WAITING,		/* in arch_cpu_wait */
	HOST_PAUSED,		/* where host_cpu_pause_in() said */
	HOST_OFF,		/* with the firmware */
	HOST_BARE,		/* left the hypervisor */
	HOST_BUG,		/* and so the test has failed: host_complaint() */
};

/* All of the system's CPUs, in their guests. */
void host_cpus_begin(struct system *sys);
void host_cpus_end(void);

enum host_at host_cpu_at(unsigned cpu);
bool host_cpu_kicked(unsigned cpu);
/* How often its guest began, and with what at last. */
unsigned host_cpu_starts(unsigned cpu, struct vcpu_start *last);

/* Its guest's next step is to enter the hypervisor and do `what`. In the guest only. */
void host_cpu_exit(unsigned cpu, void (*what)(struct cpu *self, void *arg), void *arg);
/* From here on it pauses before its n-th call into the architecture. 0: not at all. */
void host_cpu_pause_in(unsigned cpu, unsigned calls);

/* Lets a CPU that stopped run on, and does not wait for it. A guest without an exit takes its kick. */
void host_cpu_go(unsigned cpu);
/* Has it stopped within `ms` milliseconds? */
bool host_cpu_stopped(unsigned cpu, unsigned ms);
/* Both of them. A CPU that never stops ends the program. */
void host_cpu_run(unsigned cpu);
/* Lets CPUs that are paused or kicked run until none is. */
void host_settle(void);

/* What arch_now() says from here on; it stands still meanwhile. 0 after host_reset(). */
void host_set_now(uint64_t ticks);
/* Not a multiple of 1000: rounding shows */
#define HOST_TICKS_PER_SECOND 62500001ull
/* Where every guest is when it exits. */
#define HOST_GUEST_PC 0x40001234ull

/* What the model's architecture knows about who owns what. */
bool host_cell_has_cpu(const struct cell *cell, unsigned cpu);
/* The 8 bytes typed last. */
const uint8_t *host_cell_input(const struct cell *cell);
bool host_cell_has_line(const struct cell *cell, unsigned line);
/* Has it started since its devices were last quiesced? */
bool host_cell_is_busy(const struct cell *cell);
/* The next `times` that its devices are to be quiesced they are being reset. */
void host_cell_resets(struct cell *cell, unsigned times);

#endif
