/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the first CPU's registers held as the program was entered: taken by the start code
 * before it uses any of them. Of RAX, RCX and RDX, which it needs on its way to 64-bit mode,
 * that is the lower halves, and the upper ones as they were on arrival there.
 */
#ifndef INMATE_X86_64_SNAPSHOT_H
#define INMATE_X86_64_SNAPSHOT_H

/* In real mode, in the image's first page; read from there */
#define EARLY_CR0 0
#define EARLY_CR4 4
#define EARLY_EFER 8
#define EARLY_GPR 12
#define EARLY_SEGMENTS 24
#define EARLY_GDTR 34
#define EARLY_IDTR 40
#define EARLY_SIZE 48

#define SNAPSHOT_GPR 0
#define SNAPSHOT_CR2 128
#define SNAPSHOT_CR3 136
#define SNAPSHOT_XCR0 144
#define SNAPSHOT_XSAVE 192
#define SNAPSHOT_XSAVE_SIZE 832
#define SNAPSHOT_SIZE (SNAPSHOT_XSAVE + SNAPSHOT_XSAVE_SIZE)

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct snapshot_early {
	uint32_t cr0, cr4, efer;
	uint32_t gpr[3];			/* RAX, RCX, RDX */
	uint16_t segment[5];			/* DS, ES, SS, FS, GS */
	struct {
		uint16_t limit, base[2];
	} gdtr, idtr;
};

struct snapshot {
	uint64_t gpr[16];			/* by their number in instructions */
	uint64_t cr2, cr3, xcr0;
	uint64_t pad[5];
	/* As XSAVE lays them out (APM 2, 11.5): x87, XMM, the header, the upper halves of YMM */
	struct {
		uint8_t x87[160];
		uint64_t xmm[16][2];
		uint8_t more[96];
		uint64_t present;		/* XSTATE_BV: what is not there is as after reset */
		uint64_t header[7];
		uint64_t ymm_high[16][2];
	} xsave;
};

_Static_assert(offsetof(struct snapshot_early, efer) == EARLY_EFER, "start.S");
_Static_assert(offsetof(struct snapshot_early, gpr) == EARLY_GPR, "start.S");
_Static_assert(offsetof(struct snapshot_early, segment) == EARLY_SEGMENTS, "start.S");
_Static_assert(offsetof(struct snapshot_early, gdtr) == EARLY_GDTR, "start.S");
_Static_assert(offsetof(struct snapshot_early, idtr) == EARLY_IDTR, "start.S");
_Static_assert(sizeof(struct snapshot_early) <= EARLY_SIZE, "start.S");
_Static_assert(offsetof(struct snapshot, cr2) == SNAPSHOT_CR2, "start.S");
_Static_assert(offsetof(struct snapshot, xcr0) == SNAPSHOT_XCR0, "start.S");
_Static_assert(offsetof(struct snapshot, xsave) == SNAPSHOT_XSAVE, "start.S");
_Static_assert(sizeof(struct snapshot) == SNAPSHOT_SIZE, "start.S");
_Static_assert(SNAPSHOT_XSAVE % 64 == 0, "XSAVE's alignment");

extern const struct snapshot_early image_early;
extern const struct snapshot image_snapshot;
#endif

#endif
