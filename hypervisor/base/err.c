// SPDX-License-Identifier: GPL-2.0-only
#include "base/err.h"
#include "abi/hypercall.h"

static const uint8_t abi_numbers[ERR_COUNT] = {
	[OK] = 0,
	[ERR_INVALID] = ABI_EINVAL,
	[ERR_SHORT] = ABI_EINVAL,
	[ERR_RANGE] = ABI_EINVAL,
	[ERR_OVERLAP] = ABI_EBUSY,
	[ERR_NO_MEMORY] = ABI_ENOMEM,
	[ERR_BUSY] = ABI_EBUSY,
	[ERR_AGAIN] = ABI_EAGAIN,
	[ERR_EXISTS] = ABI_EEXIST,
	[ERR_NOT_FOUND] = ABI_ENOENT,
	[ERR_DENIED] = ABI_EPERM,
	[ERR_TOO_LARGE] = ABI_E2BIG,
	[ERR_UNSUPPORTED] = ABI_ENODEV,
	[ERR_FAULT] = ABI_EFAULT,
};

long err_to_abi(err_t e)
{
	if ((unsigned)e >= ERR_COUNT)
		return -ABI_EIO;
	return -(long)abi_numbers[e];
}
