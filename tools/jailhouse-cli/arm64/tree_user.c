// SPDX-License-Identifier: GPL-2.0-only
/* What the user adds to a generated device tree. */
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/* Linux takes no deeper ones either */
#define DEPTH_LIMIT 64

const char *tree_user_broken(const void *user, size_t size)
{
	/* Its header is read before its end is known */
	if (size < sizeof(struct fdt_header))
		return "it ends within its header";
	if (fdt_magic(user) != FDT_MAGIC)
		return "it is no device tree in binary form: dtc -@ -O dtb makes one of a .dts";
	if (fdt_check_full(user, size))
		return "it is damaged, or was cut short";
	return NULL;
}

bool tree_is_overlay(const void *user)
{
	int node;

	fdt_for_each_subnode(node, user, 0)
		if (fdt_subnode_offset(user, node, "__overlay__") >= 0)
			return true;
	return false;
}

int tree_child(const void *fdt, int parent, const char *name)
{
	int node;

	fdt_for_each_subnode(node, fdt, parent) {
		const char *other = fdt_get_name(fdt, node, NULL);

		if (other && !strcmp(other, name))
			return node;
	}
	return node;
}

/* Of the root, if it is a tree that is laid over, in which paths are those of the result. */
static int user_node(const void *user, const char *path)
{
	return user && !tree_is_overlay(user) ? tree_child(user, 0, path + 1) : -FDT_ERR_NOTFOUND;
}

bool tree_user_has_device(const void *user, const char *path)
{
	int node = user_node(user, path);

	return node >= 0 && fdt_getprop(user, node, "reg", NULL);
}

uint32_t tree_user_phandle(const void *user, const char *path, uint32_t number)
{
	uint32_t own = 0, highest = 0;
	int node = user_node(user, path);

	if (!user || tree_is_overlay(user))
		return number;
	if (node >= 0)
		own = fdt_get_phandle(user, node);
	if (own)
		return own;
	fdt_find_max_phandle(user, &highest);
	return highest + number;
}

static int lay_properties(void *fdt, int to, const void *user, int from)
{
	int property, e = 0;

	fdt_for_each_property_offset(property, user, from) {
		const char *name;
		int length;
		const void *value = fdt_getprop_by_offset(user, property, &name, &length);

		if (!e && value)
			e = fdt_setprop(fdt, to, name, value, length);
	}
	return e;
}

/* A node's offset is the same when something is added below or behind it. */
static int lay_node(void *fdt, int to, const void *user, int from, int depth)
{
	int node, e = depth > DEPTH_LIMIT ? -FDT_ERR_BADSTRUCTURE : lay_properties(fdt, to, user, from);

	fdt_for_each_subnode(node, user, from) {
		const char *name = fdt_get_name(user, node, NULL);
		int child;

		if (e)
			return e;
		if (!name)
			return -FDT_ERR_BADSTRUCTURE;
		child = tree_child(fdt, to, name);
		if (child < 0)
			child = fdt_add_subnode(fdt, to, name);
		e = child < 0 ? child : lay_node(fdt, child, user, node, depth + 1);
	}
	return e;
}

const char *tree_user_lay_over(void *fdt, const void *user)
{
	int e = 0;

	for (int i = 0; !e && i < fdt_num_mem_rsv(user); i++) {
		uint64_t address, size;

		e = fdt_get_mem_rsv(user, i, &address, &size);
		if (!e)
			e = fdt_add_mem_rsv(fdt, address, size);
	}
	if (!e)
		e = lay_node(fdt, 0, user, 0, 0);
	/* libfdt takes one for the other */
	if (e == -FDT_ERR_EXISTS)
		return "a node without an address in its name is there with one: write that, as in memory@40000000";
	return e ? fdt_strerror(e) : NULL;
}

const char *tree_user_overlay(void *fdt, const void *user, size_t size)
{
	void *copy = malloc(size);	/* applying changes it */
	int e;

	if (!copy)
		return "no memory is left for this command";
	memcpy(copy, user, size);
	e = fdt_overlay_apply(fdt, copy);
	free(copy);
	if (e == -FDT_ERR_NOTFOUND)
		return "it names a label that the cell's tree does not have, or was made without dtc -@";
	return e ? fdt_strerror(e) : NULL;
}
