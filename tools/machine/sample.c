// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `perf record` makes of the root cell: a CPU that the PMU interrupts every so many
 * cycles. It spins on that CPU meanwhile, so that there are cycles to count, and sleeps
 * nowhere, so that nobody need be woken by an SGI.
 *
 *   sample CPU SECONDS CYCLES    prints `sample: N samples`, N not 0
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * The kernel wakes a reader, by an SGI to itself, each time half of it has been written:
 * samples for half a minute at 1000 a second
 */
#define RING_BYTES ((size_t)1 << 20)
#define MAX_SECONDS 30

/* The kernel's side is written by the PMU's interrupt on this very CPU */
struct ring {
	struct perf_event_mmap_page *control;
	const uint8_t *data;
};

struct seen {
	uint64_t samples;
	uint64_t throttled;
};

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *why, ...)
{
	va_list values;

	fputs("sample: ", stderr);
	va_start(values, why);
	vfprintf(stderr, why, values);
	va_end(values);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t number(const char *text, const char *what, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > most)
		fail("%s is '%s': give a number up to %" PRIu64, what, text, most);
	return value;
}

static void move_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("CPU %d cannot be used (%s): is it online?", cpu, strerror(errno));
}

static int open_event(int cpu, uint64_t cycles)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.sample_period = cycles,
		.sample_type = PERF_SAMPLE_IP,
		.disabled = 1,
		/* Else it takes turns with other events, and samples are missing */
		.pinned = 1,
		.exclude_hv = 1,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		return (int)fd;
	if (errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP)
		fail("the kernel drives no PMU that interrupts on CPU %d (%s): is there a pmu node in the "
		     "device tree, and arm-pmu in /proc/interrupts?", cpu, strerror(errno));
	if (errno == EACCES || errno == EPERM)
		fail("the kernel forbids it (%s): be root", strerror(errno));
	fail("perf_event_open: %s", strerror(errno));
}

static struct ring map_ring(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *at = mmap(NULL, page + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		fail("no ring for the samples (%s): be root, or raise kernel.perf_event_mlock_kb", strerror(errno));
	return (struct ring){ .control = (struct perf_event_mmap_page *)at, .data = at + page };
}

static void take(struct seen *seen, uint32_t type)
{
	if (type == PERF_RECORD_SAMPLE)
		seen->samples++;
	else if (type == PERF_RECORD_THROTTLE)
		seen->throttled++;
	else if (type == PERF_RECORD_LOST)
		fail("samples were lost: the ring of %zu bytes is too small", RING_BYTES);
}

/* Records lie at multiples of 8 bytes, so that a header never wraps. */
static void drain(struct ring ring, struct seen *seen)
{
	/* pairs with the barrier in the kernel's perf_output_put_handle() */
	uint64_t head = __atomic_load_n(&ring.control->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring.control->data_tail;

	while (tail < head) {
		struct perf_event_header header;

		memcpy(&header, ring.data + tail % RING_BYTES, sizeof(header));
		if (!header.size || header.size > head - tail)
			fail("the ring holds a record of %u bytes: is this kernel's perf_event.h another?", header.size);
		take(seen, header.type);
		tail += header.size;
	}
	/* pairs with the control dependency in the kernel's __perf_output_begin() */
	__atomic_store_n(&ring.control->data_tail, tail, __ATOMIC_RELEASE);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct seen spin(int fd, struct ring ring, uint64_t seconds)
{
	struct seen seen = { 0 };
	uint64_t end = now() + seconds * 1000000000u;

	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		fail("the event does not start: %s", strerror(errno));
	while (now() < end)
		drain(ring, &seen);
	if (ioctl(fd, PERF_EVENT_IOC_DISABLE, 0))
		fail("the event does not stop: %s", strerror(errno));
	drain(ring, &seen);
	return seen;
}

int main(int argc, char **argv)
{
	uint64_t seconds, cycles;
	struct seen seen;
	int cpu, fd;

	if (argc != 4)
		fail("use: sample CPU SECONDS CYCLES");
	cpu = (int)number(argv[1], "CPU", CPU_SETSIZE - 1);
	seconds = number(argv[2], "SECONDS", MAX_SECONDS);
	cycles = number(argv[3], "CYCLES", INT64_MAX);
	if (!seconds || !cycles)
		fail("SECONDS and CYCLES must not be 0");
	move_to(cpu);
	fd = open_event(cpu, cycles);
	seen = spin(fd, map_ring(fd), seconds);
	if (seen.throttled)
		fail("the kernel stopped the PMU %" PRIu64 " times as it interrupted too often: give more CYCLES",
		     seen.throttled);
	if (!seen.samples)
		fail("no samples in %" PRIu64 " s: either its counter does not run or its interrupt does not arrive",
		     seconds);
	printf("sample: %" PRIu64 " samples\n", seen.samples);
	return 0;
}
