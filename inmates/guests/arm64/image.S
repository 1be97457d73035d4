/* SPDX-License-Identifier: GPL-2.0-only */
/* The header of Linux's arm64 Image (booting.rst 4). */
	.section .text.header, "ax"
	b	_start
	.long	0
	.quad	0		/* text_offset */
	.quad	image_size
	.quad	0xa		/* little endian, 4K pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
