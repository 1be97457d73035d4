/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes to configurations that leave size and checksum right, so that all else is reached. */
#ifndef MUTATE_H
#define MUTATE_H

#include "golden.h"

/* Stops with a message: the fuzzer keeps the input. */
#define REQUIRE(condition) \
	do { if (!(condition)) require_failed(__FILE__, __LINE__, #condition); } while (0)

_Noreturn void require_failed(const char *file, unsigned line, const char *what);

/* libFuzzer's; it declares them in C++ only */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* Deterministic in *state, which must not be 0. */
uint64_t mutate_random(uint64_t *state);

/* Changes the `size` bytes of one file in a few places, its length excepted. */
void mutate_file(uint8_t *file, size_t size, uint64_t *state);

/* Makes magic, size and checksum of a file, at least a header long, agree with its bytes. */
void mutate_seal(uint8_t *file, size_t size);

#endif
