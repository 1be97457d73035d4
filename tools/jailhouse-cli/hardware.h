/* SPDX-License-Identifier: GPL-2.0-only */
/* What the hypervisor needs of a machine, row by row. */
#ifndef JAILHOUSE_CLI_HARDWARE_H
#define JAILHOUSE_CLI_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "acpi_table.h"
#include "facts.h"

enum verdict { PASSED, FAILED, UNKNOWN, VERDICTS };

struct report {
	unsigned count[VERDICTS];
};

/* What several rows look at. A text is NULL if it could not be read. */
struct machine {
	const struct facts *facts;
	char release[FACTS_RELEASE_SIZE];
	char *cmdline, *config, *log, *cpuinfo, *interrupts, *modules;
	const char *unread;	/* what to do about what could not be read */
};

/*
 * One row. `fix`: what to do about it, for everything that is not passed; a row that is passed may have
 * a hint there, or NULL.
 */
void report_row(struct report *r, enum verdict v, const char *fix, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* To be freed; NULL: it cannot be read. */
char *machine_text(const struct machine *m, const char *path);

/* A table of the firmware. Found: `c` holds it, to be freed. */
enum table { TABLE_FOUND, TABLE_ABSENT, TABLE_DAMAGED, TABLE_UNREADABLE };
enum table machine_table(const struct machine *m, const char *signature, struct content *c, struct acpi_table *table);
/* The row of one that was not found; only unreadable and damaged ones are not known to fail. */
void report_table(struct report *r, const struct machine *m, enum table found, const char *signature, const char *what,
		  const char *fix_absent);

/* --- of the architecture --- */

/* The oldest kernel that has what the driver uses: RELEASE(). */
extern const unsigned hardware_oldest_kernel;

/* What mem= keeps from Linux. False: the firmware does not say what RAM there is. */
bool hardware_kept_by_mem(const struct machine *m, uint64_t mem, uint64_t *kept);
/* Memory that only the firmware keeps from Linux, and in how many pieces. */
uint64_t hardware_kept_by_firmware(const struct machine *m, unsigned *pieces);
/* How to keep some: words for a fix. */
extern const char hardware_reserve_hint[];

void hardware_arch_rows(struct report *r, const struct machine *m);

/* hardware_common.c: all rows */
void hardware_rows(struct report *r, const struct machine *m);

#endif
