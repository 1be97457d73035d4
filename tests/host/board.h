/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole system on the model: memory, four CPUs in the root cell's guest, and what Linux
 * and its driver do with them. Nothing here may fail a test from a CPU's own thread.
 */
#ifndef BOARD_H
#define BOARD_H

#include "arch/host/cpus.h"
#include "arch/host/host.h"
#include "arch/host/ram.h"
#include "core/log_area.h"
#include "golden.h"
#include "test.h"

#define BOARD_CPUS 4u
#define BOARD_RAM 0x40000000ull		/* Linux's own */
#define BOARD_CELLS 0x42000000ull	/* reserved for cells */
#define BOARD_CELLS_END 0x43c00000ull
#define BOARD_POOL 0x43f00000ull
#define BOARD_END 0x44000000ull
#define BOARD_CONFIG 0x40100000ull	/* where the driver puts a cell's configuration */
#define BOARD_UART 0x09000000ull
#define BOARD_COMM 0x80000000ull

#define RW (ABI_MEM_READ | ABI_MEM_WRITE)
#define RWX (RW | ABI_MEM_EXEC)

struct board {
	struct system sys;
	struct cpu cpus[BOARD_CPUS];
	struct system_file file;
	_Alignas(8) uint8_t log[LOG_AREA_SIZE];
};
extern struct board board;

/* A cell's configuration, to be changed and put into memory. */
struct cell_text {
	struct abi_header header;
	struct abi_cell cell;
	struct abi_mem mem[8];
	struct abi_irq irq[4];
};

/* cmocka's set-up and tear-down. The latter fails on what the model complained about. */
int board_begin(void **state);
int board_end(void **state);

/* One CPU, 1 MiB of loadable and 3 MiB of other memory, a communication page, one line. */
struct cell_text board_text(const char *name, unsigned cpu, uint64_t phys);
void board_add_mem(struct cell_text *text, uint64_t phys, uint64_t virt, uint64_t size, uint32_t flags);
/* As a sealed file at BOARD_CONFIG; returns its size. */
uint64_t board_put(const struct cell_text *text);

/* A hypercall by a CPU in a guest, to its end. */
long board_call(unsigned cpu, uint64_t number, uint64_t a, uint64_t b);
/* ... which the CPU does when it is let go. The result is there when it is done. */
const long *board_call_begin(unsigned cpu, uint64_t number, uint64_t a, uint64_t b);
/* By CPU 0, with everybody else at work, until the answer is another than "again". */
long board_poll(uint64_t number, uint64_t a, uint64_t b);
/* The words of the last management call that failed. */
const char *board_error(void);

/* Linux takes a CPU offline, and online. */
void board_offline(unsigned cpu);
long board_online(unsigned cpu);
/* The CPU's guest enters, does it, and goes on as far as it gets. */
void board_exit(unsigned cpu, void (*what)(struct cpu *self, void *arg), void *arg);
void board_exit_fail(struct cpu *self, void *arg);
void board_exit_power_off(struct cpu *self, void *arg);
void board_exit_reset(struct cpu *self, void *arg);
void board_exit_cpu_off(struct cpu *self, void *arg);

/* Offlines its CPUs, creates it and waits until its memory is zero. */
struct cell *board_create(const struct cell_text *text);
/* ... and starts it, unloaded. */
struct cell *board_create_running(const struct cell_text *text);
void board_destroy(unsigned id);

/* Everything the hypervisor knows, but for statistics and the log, as one number. */
uint64_t board_digest(void);
/* What the cell's or the root cell's tables translate, page by page of host memory. */
uint64_t board_space_digest(const struct space *space);

/* What CPU `cpu` finds at `at` in the tables that CPUs walk: live ones. */
err_t board_walk(const struct space *space, unsigned cpu, uint64_t at, struct translation *out);

/* All of [start, start + size) of host memory has this byte. */
bool board_filled(uint64_t start, uint64_t size, uint8_t byte);
void board_fill(uint64_t start, uint64_t size, uint8_t byte);

/* What the hypervisor and the cells said since the last call, in whole lines, as the root cell reads it. */
const char *board_log(void);

#endif
