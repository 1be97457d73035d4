/* SPDX-License-Identifier: GPL-2.0-only */
/* The jailhouse command: what its files offer each other. */
#ifndef JAILHOUSE_CLI_H
#define JAILHOUSE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/driver.h"

/* A test builds the command with other places. */
#ifndef JAILHOUSE_DEVICE
#define JAILHOUSE_DEVICE "/dev/jailhouse"
#endif
#ifndef JAILHOUSE_SYSFS
#define JAILHOUSE_SYSFS "/sys/devices/jailhouse"
#endif

/* Exit statuses, as --help lists them. */
enum status {
	STATUS_OK,
	STATUS_OTHER,
	STATUS_USAGE,
	STATUS_ABSENT,		/* driver or hypervisor absent or not enabled */
	STATUS_NO_CELL,
	STATUS_EXISTS,
	STATUS_STATE,		/* wrong state for this */
	STATUS_CONFIG,		/* configuration refused */
	STATUS_SPACE,		/* does not fit */
	STATUS_MACHINE,		/* machine not ready */
};

struct command {
	const char *name;	/* e.g. "cell create" */
	const char *words[2];	/* the name's; the second may be NULL */
	const char *arguments;
	const char *summary;
	const char *details;	/* lines of --help; may be NULL */
	/* argv[0] is the first argument behind the words */
	enum status (*run)(const struct command *c, int argc, char **argv);
};

/* main.c */
/* Wrong usage: says what and how it is right. `about` may be NULL. */
enum status command_usage(const struct command *c, const char *problem, const char *about);

/* fail.c: prints `jailhouse: what: reason` on stderr and returns `s` */
enum status fail(enum status s, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum status out_of_memory(void);

/* signals.c: by whoever started this program, nohup or a shell in the background: it is to stay so */
bool signal_ignored(int number);

/* args.c */
bool number_parse(const char *text, uint64_t *value);
unsigned edit_distance(const char *a, const char *b);
/* Takes `{ID|[--name] NAME}` and moves on behind it. */
enum status cell_reference(const struct command *c, int *argc, char ***argv,
			   struct abi_drv_cell *cell);

/* file.c: the whole file, to be freed by the caller */
enum status file_read(const char *path, size_t limit, void **data, size_t *size);

/* device.c: one ioctl; `error` points into the request */
enum status device_call(const struct command *c, unsigned long request, void *argument,
			const char *error);
/* ... on the device that is open already */
enum status device_call_on(const struct command *c, int fd, unsigned long request, void *argument,
			   const char *error);
enum status device_absent(const char *what);

/* cells.c: cells as sysfs shows them */
struct cell_info {
	unsigned id;
	char name[40];
	char state[40];
	char assigned[256];
	char failed[256];
	bool over_contract;	/* it caused more exits than its configuration permits */
};

/* Sorted by id; to be freed by the caller. */
enum status cells_read(const char *what, struct cell_info **cells, size_t *count);
/* First line of JAILHOUSE_SYSFS/format... without the newline; false if there is none. */
bool sysfs_line(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* the commands */
enum status enable_run(const struct command *c, int argc, char **argv);
enum status disable_run(const struct command *c, int argc, char **argv);
enum status console_run(const struct command *c, int argc, char **argv);
enum status create_run(const struct command *c, int argc, char **argv);
enum status load_run(const struct command *c, int argc, char **argv);
enum status start_run(const struct command *c, int argc, char **argv);
enum status shutdown_run(const struct command *c, int argc, char **argv);
enum status destroy_run(const struct command *c, int argc, char **argv);
enum status linux_run(const struct command *c, int argc, char **argv);
enum status list_run(const struct command *c, int argc, char **argv);
enum status stats_run(const struct command *c, int argc, char **argv);
enum status collect_run(const struct command *c, int argc, char **argv);
enum status hardware_run(const struct command *c, int argc, char **argv);
enum status bench_run(const struct command *c, int argc, char **argv);
enum status python_run(const struct command *c, int argc, char **argv);

#endif
