/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver asks of an architecture; nothing in it is optional. */
#ifndef JAILHOUSE_ARCH_H
#define JAILHOUSE_ARCH_H

#include <linux/sysfs.h>
#include <linux/types.h>

struct abi_image;
struct blob;

/* An exit counter in sysfs: ABI_STAT_* and the file's name. */
struct stat_attribute {
	struct attribute attr;
	unsigned int stat;
};

extern const struct stat_attribute arch_stats[];
extern const unsigned int arch_stat_count;

/* ABI_ARCH_* of this kernel. */
extern const u8 arch_id;

/*
 * Can the hypervisor be slid under this kernel? 0, or -EOPNOTSUPP with the cause and
 * the remedy in `error` (ABI_DRIVER_ERROR_SIZE bytes). Not to be called while the
 * hypervisor is enabled.
 */
int arch_ready(char *error);

/* For sysfs: how a CPU of a cell with these ABI_CELL_* flags sleeps: "trapped", with an exit; "trusted" or "untrapped", without. */
const char *arch_wfi(u32 flags);

/* The id of the calling CPU, as abi_system's hwid[] has it. Any context. */
u64 arch_hwid(void);

/* x86: of the TSC, as Linux measured it; else 0. */
u32 arch_tsc_khz(void);

/*
 * Words for `error`: how to keep from Linux what a system file, `blob`, reserves for the
 * hypervisor and the cells. `text` becomes a phrase like "boot with mem=1792M".
 */
void arch_reserve_hint(char *text, size_t size, const struct blob *blob);

/*
 * Does the firmware say that not all of these host-physical bytes are RAM? False, too,
 * if it says nothing. Whoever writes to what is no RAM stops the machine.
 */
bool arch_no_ram(u64 start, u64 size);

/* Write back to memory and drop from every cache; `start` is a kernel address. */
void arch_cache_clean(const void *start, size_t size);

/*
 * The architecture's part of the image, which lies mapped where it is to run (abi/image.h):
 * what its way in needs. -errno and words.
 */
int arch_prepare(struct abi_image *image, char *error);

/*
 * Enter the hypervisor, whose memory is at host-physical `start`, on the calling CPU, whose Linux
 * number is `cpu`. `image`: what the build wrote into it. Interrupts off. Returns 0 under the
 * hypervisor, or a negative ABI_E* as if nothing had been.
 */
long arch_enter(const struct abi_image *image, u64 start, unsigned int cpu);

/* Only while the hypervisor is enabled: ABI_HC_*, see abi/hypercall.h. */
long arch_hypercall(unsigned long number, unsigned long first, unsigned long second);

/*
 * Linux has `cpu` offline, and a cell is to have it or the hypervisor to be disabled: sees to it that
 * it is in no guest any more. Enabled; on a CPU that may sleep.
 */
void arch_cpu_taken(unsigned int cpu);

#endif
