// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell_config.h"

#define ROOT_CELL 0

static bool find_cell(const struct abi_drv_cell *ref, unsigned *id)
{
	struct cell_info *cells;
	char enabled[8];
	bool found = false;
	size_t count;

	if (!sysfs_line(enabled, sizeof(enabled), "enabled") || strcmp(enabled, "1") ||
	    cells_read("cell", &cells, &count))
		return false;
	for (size_t i = 0; !found && i < count; i++) {
		*id = cells[i].id;
		found = ref->id == ABI_CELL_ID_BY_NAME ? !strcmp(cells[i].name, ref->name) : cells[i].id == ref->id;
	}
	free(cells);
	return found && *id != ROOT_CELL;
}

static enum status read_one(const struct command *c, unsigned id, uint8_t kind, void **bytes, struct config *config)
{
	const struct abi_header *header;
	struct why why = { "" };
	enum status s;
	char path[512];
	size_t size;

	snprintf(path, sizeof(path), JAILHOUSE_SYSFS "/cells/%u/config", id);
	if (access(path, F_OK))
		return fail(STATUS_ABSENT, c->name,
			    "no %s: command and driver are of different versions, install both anew", path);
	s = file_read(path, ABI_CONFIG_MAX_SIZE, bytes, &size);
	if (s)
		return s;
	header = *bytes;
	if (config_parse(*bytes, size, size >= sizeof(*header) ? header->arch : 0, kind, config, &why) != OK)
		return fail(STATUS_CONFIG, path, "%s", why.text);
	return STATUS_OK;
}

enum status cell_config_read(const struct command *c, const struct abi_drv_cell *ref, struct cell_config *config,
			     bool *found)
{
	enum status s;
	unsigned id;

	memset(config, 0, sizeof(*config));
	*found = find_cell(ref, &id);
	if (!*found)
		return STATUS_OK;
	s = read_one(c, id, ABI_KIND_CELL, &config->bytes[0], &config->cell);
	if (!s)
		s = read_one(c, ROOT_CELL, ABI_KIND_SYSTEM, &config->bytes[1], &config->system);
	if (s)
		cell_config_free(config);
	return s;
}

void cell_config_free(struct cell_config *config)
{
	free(config->bytes[0]);
	free(config->bytes[1]);
	memset(config, 0, sizeof(*config));
}
