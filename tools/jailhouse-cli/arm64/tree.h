/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree of an arm64 cell, from what its configuration says. Acts on nothing. */
#ifndef JAILHOUSE_CLI_TREE_H
#define JAILHOUSE_CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/parse.h"
#include "problem.h"

/* booting.rst 2: a kernel maps no more of it */
#define TREE_LIMIT ((size_t)2 << 20)

struct tree_wish {
	const struct config *cell, *system;
	const void *user;		/* a tree laid over what is generated, or an overlay; may be NULL */
	size_t user_size;
	const char *bootargs;		/* NULL: the user's tree's, if it has some */
	uint64_t initrd, initrd_size;	/* guest-physical; size 0: there is none */
};

struct tree {
	void *bytes;		/* to be freed */
	size_t size;		/* the same for any address of the initrd */
	char note[PROBLEM_SIZE];	/* what the tree lacks to be useful, in words; or empty */
};

/* False: `problem` says why not (or nothing is left of this program's own memory, and it is empty). */
bool tree_make(const struct tree_wish *wish, struct tree *tree, char problem[PROBLEM_SIZE]);

/* tree_user.c */

/* What is wrong with it as a device tree, or NULL. */
const char *tree_user_broken(const void *user, size_t size);
bool tree_is_overlay(const void *user);
/* A node's child by its whole name, or what libfdt says; libfdt itself takes `memory@0` for `memory`. */
int tree_child(const void *fdt, int parent, const char *name);
/*
 * The phandle that a node of the generated tree is to have, so that the user's tree means it by its
 * own number for it: that, or one it does not use. `number` distinguishes nodes, from 1 on. The
 * path is that of a node of the root.
 */
uint32_t tree_user_phandle(const void *user, const char *path, uint32_t number);
/* Whether the user's tree says where the device of that path, again of the root, has its registers. */
bool tree_user_has_device(const void *user, const char *path);
/* Nodes and properties of the user's replace or add to those of `fdt`, which has room for them; NULL, or what failed. */
const char *tree_user_lay_over(void *fdt, const void *user);
const char *tree_user_overlay(void *fdt, const void *user, size_t size);

#endif
