/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs from this CPU to a second one: as many come as were sent, each once, and none behind STI or a load of SS,
 * before the instruction that these shield. `op`: that CPU goes to sleep all the time (sleep), or calls
 * a handler by INT that does (call). `second` is its APIC id (this CPU's and 1), `count` how many are sent.
 */
#include "inmate.h"
#include "x86_64/apic.h"
#include "x86_64/cpu.h"
#include "x86_64/exception.h"

#define WAIT_NS 20000000000ull
#define VECTOR_NMI 2u
#define VECTOR_CALL 0xf0u
/* Between a place in the other CPU's turn and the NMI: from none to about as long as the way from there to the next is */
#define SPINS 500u

static unsigned char stack[8192] __attribute__((aligned(16)));

/*
 * The second CPU's: what it does between two NMIs, with how many turns it has begun at either place, and what its
 * handler finds. That goes on behind the HLT, which nobody would wake it from, so it has all registers.
 * An emulator that looks for NMIs behind its blocks of straight code finds them behind what takes long: many come
 * where none may be taken.
 */
volatile uint32_t nmi_turns[2], nmi_count, nmi_early;
extern const char nmi_handler[], nmi_sleeper[], nmi_caller[], nmi_called[];

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
	"	.macro	place	n\n"
	"	fninit\n"
	"	movl	%ebx, nmi_turns + 4 * \\n(%rip)\n"
	"	.endm\n"

	"nmi_sleeper:\n"
	"	incl	%ebx\n"
	"	place	0\n"
	"	movl	%ss, %eax\n"
	"	long_block\n"
	"	movl	%eax, %ss\n"
	"1:	nop\n"
	"	place	1\n"
	"	long_block\n"
	"	sti\n"
	"2:	hlt\n"
	"3:	cli\n"
	"	jmp	nmi_sleeper\n"

	"nmi_caller:\n"
	"	incl	%ebx\n"
	"	place	0\n"
	"	place	1\n"
	"	long_block\n"
	"	sti\n"
	"4:	int	$0xf0\n"
	"5:	cli\n"
	"	jmp	nmi_caller\n"

	"nmi_called:\n"
	"	hlt\n"
	"	jmp	nmi_called\n"
	"6:	iretq\n"

	"nmi_handler:\n"
	"	movq	(%rsp), %rdx\n"
	"	.irp	shielded, 1b, 2b, 4b\n"
	"	leaq	\\shielded(%rip), %rax\n"
	"	cmpq	%rax, %rdx\n"
	"	jne	7f\n"
	"	incl	nmi_early(%rip)\n"
	"7:\n"
	"	.endr\n"
	"	incl	nmi_count(%rip)\n"
	"	leaq	3b(%rip), %rax\n"
	"	leaq	nmi_caller(%rip), %rcx\n"
	"	cmpq	%rcx, %rdx\n"
	"	jb	8f\n"
	"	leaq	5b(%rip), %rax\n"
	"	leaq	nmi_called(%rip), %rcx\n"
	"	cmpq	%rcx, %rdx\n"
	"	jb	8f\n"
	"	leaq	6b(%rip), %rax\n"
	"8:	movq	%rax, (%rsp)\n"
	"	iretq\n");

/* From turn 0 on */
static void second_main(void *body)
{
	__asm__ volatile("xorl %%ebx, %%ebx; jmp *%0" :: "r"(body) : "rbx", "memory");
	__builtin_unreachable();
}

/* How many of `count` came. Each is sent in another moment behind one place or the other of a turn of its own. */
static uint32_t send(uint64_t to, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!timer_wait_count(&nmi_turns[i % 2], i + 1, WAIT_NS))
			break;
		for (volatile uint32_t spin = i / 2 % SPINS; spin != 0;)
			spin = spin - 1;
		cpu_send(to, ICR_NMI);
		if (!timer_wait_count(&nmi_count, i + 1, WAIT_NS))
			break;
	}
	return i;
}

void inmate_main(void)
{
	uint64_t second = cmdline_get_int("second", cpu_affinity() + 1);
	uint32_t count = (uint32_t)cmdline_get_int("count", 1000), came;
	const char *body = nmi_sleeper;
	char op[8];

	cmdline_get_str("op", op, sizeof(op));
	if (strcmp(op, "call") == 0)
		body = nmi_caller;
	exception_set_gate(VECTOR_NMI, nmi_handler, false);
	exception_set_gate(VECTOR_CALL, nmi_called, false);
	if (cpu_start(second, second_main, (void *)(uintptr_t)body, stack, sizeof(stack)) != 0) {
		printk("nmi: no second CPU: 0x%lx does not start\n", second);
		inmate_stop(ABI_CELL_FAILED);
	}
	came = send(second, count);
	printk("nmi: %u of %u came, %u too early\n", came, count, nmi_early);
	inmate_serve();
}
