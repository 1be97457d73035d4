// SPDX-License-Identifier: GPL-2.0-only
/* Lives are counted in a place of RAM that is in no image: a reset leaves it alone, and loads all the rest anew. */
#include "guest.h"

#define FRESH 0x600dda7au
#define USED 0xbadda7a5u

struct kept {
	uint32_t lives, left, spoilt, ticks;
};

static volatile struct kept *const kept = (volatile struct kept *)0x40f00000;
static volatile uint32_t initial = FRESH;
static volatile uint32_t zero;

void lives_begin(void)
{
	kept->lives++;
	if (initial != FRESH || zero != 0)
		kept->spoilt++;
	initial = USED;
	zero = USED;
}

unsigned lives_count(void)
{
	return kept->lives;
}

static void reset(void)
{
	uart_flush();
	kept->ticks += cpu_state[0].ticks;
	dsb();
	print("reset is refused: %x\n", (unsigned)psci(PSCI_SYSTEM_RESET, 0, 0, 0));
}

void lives_go_on(void)
{
	if (kept->left == 0)
		return;
	kept->left--;
	timer_wait(1);
	reset();
}

void lives_show(const char *words)
{
	(void)words;
	print("lives %u left %u spoilt %u ticks %u\n", kept->lives, kept->left, kept->spoilt, kept->ticks);
}

void lives_reset(const char *words)
{
	if (number(words) > 1)
		kept->left = number(words) - 1;
	reset();
}
