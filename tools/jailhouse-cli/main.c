// SPDX-License-Identifier: GPL-2.0-only
/* The jailhouse command: finds the command named and says what there is. */
#include <stdio.h>
#include <string.h>

#include "arch_words.h"
#include "cli.h"
#include "version.h"

#define ONE(word) word, { word, NULL }
#define TWO(first, second) first " " second, { first, second }
#define CELL "{ID|[--name] NAME}"

static const struct command commands[] = {
	{ ONE("enable"), "SYSTEM.cell", "slide the hypervisor under Linux",
	  "SYSTEM.cell is made by jailhouse config build.\n", enable_run },
	{ ONE("disable"), "", "take the hypervisor away; no cell may be left", NULL, disable_run },
	{ ONE("console"), "[-f|--follow] [-a|--all | [-i|--input] " CELL "]",
	  "print what the hypervisor and the cells say, or talk to one cell",
	  "Without a cell, or with --all: the hypervisor's messages and all cells' lines, in the order in which\n"
	  "they ended, each with its cell's name.\n"
	  "With a cell: all that is kept of what it said. On a terminal, go on like a serial terminal: keys go\n"
	  "to the cell's UART (the one of `uart` in its text); Ctrl-] leaves.\n"
	  "-f, --follow  wait for more and print it, too\n"
	  "-i, --input   send the standard input to the cell, up to its end\n", console_run },
	{ TWO("cell", "create"), "CELL.cell", "make a cell: its CPUs and memory leave Linux",
	  "CELL.cell is made by jailhouse config build.\n", create_run },
	{ TWO("cell", "list"), "", "list the cells", NULL, list_run },
	{ TWO("cell", "load"),
	  CELL " {IMAGE | {-s|--string} STRING} [-a|--address ADDRESS] ... [--entry ADDRESS]\n"
	  "                     [-c|--cmdline CMDLINE]",
	  "fill a cell's loadable memory",
	  "-s, --string STRING    load this text, with a NUL behind it, instead of a file\n"
	  "-a, --address ADDRESS  where the cell sees it; 0 if not given. An ELF file goes where its\n"
	  "                       program headers say (physical addresses), and is refused\n"
	  "                       if it is not to be started where the cell starts\n"
	  "--entry ADDRESS        where the images are to be started, if not at the ELF file's or the first one's\n"
	  "-c, --cmdline CMDLINE  words for the program, told it with the rest (see below)\n"
	  "The first load after a stop begins with empty memory; more add to it until the start.\n"
	  "A cell with memory to boot from (boot = true): what is not in that memory itself is kept there and copied to its\n"
	  "place at each start and reset, " WORDS_LOAD_TOLD, load_run },
	{ TWO("cell", "linux"),
	  WORDS_LINUX_ARGUMENTS CELL " KERNEL",
	  "load a stock kernel and start it, for a cell with memory to boot from (boot = true)",
	  WORDS_LINUX, linux_run },
	{ TWO("cell", "start"), CELL, "start a cell", NULL, start_run },
	{ TWO("cell", "shutdown"), "[-t|--timeout MS] " CELL, "stop a cell; it keeps its CPUs and memory",
	  "-t, --timeout MS  ask it first, by its communication page, and wait so long for it to agree. One\n"
	  "                  that refuses goes on (exit status 6), one that does not answer is stopped\n",
	  shutdown_run },
	{ TWO("cell", "destroy"), CELL, "give a cell's CPUs and memory back to Linux", NULL,
	  destroy_run },
	{ TWO("cell", "stats"), "[-w|--watch] [--json] " CELL, "print a cell's exit counters",
	  "-w, --watch  with rates, again each second until Ctrl-C; not on a terminal: block after block\n"
	  "--json       one object on one line; null is what is not known\n"
	  "Each exit has one reason; over_budget counts those of them that the cell's contract does\n"
	  "not permit. To read the counters costs exits on this CPU only, none on the cell's.\n", stats_run },
	{ ONE("bench"),
	  "[-o FILE.json] [--mode icount|wall] [--samples N] [--workloads A,B] [--cells DIR ...]\n"
	  "                 [--load idle|loaded|both] [--limit NS] [--rounds N] [--image FILE]\n"
	  "                 [--words TEXT]\n"
	  "       jailhouse bench {compare|report} ...",
	  "measure latencies, exits and the cells' life",
	  "DIR holds system.cell, bench.cell and churn.cell; if none is named, those of\n"
	  "bench-direct, bench-trusted and bench-injected that are installed.\n"
	  "-o FILE.json      the result for programs; the table goes to the standard output\n"
	  "--mode icount     count instructions (an emulator with -icount shift=0); wall: nanoseconds\n"
	  "--samples N       of each workload (icount: 1000, wall: 10000)\n"
	  "--workloads A,B   of timer-spin, timer-wfi, tick, self-sgi, ipi, device, hypercall, compute;\n"
	  "                  arm64: psci, gicd-read, gicr-write; x86_64: icr, cpuid, msr, ioapic-read\n"
	  "--load both       what Linux does meanwhile; loaded: memory, IPIs, page tables, cells\n"
	  "--limit NS        exit status 1 if a latency is longer; not on an emulator\n"
	  "--rounds N        lives of the cell that are timed (10)\n"
	  "--image FILE      inmates/bench.bin\n"
	  "--words TEXT      more of its command line; x86_64: apic=xapic as Linux's local APICs may be\n"
	  "compare, report   what to do with results: jailhouse bench compare --help\n", bench_run },
	{ TWO("hardware", "check"), "[-r|--root DIR]", "say what this machine has of what the hypervisor needs",
	  "Each requirement is a line: passed, FAILED, or unknown if nothing that can be read tells. Below what did not\n"
	  "pass is what to do about it. Exit status 9 if something failed. Root can read more than others.\n"
	  "-r, --root DIR  of another machine, whose files are below DIR (jailhouse config collect)\n", hardware_run },
	/* before the rest of config, which is Python's */
	{ TWO("config", "collect"), "[-r|--root DIR] FILE.tar",
	  "gather what a configuration can be made from: this machine's own description",
	  "FILE.tar gets the files of /proc and /sys that say what the machine consists of, the firmware's tables, the kernel's\n"
	  "options and its log; - is the standard output. It changes nothing, and needs no driver. Run it as root: others\n"
	  "are not shown addresses. Exit status 1 if too little for a description could be read.\n"
	  "-r, --root DIR  gather it from a copy of these files below DIR\n", collect_run },
	{ ONE("config"), "{create|build|check|explain|diff|show|import} ...", "make, check and draw configurations: jailhouse config --help",
	  NULL, python_run },
	{ ONE("explain"), "SYSTEM.toml [LOG]", "say what cells that failed wanted, and what to write: jailhouse explain --help", NULL, python_run },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const char statuses[] =
	"Exit status:\n"
	"  0  done\n"
	"  1  another error\n"
	"  2  wrong usage\n"
	"  3  driver or hypervisor absent or not enabled\n"
	"  4  no such cell\n"
	"  5  the cell exists already\n"
	"  6  not possible in this state (running, enabled already, cells left)\n"
	"  7  configuration refused\n"
	"  8  does not fit (image or memory)\n"
	"  9  the machine is not ready (EL2, reserved memory, CPUs)\n";

enum status command_usage(const struct command *c, const char *problem, const char *about)
{
	fail(STATUS_USAGE, c->name, about ? "%s: %s" : "%s", problem, about);
	fprintf(stderr, "usage: jailhouse %s%s%s\n", c->name, *c->arguments ? " " : "",
		c->arguments);
	return STATUS_USAGE;
}

static void command_line(FILE *to, const char *before, const struct command *c)
{
	fprintf(to, "%s%s%s%s\n      %s\n", before, c->name, *c->arguments ? " " : "", c->arguments,
		c->summary);
}

static void help(FILE *to)
{
	fputs("usage: jailhouse COMMAND [ARGUMENTS]\n\nCommands:\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		command_line(to, "  ", &commands[i]);
	fputs("  COMMAND --help\n      more about one command\n"
	      "  --version\n      print the version\n\n", to);
	fputs(statuses, to);
}

static enum status command_help(const struct command *c)
{
	printf("usage: jailhouse %s%s%s\n\n%s\n%s", c->name, *c->arguments ? " " : "", c->arguments,
	       c->summary, c->details ? c->details : "");
	return STATUS_OK;
}

/* The nearest command, if it is near enough to be meant. */
static void suggest(const char *first, const char *second)
{
	unsigned best = 4;
	const struct command *nearest = NULL;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands[i];
		unsigned d = edit_distance(first, c->words[0]) +
			     (c->words[1] ? edit_distance(second, c->words[1]) : 0);

		/* `jailhouse list` means `cell list` */
		if (c->words[1] && edit_distance(first, c->words[1]) + 1 < d)
			d = edit_distance(first, c->words[1]) + 1;
		if (d < best) {
			best = d;
			nearest = c;
		}
	}
	if (nearest)
		fprintf(stderr, "did you mean: jailhouse %s?\n", nearest->name);
	else
		fputs("jailhouse --help lists the commands\n", stderr);
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static enum status unknown(const char *first, const char *second)
{
	if (!*second)
		fail(STATUS_USAGE, first, "there is no such command");
	else
		fprintf(stderr, "jailhouse: %s %s: there is no such command\n", first, second);
	suggest(first, second);
	return STATUS_USAGE;
}

/* Commands that begin with this word; false if there are none. */
static bool group_help(const char *word)
{
	bool any = false;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->words[0], word))
			continue;
		any = true;
		command_line(stdout, "  jailhouse ", c);
	}
	return any;
}

static enum status dispatch(int argc, char **argv)
{
	const char *second = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands[i];
		int words = c->words[1] ? 2 : 1;

		if (strcmp(argv[0], c->words[0]) || (words == 2 && strcmp(second, c->words[1])))
			continue;
		if (c->run != python_run && argc > words && is_help(argv[words]))
			return command_help(c);
		return c->run(c, argc - words, argv + words);
	}
	if (is_help(second) && group_help(argv[0]))
		return STATUS_OK;
	return unknown(argv[0], second);
}

int main(int argc, char **argv)
{
	enum status s;

	if (argc < 2) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (is_help(argv[1]) || !strcmp(argv[1], "help")) {
		help(stdout);
		s = STATUS_OK;
	} else if (!strcmp(argv[1], "--version")) {
		puts("jailhouse " JAILHOUSE_VERSION);
		s = STATUS_OK;
	} else {
		s = dispatch(argc - 1, argv + 1);
	}
	if (fflush(stdout))
		return (int)fail(STATUS_OTHER, argv[1], "cannot write the output");
	return (int)s;
}
