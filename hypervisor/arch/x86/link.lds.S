/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/log_area.h"
#include "layout.h"

OUTPUT_ARCH(i386:x86-64)
ENTRY(_entry)

SECTIONS
{
	. = HV_BASE;
	_start = .;
	.header : { *(.header) }
	. = ALIGN(4096);
	_text = .;
	.text : { *(.text .text.*) }
	. = ALIGN(4096);
	_rodata = .;
	/* padded inside, so that the file has all of it; addresses in it are final, nobody relocates */
	.rodata (READONLY) : { *(.rodata .rodata.* .data.rel.ro .data.rel.ro.*) BYTE(0) . = ALIGN(4096); }
	_data = .;
	.data : { *(.data .data.*) }
	ASSERT(SIZEOF(.data) == 0, "what is writable begins as zero")
	.got : { *(.got .got.*) }
	ASSERT(SIZEOF(.got) == 0, "all symbols are reached relative to RIP")
	_image_end = .;
	.bss (NOLOAD) : { *(.bss .bss.* COMMON) }
	. = ALIGN(4096);
	_boot = .;
	. += BOOT_TABLES * 4096;
	_percpu = .;
	. += CONFIG_MAX_CPUS * PERCPU_SIZE;
	. = ALIGN(4096);
	_log = .;
	. += LOG_AREA_SIZE;
	. = ALIGN(4096);
	_end = .;

	_image_size = _image_end - _start;
	_memory_size = _end - _start;
	_entry_offset = _entry - _start;
	_boot_offset = _boot - _start;
	_log_offset = _log - _start;

	/DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
