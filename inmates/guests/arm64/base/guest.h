/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small systems for QEMU's virt machine with GICv3, as other people write them: each has a table of
 * habits, and a shell on its console that tells what it has seen. They know of no hypervisor.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS 4u
#define SGIS 16u
/* Sent to a CPU that is to switch itself off */
#define SGI_LEAVE 3u
#define STACK_SIZE 4096u
#define STACK_SHIFT 12

enum conduit { HVC, SMC };

/* POLLED never sets the UART up. */
enum console { POLLED, FIFO, NO_FIFO };

enum priority { HIGHEST = 0x20, HIGH = 0x40, NORMAL = 0x80, LOW = 0xa0, LOWEST = 0xc0 };

struct habits {
	const char *name;
	bool from_tree;			/* conduit, CPUs, GIC and the UART's interrupt; else as here and in board.c */
	enum conduit conduit;
	unsigned cpus;			/* that it tries to start, itself included */
	bool walks;			/* finds its redistributor by GICR_TYPER, or else by its number */
	bool splits_end;		/* EOImode 1: EOIR drops the priority, DIR deactivates */
	unsigned timer;			/* PPI 27, CNTV, or 30, CNTP */
	enum console console;
	bool timeout;			/* unmasks RTIM beside RXIM */
};

struct command {
	const char *name;
	void (*run)(const char *words);
};

/* One guest's; its own commands end with a name of NULL. */
extern const struct habits habits;
extern const struct command commands[];

/* Where things are. */
struct board {
	uintptr_t gicd, gicr, uart;
	unsigned uart_irq;
	enum conduit conduit;
	unsigned cpus;
	uint64_t affinity[CPUS];
};

extern struct board board;
/* False: no tree there, or something is not in it. */
bool board_read_tree(uintptr_t tree);

/* One CPU's; written by it alone, but for `leaves`, and `up` while it is off. */
struct cpu_state {
	volatile unsigned ticks, spurious, strange, up, leaves;
	volatile unsigned sgi[SGIS];
};

extern struct cpu_state cpu_state[CPUS];
unsigned this_cpu(void);

/* start.S */
#define SYS_NAME(name) #name
#define sys_read(name) ({ uint64_t sys_value; __asm__ volatile("mrs %0, " SYS_NAME(name) : "=r"(sys_value)); sys_value; })
#define sys_write(name, value) __asm__ volatile("msr " SYS_NAME(name) ", %0" : : "r"((uint64_t)(value)) : "memory")
#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb() __asm__ volatile("dsb sy" ::: "memory")
#define wfi() __asm__ volatile("dsb sy; wfi" ::: "memory")
#define irqs_off() __asm__ volatile("msr daifset, #2" ::: "memory")
#define irqs_on() __asm__ volatile("msr daifclr, #2; isb" ::: "memory")
extern char secondary_start[], bss_start[], bss_end[];
extern char stacks[CPUS][STACK_SIZE];
void primary(uintptr_t tree);
void secondary(unsigned cpu);
void interrupt(void);
void exception(uint64_t kind, uint64_t esr, uint64_t elr, uint64_t far);

/* gic.c */
unsigned gic_init(void);		/* all lines off; how many there are */
void gic_cpu_init(void);
void gic_enable_line(unsigned intid);
void gic_set_priority(unsigned sgi, enum priority priority);
void gic_send(unsigned sgi, unsigned cpu);
void gic_send_others(unsigned sgi);
/* Called in an SGI's interrupt, before its end. */
extern void (*on_sgi)(unsigned sgi);

/* timer.c */
void timer_start(void);
void timer_tick(void);
/* Waits until this CPU has had so many more. */
void timer_wait(unsigned ticks);

/* uart.c */
struct uart_counts {
	volatile unsigned interrupts, received, sent, rx_interrupts, tx_interrupts;
};

extern struct uart_counts uart_counts;
void uart_init(void);
void uart_interrupt(void);
void uart_putc(char c);
char uart_getc(void);
void uart_flush(void);
/* Without interrupts, whatever the console is. */
void uart_put_now(const char *text);

/* print.c: %s, %u, %x */
void print(const char *format, ...);
unsigned number(const char *text);

/* psci.c */
#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_ALREADY_ON (-4)
int64_t psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c);

/* lives.c: what no image covers and no reset spoils */
void lives_begin(void);
unsigned lives_count(void);
/* Resets at once if more lives were asked for. */
void lives_go_on(void);
void lives_show(const char *words);
void lives_reset(const char *words);

/* probe.c */
void probe(const char *words);
void cycle(const char *words);

/* shell.c */
void shell(void);
bool same(const char *a, const char *b);

#endif
