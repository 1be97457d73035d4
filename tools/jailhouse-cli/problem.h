/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a file, in words for whoever named it. */
#ifndef JAILHOUSE_CLI_PROBLEM_H
#define JAILHOUSE_CLI_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#define PROBLEM_SIZE 256

/* Puts the words, cut if they are too many, into `problem`. False, for who returns that then. */
bool problem_say(char problem[PROBLEM_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a file is instead of what it should be, and what is to be done with it. */
struct disguise {
	size_t at;
	const char *mark;
	const char *words;
};

/* The words of the first that fits, of `count`; NULL: none does. What every kernel can be packed by is among them always. */
const char *disguise_words(const void *data, size_t size, const struct disguise *disguises, size_t count);

#endif
