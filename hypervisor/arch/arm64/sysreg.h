/* SPDX-License-Identifier: GPL-2.0-only */
/* System registers and barriers; fields by the names of DDI0487 and IHI0069. */
#ifndef ARM64_SYSREG_H
#define ARM64_SYSREG_H

#include "base/bits.h"

#define sysreg_text_(reg) #reg
#define sysreg_text(reg) sysreg_text_(reg)
/* A name or an encoding (S3_0_C12_C8_0), or a macro for one. */
#define sysreg_read(reg)                                                        \
	({                                                                      \
		uint64_t value_;                                                \
		__asm__ volatile("mrs %0, " sysreg_text(reg) : "=r"(value_));   \
		value_;                                                         \
	})
#define sysreg_write(reg, value) \
	__asm__ volatile("msr " sysreg_text(reg) ", %x0" : : "rZ"((uint64_t)(value)))

#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb(domain) __asm__ volatile("dsb " #domain : : : "memory")
#define wfi() __asm__ volatile("wfi" : : : "memory")

/* HCR_EL2 */
#define HCR_VM BIT(0)
#define HCR_SWIO BIT(1)
#define HCR_PTW BIT(2)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_TWI BIT(13)
#define HCR_TID3 BIT(18)
#define HCR_TSC BIT(19)
#define HCR_TIDCP BIT(20)
#define HCR_TACR BIT(21)
#define HCR_RW BIT(31)
#define HCR_E2H BIT(34)
#define HCR_TLOR BIT(35)
#define HCR_TERR BIT(36)
#define HCR_FIEN BIT(47)
#define HCR_ENSCXT BIT(53)
#define HCR_ATA BIT(56)
#define HCR_TID5 BIT(58)

/* CPTR_EL2, with HCR_EL2.E2H = 0 */
#define CPTR_TZ BIT(8)
#define CPTR_TSM BIT(12)
#define CPTR_TTA BIT(20)
#define CPTR_TAM BIT(30)

/* MDCR_EL2 */
#define MDCR_TPMS BIT(14)
#define MDCR_E2PB BITS(13, 12)
#define MDCR_HPMD BIT(17)
#define MDCR_TTRF BIT(19)
#define MDCR_HCCD BIT(23)
#define MDCR_E2TB BITS(25, 24)

/* CNTHCTL_EL2 */
#define CNTHCTL_EL1PCTEN BIT(0)
#define CNTHCTL_EL1PCEN BIT(1)
#define CNTHCTL_EVNTEN BIT(2)
#define CNTHCTL_EVNTI BITS(7, 4)

/* HCRX_EL2, by encoding S3_4_C1_C2_2 */
#define HCRX_MSCEN BIT(11)

/* SCTLR_EL2 */
#define SCTLR_M BIT(0)
#define SCTLR_C BIT(2)
#define SCTLR_SA BIT(3)
#define SCTLR_I BIT(12)
#define SCTLR_WXN BIT(19)
#define SCTLR_EL2_RES1 0x30c50830ull
#define SCTLR_EL2_ON (SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I)

/* SCTLR_EL1 after reset: MMU and caches off, little-endian */
#define SCTLR_EL1_RESET 0x30d00800ull

/* SPSR_EL2 */
#define SPSR_EL1H_MASKED 0x3c5ull	/* D, A, I, F masked */
#define SPSR_AARCH32 BIT(4)
#define SPSR_BTYPE BITS(11, 10)
#define SPSR_SSBS BIT(12)
#define SPSR_SS BIT(21)
#define SPSR_DIT BIT(24)

#define MPIDR_AFFINITY 0xff00ffffffull
#define VMPIDR_RES1 BIT(31)

/* ID registers */
#define PFR0_EL3 BITS(15, 12)
#define PFR0_EL2 BITS(11, 8)
#define PFR0_GIC BITS(27, 24)
#define PFR0_RAS BITS(31, 28)
#define PFR0_SVE BITS(35, 32)
#define PFR0_MPAM BITS(43, 40)
#define PFR0_AMU BITS(47, 44)
#define PFR0_CSV2 BITS(59, 56)
#define PFR1_MTE BITS(11, 8)
#define PFR1_RAS_FRAC BITS(15, 12)
#define PFR1_MPAM_FRAC BITS(19, 16)
#define PFR1_SME BITS(27, 24)
#define PFR1_NMI BITS(39, 36)
#define PFR1_MTE_FRAC BITS(43, 40)
#define DFR0_TRACEVER BITS(7, 4)
#define DFR0_PMUVER BITS(11, 8)
#define DFR0_BRPS BITS(15, 12)
#define DFR0_WRPS BITS(23, 20)
#define DFR0_PMSVER BITS(35, 32)
#define DFR0_TRACEFILT BITS(43, 40)
#define DFR0_TRACEBUFFER BITS(47, 44)
#define DFR0_MTPMU BITS(51, 48)
#define DFR0_BRBE BITS(55, 52)
#define DFR0_HPMN0 BITS(63, 60)
#define ISAR1_APA BITS(7, 4)
#define ISAR1_API BITS(11, 8)
#define ISAR2_APA3 BITS(15, 12)
#define ISAR2_WFXT BITS(3, 0)
#define ISAR2_MOPS BITS(19, 16)
#define MMFR0_PARANGE BITS(3, 0)
#define MMFR0_TGRAN4 BITS(31, 28)
#define MMFR1_VH BITS(11, 8)
#define MMFR1_LO BITS(19, 16)
#define MMFR1_HCX BITS(43, 40)
#define MMFR2_NV BITS(27, 24)
#define MMFR3_TCRX BITS(3, 0)
#define MMFR3_S1PIE BITS(11, 8)
#define MMFR3_S1POE BITS(19, 16)
#define MMFR3_SCTLRX BITS(7, 4)

/* PAR_EL1 */
#define PAR_F BIT(0)
#define PAR_PA BITS(51, 12)

/* The GIC's CPU interface, by encoding: not every assembler has the names */
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR0_EL1 S3_0_C12_C8_0
#define ICC_EOIR0_EL1 S3_0_C12_C8_1
#define ICC_BPR0_EL1 S3_0_C12_C8_3
#define ICC_AP0R0_EL1 S3_0_C12_C8_4
#define ICC_AP1R0_EL1 S3_0_C12_C9_0
#define ICC_AP1R1_EL1 S3_0_C12_C9_1
#define ICC_AP1R2_EL1 S3_0_C12_C9_2
#define ICC_AP1R3_EL1 S3_0_C12_C9_3
#define ICC_DIR_EL1 S3_0_C12_C11_1
#define ICC_RPR_EL1 S3_0_C12_C11_3
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICC_SGI0R_EL1 S3_0_C12_C11_7
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_IGRPEN0_EL1 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICH_AP1R0_EL2 S3_4_C12_C9_0
#define ICH_AP1R1_EL2 S3_4_C12_C9_1
#define ICH_AP1R2_EL2 S3_4_C12_C9_2
#define ICH_AP1R3_EL2 S3_4_C12_C9_3
#define ICH_AP0R0_EL2 S3_4_C12_C8_0
#define ICH_AP0R1_EL2 S3_4_C12_C8_1
#define ICH_AP0R2_EL2 S3_4_C12_C8_2
#define ICH_AP0R3_EL2 S3_4_C12_C8_3
#define ICH_HCR_EL2 S3_4_C12_C11_0
#define ICH_VTR_EL2 S3_4_C12_C11_1
#define ICH_ELRSR_EL2 S3_4_C12_C11_5
#define ICH_VMCR_EL2 S3_4_C12_C11_7
#define ICH_LR0_EL2 S3_4_C12_C12_0

/* ICC_SRE_EL2 */
#define ICC_SRE_SRE BIT(0)
#define ICC_SRE_ENABLE BIT(3)
/* ICC_CTLR_EL1 */
#define ICC_CTLR_CBPR BIT(0)
#define ICC_CTLR_EOIMODE BIT(1)
#define ICC_CTLR_PRIBITS BITS(10, 8)
/* ICH_VMCR_EL2 */
#define ICH_VMCR_VCBPR BIT(4)
#define ICH_VMCR_VEOIM BIT(9)
#define ICH_VMCR_VPMR BITS(31, 24)
/* ICH_VTR_EL2 */
#define ICH_VTR_LISTREGS BITS(4, 0)
#define ICH_VTR_PREBITS BITS(28, 26)
/* ICH_HCR_EL2 */
#define ICH_HCR_EN BIT(0)
#define ICH_HCR_UIE BIT(1)
#define ICH_HCR_NPIE BIT(3)
#define ICH_HCR_TC BIT(10)
/* ICC_SGI0R_EL1, ICC_SGI1R_EL1 */
#define SGIR_TARGETS BITS(15, 0)
#define SGIR_AFF1 BITS(23, 16)
#define SGIR_INTID BITS(27, 24)
#define SGIR_AFF2 BITS(39, 32)
#define SGIR_RS BITS(47, 44)
#define SGIR_AFF3 BITS(55, 48)

#endif
