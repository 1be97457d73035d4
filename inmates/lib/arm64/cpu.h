/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls to firmware: SMCCC and PSCI (DEN0028, DEN0022), and how a CPU is started. */
#ifndef INMATE_ARM64_CPU_H
#define INMATE_ARM64_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)

#define PSCI_AFFINITY_ON 0
#define PSCI_AFFINITY_OFF 1
#define PSCI_AFFINITY_ON_PENDING 2

uint64_t smccc_hvc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
uint64_t smccc_smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);
/* By `psci=hvc` (as it is without the word) or `psci=smc` on the command line. */
int64_t psci_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* Lies at the top of a started CPU's stack; PSCI hands its address over. */
struct cpu_boot {
	uint64_t stack;		/* first: read by cpu_secondary_entry */
	void (*entry)(void *argument);
	void *argument;
	uint64_t mmu;
};

_Static_assert(offsetof(struct cpu_boot, stack) == 0, "start.S");
_Static_assert(sizeof(struct cpu_boot) % 16 == 0, "the stack pointer's alignment");

extern char cpu_secondary_entry[];
_Noreturn void cpu_secondary(struct cpu_boot *boot);

/* Switches the MMU on on this CPU, with the tables of mmu_enable(). */
void mmu_enable_cpu(void);

#endif
