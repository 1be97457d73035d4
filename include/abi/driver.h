/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /dev/jailhouse: the ioctls between the jailhouse command and the driver. */
#ifndef ABI_DRIVER_H
#define ABI_DRIVER_H

#include "config.h"

#ifdef __KERNEL__
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif

#define ABI_CELL_ID_BY_NAME 0xffffffffu

/* error: on failure one line in words, without newline: what is wrong and what to change. */
#define ABI_DRIVER_ERROR_SIZE 256

struct abi_drv_config {
	uint64_t data;		/* user address of the blob */
	uint64_t size;
	char error[ABI_DRIVER_ERROR_SIZE];
};

struct abi_drv_cell {
	uint32_t id;		/* or ABI_CELL_ID_BY_NAME */
	uint32_t reserved;	/* 0 */
	char name[32];
	char error[ABI_DRIVER_ERROR_SIZE];
};

struct abi_drv_image {
	uint64_t data;		/* user address */
	uint64_t size;
	uint64_t address;	/* guest-physical */
	uint64_t memory;	/* bytes there, at least size; behind the image they become zero */
};

#define ABI_DRV_MAX_IMAGES 32

#define ABI_DRV_LOAD_ENTRY 0x1	/* `entry` counts */

struct abi_drv_load {
	struct abi_drv_cell cell;
	uint32_t count;
	uint32_t flags;		/* 0 or ABI_DRV_LOAD_ENTRY */
	uint64_t images;	/* user address of count x struct abi_drv_image */
	uint64_t entry;		/* guest-physical, where the images want to be started: it must be where the cell is */
};

struct abi_drv_none {
	char error[ABI_DRIVER_ERROR_SIZE];
};

#define ABI_DRV_ENABLE _IOWR('J', 0, struct abi_drv_config)
#define ABI_DRV_DISABLE _IOWR('J', 1, struct abi_drv_none)
#define ABI_DRV_CELL_CREATE _IOWR('J', 2, struct abi_drv_config)
#define ABI_DRV_CELL_LOAD _IOWR('J', 3, struct abi_drv_load)
#define ABI_DRV_CELL_START _IOWR('J', 4, struct abi_drv_cell)
#define ABI_DRV_CELL_SHUTDOWN _IOWR('J', 5, struct abi_drv_cell)
#define ABI_DRV_CELL_DESTROY _IOWR('J', 6, struct abi_drv_cell)
/*
 * What is read from this file is from now on what that cell's console said, byte by byte from the
 * oldest there is, with an end when the cell is gone; what is written to it is typed there. Before,
 * reading gives the lines of the hypervisor and of all cells, as they ended.
 */
#define ABI_DRV_CELL_CONSOLE _IOWR('J', 7, struct abi_drv_cell)

#endif
