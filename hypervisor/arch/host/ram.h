/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host-physical memory, and the windows through which CPUs see parts of it. A window
 * shows exactly the bytes asked for: what lies beside them is the sanitizer's. What is
 * written through it reaches memory, for a guest without caches, only when it is cleaned.
 */
#ifndef ARCH_HOST_RAM_H
#define ARCH_HOST_RAM_H

#include "base/addr.h"

/* `hypervisor` is a part of `span` no window may be opened on; pool pages lie there. */
void host_ram_begin(struct span span, struct span hypervisor);
void host_ram_end(void);

/* The bytes at `at`, as the guests' and the test's own eyes see them. */
uint8_t *host_ram(hpa_t at);

/* The guest wrote this page of the hypervisor's, which is shown to it. */
void host_ram_guest_wrote(const void *page);

/* Complains if the hypervisor's writes there are not all in memory: a guest without caches is to see them. */
void host_ram_check_cleaned(struct span span);
void host_ram_check_page_cleaned(const void *page);

#endif
