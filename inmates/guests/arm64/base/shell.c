// SPDX-License-Identifier: GPL-2.0-only
/* A line is a command; each answers with one line. */
#include "guest.h"

#define LINE 200u

/* A CPU that does not answer in so many ticks does not answer. */
#define PATIENCE 500u
#define SGI_ONE 1u
#define SGI_ALL 2u

bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void echo(const char *words)
{
	print("%s\n", words);
}

static void ticks(const char *words)
{
	unsigned n;

	(void)words;
	timer_wait(3);
	print("ticks");
	for (n = 0; n < board.cpus; n++)
		print(" %u", cpu_state[n].ticks);
	print("\n");
}

static bool all_have(unsigned sgi, unsigned first, unsigned count)
{
	unsigned n;

	for (n = first; n < board.cpus; n++)
		if (cpu_state[n].sgi[sgi] != count)
			return false;
	return true;
}

static unsigned answered(unsigned sgi, unsigned first, unsigned count)
{
	unsigned waited, n, answers = 0;

	for (waited = 0; waited < PATIENCE && !all_have(sgi, first, count); waited++)
		timer_wait(1);
	for (n = first; n < board.cpus; n++)
		answers += cpu_state[n].sgi[sgi] == count;
	return answers;
}

/* To each alone, itself too; then to all others, but not itself. */
static void cpus(const char *words)
{
	static unsigned rounds;
	unsigned n, one, all;

	(void)words;
	rounds++;
	for (n = 0; n < board.cpus; n++)
		gic_send(SGI_ONE, n);
	one = answered(SGI_ONE, 0, rounds);
	gic_send_others(SGI_ALL);
	all = answered(SGI_ALL, 1, rounds);
	print("cpus %u answered %u, %u to all, own %u\n", board.cpus, one, all, cpu_state[0].sgi[SGI_ALL]);
}

static void irqs(const char *words)
{
	unsigned spurious = 0, strange = 0, n;

	(void)words;
	for (n = 0; n < board.cpus; n++) {
		spurious += cpu_state[n].spurious;
		strange += cpu_state[n].strange;
	}
	print("irqs received %u rx %u sent %u tx %u spurious %u strange %u\n", uart_counts.received,
	      uart_counts.rx_interrupts, uart_counts.sent, uart_counts.tx_interrupts, spurious, strange);
}

static void versions(const char *words)
{
	unsigned version = (unsigned)psci(PSCI_VERSION, 0, 0, 0);

	(void)words;
	print("psci %u.%u on %x off %x reset %x other %x\n", version >> 16, version & 0xffff,
	      (unsigned)psci(PSCI_FEATURES, PSCI_CPU_ON, 0, 0), (unsigned)psci(PSCI_FEATURES, PSCI_SYSTEM_OFF, 0, 0),
	      (unsigned)psci(PSCI_FEATURES, PSCI_SYSTEM_RESET, 0, 0), (unsigned)psci(PSCI_FEATURES, 0x8400ff00, 0, 0));
}

/* So many characters of input, whatever they are: FNV-1a of them. */
static void take(const char *words)
{
	unsigned left = number(words), hash = 0x811c9dc5;

	print("take\n");
	for (; left != 0; left--)
		hash = (hash ^ (uint8_t)uart_getc()) * 0x01000193;
	print("took %s %x\n", words, hash);
}

static void flood(const char *words)
{
	unsigned n;

	for (n = number(words); n != 0; n--)
		print("flood %u\n", n);
	print("flooded\n");
}

static void off(const char *words)
{
	(void)words;
	uart_flush();
	print("off is refused: %x\n", (unsigned)psci(PSCI_SYSTEM_OFF, 0, 0, 0));
}

static const struct command common[] = {
	{ "echo", echo }, { "ticks", ticks }, { "cpus", cpus }, { "irqs", irqs }, { "psci", versions }, { "take", take },
	{ "flood", flood }, { "lives", lives_show }, { "reset", lives_reset }, { "off", off },
	{ "probe", probe }, { "cycle", cycle }, { NULL, NULL },
};

static bool run(const struct command *list, const char *name, const char *words)
{
	for (; list->name != NULL; list++) {
		if (same(list->name, name)) {
			list->run(words);
			return true;
		}
	}
	return false;
}

static void read_line(char *line)
{
	unsigned n = 0;
	char c;

	print("> ");
	while ((c = uart_getc()) != '\r' && c != '\n') {
		if (n == LINE - 1)
			continue;
		line[n++] = c;
		uart_putc(c);
	}
	line[n] = '\0';
	print("\n");
}

void shell(void)
{
	static char line[LINE];

	for (;;) {
		char *words = line;

		read_line(line);
		while (*words != '\0' && *words != ' ')
			words++;
		if (*words == ' ')
			*words++ = '\0';
		if (!run(common, line, words) && !run(commands, line, words))
			print("what is %s?\n", line);
	}
}
