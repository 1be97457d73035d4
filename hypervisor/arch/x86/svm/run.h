/* SPDX-License-Identifier: GPL-2.0-only */
/* What run.S reads and writes of a struct svm_cpu (svm.h); also read by the assembler. */
#ifndef SVM_RUN_H
#define SVM_RUN_H

#define SVM_VMCB_RSP 0x5d8
#define SVM_VMCB_RAX 0x5f8
#define SVM_HOST 0x2000

#endif
