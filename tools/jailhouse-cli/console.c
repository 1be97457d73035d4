// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse console: what the hypervisor and the cells say, or one cell's console like a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

/* Ctrl-], as telnet and virsh have it */
#define ESCAPE 0x1d
#define TEXT_SIZE 16384
#define TYPED_SIZE 1024
/* A UART that is full, or that its guest does not look at, is tried again after so many ms */
#define FULL_MS 20

struct console {
	const struct command *c;
	int fd;
	bool follow;
	bool input;		/* standard input is typed there */
	bool raw;		/* it is a terminal, whose settings are `before` */
	struct termios before;
	char typed[TYPED_SIZE];	/* what the UART did not take yet */
	size_t typed_size;
	bool input_ended;
};

static enum status write_all(const char *what, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(STATUS_OTHER, what, "cannot write: %s", strerror(errno));
		text += n;
		size -= (size_t)n;
	}
	return STATUS_OK;
}

/* All that is there by now. *end: nothing will follow. */
static enum status drain(const struct console *k, bool *end)
{
	char text[TEXT_SIZE];

	*end = false;
	for (;;) {
		ssize_t n = read(k->fd, text, sizeof(text));
		enum status s;

		if (n < 0 && errno == EINTR)
			continue;
		*end = !n;
		if (!n || (n < 0 && errno == EAGAIN))
			return STATUS_OK;
		if (n < 0 && errno == ENODEV)
			return fail(STATUS_ABSENT, k->c->name, "there is no log yet: jailhouse enable SYSTEM.cell first");
		if (n < 0)
			return fail(STATUS_OTHER, k->c->name, "cannot read " JAILHOUSE_DEVICE ": %s", strerror(errno));
		s = write_all(k->c->name, text, (size_t)n);
		if (s)
			return s;
	}
}

/* False: the escape was typed. What stands before it is kept. */
static bool take_typed(struct console *k)
{
	ssize_t n = read(STDIN_FILENO, k->typed + k->typed_size, sizeof(k->typed) - k->typed_size);
	const char *escape;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		k->input_ended = true;
		return true;
	}
	escape = k->raw ? memchr(k->typed + k->typed_size, ESCAPE, (size_t)n) : NULL;
	k->typed_size = escape ? (size_t)(escape - k->typed) : k->typed_size + (size_t)n;
	return !escape;
}

static enum status send_typed(struct console *k)
{
	ssize_t n = write(k->fd, k->typed, k->typed_size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STATUS_OK;
	if (n < 0 && errno == ENODEV)
		return fail(STATUS_STATE, k->c->name,
			    "nothing can be typed there: the cell has no `uart` in its text (or the hypervisor is not enabled any more)");
	if (n < 0 && errno == EBUSY)
		return fail(STATUS_STATE, k->c->name, "nothing can be typed there: the cell does not run");
	if (n < 0 && errno == EPIPE)
		return fail(STATUS_NO_CELL, k->c->name, "the cell is gone");
	if (n < 0)
		return fail(STATUS_OTHER, k->c->name, "cannot write to " JAILHOUSE_DEVICE ": %s", strerror(errno));
	k->typed_size -= (size_t)n;
	memmove(k->typed, k->typed + n, k->typed_size);
	return STATUS_OK;
}

static bool wants_input(const struct console *k)
{
	return k->input && !k->input_ended && k->typed_size < sizeof(k->typed);
}

/* Without `follow` it is over when all that was to be typed is typed. */
static bool is_over(const struct console *k)
{
	return !k->follow && (!k->input || (k->input_ended && !k->typed_size));
}

static enum status converse(struct console *k)
{
	bool end = false;

	for (;;) {
		struct pollfd fds[] = { { k->fd, POLLIN, 0 }, { wants_input(k) ? STDIN_FILENO : -1, POLLIN, 0 } };
		enum status s = drain(k, &end);

		if (s || end || is_over(k))
			return s;
		if (poll(fds, 2, k->typed_size ? FULL_MS : -1) < 0 && errno != EINTR)
			return fail(STATUS_OTHER, k->c->name, "cannot wait: %s", strerror(errno));
		if (fds[1].revents && !take_typed(k)) {
			s = k->typed_size ? send_typed(k) : STATUS_OK;
			return s;
		}
		if (k->typed_size)
			s = send_typed(k);
		if (s)
			return s;
	}
}

/* Keys go to the cell as they are struck, Ctrl-C among them. */
static void make_raw(struct console *k)
{
	struct termios raw;

	if (!k->input || tcgetattr(STDIN_FILENO, &k->before))
		return;
	raw = k->before;
	cfmakeraw(&raw);
	/* what the cell prints is for a terminal, but for one that ends lines itself */
	raw.c_oflag |= OPOST | ONLCR;
	k->raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static enum status talk(struct console *k, const struct abi_drv_cell *cell)
{
	enum status s;

	make_raw(k);
	if (k->raw)
		fprintf(stderr, "connected to the console of %s; Ctrl-] leaves\n",
			cell->id == ABI_CELL_ID_BY_NAME ? cell->name : "the cell");
	s = converse(k);
	if (!k->raw)
		return s;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &k->before);
	fputs("\njailhouse: left the console\n", stderr);
	return s;
}

static enum status run(struct console *k, struct abi_drv_cell *cell)
{
	enum status s = STATUS_OK;

	k->fd = open(JAILHOUSE_DEVICE, (k->input ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (k->fd < 0)
		return device_absent(k->c->name);
	if (cell)
		s = device_call_on(k->c, k->fd, ABI_DRV_CELL_CONSOLE, cell, cell->error);
	if (!s && cell)
		s = talk(k, cell);
	else if (!s)
		s = converse(k);
	close(k->fd);
	return s;
}

/* The options, wherever they stand; what is left are the words. */
static int take_options(struct console *k, int argc, char **argv, bool *all)
{
	int left = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--follow"))
			k->follow = true;
		else if (!strcmp(argv[i], "-i") || !strcmp(argv[i], "--input"))
			k->input = true;
		else if (!strcmp(argv[i], "-a") || !strcmp(argv[i], "--all"))
			*all = true;
		else
			argv[left++] = argv[i];
	}
	return left;
}

enum status console_run(const struct command *c, int argc, char **argv)
{
	struct console k = { .c = c };
	struct abi_drv_cell cell;
	bool all = false;
	enum status s;

	argc = take_options(&k, argc, argv, &all);
	if (!argc && k.input)
		return command_usage(c, "-i: which cell is it typed to? name one", NULL);
	if (!argc)
		return run(&k, NULL);
	s = cell_reference(c, &argc, &argv, &cell);
	if (s)
		return s;
	if (argc)
		return command_usage(c, "does not take", argv[0]);
	if (all)
		return command_usage(c, "all of them, or one cell's? not both", NULL);
	/* a person at a terminal */
	if (!k.follow && !k.input && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		k.follow = k.input = true;
	return run(&k, &cell);
}
