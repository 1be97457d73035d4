// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "arch/host/machine.h"
#include "base/bug.h"
#include "core/cpu.h"

#define PATIENCE_MS 20000

static _Thread_local struct host_thread *this_thread;

struct host_thread *host_this_thread(void)
{
	return this_thread;
}

static struct host_thread *thread_of(unsigned cpu)
{
	struct host_machine *machine = host_machine();

	if (cpu >= machine->threads) {
		fprintf(stderr, "there is no CPU %u\n", cpu);
		abort();
	}
	return &machine->thread[cpu];
}

/* Until the test says go. Does not return when it is over. */
static void stop_at(struct host_thread *t, enum host_at at)
{
	struct host_machine *machine = host_machine();
	bool end;

	host_lock();
	t->at = at;
	pthread_cond_broadcast(&machine->stopped);
	while (!t->go && !t->end)
		host_wait(&machine->going);
	t->go = false;
	t->at = HOST_BUSY;
	end = t->end;
	host_unlock();
	if (end)
		longjmp(t->base, 2);
}

static _Noreturn void stop_for_good(enum host_at at)
{
	for (;;)
		stop_at(this_thread, at);
}

_Noreturn void host_stop_for_bug(void)
{
	stop_for_good(HOST_BUG);
}

void host_enter(const struct cpu *self, const char *what)
{
	struct host_thread *t = this_thread;

	if (t == NULL)
		return;
	if (self != NULL && self != t->cpu)
		host_complain("%s: CPU %u calls in the name of CPU %u", what, t->cpu->id, self->id);
	if (t->pause_in != 0 && --t->pause_in == 0)
		stop_at(t, HOST_PAUSED);
}

static bool take_kick(struct host_thread *t)
{
	bool kicked;

	host_lock();
	kicked = t->kicked;
	t->kicked = false;
	host_unlock();
	return kicked;
}

static void guest(struct host_thread *t)
{
	void (*what)(struct cpu *self, void *arg);

	stop_at(t, HOST_IN_GUEST);
	what = t->exit;
	t->exit = NULL;
	if (what != NULL)
		what(t->cpu, t->exit_arg);
	take_kick(t);
	cpu_check_stop(t->cpu);
}

static void *thread_main(void *arg)
{
	this_thread = arg;
	if (setjmp(this_thread->base) == 2)
		return NULL;
	for (;;) {
		void (*run)(struct cpu *self) = this_thread->run;

		this_thread->run = NULL;
		if (run != NULL)
			run(this_thread->cpu);
		guest(this_thread);
	}
}

void host_cpus_begin(struct system *sys)
{
	struct host_machine *machine = host_machine();

	BUG_ON(sys->cpu_count > HOST_CPUS || machine->threads != 0);
	for (unsigned i = 0; i < sys->cpu_count; i++) {
		struct host_thread *t = &machine->thread[i];

		*t = (struct host_thread){ .cpu = sys->cpus[i], .at = HOST_BUSY };
		machine->threads++;
		if (pthread_create(&t->id, NULL, thread_main, t) != 0)
			abort();
		if (!host_cpu_stopped(i, PATIENCE_MS))
			abort();
	}
}

void host_cpus_end(void)
{
	struct host_machine *machine = host_machine();

	for (unsigned i = 0; i < machine->threads; i++) {
		struct host_thread *t = &machine->thread[i];

		if (!host_cpu_stopped(i, PATIENCE_MS)) {
			fprintf(stderr, "CPU %u does not stop\n", i);
			abort();
		}
		host_lock();
		t->end = true;
		pthread_cond_broadcast(&machine->going);
		host_unlock();
		pthread_join(t->id, NULL);
	}
	machine->threads = 0;
}

enum host_at host_cpu_at(unsigned cpu)
{
	enum host_at at;

	host_lock();
	at = thread_of(cpu)->at;
	host_unlock();
	return at;
}

bool host_cpu_kicked(unsigned cpu)
{
	bool kicked;

	host_lock();
	kicked = thread_of(cpu)->kicked;
	host_unlock();
	return kicked;
}

unsigned host_cpu_starts(unsigned cpu, struct vcpu_start *last)
{
	const struct host_thread *t = thread_of(cpu);

	*last = t->start;
	return t->starts;
}

void host_cpu_exit(unsigned cpu, void (*what)(struct cpu *self, void *arg), void *arg)
{
	struct host_thread *t = thread_of(cpu);

	if (host_cpu_at(cpu) != HOST_IN_GUEST) {
		fprintf(stderr, "CPU %u is in no guest\n", cpu);
		abort();
	}
	t->exit = what;
	t->exit_arg = arg;
}

void host_cpu_pause_in(unsigned cpu, unsigned calls)
{
	thread_of(cpu)->pause_in = calls;
}

void host_cpu_go(unsigned cpu)
{
	struct host_thread *t = thread_of(cpu);

	host_lock();
	t->go = true;
	t->at = HOST_BUSY;
	pthread_cond_broadcast(&host_machine()->going);
	host_unlock();
}

bool host_cpu_stopped(unsigned cpu, unsigned ms)
{
	struct host_thread *t = thread_of(cpu);
	struct timespec deadline;
	bool stopped;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	deadline.tv_sec += ms / 1000 + deadline.tv_nsec / 1000000000;
	deadline.tv_nsec %= 1000000000;
	host_lock();
	while (t->at == HOST_BUSY)
		if (!host_wait_until(&host_machine()->stopped, &deadline))
			break;
	stopped = t->at != HOST_BUSY;
	host_unlock();
	return stopped;
}

void host_cpu_run(unsigned cpu)
{
	host_cpu_go(cpu);
	if (!host_cpu_stopped(cpu, PATIENCE_MS)) {
		fprintf(stderr, "CPU %u runs without end\n", cpu);
		abort();
	}
}

static bool has_work(unsigned cpu)
{
	enum host_at at = host_cpu_at(cpu);

	return at == HOST_BUSY || at == HOST_PAUSED ||
	       ((at == HOST_IN_GUEST || at == HOST_WAITING) && host_cpu_kicked(cpu));
}

void host_settle(void)
{
	bool moved = true;

	for (unsigned rounds = 0; moved; rounds++) {
		if (rounds > PATIENCE_MS) {
			fprintf(stderr, "the CPUs do not come to rest\n");
			abort();
		}
		moved = false;
		for (unsigned i = 0; i < host_machine()->threads; i++) {
			if (!has_work(i))
				continue;
			moved = true;
			if (host_cpu_at(i) != HOST_BUSY)
				host_cpu_go(i);
			/* it may spin for another, which then has its turn */
			host_cpu_stopped(i, 2);
		}
	}
}

void arch_cpu_kick(const struct cpu *target)
{
	host_enter(NULL, "kick");
	host_lock();
	if (target->id < host_machine()->threads)
		host_machine()->thread[target->id].kicked = true;
	host_unlock();
}

static bool revoked(const struct space *space)
{
	size_t entries = space->paging.format->root_pages * PAGE_SIZE / sizeof(*space->live);

	for (size_t i = 0; i < entries; i++)
		if (space->live[i] != 0)
			return false;
	return true;
}

void arch_cpu_kick_out(const struct cpu *target)
{
	if (!__atomic_load_n(&target->stop, __ATOMIC_ACQUIRE))
		host_complain("CPU %u is kicked out and was not told to stop", target->id);
	if (!revoked(&target->cell->space))
		host_complain("CPU %u is kicked out and has memory to run on", target->id);
	arch_cpu_kick(target);
}

uint64_t arch_now(void)
{
	return __atomic_load_n(&host_machine()->now, __ATOMIC_RELAXED);
}

uint64_t arch_ticks_per_second(void)
{
	return HOST_TICKS_PER_SECOND;
}

void host_set_now(uint64_t ticks)
{
	__atomic_store_n(&host_machine()->now, ticks, __ATOMIC_RELAXED);
}

uint64_t arch_guest_pc(void)
{
	if (this_thread == NULL || this_thread->at != HOST_BUSY)
		host_complain("a guest's PC is asked for where there is no exit");
	return HOST_GUEST_PC;
}

const char *arch_exit_name(unsigned reason)
{
	return reason == ABI_STAT_ARCH ? "model" : NULL;
}

void arch_cpu_wait(struct cpu *self)
{
	struct host_thread *t = this_thread;

	host_enter(self, "wait");
	if (!t->quiet)
		host_complain("CPU %u waits and its guest's interrupts still come", self->id);
	if (!take_kick(t)) {
		stop_at(t, HOST_WAITING);
		take_kick(t);
	}
}

_Noreturn void arch_cpu_restart(struct cpu *self, void (*run)(struct cpu *self))
{
	host_enter(self, "restart");
	this_thread->run = run;
	longjmp(this_thread->base, 1);
}

_Noreturn void arch_cpu_power_off(struct cpu *self)
{
	host_enter(self, "power off");
	if (!this_thread->quiet)
		host_complain("CPU %u goes off and its guest's interrupts still come", self->id);
	stop_for_good(HOST_OFF);
}

bool arch_cpu_is_off(const struct cpu *cpu)
{
	host_enter(NULL, "is off");
	return host_cpu_at(cpu->id) == HOST_OFF;
}

_Noreturn void arch_cpu_leave(struct cpu *self)
{
	host_enter(self, "leave");
	if (!cell_is_root(self->cell))
		host_complain("CPU %u leaves to bare metal from a cell", self->id);
	stop_for_good(HOST_BARE);
}

void arch_vcpu_quiesce(struct cpu *self)
{
	host_enter(self, "quiesce");
	this_thread->quiet = true;
}

/* A guest begins without caches: what it is to find must be in memory. */
static void check_memory(const struct cell *cell)
{
	for (unsigned i = 0; i < cell->config.cell->mem_count; i++) {
		const struct abi_mem *mem = &cell->config.mem[i];

		if (!(mem->flags & (ABI_MEM_IO | ABI_MEM_COMM)))
			host_ram_check_cleaned(mem_host_span(mem));
	}
	if (cell->comm != NULL)
		host_ram_check_page_cleaned(cell->comm);
}

_Noreturn void arch_vcpu_start(struct cpu *self, const struct vcpu_start *start)
{
	struct host_thread *t = this_thread;

	host_enter(self, "start");
	if (self->state != CPU_IN_GUEST)
		host_complain("CPU %u begins a guest in state %d", self->id, (int)self->state);
	if (!t->quiet)
		host_complain("CPU %u begins a guest while it has one", self->id);
	if (host_machine()->window[self->id].bytes != NULL)
		host_complain("CPU %u begins a guest with its window open", self->id);
	if (!cell_is_root(self->cell))
		check_memory(self->cell);
	t->quiet = false;
	t->start = *start;
	t->starts++;
	longjmp(t->base, 1);
}
