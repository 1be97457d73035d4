// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a cell as the root cell drives it and as the cell itself ends it, with the
 * CPUs stopped at every point at which another may come in between.
 */
#include "board.h"

#include "arch/host/machine.h"
#include "core/cell.h"
#include "core/cpu.h"

#define IMAGE 0x11

static bool in_root(uint64_t at)
{
	struct translation t;

	return space_walk(&board.sys.root->space, gpa(at), &t) == OK;
}

static void whole_life(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct vcpu_start last;
	uint64_t before;
	struct cell *cell;

	(void)state;
	board_offline(3);
	before = board_digest();
	cell = board_create(&text);
	assert_int_equal(cell->id, 1);
	assert_false(in_root(BOARD_CELLS));
	assert_true(in_root(BOARD_CELLS + 0x400000));
	assert_true(host_cell_has_cpu(cell, 3));
	assert_true(host_cell_has_line(cell, 52));
	assert_int_equal(board.cpus[3].cell->id, 1);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_true(in_root(BOARD_CELLS));
	assert_false(in_root(BOARD_CELLS + 0x100000));
	board_fill(BOARD_CELLS, 0x1000, IMAGE);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	assert_false(in_root(BOARD_CELLS));
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 1);
	assert_int_equal(last.entry.v, 0x1000);
	assert_int_equal(last.argument, 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_RUNNING);
	assert_true(board_filled(BOARD_CELLS, 0x1000, IMAGE));
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	assert_null(cell_find(&board.sys, 1));
	assert_true(board_digest() == before);
	assert_int_equal(board_online(3), OK);
	assert_int_equal(host_cpu_starts(3, &last), 2);
	assert_int_equal(last.argument, 7);
}

/* What one cannot ask of a cell in a state, with what number, and nothing changes. */
static void refuse(uint64_t number, long wanted, const char *words)
{
	uint64_t before = board_digest();
	long result = board_call(0, number, 1, 0);

	if (result != wanted)
		fail_msg("call %u: %ld where %ld is wanted", (unsigned)number, result, wanted);
	if (!strstr(board_error(), words))
		fail_msg("call %u: \"%s\" is not in: %s", (unsigned)number, words, board_error());
	assert_true(board_digest() == before);
}

static void while_memory_is_zeroed(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_offline(3);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	for (unsigned i = 0; i < 2; i++) {
		refuse(ABI_HC_CELL_START, -ABI_EBUSY, "zeroed");
		refuse(ABI_HC_CELL_SHUTDOWN, -ABI_EBUSY, "zeroed");
		refuse(ABI_HC_CELL_DESTROY, -ABI_EBUSY, "zeroed");
		refuse(ABI_HC_CELL_SET_LOADABLE, i == 0 ? -ABI_EBUSY : -ABI_EAGAIN, i == 0 ? "zeroed" : "");
		assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), -ABI_EAGAIN);
		host_settle();
		if (i == 0)
			assert_int_equal(board_call(0, ABI_HC_CELL_SET_LOADABLE, 1, 0), -ABI_EAGAIN);
	}
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	refuse(ABI_HC_CELL_START, -ABI_EBUSY, "being destroyed");
	refuse(ABI_HC_CELL_SHUTDOWN, -ABI_EBUSY, "being destroyed");
	refuse(ABI_HC_CELL_SET_LOADABLE, -ABI_EBUSY, "being destroyed");
	refuse(ABI_HC_CELL_DESTROY, -ABI_EAGAIN, "");
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
}

static void in_the_wrong_state(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create_running(&text);
	refuse(ABI_HC_CELL_START, -ABI_EBUSY, "running already");
	refuse(ABI_HC_CELL_SET_LOADABLE, -ABI_EBUSY, "shut it down first");
	refuse(ABI_HC_CELL_DESTROY, -ABI_EBUSY, "shut it down first");
	board_exit(3, board_exit_fail, NULL);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_FAILED);
	assert_int_equal(board_call(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STATE), ABI_CPU_FAILED);
	refuse(ABI_HC_CELL_START, -ABI_EBUSY, "failed");
	/* what is so already is no error, and changes nothing */
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	refuse(ABI_HC_CELL_SHUTDOWN, 0, "");
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	refuse(ABI_HC_CELL_SET_LOADABLE, 0, "");
	refuse(ABI_HC_CELL_SHUTDOWN, 0, "");
}

/* What could write to memory by itself ends with the cell, not with its destruction. */
static void devices_end_with_the_cell(void **state)
{
	void (*const ends[])(struct cpu *, void *) = { board_exit_fail, board_exit_power_off };
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;

	(void)state;
	cell = board_create_running(&text);
	assert_true(host_cell_is_busy(cell));
	/* its CPU has not come yet */
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
	assert_false(host_cell_is_busy(cell));
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
		assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
		host_settle();
		assert_true(host_cell_is_busy(cell));
		board_exit(3, ends[i], NULL);
		assert_false(host_cell_is_busy(cell));
	}
}

/* They are not given back while they are being reset, and nobody waits for that in the hypervisor. */
static void devices_in_reset_are_not_given_back(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;

	(void)state;
	cell = board_create(&text);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	host_settle();
	host_cell_resets(cell, 2);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), 0);
}

static void a_failed_cell_lives_again(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;

	(void)state;
	text.cell.cpus[0] = 0xc;
	cell = board_create_running(&text);
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
	board_exit(3, board_exit_fail, NULL);
	/* the other one has not come yet */
	assert_int_equal(cell->state, CELL_FAILED);
	assert_int_equal(board.cpus[2].state, CPU_IN_GUEST);
	assert_int_equal(board_call(0, ABI_HC_CELL_SET_LOADABLE, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	host_settle();
	assert_int_equal(board.cpus[2].state, CPU_PARKED);
	assert_int_equal(board.cpus[3].state, CPU_FAILED);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
	assert_false(board.cpus[3].stop);
}

/* A failed cell may also just be destroyed, or shut down and started. */
static void a_failed_cell_ends(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	uint64_t before;

	(void)state;
	board_offline(3);
	before = board_digest();
	board_create_running(&text);
	board_exit(3, board_exit_fail, NULL);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	board_exit(3, board_exit_fail, NULL);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	assert_true(board_digest() == before);
}

static void power_off_from_inside(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create_running(&text);

	(void)state;
	board_exit(3, board_exit_power_off, NULL);
	assert_int_equal(cell->state, CELL_SHUT_DOWN);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	assert_non_null(strstr(board_log(), "powered itself off"));
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
}

/* One CPU powers the cell off, another is still in the guest: the cell is not to start yet. */
static void start_waits_for_the_last_cpu(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct vcpu_start last;

	(void)state;
	text.cell.cpus[0] = 0xc;
	board_create_running(&text);
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	board_exit(3, board_exit_power_off, NULL);
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	refuse(ABI_HC_CELL_START, -ABI_EAGAIN, "");
	assert_int_equal(board_poll(ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	assert_int_equal(host_cpu_starts(2, &last), 2);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
}

/* The same with the CPU that says so itself on its way. */
static void start_waits_for_who_powers_off(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct vcpu_start last;

	(void)state;
	board_create_running(&text);
	for (unsigned pause = 1; pause < 8; pause++) {
		unsigned starts = host_cpu_starts(3, &last);

		host_cpu_exit(3, board_exit_power_off, NULL);
		host_cpu_pause_in(3, pause);
		host_cpu_run(3);
		if (board.sys.root->next->lock.next == board.sys.root->next->lock.serving &&
		    host_cpu_at(3) == HOST_PAUSED && board.cpus[3].state == CPU_IN_GUEST &&
		    board.sys.root->next->state == CELL_SHUT_DOWN)
			refuse(ABI_HC_CELL_START, -ABI_EAGAIN, "");
		host_settle();
		host_cpu_pause_in(3, 0);
		assert_int_equal(board_poll(ABI_HC_CELL_START, 1, 0), 0);
		host_settle();
		assert_int_equal(host_cpu_starts(3, &last), starts + 1);
	}
}

static void reset_from_inside(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create_running(&text);
	struct vcpu_start last;

	(void)state;
	memset(cell->comm, 0x77, PAGE_SIZE);
	host_ram_guest_wrote(cell->comm);
	board_fill(BOARD_CELLS, 0x1000, IMAGE);
	board_exit(3, board_exit_reset, NULL);
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 2);
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
	assert_int_equal(cell->state, CELL_RUNNING);
	assert_memory_equal(cell->comm->signature, "JHCOMM", 6);
	assert_int_equal(cell->comm->cell_state, 0);
	assert_true(board_filled(BOARD_CELLS, 0x1000, IMAGE));
	assert_null(cell->reset_by);
}

static struct cell *two_running(void)
{
	struct cell_text text = board_text("two", 3, BOARD_CELLS);
	struct cell *cell;

	text.cell.cpus[0] = 0xc;
	cell = board_create_running(&text);
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
	return cell;
}

/* The first to stop it from inside decides how it is called. */
static void failed_and_powered_off(void **state)
{
	struct cell *cell = two_running();

	(void)state;
	board_exit(3, board_exit_fail, NULL);
	board_exit(2, board_exit_power_off, NULL);
	assert_int_equal(cell->state, CELL_FAILED);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	board_exit(3, board_exit_power_off, NULL);
	board_exit(2, board_exit_fail, NULL);
	assert_int_equal(cell->state, CELL_SHUT_DOWN);
}

/* CPU 3 begins a reset, and waits for CPU 2 to park. */
static void begin_reset(struct cell *cell)
{
	host_cpu_exit(3, board_exit_reset, NULL);
	host_cpu_go(3);
	while (__atomic_load_n(&cell->reset_by, __ATOMIC_ACQUIRE) == NULL)
		assert_false(host_cpu_stopped(3, 1));
	/* it has told CPU 2 when it has dropped this */
	lock_take(&cell->lock);
	lock_drop(&cell->lock);
	assert_ptr_equal(cell->reset_by, &board.cpus[3]);
	assert_true(host_cpu_kicked(2));
}

/* The secondary CPU resets; the cell begins on its first one. */
static void reset_by_a_secondary(void **state)
{
	struct cell *cell = two_running();
	struct vcpu_start last;

	(void)state;
	begin_reset(cell);
	host_settle();
	assert_int_equal(host_cpu_starts(2, &last), 2);
	assert_int_equal(last.entry.v, 0x1000);
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
}

static void reset_by_two(void **state)
{
	struct cell *cell = two_running();
	struct vcpu_start last;

	(void)state;
	host_cpu_exit(3, board_exit_reset, NULL);
	host_cpu_exit(2, board_exit_reset, NULL);
	host_cpu_go(3);
	host_cpu_go(2);
	host_settle();
	assert_int_equal(cell->state, CELL_RUNNING);
	assert_null(cell->reset_by);
	assert_int_equal(host_cpu_starts(2, &last), 2);
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(host_cpu_starts(3, &last), 1);
}

/* The root cell shuts it down while it waits for its other CPU. */
static void shutdown_during_reset(void **state)
{
	struct cell *cell = two_running();
	struct vcpu_start last;

	(void)state;
	begin_reset(cell);
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(cell->state, CELL_SHUT_DOWN);
	assert_int_equal(host_cpu_at(2), HOST_WAITING);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(host_cpu_starts(2, &last), 1);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	board_exit(2, board_exit_reset, NULL);
	host_settle();
	assert_int_equal(host_cpu_starts(2, &last), 3);
}

/* ... or its other CPU does what it may not. */
static void fail_during_reset(void **state)
{
	struct cell *cell = two_running();

	(void)state;
	begin_reset(cell);
	board_exit(2, board_exit_fail, NULL);
	host_settle();
	assert_int_equal(cell->state, CELL_FAILED);
	assert_int_equal(board.cpus[2].state, CPU_FAILED);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
}

/* With CPU 3 held up, or on its way to where it will be. */
static void hold_up(void (*what)(struct cpu *self, void *arg), unsigned n)
{
	host_cpu_exit(3, what, NULL);
	host_cpu_pause_in(3, n);
	host_cpu_go(3);
	/* it may wait for CPU 2 to park */
	while (!host_cpu_stopped(3, 2))
		if (host_cpu_kicked(2))
			host_cpu_run(2);
}

/*
 * The call comes while CPU 3 is held up before its n-th call into the architecture. If
 * CPU 3 holds a lock there, the call waits for it. However it ends, the cell can be
 * shut down, started and destroyed, and nothing is lost. Returns whether there was an n-th.
 */
static bool come_between(void (*what)(struct cpu *self, void *arg), uint64_t number, unsigned n)
{
	struct cell *cell;
	uint64_t before;
	bool paused;

	board_offline(2);
	board_offline(3);
	before = board_digest();
	cell = two_running();
	hold_up(what, n);
	paused = host_cpu_at(3) == HOST_PAUSED;
	board_call_begin(0, number, 1, 0);
	host_cpu_go(0);
	host_cpu_stopped(0, 2);
	host_settle();
	assert_string_equal(host_complaint(), "");
	host_cpu_pause_in(3, 0);
	if (cell->state == CELL_OPENING)
		assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(host_cpu_at(2), HOST_WAITING);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	board_destroy(1);
	assert_true(board_digest() == before);
	assert_int_equal(board_online(2), OK);
	assert_int_equal(board_online(3), OK);
	return paused;
}

static void at_every_step_of(void (*what)(struct cpu *self, void *arg), uint64_t number)
{
	unsigned n = 1;

	while (come_between(what, number, n))
		n++;
	/* there was something to come between */
	assert_true(n > 1);
}

static void shutdown_at_every_step(void **state)
{
	(void)state;
	at_every_step_of(board_exit_fail, ABI_HC_CELL_SHUTDOWN);
	at_every_step_of(board_exit_power_off, ABI_HC_CELL_SHUTDOWN);
	at_every_step_of(board_exit_reset, ABI_HC_CELL_SHUTDOWN);
	at_every_step_of(board_exit_cpu_off, ABI_HC_CELL_SHUTDOWN);
}

static void start_at_every_step(void **state)
{
	(void)state;
	at_every_step_of(board_exit_fail, ABI_HC_CELL_START);
	at_every_step_of(board_exit_power_off, ABI_HC_CELL_START);
	at_every_step_of(board_exit_reset, ABI_HC_CELL_START);
	at_every_step_of(board_exit_cpu_off, ABI_HC_CELL_START);
}

static void loading_at_every_step(void **state)
{
	(void)state;
	at_every_step_of(board_exit_fail, ABI_HC_CELL_SET_LOADABLE);
	at_every_step_of(board_exit_power_off, ABI_HC_CELL_SET_LOADABLE);
	at_every_step_of(board_exit_reset, ABI_HC_CELL_SET_LOADABLE);
}

/* Told to stop before it had taken its start: it never runs. */
static void shutdown_before_it_started(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct vcpu_start last;

	(void)state;
	board_create(&text);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	assert_int_equal(board.cpus[3].state, CPU_STARTING);
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(host_cpu_starts(3, &last), 0);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 1);
}

/* A cell tells one CPU to start another while the cell is stopped. */
static void cpu_on_while_stopping(void **state)
{
	struct cell *cell = two_running();
	struct vcpu_start last;

	(void)state;
	board_exit(3, board_exit_cpu_off, NULL);
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, cell->id, 0), -ABI_EAGAIN);
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(host_cpu_starts(3, &last), 1);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
}

static void cpu_states(void **state)
{
	struct cell *cell = two_running();

	(void)state;
	assert_err(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }), ERR_BUSY);
	board_exit(3, board_exit_cpu_off, NULL);
	assert_ok(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ gpa(8), 9, false }));
	assert_err(cpu_start(board.cpus[3].cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }), ERR_AGAIN);
	assert_int_equal(board.cpus[3].start.argument, 9);
	assert_ptr_equal(cpu_find(cell, 0x100), &board.cpus[2]);
	assert_ptr_equal(cpu_find(cell, 0x100000001), &board.cpus[3]);
	assert_null(cpu_find(cell, 0));
	assert_null(cpu_find(board.sys.root, 0x100));
	assert_ptr_equal(cell_cpu_from(cell, 0), &board.cpus[2]);
	assert_ptr_equal(cell_cpu_from(cell, 3), &board.cpus[3]);
	assert_null(cell_cpu_from(cell, 4));
}

struct cpu_on {
	struct cpu *target;
	err_t e;
};

static void exit_cpu_on(struct cpu *self, void *arg)
{
	struct cpu_on *on = arg;

	on->e = cpu_start(self->cell, on->target, &(struct vcpu_start){ .entry = gpa(0) });
}

/* The cell is off, and all of it stays where it is. */
static void check_off(const struct cell *cell, unsigned starts)
{
	struct vcpu_start last;

	host_settle();
	assert_int_equal(cell->state, CELL_SHUT_DOWN);
	assert_int_equal(host_cpu_starts(3, &last), starts);
	for (unsigned cpu = 2; cpu < 4; cpu++) {
		assert_int_equal(board.cpus[cpu].state, CPU_PARKED);
		assert_int_equal(host_cpu_at(cpu), HOST_WAITING);
	}
}

/* CPU 3 turns the cell off, and before CPU 2 has noticed it tells CPU 3 to start again. */
static void powered_off_stays_off(void **state)
{
	struct cell *cell = two_running();
	struct cpu_on on = { &board.cpus[3], ERR_BUSY };

	(void)state;
	board_exit(3, board_exit_power_off, NULL);
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	board_exit(2, exit_cpu_on, &on);
	assert_ok(on.e);
	check_off(cell, 1);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	board_destroy(1);
}

/* The same with CPU 3 anywhere on its way, and then with a cell that failed. */
static void cpu_on_at_every_step_of(void (*what)(struct cpu *self, void *arg), enum cell_state wanted)
{
	bool paused = true;

	for (unsigned n = 1; paused; n++) {
		struct vcpu_start last;
		struct cpu_on on = { &board.cpus[3], OK };
		struct cell *cell = two_running();
		unsigned starts = host_cpu_starts(3, &last);

		hold_up(what, n);
		paused = host_cpu_at(3) == HOST_PAUSED;
		host_cpu_exit(2, exit_cpu_on, &on);
		host_cpu_go(2);
		host_cpu_stopped(2, 2);
		host_settle();
		host_cpu_pause_in(3, 0);
		assert_string_equal(host_complaint(), "");
		assert_int_equal(cell->state, wanted);
		assert_int_equal(host_cpu_starts(3, &last), starts);
		assert_int_equal(host_cpu_at(2), HOST_WAITING);
		assert_int_equal(host_cpu_at(3), HOST_WAITING);
		board_destroy(1);
	}
}

static void cpu_on_at_every_step(void **state)
{
	(void)state;
	cpu_on_at_every_step_of(board_exit_power_off, CELL_SHUT_DOWN);
	cpu_on_at_every_step_of(board_exit_fail, CELL_FAILED);
}

struct recall {
	struct cpu *target;
	bool flag, in_guest;
};

static void exit_recall(struct cpu *self, void *arg)
{
	struct recall *recall = arg;

	recall->in_guest = cpu_recall(self->cell, recall->target, &recall->flag);
}

/* CPU 3 was told to start, sleeps still or is anywhere on its way: it does not start at all, or the flag tells it. */
static void recalled_at_every_step(void **state)
{
	bool paused = true;

	(void)state;
	two_running();
	board_exit(3, board_exit_cpu_off, NULL);
	for (unsigned n = 0; paused; n++) {
		struct recall recall = { .target = &board.cpus[3] };
		struct cpu_on on = { &board.cpus[3], OK };
		struct vcpu_start last;
		unsigned starts = host_cpu_starts(3, &last);

		host_cpu_pause_in(3, n);
		board_exit(2, exit_cpu_on, &on);
		assert_ok(on.e);
		if (n != 0)
			host_cpu_run(3);
		paused = n == 0 || host_cpu_at(3) == HOST_PAUSED;
		/* it holds no lock there */
		board_exit(2, exit_recall, &recall);
		host_settle();
		host_cpu_pause_in(3, 0);
		assert_string_equal(host_complaint(), "");
		assert_int_equal(recall.in_guest, n != 0);
		assert_int_equal(recall.flag, recall.in_guest);
		assert_int_equal(host_cpu_starts(3, &last), starts + recall.flag);
		assert_int_equal(board.cpus[3].state, recall.flag ? CPU_IN_GUEST : CPU_PARKED);
		if (recall.flag)
			board_exit(3, board_exit_cpu_off, NULL);
	}
}

/* One that is parked stays so. */
static void recalled_while_parked(void **state)
{
	struct cell *cell = two_running();
	bool flag = false;

	(void)state;
	board_exit(3, board_exit_cpu_off, NULL);
	assert_false(cpu_recall(cell, &board.cpus[3], &flag));
	assert_false(cpu_tell(cell, &board.cpus[3], &flag));
	assert_false(flag);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
}

/* Only being parked is what takes a start back. */
static void told_before_it_starts(void **state)
{
	struct cell *cell = two_running();
	bool flag = false;

	(void)state;
	board_exit(3, board_exit_cpu_off, NULL);
	assert_ok(cpu_start(cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	assert_false(cpu_tell(cell, &board.cpus[3], &flag));
	assert_int_equal(board.cpus[3].state, CPU_STARTING);
	host_settle();
	assert_false(flag);
	assert_true(cpu_tell(cell, &board.cpus[3], &flag));
	assert_true(flag);
	assert_int_equal(board.cpus[3].state, CPU_IN_GUEST);
}

/* Found in one's own cell, and another's by the time it is to be started. */
static void cpu_that_moved(void **state)
{
	struct vcpu_start start = { .entry = gpa(0) };
	struct cell_text one = board_text("one", 2, BOARD_CELLS);
	struct cell_text two = board_text("two", 3, BOARD_CELLS + 0x400000);
	struct vcpu_start last;
	bool flag = false;

	(void)state;
	board_create(&one);
	board_create(&two);
	assert_err(cpu_start(board.sys.root, &board.cpus[3], &start), ERR_NOT_FOUND);
	assert_err(cpu_start(cell_find(&board.sys, 1), &board.cpus[3], &start), ERR_NOT_FOUND);
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
	assert_false(host_cpu_kicked(3));
	/* whatever it does there: it is not said */
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 2, 0), 0);
	assert_err(cpu_start(board.sys.root, &board.cpus[3], &start), ERR_NOT_FOUND);
	assert_false(cpu_recall(board.sys.root, &board.cpus[3], &flag));
	assert_int_equal(board.cpus[3].state, CPU_STARTING);
	host_settle();
	assert_err(cpu_start(board.sys.root, &board.cpus[3], &start), ERR_NOT_FOUND);
	assert_false(cpu_recall(board.sys.root, &board.cpus[3], &flag));
	assert_false(flag);
	assert_int_equal(host_cpu_starts(3, &last), 1);
	board_destroy(2);
	assert_err(cpu_start(cell_find(&board.sys, 1), &board.cpus[3], &start), ERR_NOT_FOUND);
	assert_ok(cpu_start(board.sys.root, &board.cpus[3], &start));
}

/* What a cell says about itself counts while it runs, as far as the words are known. */
static void the_cell_says_how_it_is(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create_running(&text);

	(void)state;
	for (uint32_t said = 0; said <= ABI_CELL_FAILED_COMM_REV; said++) {
		cell->comm->cell_state = said;
		assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), said);
	}
	cell->comm->cell_state = ABI_CELL_FAILED_COMM_REV + 1;
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_RUNNING);
	cell->comm->cell_state = UINT32_MAX;
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_RUNNING);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
}

/* What a CPU did for its last owner is none of the new one's exits. */
static void exits_are_counted_anew(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board.cpus[3].stats[ABI_STAT_TOTAL] = 5;
	board_create(&text);
	assert_int_equal(board_call(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + ABI_STAT_TOTAL), 0);
	board.cpus[3].stats[ABI_STAT_TOTAL] = 7;
	board_destroy(1);
	assert_int_equal(board_call(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + ABI_STAT_TOTAL), 0);
}

/* What a cell says of itself holds for who manages it too, though its CPUs are still in it. */
static void ended_in_its_own_words(void **state)
{
	static const uint64_t calls[] = { ABI_HC_CELL_SET_LOADABLE, ABI_HC_CELL_DESTROY };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		struct cell_text text = board_text("one", 3, BOARD_CELLS);
		struct cell *cell = board_create_running(&text);

		cell->comm->cell_state = ABI_CELL_RUNNING_LOCKED;
		assert_int_equal(board_call(0, calls[i], 1, 0), -ABI_EBUSY);
		cell->comm->cell_state = ABI_CELL_SHUT_DOWN;
		assert_int_equal(board_poll(calls[i], 1, 0), 0);
		if (calls[i] == ABI_HC_CELL_SET_LOADABLE)
			board_destroy(1);
		assert_ptr_equal(board.sys.cpus[3]->cell, board.sys.root);
	}
}

static void the_communication_page(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;

	(void)state;
	text.cell.flags = ABI_CELL_PUTC | ABI_CELL_PUTC_CONSOLE;
	cell = board_create_running(&text);
	assert_memory_equal(cell->comm->signature, "JHCOMM", 6);
	assert_int_equal(cell->comm->revision, 2);
	assert_int_equal(cell->comm->flags, ABI_COMM_FLAG_PUTC | ABI_COMM_FLAG_PUTC_CONSOLE);
	assert_memory_equal(&cell->comm->console, &text.cell.console, sizeof(text.cell.console));
	assert_int_equal(cell->comm->arch.arm64.gic_version, cell->id);
	board_destroy(1);
	text.cell.flags = 0;
	text.cell.mem_count = 2;
	cell = board_create_running(&text);
	assert_null(cell->comm);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_RUNNING);
}

/* Another cell comes and goes while one is open for loading: its memory can be taken back all the same. */
static void neighbours_of_a_loadable_cell(void **state)
{
	struct cell_text small = board_text("small", 3, BOARD_CELLS);
	struct cell_text other = board_text("other", 2, BOARD_CELLS + 0x400000);
	uint64_t before;

	(void)state;
	board_offline(3);
	board_offline(2);
	before = board_digest();
	small.mem[1] = small.mem[2];
	small.cell.mem_count = 2;
	board_create(&small);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	board_create(&other);
	board_destroy(2);
	/* and one that cannot be created */
	other.cell.cpus[0] = 1;
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&other)), -ABI_EBUSY);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_string_equal(host_complaint(), "");
	assert_false(in_root(BOARD_CELLS));
	board_destroy(1);
	assert_true(board_digest() == before);
}

struct moments {
	const struct cell *cell;
	unsigned emptied;	/* stores and flushes with the live root empty, before anybody was kicked */
};

/* Memory that is gone without a stop flag, or a kick while there is memory, would be an error. */
static void look(void *arg)
{
	struct moments *m = arg;
	struct cpu *cpu;

	if (m->cell->space.live[0] != 0)
		return;
	for_each_cell_cpu(cpu, m->cell) {
		if (!__atomic_load_n(&cpu->stop, __ATOMIC_ACQUIRE))
			host_complain("CPU %u has lost its memory and was not told to stop", cpu->id);
		if (host_cpu_kicked(cpu->id))
			host_complain("CPU %u was kicked before all of its memory was gone", cpu->id);
	}
	m->emptied++;
}

/* All are told to stop, then the memory goes, then they are woken. */
static void order_of_a_stop(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct moments m = { 0 };

	(void)state;
	text.cell.cpus[0] = 0xc;
	m.cell = board_create_running(&text);
	assert_ok(cpu_start(m.cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	host_on_step(look, &m);
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
	host_on_step(NULL, NULL);
	assert_true(m.emptied > 1);
	assert_true(host_cpu_kicked(2));
	assert_true(host_cpu_kicked(3));
}

static void a_kick_that_comes_too_early(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create_running(&text);

	(void)state;
	arch_cpu_kick_out(&board.cpus[3]);
	assert_non_null(strstr(host_complaint(), "was not told to stop"));
	host_machine()->complaint[0] = '\0';
	cpu_stop(&board.cpus[3]);
	arch_cpu_kick_out(&board.cpus[3]);
	assert_non_null(strstr(host_complaint(), "has memory to run on"));
	host_machine()->complaint[0] = '\0';
	space_revoke(&cell->space);
	arch_cpu_kick_out(&board.cpus[3]);
	assert_string_equal(host_complaint(), "");
	host_settle();
	assert_int_equal(board.cpus[3].state, CPU_PARKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(whole_life),
		TEST(while_memory_is_zeroed),
		TEST(in_the_wrong_state),
		TEST(a_failed_cell_lives_again),
		TEST(a_failed_cell_ends),
		TEST(power_off_from_inside),
		TEST(start_waits_for_the_last_cpu),
		TEST(start_waits_for_who_powers_off),
		TEST(reset_from_inside),
		TEST(failed_and_powered_off),
		TEST(reset_by_a_secondary),
		TEST(reset_by_two),
		TEST(shutdown_during_reset),
		TEST(fail_during_reset),
		TEST(shutdown_at_every_step),
		TEST(start_at_every_step),
		TEST(loading_at_every_step),
		TEST(shutdown_before_it_started),
		TEST(devices_end_with_the_cell),
		TEST(devices_in_reset_are_not_given_back),
		TEST(cpu_on_while_stopping),
		TEST(powered_off_stays_off),
		TEST(cpu_on_at_every_step),
		TEST(recalled_at_every_step),
		TEST(recalled_while_parked),
		TEST(told_before_it_starts),
		TEST(cpu_that_moved),
		TEST(cpu_states),
		TEST(the_cell_says_how_it_is),
		TEST(exits_are_counted_anew),
		TEST(ended_in_its_own_words),
		TEST(the_communication_page),
		TEST(neighbours_of_a_loadable_cell),
		TEST(order_of_a_stop),
		TEST(a_kick_that_comes_too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
