/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exits that are done without C share: for the assembler. */
#ifndef ARM64_EXIT_ASM_H
#define ARM64_EXIT_ASM_H

/* ESR_EL2.ISS.Rt of a system register's access */
#define ESR_RT 0x3e0
/* SPSR_EL2 */
#define SPSR_BTYPE 0xc00
#define SPSR_SS 0x200000

#ifdef __ASSEMBLER__
	/* skip_instruction() of 4 bytes, x2 and x3 being free */
	.macro	skip_instruction
	mrs	x2, elr_el2
	add	x2, x2, #4
	msr	elr_el2, x2
	/* what an instruction that is done leaves clear */
	mrs	x3, spsr_el2
	and	x3, x3, #~SPSR_BTYPE
	and	x3, x3, #~SPSR_SS
	msr	spsr_el2, x3
	.endm
#endif

#endif
