// SPDX-License-Identifier: GPL-2.0-only
/* Exit counters as tables for people and as JSON for scripts. */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stats.h"

#define NAME_WIDTH 16
#define COUNT_WIDTH 14
#define RATE_WIDTH 12

/* Escape sequences, or nothing where there is no screen. */
struct style {
	const char *bold;
	const char *dim;
	const char *plain;
	const char *end;	/* of a line */
};

static const struct style on_paper = { "", "", "", "\n" };
static const struct style on_screen = { "\033[1m", "\033[2m", "\033[0m", "\033[K\n" };

/* How much of it is shown. */
struct extent {
	bool per_cpu;
	bool zeros;		/* reasons that never caused an exit */
};

/* What CPU k counted per second since the sample before; below 0 if that is not known. */
static double cpu_rate(const struct stats *s, size_t stat, size_t k)
{
	const struct sample *now = &s->now, *before = &s->before;
	uint64_t value = now->values[stat][k];

	if (before->at <= 0 || value == UNKNOWN)
		return -1;
	for (size_t b = 0; b < before->cpu_count; b++) {
		if (before->cpus[b] != now->cpus[k])
			continue;
		/* less than before: it was with another cell meanwhile, and began at 0 */
		if (before->values[stat][b] == UNKNOWN || before->values[stat][b] > value)
			return -1;
		return (double)(value - before->values[stat][b]) / (now->at - before->at);
	}
	return -1;
}

/* Of all CPUs of which it is known. */
static double sum_rate(const struct stats *s, size_t stat)
{
	double sum = -1;

	for (size_t k = 0; k < s->now.cpu_count; k++) {
		double rate = cpu_rate(s, stat, k);

		if (rate >= 0)
			sum = sum < 0 ? rate : sum + rate;
	}
	return sum;
}

static double total_rate(const struct stats *s, size_t cpu)
{
	double sum = -1;

	for (size_t i = 0; i < s->reason_count; i++) {
		double rate = cpu == MAX_CPUS ? sum_rate(s, i) : cpu_rate(s, i, cpu);

		if (rate >= 0)
			sum = sum < 0 ? rate : sum + rate;
	}
	return sum;
}

static void put_rate(double rate)
{
	if (rate < 0)
		printf("%*s", RATE_WIDTH, "-");
	else
		printf("%*.*f", RATE_WIDTH, rate > 0 && rate < 100 ? 1 : 0, rate);
}

static void put_count(uint64_t value)
{
	if (value == UNKNOWN)
		printf("%*s", COUNT_WIDTH, "-");
	else
		printf("%*" PRIu64, COUNT_WIDTH, value);
}

static bool has_budget_row(const struct stats *s)
{
	return s->stat_count > s->reason_count;
}

static uint64_t over_budget(const struct stats *s)
{
	return has_budget_row(s) ? stats_sum(&s->now, s->reason_count) : 0;
}

/* Two lines: who it is and how, and what it promised. */
static void put_head(const struct stats *s, const struct style *style)
{
	uint64_t over = over_budget(s);

	printf("Exits of cell %u \"%s\": %s%s", s->id, s->name, s->now.state, style->end);
	if (!*s->exits)
		return;
	printf("exits: %s", s->exits);
	if (has_budget_row(s))
		printf(", %s%" PRIu64 " over budget%s", over ? style->bold : "", over, over ? style->plain : "");
	printf("; interrupts: %s; wfi: %s%s", s->interrupts, s->wfi, style->end);
}

static void put_cpu_titles(const struct stats *s, int width)
{
	char title[24];

	for (size_t k = 0; k < s->now.cpu_count; k++) {
		snprintf(title, sizeof(title), "CPU %u", s->now.cpus[k]);
		printf("%*s", width, title);
	}
}

static void put_counts(const struct stats *s, size_t stat)
{
	printf("%-*s", NAME_WIDTH, s->stats[stat]);
	put_count(stats_sum(&s->now, stat));
	for (size_t k = 0; k < s->now.cpu_count; k++)
		put_count(s->now.values[stat][k]);
	putchar('\n');
}

static uint64_t cpu_total(const struct stats *s, size_t k)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->reason_count; i++)
		if (s->now.values[i][k] != UNKNOWN)
			sum += s->now.values[i][k];
	return sum;
}

void show_counts(const struct stats *s)
{
	put_head(s, &on_paper);
	printf("%-*s%*s", NAME_WIDTH, "Reason", COUNT_WIDTH, "Sum");
	put_cpu_titles(s, COUNT_WIDTH);
	printf("\n%-*s", NAME_WIDTH, "total");
	put_count(stats_total(s, &s->now));
	for (size_t k = 0; k < s->now.cpu_count; k++)
		put_count(cpu_total(s, k));
	putchar('\n');
	for (size_t i = 0; i < s->reason_count; i++)
		put_counts(s, i);
	if (has_budget_row(s)) {
		putchar('\n');
		put_counts(s, s->reason_count);
	}
}

static void put_rates(const struct stats *s, size_t stat, const struct style *style, const struct extent *extent)
{
	uint64_t sum = stats_sum(&s->now, stat);

	if (!sum)
		fputs(style->dim, stdout);
	printf("%-*s", NAME_WIDTH, s->stats[stat]);
	put_count(sum);
	put_rate(sum_rate(s, stat));
	for (size_t k = 0; extent->per_cpu && k < s->now.cpu_count; k++)
		put_rate(cpu_rate(s, stat, k));
	if (!sum)
		fputs(style->plain, stdout);
	fputs(style->end, stdout);
}

static void put_total_rates(const struct stats *s, const struct style *style, const struct extent *extent)
{
	printf("%-*s", NAME_WIDTH, "total");
	put_count(stats_total(s, &s->now));
	put_rate(total_rate(s, MAX_CPUS));
	for (size_t k = 0; extent->per_cpu && k < s->now.cpu_count; k++)
		put_rate(total_rate(s, k));
	fputs(style->end, stdout);
}

static size_t width_with_cpus(const struct stats *s)
{
	return NAME_WIDTH + COUNT_WIDTH + RATE_WIDTH * (1 + s->now.cpu_count);
}

static void put_table(const struct stats *s, const struct style *style, const struct extent *extent)
{
	size_t hidden = 0;

	put_head(s, style);
	printf("%-*s%*s%*s", NAME_WIDTH, "Reason", COUNT_WIDTH, "Sum", RATE_WIDTH, "Per second");
	if (extent->per_cpu)
		put_cpu_titles(s, RATE_WIDTH);
	fputs(style->end, stdout);
	put_total_rates(s, style, extent);
	for (size_t i = 0; i < s->reason_count; i++) {
		if (extent->zeros || stats_sum(&s->now, i))
			put_rates(s, i, style, extent);
		else
			hidden++;
	}
	if (has_budget_row(s)) {
		fputs(style->end, stdout);
		put_rates(s, s->reason_count, style, extent);
	}
	if (hidden)
		printf("%s%zu reasons without an exit%s%s", style->dim, hidden, style->plain, style->end);
	if (!extent->per_cpu)
		printf("%seach CPU's rates: from %zu columns on%s%s", style->dim, width_with_cpus(s),
		       style->plain, style->end);
}

void show_block(const struct stats *s)
{
	const struct extent all = { .per_cpu = true, .zeros = true };

	if (s->before.at > 0)
		putchar('\n');
	put_table(s, &on_paper, &all);
}

void show_screen(const struct stats *s)
{
	/* head, titles, total, and behind the reasons a blank line, the budget and a remark */
	const size_t other_lines = 2 + 1 + 1 + 3;
	struct extent extent = { .per_cpu = true, .zeros = true };
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row) {
		extent.per_cpu = width_with_cpus(s) <= size.ws_col;
		extent.zeros = s->reason_count + other_lines < size.ws_row;
	}
	fputs("\033[H", stdout);
	put_table(s, &on_screen, &extent);
	fputs("\033[J", stdout);
}

/* Names and states are printable characters: those of JSON's own among them are marked. */
static void put_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void put_number(uint64_t value)
{
	if (value == UNKNOWN)
		fputs("null", stdout);
	else
		printf("%" PRIu64, value);
}

static void put_numbers(const struct stats *s, size_t stat)
{
	double rate = sum_rate(s, stat);

	printf("{\"sum\":%" PRIu64 ",\"per_second\":", stats_sum(&s->now, stat));
	if (rate < 0)
		fputs("null", stdout);
	else
		printf("%.3f", rate);
	fputs(",\"cpus\":[", stdout);
	for (size_t k = 0; k < s->now.cpu_count; k++) {
		fputs(k ? "," : "", stdout);
		put_number(s->now.values[stat][k]);
	}
	fputs("]}", stdout);
}

static void put_member(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	if (*text)
		put_string(text);
	else
		fputs("null", stdout);
}

void show_json(const struct stats *s)
{
	printf("{\"id\":%u", s->id);
	put_member("name", s->name);
	put_member("state", s->now.state);
	put_member("exits", s->exits);
	put_member("interrupts", s->interrupts);
	put_member("wfi", s->wfi);
	printf(",\"monotonic_seconds\":%.6f,\"cpus\":[", s->now.at);
	for (size_t k = 0; k < s->now.cpu_count; k++)
		printf("%s%u", k ? "," : "", s->now.cpus[k]);
	printf("],\"total\":%" PRIu64 ",\"reasons\":{", stats_total(s, &s->now));
	for (size_t i = 0; i < s->reason_count; i++) {
		fputs(i ? "," : "", stdout);
		put_string(s->stats[i]);
		putchar(':');
		put_numbers(s, i);
	}
	fputs("}", stdout);
	if (has_budget_row(s)) {
		fputs(",\"over_budget\":", stdout);
		put_numbers(s, s->reason_count);
	}
	fputs("}\n", stdout);
}
