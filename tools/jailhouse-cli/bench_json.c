// SPDX-License-Identifier: GPL-2.0-only
/* The result for programs. What was not measured is null. */
#include <inttypes.h>
#include <string.h>

#include "bench.h"

static void text(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		/* beyond ASCII it is what the firmware said, in an encoding nobody knows */
		else if (c < 0x20 || c > 0x7e)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void text_or_null(FILE *f, const char *s)
{
	if (*s)
		text(f, s);
	else
		fputs("null", f);
}

static void machine(FILE *f, const struct bench_machine *m)
{
	fputs(" \"machine\": {\"model\": ", f);
	text_or_null(f, m->model);
	fprintf(f, ", \"cpus\": %u, \"midr\": ", m->cpus);
	text_or_null(f, m->midr);
	fputs(", \"counter_hz\": ", f);
	if (m->counter_hz)
		fprintf(f, "%" PRIu64, m->counter_hz);
	else
		fputs("null", f);
	fprintf(f, ", \"emulator\": %s, \"gic\": ", m->emulator ? "true" : "false");
	text_or_null(f, m->gic);
	fputs("},\n \"kernel\": ", f);
	text_or_null(f, m->kernel);
	fputs(",\n \"hypervisor\": ", f);
	text_or_null(f, m->hypervisor);
	fputs(",\n", f);
}

static void run(FILE *f, const struct bench_run *r)
{
	fputs("  {\"where\": ", f);
	text(f, r->where);
	fprintf(f, ", \"load\": \"%s\", \"workload\": ", r->load);
	text(f, r->workload);
	if (r->unit)
		fprintf(f, ", \"unit\": \"%s\"", r->unit);
	if (*r->refused) {
		fputs(", \"refused\": ", f);
		text(f, r->refused);
		fputs(", \"samples\": null, \"resolution\": 0, \"histogram\": null, \"exits\": null}", f);
		return;
	}
	fprintf(f, ", \"samples\": %" PRIu64 ", \"resolution\": %" PRIu64 ",\n   \"histogram\": ",
		r->histogram.samples, r->histogram.resolution);
	if (!r->measured)
		fputs("null", f);
	for (size_t i = 0; r->measured && i < r->histogram.count; i++)
		fprintf(f, "%s[%" PRIu64 ",%" PRIu64 "]%s", i ? "," : "[",
			r->histogram.pairs[i].value, r->histogram.pairs[i].count,
			i + 1 == r->histogram.count ? "]" : "");
	fputs(",\n   \"exits\": ", f);
	if (!r->counted)
		fputs("null", f);
	for (size_t i = 0; r->counted && i < r->exit_count; i++)
		fprintf(f, "%s\"%s\": %" PRIu64 "%s", i ? ", " : "{", r->exits[i].name,
			r->exits[i].count, i + 1 == r->exit_count ? "}" : "");
	fputc('}', f);
}

static void numbers(FILE *f, const char *name, bool known, const uint64_t *values, unsigned n)
{
	fprintf(f, ", \"%s\": ", name);
	if (!known)
		fputs("null", f);
	for (unsigned i = 0; known && i < n; i++)
		fprintf(f, "%s%" PRIu64 "%s", i ? "," : "[", values[i], i + 1 == n ? "]" : "");
}

static void life(FILE *f, const struct bench_life *l)
{
	fprintf(f, "  {\"operation\": \"%s\", \"cell\": ", l->operation);
	text(f, l->cell);
	fprintf(f, ", \"memory\": %" PRIu64 ", \"rounds\": %u", l->memory, l->rounds);
	numbers(f, "times", true, l->times, l->rounds);
	numbers(f, "pauses", l->watched, l->pauses, l->rounds);
	numbers(f, "quiet_pauses", l->watched, l->quiet, l->rounds);
	fputc('}', f);
}

void json_write(const struct bench_result *r, FILE *f)
{
	fprintf(f, "{\"format\": 1, \"mode\": \"%s\", \"unit\": \"%s\",\n",
		r->icount ? "icount" : "wall", r->icount ? "instructions" : "ns");
	machine(f, &r->machine);
	fputs(" \"config\": {", f);
	for (size_t i = 0; i < r->config_count; i++) {
		fputs(i ? ", " : "", f);
		text(f, r->configs[i].path);
		fprintf(f, ": \"%08x\"", r->configs[i].crc);
	}
	fprintf(f, "},\n \"samples\": %" PRIu64 ",\n \"runs\": [", r->samples);
	for (size_t i = 0; i < r->run_count; i++) {
		fputs(i ? ",\n" : "\n", f);
		run(f, &r->runs[i]);
	}
	fputs("\n ],\n \"lifecycle\": [", f);
	for (size_t i = 0; r->lived && i < BENCH_OPERATIONS; i++) {
		fputs(i ? ",\n" : "\n", f);
		life(f, &r->life[i]);
	}
	fputs("\n ]}\n", f);
}
