/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a program for a cell has to work with. It starts at the first byte of its image on
 * the cell's first CPU, with interrupts masked; the library sets up a stack, FP/SIMD and
 * exception vectors and calls inmate_main(). A program says what it needs beyond that:
 * irq_init() for interrupts and sleeping, mmu_enable() for caches.
 *
 * arm64 begins without MMU and caches. Without the MMU all memory is Device memory: no
 * unaligned accesses (-mstrict-align), no exclusives or atomics, and no locks here. x86_64
 * begins in real mode and is in 64-bit mode, with caches and the first 4 GiB mapped one to one,
 * when inmate_main() is called; it needs AVX and FMA. Times are ticks of the virtual counter
 * (arm64) or of the TSC.
 */
#ifndef INMATE_H
#define INMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/comm.h"
#include "abi/hypercall.h"
#include "arch.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The program. When it returns, the cell's state becomes SHUT_DOWN and the CPU is switched off. */
void inmate_main(void);

/* For a program that is done but shall go on answering: answers messages for ever. */
_Noreturn void inmate_serve(void);

/* Sets the cell's state (ABI_CELL_*) and switches this CPU off. */
_Noreturn void inmate_stop(uint32_t state);

/* Text ------------------------------------------------------------------------------- */

/*
 * Writes one character to the console the communication page names: the hypercall, a PL011,
 * or an 8250 in memory or, on x86_64, at ports. Without a console it goes nowhere. '\n' is sent as is to the hypercall and as
 * "\r\n" to a UART. One CPU at a time.
 */
void console_putc(char c);
void console_puts(const char *text);

/*
 * %c %s %d %i %u %x %p %%, with l, ll or z, a width and 0 as padding. Anything else is
 * printed as it stands. One CPU at a time.
 */
__attribute__((format(printf, 1, 2))) void printk(const char *format, ...);

/* Command line ----------------------------------------------------------------------- */

/*
 * Words of `cell load -s "..." -a 0x1000`, separated by spaces: `name=value`. The first of
 * a name counts.
 */

/* Decimal or 0x hexadecimal, then K, M or G for powers of 1024. Missing or no number: fallback. */
uint64_t cmdline_get_int(const char *name, uint64_t fallback);
/* Copies the value, cut to size - 1 bytes and terminated. False, and an empty text: not there. */
bool cmdline_get_str(const char *name, char *value, size_t size);
/* `name`, `name=1`, `name=y...` and `name=on` are true. Missing: fallback; all else false. */
bool cmdline_get_bool(const char *name, bool fallback);

/* Communication page ----------------------------------------------------------------- */

struct abi_comm *comm_page(void);
/* ABI_CELL_*, shown by `jailhouse cell list`. */
void comm_set_state(uint32_t state);
/* ABI_MSG_* that waits for an answer, or ABI_MSG_NONE. */
uint32_t comm_message(void);
/* Answers the waiting message with ABI_REPLY_*. */
void comm_reply(uint32_t reply);
/*
 * Answers what waits as most programs want it: a shutdown request is approved and does not
 * return, a completed reconfiguration is received, all else is unknown. Cheap: one load when
 * nothing waits. First CPU only.
 */
void comm_poll(void);

/* Time ------------------------------------------------------------------------------- */

uint64_t timer_frequency(void);		/* ticks per second */
uint64_t timer_now(void);		/* not read ahead of what stands before it */
/* Exact but for the fraction cut off; wrap as the full 64-bit products would. */
uint64_t timer_ticks_to_ns(uint64_t ticks);
uint64_t timer_ns_to_ticks(uint64_t ns);
/*
 * The timer's interrupt is asserted from tick `at` on, until armed anew or disarmed. x86_64: once,
 * and if it has not been taken when it is armed anew, not for the earlier deadline any more.
 */
void timer_arm(uint64_t at);
void timer_disarm(void);
/*
 * Waits in WFI or HLT, or spinning before irq_init(). Uses the timer without running its
 * handler, so leave it disarmed otherwise.
 */
void timer_sleep_until(uint64_t at);
/* Spins until *count, which another CPU or a handler counts up, is `value` or more, for `ns` at most: is it `value`? */
bool timer_wait_count(const volatile uint32_t *count, uint32_t value, uint64_t ns);

/* Interrupts ------------------------------------------------------------------------- */

#define IRQ_TIMER 27u		/* the timer's private line */
#define IRQ_SHARED_FIRST 32u	/* x86_64: of global system interrupt 0 */

/* `entered`: the counter as the vector was reached. The line is acknowledged and ended around it. */
typedef void (*irq_handler_t)(void *context, uint64_t entered);

/* This CPU's interrupt controller parts, once per CPU; stops the cell with a message if it cannot. */
void irq_init(void);
/*
 * Runs handler for line: 0-14 software interrupts, 16-31 private to this CPU, 32-1019 shared, then
 * routed to this CPU. At most IRQ_SHARED_MAX shared lines. False: no such line, or too many.
 * x86_64: the timer's is the only private one, and all CPUs have the same handlers.
 */
#define IRQ_SHARED_MAX 16u
bool irq_enable(unsigned int line, irq_handler_t handler, void *context);
void irq_disable(unsigned int line);
/* Sends software interrupt `line` to this CPU. */
void irq_send_self(unsigned int line);
/* Reads a register of the controller of shared lines: one access that the hypervisor answers. */
uint32_t irq_controller_read(void);
/* Interrupts are masked at the start of every CPU. */
void irq_unmask(void);
void irq_mask(void);
/*
 * Sleeps until an interrupt is pending: mask, test the condition, wait, unmask. x86_64: it is
 * taken before this returns; arm64: when it is unmasked.
 */
void irq_wait(void);

/* Processors ------------------------------------------------------------------------- */

/* This CPU as cpu_start() wants it: MPIDR without its flag bits (arm64), APIC id (x86_64). */
uint64_t cpu_affinity(void);
/*
 * Starts the CPU with this affinity in entry(argument), on that stack (16 bytes aligned, size a
 * multiple of 16), with the MMU as it is here. A return from entry switches it off. 0, or
 * negative: arm64: as PSCI says. x86_64: it did not begin in ten seconds; one that runs
 * is reset, and begins again.
 */
int64_t cpu_start(uint64_t affinity, void (*entry)(void *argument), void *argument,
		  void *stack, size_t size);
/* Switches this CPU off; x86_64, and where that is denied: waits for ever. */
_Noreturn void cpu_off(void);

/* Memory ----------------------------------------------------------------------------- */

/*
 * arm64: maps the image (code read-only, data not executable), the communication page, the
 * interrupt controller and the console one to one and switches MMU and caches on. Once, on
 * the first CPU, before others start. x86_64: they are on, and what is below 4 GiB is mapped.
 */
void mmu_enable(void);
/*
 * One-to-one mappings of pages, before or after mmu_enable(): arm64 of 4 KiB, x86_64 of 1 GiB.
 * Stops the cell with a message when the library's tables are used up.
 */
void mmu_map_memory(uint64_t address, uint64_t size);
void mmu_map_device(uint64_t address, uint64_t size);

/* Bounds of the image in memory, with stack and zeroed data; both page multiples. */
uint64_t image_start(void);
uint64_t image_end(void);

/* The hypervisor --------------------------------------------------------------------- */

/* ABI_HC_*; the result as it comes, negative: ABI_E*. */
int64_t hypercall(uint64_t number, uint64_t argument1, uint64_t argument2);
/* False on the bare machine, where the same programs run for comparison. */
bool hypervisor_present(void);

/* Registers -------------------------------------------------------------------------- */

uint8_t mmio_read8(uint64_t address);
uint32_t mmio_read32(uint64_t address);
uint64_t mmio_read64(uint64_t address);
void mmio_write8(uint64_t address, uint8_t value);
void mmio_write32(uint64_t address, uint32_t value);
void mmio_write64(uint64_t address, uint64_t value);

/* Memory and text, as the C library has them. The compiler calls the first four. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

#endif
