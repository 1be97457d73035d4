// SPDX-License-Identifier: GPL-2.0-only
/* A cell's file, as far as the benchmark reads it, and its life. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

/* Where the benchmark's program looks for its command line. */
#define CMDLINE 0x1000
/* An 8250's registers, and what the program calls the first pin of the first IOAPIC */
#define UART_PORTS 8u
#define LINE_OF_PIN_0 32u

static void take_mem(struct bench_cell *cell, const struct abi_mem *m)
{
	if (!(m->flags & (ABI_MEM_IO | ABI_MEM_COMM)))
		cell->memory += m->size;
	if (m->flags & ABI_MEM_IO && !strncmp(m->name, "uart", 4) && !cell->uart)
		cell->uart = m->virt;
}

/* Only x86 has ports: a UART of this kind, its line numbered as x86's programs do it. */
static void take_pio(struct bench_cell *cell, const struct abi_pio *pio)
{
	if (pio->count != UART_PORTS || cell->uart)
		return;
	cell->uart = pio->first;
	if (cell->line)
		cell->line += LINE_OF_PIN_0;
}

static enum status take_records(const char *path, struct bench_cell *cell)
{
	const char *blob = cell->blob;
	size_t at = sizeof(struct abi_header) + sizeof(struct abi_cell);
	struct abi_header header;
	struct abi_cell record;

	if (cell->blob_size < at)
		return fail(STATUS_CONFIG, path, "is too short for a cell's file");
	memcpy(&header, blob, sizeof(header));
	memcpy(&record, blob + sizeof(header), sizeof(record));
	if (memcmp(header.magic, ABI_CONFIG_MAGIC, sizeof(header.magic)) ||
	    header.version != ABI_CONFIG_VERSION || header.kind != ABI_KIND_CELL)
		return fail(STATUS_CONFIG, path,
			    "is no cell's file of version %d: make it anew with jailhouse config build",
			    ABI_CONFIG_VERSION);
	if (record.mem_count > cell->blob_size / sizeof(struct abi_mem) ||
	    record.irq_count > cell->blob_size / sizeof(struct abi_irq) ||
	    at + record.mem_count * sizeof(struct abi_mem) +
		    record.irq_count * sizeof(struct abi_irq) +
		    record.pio_count * sizeof(struct abi_pio) +
		    record.pci_count * sizeof(struct abi_pci) != cell->blob_size)
		return fail(STATUS_CONFIG, path, "is not as long as its records say");
	cell->crc = header.crc;
	memcpy(cell->name, record.name, sizeof(cell->name) - 1);
	memcpy(cell->cpus, record.cpus, sizeof(cell->cpus));
	for (uint32_t i = 0; i < record.mem_count; i++) {
		struct abi_mem m;

		memcpy(&m, blob + at + i * sizeof(m), sizeof(m));
		take_mem(cell, &m);
	}
	at += record.mem_count * sizeof(struct abi_mem);
	if (record.irq_count) {
		struct abi_irq irq;

		memcpy(&irq, blob + at, sizeof(irq));
		cell->line = irq.virt;
	}
	at += record.irq_count * sizeof(struct abi_irq);
	for (uint32_t i = 0; i < record.pio_count; i++) {
		struct abi_pio pio;

		memcpy(&pio, blob + at + i * sizeof(pio), sizeof(pio));
		take_pio(cell, &pio);
	}
	return STATUS_OK;
}

enum status cell_open(const struct command *c, const char *path, struct bench_cell *cell)
{
	enum status s;

	memset(cell, 0, sizeof(*cell));
	cell->c = c;
	s = file_read(path, ABI_CONFIG_MAX_SIZE, &cell->blob, &cell->blob_size);
	if (!s)
		s = take_records(path, cell);
	if (s)
		cell_close(cell);
	return s;
}

void cell_close(struct bench_cell *cell)
{
	free(cell->blob);
	cell->blob = NULL;
}

bool cell_has_cpu(const struct bench_cell *cell, unsigned cpu)
{
	return cpu < ABI_CPU_SET_WORDS * 64 && cell->cpus[cpu / 64] >> cpu % 64 & 1;
}

enum status cell_create(struct bench_cell *cell)
{
	struct abi_drv_config r;

	memset(&r, 0, sizeof(r));
	r.data = (uintptr_t)cell->blob;
	r.size = cell->blob_size;
	return device_call(cell->c, ABI_DRV_CELL_CREATE, &r, r.error);
}

static void name_it(const struct bench_cell *cell, struct abi_drv_cell *r)
{
	memset(r, 0, sizeof(*r));
	r->id = ABI_CELL_ID_BY_NAME;
	memcpy(r->name, cell->name, sizeof(r->name));
}

enum status cell_load(struct bench_cell *cell, const void *image, size_t size, const char *text)
{
	struct abi_drv_image images[2];
	struct abi_drv_load r;

	memset(&r, 0, sizeof(r));
	name_it(cell, &r.cell);
	images[0] = (struct abi_drv_image){ (uintptr_t)image, size, 0, size };
	images[1] = (struct abi_drv_image){ (uintptr_t)text, strlen(text) + 1, CMDLINE, strlen(text) + 1 };
	r.count = 2;
	r.images = (uintptr_t)images;
	return device_call(cell->c, ABI_DRV_CELL_LOAD, &r, r.cell.error);
}

enum status cell_request(struct bench_cell *cell, unsigned long request)
{
	struct abi_drv_cell r;

	name_it(cell, &r);
	return device_call(cell->c, request, &r, r.error);
}

void cell_remove(const struct bench_cell *cell)
{
	static const unsigned long requests[] = { ABI_DRV_CELL_SHUTDOWN, ABI_DRV_CELL_DESTROY };
	int fd = open(JAILHOUSE_DEVICE, O_RDWR | O_CLOEXEC);
	struct abi_drv_cell r;

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		name_it(cell, &r);
		if (ioctl(fd, requests[i], &r) && errno != ENOENT && requests[i] == ABI_DRV_CELL_DESTROY)
			fail(STATUS_OTHER, cell->c->name, "cell \"%s\" is left behind: %.*s", cell->name,
			     ABI_DRIVER_ERROR_SIZE, *r.error ? r.error : strerror(errno));
	}
	close(fd);
}
