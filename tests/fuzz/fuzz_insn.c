// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes at all: the decoder reads none beyond those there are, says the same of an
 * instruction whatever follows it, and what it says an instruction does can be done.
 */
#include <stdlib.h>
#include <string.h>
#include "mutate.h"

#include "arch/x86/pure/insn.h"

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size < 8 ? value & ((1ull << 8 * size) - 1) : value;
}

static void require_access(const struct insn *i)
{
	REQUIRE(i->op <= INSN_XCHG && (i->read || i->write) && i->reg < 16);
	REQUIRE(i->size == 1 || i->size == 2 || i->size == 4 || i->size == 8);
	REQUIRE(i->width == 1 || i->width == 2 || i->width == 4 || i->width == 8);
	REQUIRE(i->width >= i->size && (i->width == i->size || (i->op == INSN_MOV && i->load)));
	REQUIRE(!i->high || (i->width == 1 && i->reg < 4));
	REQUIRE(!i->load || (!i->write && !i->immediate));
}

/* Nothing but the status flags, the register as far as it is wide, and what memory holds. */
static void require_bounds(const struct insn *i)
{
	const struct insn_state before = { 0x8123456789abcdef, 0xfedcba9876543210, ~0ull };
	struct insn_state after = before;
	uint64_t kept = i->width >= 4 ? 0 : ~(low_bytes(~0ull, i->width) << (i->high ? 8 : 0));

	insn_execute(i, &after);
	REQUIRE((after.rflags | 0x8d5) == before.rflags);
	REQUIRE((after.reg & kept) == (before.reg & kept));
	REQUIRE(i->load || low_bytes(after.memory, i->size) == after.memory);
	REQUIRE(i->write || low_bytes(after.memory, i->size) == low_bytes(before.memory, i->size));
}

static void require_same(const uint8_t *code, unsigned size, unsigned bits, unsigned length)
{
	uint8_t *exact = malloc(length);
	unsigned again = 0;

	memcpy(exact, code, length);
	REQUIRE(insn_length(exact, length, bits, &again) == OK && again == length);
	REQUIRE(insn_length(exact, length - 1, bits, &again) == ERR_SHORT);
	free(exact);
	REQUIRE(length <= size && length <= INSN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned bits[] = { 16, 32, 64 };
	/* ends where the allocation ends */
	unsigned count = size < 32 ? (unsigned)size : 32;
	uint8_t *code = malloc(count ? count : 1);

	memcpy(code, data, count);
	for (unsigned m = 0; m < 3; m++) {
		struct insn insn = { 0 };
		unsigned length = 0;
		err_t e = insn_length(code, count, bits[m], &length);
		err_t access = insn_decode(code, count, bits[m], &insn);

		REQUIRE(e == OK || e == ERR_UNSUPPORTED || (e == ERR_SHORT && count < INSN_MAX));
		REQUIRE(access == e || (e == OK && access == ERR_UNSUPPORTED));
		if (e == OK)
			require_same(code, count, bits[m], length);
		if (access == OK) {
			REQUIRE(insn.length == length);
			require_access(&insn);
			require_bounds(&insn);
		}
	}
	free(code);
	return 0;
}
