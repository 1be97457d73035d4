/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says in texts, decoded. Pure; the texts end with a NUL and may hold anything. */
#ifndef JAILHOUSE_CLI_KERNEL_TEXT_H
#define JAILHOUSE_CLI_KERNEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is `what` anywhere in it? Not in NULL, a text that could not be read. */
bool text_has(const char *text, const char *what);
/* The word behind `before`, where a line begins with that; cut to `size`, empty if there is none. */
void text_word_behind(const char *text, const char *before, char *word, size_t size);

/* --- the command line --- */

/* Of the last parameter of this name (where - and _ are the same) the value, cut to `size`; false: there is none. */
bool param_find(const char *cmdline, const char *name, char *value, size_t size);
/* Is it given with this value, whatever comes behind? */
bool param_has(const char *cmdline, const char *name, const char *value);
/* Its last value is one that kstrtobool() takes for true. */
bool param_true(const char *cmdline, const char *name);
/* What all memmap=SIZE$START set aside, as far as a number holds it. */
uint64_t param_memmap_reserved(const char *cmdline);
/* The least mem=; 0: there is none. */
uint64_t param_mem(const char *cmdline);

/* --- other files --- */

/* Of CONFIG_`name`: 'y', 'm', 'n' for not set, '?' for any other value. */
char config_option(const char *config, const char *name);

/* Of a list like 0-3,5: how many; 0 if it is none, or of more than 65536. */
unsigned cpu_list_count(const char *list);

/* Of 6.12.95+deb12-amd64: 6012; 0 if it is no release. */
unsigned release_number(const char *release);
#define RELEASE(major, minor) ((major) * 1000u + (minor))

/* /proc/cpuinfo: "arm64", "x86_64", or NULL if it is neither's. */
const char *cpuinfo_arch(const char *cpuinfo);
/* Do all CPUs have this flag? False, too, if none is listed. */
bool cpuinfo_flag(const char *cpuinfo, const char *flag);

/* /proc/iomem and ioports have zeros only for whoever is not root. */
bool resources_have_addresses(const char *text);

/* /proc/modules */
bool modules_has(const char *modules, const char *name);

/* The choice in brackets, of "none [integrity]"; cut to `size`, empty if there is none. */
void text_choice(const char *text, char *word, size_t size);

#endif
