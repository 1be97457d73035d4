/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * x86: how a cell that is started as a machine of its own ends or restarts. It has the registers of a
 * hardware-reduced ACPI platform (ACPI 6.5, 4.8.3.6, 4.8.3.7), all of them at one I/O port of a
 * byte; tables made for a cell name it in FADT's SLEEP_CONTROL_REG, SLEEP_STATUS_REG and RESET_REG.
 * It reads 0; any other byte written there changes nothing. No PC decodes the port, and the root cell
 * does not have it; a cell to whom its configuration gives it has what the machine has there.
 */
#ifndef ABI_POWER_H
#define ABI_POWER_H

#define ABI_POWER_PORT 0xe4
#define ABI_POWER_RESET 0x01	/* FADT's RESET_VALUE */
#define ABI_POWER_S5 5		/* \_S5's SLP_TYPa */
#define ABI_POWER_OFF (0x20 | ABI_POWER_S5 << 2)	/* SLP_EN, SLP_TYPx */

#endif
