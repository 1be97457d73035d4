/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"

struct inmate_state inmate;

struct abi_comm *comm_page(void)
{
	return (struct abi_comm *)image_comm;
}

void comm_set_state(uint32_t state)
{
	comm_page()->cell_state = state;
}

uint32_t comm_message(void)
{
	return comm_page()->msg_to_cell;
}

void comm_reply(uint32_t reply)
{
	struct abi_comm *comm = comm_page();

	/* The message goes first: who sees the reply may put the next message at once. */
	comm->msg_to_cell = ABI_MSG_NONE;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	comm->reply_from_cell = reply;
}

void comm_poll(void)
{
	switch (comm_message()) {
	case ABI_MSG_NONE:
		break;
	case ABI_MSG_SHUTDOWN_REQUEST:
		comm_set_state(ABI_CELL_SHUT_DOWN);
		comm_reply(ABI_REPLY_APPROVED);
		cpu_off();
	case ABI_MSG_RECONFIG_COMPLETED:
		comm_reply(ABI_REPLY_RECEIVED);
		break;
	default:
		comm_reply(ABI_REPLY_UNKNOWN);
		break;
	}
}

void inmate_stop(uint32_t state)
{
	comm_set_state(state);
	cpu_off();
}

void inmate_serve(void)
{
	uint64_t interval = timer_ns_to_ticks(10000000);

	for (;;) {
		comm_poll();
		timer_sleep_until(timer_now() + interval);
	}
}

uint64_t image_start(void)
{
	return (uint64_t)(uintptr_t)image_first;
}

uint64_t image_end(void)
{
	return (uint64_t)(uintptr_t)image_last;
}
