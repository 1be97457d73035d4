/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * NMIs from this CPU to a second one that goes to sleep all the time: as many come as were sent,
 * and none behind STI or a load of SS, before the instruction that these shield. `second` is its
 * APIC id (this CPU's and 1), `count` how many are sent.
 */
#include "inmate.h"
#include "x86_64/apic.h"
#include "x86_64/cpu.h"
#include "x86_64/exception.h"

#define WAIT_NS 20000000000ull
#define VECTOR_NMI 2u
/* Between the other CPU's turn and the NMI: from none to about as long as a turn is */
#define SPINS 500u

static unsigned char stack[8192] __attribute__((aligned(16)));

/*
 * The second CPU's: what it does between two NMIs, and what its handler finds, which goes on behind the HLT:
 * nobody would wake it from that. An emulator that looks for NMIs behind its blocks of straight code finds them
 * behind what takes long: many come where none may be taken.
 */
volatile uint32_t nmi_turns, nmi_count, nmi_early;
extern const char nmi_handler[], nmi_sleeper[];

__asm__(
	"	.text\n"
	"	.macro	long_block\n"
	"	.rept	120\n"
	"	fldpi\n"
	"	fld1\n"
	"	fpatan\n"
	"	fstp	%st(0)\n"
	"	.endr\n"
	"	.endm\n"
	"nmi_sleeper:\n"
	"	incl	nmi_turns(%rip)\n"
	"	movl	%ss, %eax\n"
	"	long_block\n"
	"	movl	%eax, %ss\n"
	"1:	nop\n"
	"	long_block\n"
	"	sti\n"
	"2:	hlt\n"
	"3:	cli\n"
	"	jmp	nmi_sleeper\n"
	"nmi_handler:\n"
	"	pushq	%rax\n"
	"	leaq	1b(%rip), %rax\n"
	"	cmpq	%rax, 8(%rsp)\n"
	"	je	4f\n"
	"	leaq	2b(%rip), %rax\n"
	"	cmpq	%rax, 8(%rsp)\n"
	"	jne	5f\n"
	"4:	incl	nmi_early(%rip)\n"
	"5:	incl	nmi_count(%rip)\n"
	"	leaq	3b(%rip), %rax\n"
	"	movq	%rax, 8(%rsp)\n"
	"	popq	%rax\n"
	"	iretq\n");

static void second_main(void *argument)
{
	(void)argument;
	((void (*)(void))(uintptr_t)nmi_sleeper)();
}

static bool wait_until(const volatile uint32_t *value, uint32_t wanted)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(WAIT_NS);

	while (*value < wanted)
		if (timer_now() > limit)
			return false;
	return true;
}

/* How many of `count` came. Each is sent in another moment of a turn that begins behind the one before. */
static uint32_t send(uint64_t to, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!wait_until(&nmi_turns, i + 1))
			break;
		for (volatile uint32_t spin = i % SPINS; spin != 0;)
			spin = spin - 1;
		cpu_send(to, ICR_NMI);
		if (!wait_until(&nmi_count, i + 1))
			break;
	}
	return i;
}

void inmate_main(void)
{
	uint64_t second = cmdline_get_int("second", cpu_affinity() + 1);
	uint32_t count = (uint32_t)cmdline_get_int("count", 1000), came;

	exception_set_gate(VECTOR_NMI, nmi_handler, false);
	if (cpu_start(second, second_main, NULL, stack, sizeof(stack)) != 0) {
		printk("nmi: no second CPU: 0x%lx does not start\n", second);
		inmate_stop(ABI_CELL_FAILED);
	}
	came = send(second, count);
	printk("nmi: %u of %u came, %u too early\n", came, count, nmi_early);
	inmate_serve();
}
