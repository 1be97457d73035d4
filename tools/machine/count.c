// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's translator: how many instructions each CPU executes in the
 * hypervisor and outside it, written down whenever a CPU comes past a mark.
 *
 *   out=FILE low=ADDRESS high=ADDRESS    the hypervisor's code
 *   stacks=ADDRESS:SIZE                  its stacks, one of SIZE bytes for each CPU
 *   stack=NAME                           the stack pointer, as QEMU calls it
 *   enter=ADDRESS                        where a guest comes in; may be repeated
 *   leave=OPCODE                         the instruction that guests are left to by
 *   mark=NAME:ADDRESS:OPCODE             may be repeated
 *
 * OPCODE: the first 4 bytes, or all if there are less, as a number that lies in memory.
 *
 * One line for each time: NAME CPU INSIDE REST, then EL2 LONGEST for every CPU. CPU: of the
 * hypervisor's code alone. INSIDE: instructions of this visit to the hypervisor so far.
 * REST: instructions outside it, of all CPUs. EL2: inside it. LONGEST: the longest visit
 * that ended since the line before.
 *
 * QEMU 10.0 tells a callback which CPU the code was translated for, which is not the one
 * that runs it when all CPUs are one thread, as with -icount. Here the stack pointer tells.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* QEMU's plugin interface, version 4: Debian packages the program without its header */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;
struct qemu_info;
#define CALLBACK_NO_REGISTERS 0
#define CALLBACK_READS_REGISTERS 1
/* glib's GArray and GByteArray as far as they are public; QEMU brings the library */
struct array {
	char *data;
	unsigned length;
};
struct array *g_byte_array_new(void);
struct array *g_byte_array_set_size(struct array *array, unsigned size);
unsigned g_array_get_element_size(struct array *array);
/* The beginning of an element of what qemu_plugin_get_registers() returns */
struct register_name {
	struct qemu_plugin_register *handle;
	const char *name;
};
#define EXPORT __attribute__((visibility("default")))

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_init_cb(uint64_t id, void (*cb)(uint64_t, unsigned));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t, void *), void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned, void *),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned, void *), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);
struct array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle, struct array *value);

int qemu_plugin_version = 4;

#define MAX_MARKS 16
#define MAX_ENTRIES 4
#define MAX_CPUS 16

struct mark {
	char name[32];
	uint64_t address;
	uint32_t opcode;
};

struct cpu {
	uint64_t el2;
	uint64_t from;		/* el2 before this visit */
	bool inside;
	uint64_t longest;
};

/* The callbacks carry no pointer of ours; all CPUs are one thread's under -icount */
static struct {
	FILE *out;
	uint64_t low, high;
	uint64_t stacks, stack_size;
	char stack_name[16];
	uint32_t leave;
	uint64_t entries[MAX_ENTRIES];
	unsigned entry_count;
	struct mark marks[MAX_MARKS];
	unsigned mark_count;
	struct qemu_plugin_register *sp;
	struct array *value;
	uint64_t rest;
	unsigned cpu_count;
	unsigned current;	/* the CPU in the hypervisor's code that runs now */
	struct cpu cpus[MAX_CPUS];
} count;

static void fail(const char *what)
{
	fprintf(stderr, "count: %s\n", what);
	exit(1);
}

static void cpu_begins(uint64_t id, unsigned cpu)
{
	struct array *registers = qemu_plugin_get_registers();
	unsigned size = g_array_get_element_size(registers);

	(void)id;
	if (cpu >= MAX_CPUS)
		fail("too many CPUs: raise MAX_CPUS");
	if (cpu >= count.cpu_count)
		count.cpu_count = cpu + 1;
	for (unsigned i = 0; i < registers->length; i++) {
		struct register_name entry;

		memcpy(&entry, registers->data + (size_t)i * size, sizeof(entry));
		if (!strcmp(entry.name, count.stack_name))
			count.sp = entry.handle;
	}
	if (!count.sp)
		fail("this QEMU has no register of the name that stack= gives");
}

/* Before each block of the hypervisor's code. */
static void identify(unsigned unused, void *data)
{
	uint64_t sp;

	(void)unused;
	(void)data;
	g_byte_array_set_size(count.value, 0);
	if (qemu_plugin_read_register(count.sp, count.value) != sizeof(sp))
		fail("the stack pointer cannot be read");
	memcpy(&sp, count.value->data, sizeof(sp));
	/* On their way in, CPUs have no stack yet: that counts for whoever was here before */
	if (sp >= count.stacks && (sp - count.stacks) / count.stack_size < count.cpu_count)
		count.current = (unsigned)((sp - count.stacks) / count.stack_size);
}

static void executed_el2(unsigned unused, void *data)
{
	(void)unused;
	(void)data;
	count.cpus[count.current].el2++;
}

static void executed_rest(unsigned unused, void *data)
{
	(void)unused;
	(void)data;
	count.rest++;
}

/* The instruction these three stand at is counted already. */
static void entered(unsigned unused, void *data)
{
	struct cpu *cpu = &count.cpus[count.current];

	(void)unused;
	(void)data;
	cpu->from = cpu->el2 - 1;
	cpu->inside = true;
}

static void left(unsigned unused, void *data)
{
	struct cpu *cpu = &count.cpus[count.current];

	(void)unused;
	(void)data;
	if (cpu->inside && cpu->el2 - cpu->from > cpu->longest)
		cpu->longest = cpu->el2 - cpu->from;
	cpu->inside = false;
}

static void passed(unsigned unused, void *data)
{
	const struct mark *mark = data;
	const struct cpu *own = &count.cpus[count.current];

	(void)unused;
	fprintf(count.out, "%s %u %" PRIu64 " %" PRIu64, mark->name, count.current,
		own->inside ? own->el2 - own->from : 0, count.rest);
	for (unsigned i = 0; i < count.cpu_count; i++) {
		fprintf(count.out, " %" PRIu64 " %" PRIu64, count.cpus[i].el2, count.cpus[i].longest);
		count.cpus[i].longest = 0;
	}
	fputc('\n', count.out);
}

static bool is_el2(uint64_t address)
{
	return address >= count.low && address < count.high;
}

static void translated(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	bool el2 = is_el2(address);
	uint32_t opcode = 0;

	qemu_plugin_insn_data(insn, &opcode, sizeof(opcode));
	qemu_plugin_register_vcpu_insn_exec_cb(insn, el2 ? executed_el2 : executed_rest,
					       CALLBACK_NO_REGISTERS, NULL);
	for (unsigned i = 0; i < count.entry_count; i++)
		if (address == count.entries[i])
			qemu_plugin_register_vcpu_insn_exec_cb(insn, entered, CALLBACK_NO_REGISTERS, NULL);
	for (unsigned i = 0; i < count.mark_count; i++)
		if (address == count.marks[i].address && opcode == count.marks[i].opcode)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, passed, CALLBACK_NO_REGISTERS,
							       &count.marks[i]);
	if (el2 && opcode == count.leave)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, left, CALLBACK_NO_REGISTERS, NULL);
}

static void block_translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (is_el2(qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0))))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, identify, CALLBACK_READS_REGISTERS, NULL);
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		translated(qemu_plugin_tb_get_insn(tb, i));
}

static void ended(uint64_t id, void *unused)
{
	(void)id;
	(void)unused;
	if (fclose(count.out))
		perror("count: the counts are not all written");
}

static bool add_mark(const char *text)
{
	struct mark *mark = &count.marks[count.mark_count];

	if (count.mark_count == MAX_MARKS ||
	    sscanf(text, "%31[^:]:%" SCNx64 ":%" SCNx32, mark->name, &mark->address, &mark->opcode) != 3)
		return false;
	count.mark_count++;
	return true;
}

static bool take_argument(const char *text)
{
	if (!strncmp(text, "out=", 4)) {
		count.out = fopen(text + 4, "w");
		return count.out != NULL;
	}
	if (!strncmp(text, "low=", 4))
		return sscanf(text + 4, "%" SCNx64, &count.low) == 1;
	if (!strncmp(text, "high=", 5))
		return sscanf(text + 5, "%" SCNx64, &count.high) == 1;
	if (!strncmp(text, "stacks=", 7))
		return sscanf(text + 7, "%" SCNx64 ":%" SCNx64, &count.stacks, &count.stack_size) == 2;
	if (!strncmp(text, "stack=", 6))
		return sscanf(text + 6, "%15s", count.stack_name) == 1;
	if (!strncmp(text, "leave=", 6))
		return sscanf(text + 6, "%" SCNx32, &count.leave) == 1;
	if (!strncmp(text, "enter=", 6) && count.entry_count < MAX_ENTRIES)
		return sscanf(text + 6, "%" SCNx64, &count.entries[count.entry_count++]) == 1;
	return !strncmp(text, "mark=", 5) && add_mark(text + 5);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!take_argument(argv[i])) {
			fprintf(stderr, "count: %s: not understood, or no such file (%s)\n", argv[i],
				strerror(errno));
			return -1;
		}
	}
	if (!count.out || count.low >= count.high || !count.stack_size || !*count.stack_name || !count.leave) {
		fprintf(stderr, "count: give out=FILE, low=, high=, stacks=, stack= and leave=\n");
		return -1;
	}
	count.value = g_byte_array_new();
	qemu_plugin_register_vcpu_init_cb(id, cpu_begins);
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
