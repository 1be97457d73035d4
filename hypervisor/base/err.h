/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors. A function that can fail returns err_t and is MUST_CHECK; the caller
 * consumes it or passes it on with TRY. Words for the user travel beside it in a
 * struct why (base/why.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/types.h"

typedef enum err {
	OK,
	ERR_INVALID,		/* a field has a value it cannot have */
	ERR_SHORT,		/* bytes end before the data does */
	ERR_RANGE,		/* outside what may be named */
	ERR_OVERLAP,		/* somebody else has it */
	ERR_NO_MEMORY,		/* the hypervisor's page pool is empty */
	ERR_BUSY,		/* not in this state */
	ERR_AGAIN,		/* under way: ask again */
	ERR_EXISTS,
	ERR_NOT_FOUND,
	ERR_DENIED,
	ERR_TOO_LARGE,
	ERR_UNSUPPORTED,	/* this machine cannot */
	ERR_FAULT,		/* address not the caller's */
	ERR_COUNT
} err_t;

#define TRY(expression)                        \
	do {                                   \
		err_t try_err_ = (expression); \
		if (try_err_ != OK)            \
			return try_err_;       \
	} while (0)

/* The negative ABI_E* number a hypercall returns for e; 0 for OK. */
long err_to_abi(err_t e);

#endif
