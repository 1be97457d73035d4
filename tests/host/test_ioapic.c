// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three cells at one IOAPIC that is a model of the hardware: it knows whose each pin is, and at
 * every single write to it looks whether what is unmasked then is something that the pin's
 * owner may have. The owner's view is a second model: what was written to own pins, nothing else.
 */
#include "test.h"

#include "arch/x86/pure/ioapic.h"

#define PINS 24u
#define FIRST 40u
#define GUESTS 3u
#define LOW_STATES 0x5000u	/* delivery status, remote IRR */
#define LEVEL 0x8000u
#define MASKED 0x10000u
#define REMAPPABLE (1ull << 48)

struct fake {
	uint64_t entry[PINS];
	uint32_t id;
	unsigned owner[PINS];
	bool check;			/* every write */
	unsigned writes, refused;
};

struct party {
	struct fake *fake;
	unsigned cell;
};

/* CPUs by physical id and by flat logical bit: two for each cell, the root cell's first. */
static unsigned owner_of_id(uint32_t id)
{
	return id < 2 * GUESTS ? id / 2 : ~0u;	/* 0xff: everyone */
}

static bool find(void *context, uint32_t destination, bool logical, uint32_t *id)
{
	const struct party *party = context;

	for (uint32_t cpu = 2 * party->cell; cpu < 2 * party->cell + 2; cpu++)
		if (logical ? destination >> cpu & 1 : destination == cpu) {
			*id = cpu;
			return true;
		}
	/* a CPU may have that id in the other mode */
	*id = destination;
	return party->cell == 0 && !logical && destination == 0xff;
}

static bool owns(void *context, uint32_t line)
{
	const struct party *party = context;

	assert_in_range(line, FIRST, FIRST + PINS - 1);
	return party->fake->owner[line - FIRST] == party->cell;
}

static struct ioapic_guest guest_of(struct party *party)
{
	return (struct ioapic_guest){ .context = party, .cell = party->cell };
}

/* May this be in the hardware, for that owner? The rules, said by the effect they have there. */
static bool harmless(uint64_t entry, unsigned owner)
{
	unsigned type = entry >> 8 & 7, vector = entry & 0xff;
	uint32_t destination = (uint32_t)(entry >> 56);

	if (entry & MASKED)
		return true;
	if (entry & REMAPPABLE)
		return owner == 0;
	/* SMIs are the firmware's, wherever they go */
	if (owner == 0 && type == 2)
		return true;
	/* reserved types, INIT and STARTUP: CPUs are reset by none of these */
	if (type == 3 || type == 5 || type == 6)
		return false;
	if (owner != 0 && ((type != 0 && type != 1) || vector < 16 || entry & 0x800))
		return false;
	/* the root cell's CPUs have their logical ids in the hardware, no other has one */
	if (entry & 0x800)
		return (destination & 3) != 0;
	return owner_of_id(destination) == owner;
}

static uint32_t fake_read(void *context, uint8_t number)
{
	struct fake *f = context;
	unsigned pin = (number - 0x10u) / 2;

	if (number == 0)
		return f->id;
	if (number == 1)
		return (PINS - 1) << 16 | 0x20;
	if (number < 0x10)
		return 0x0badf00d;
	assert_true(pin < PINS);
	return (uint32_t)(f->entry[pin] >> (number & 1 ? 32 : 0));
}

static void fake_write(void *context, uint8_t number, uint32_t value)
{
	struct fake *f = context;
	unsigned pin = (number - 0x10u) / 2;
	uint64_t *entry;

	f->writes++;
	if (number == 0)
		f->id = value;
	if (number < 0x10)
		return;
	assert_true(pin < PINS);
	entry = &f->entry[pin];
	if (number & 1)
		*entry = (*entry & 0xffffffff) | (uint64_t)value << 32;
	else
		*entry = (*entry & (0xffffffff00000000ull | LOW_STATES)) | (value & ~LOW_STATES & 0x1ffff);
	if (!(*entry & LEVEL))
		*entry &= ~0x4000ull;
	if (f->check && !harmless(*entry, f->owner[pin]))
		fail_msg("pin %u of cell %u is 0x%llx", pin, f->owner[pin], (unsigned long long)*entry);
}

static const struct ioapic_ops ops = { fake_read, fake_write, owns, find };

/* Each pin's owner in turn, all masked. */
static void begin(struct fake *fake, struct ioapic *ioapic)
{
	*fake = (struct fake){ .check = true };
	*ioapic = (struct ioapic){ .ops = &ops, .registers = fake, .first = FIRST, .count = PINS };
	for (unsigned pin = 0; pin < PINS; pin++) {
		fake->owner[pin] = pin % GUESTS;
		fake->entry[pin] = ioapic->wanted[pin] = MASKED;
	}
}

static err_t page(struct ioapic *ioapic, struct party *party, uint64_t offset, uint8_t size, bool write, uint64_t *value)
{
	struct mmio_access access = { .address = gpa(offset), .value = *value, .size = size, .write = write };
	struct ioapic_guest guest = guest_of(party);
	err_t e = ioapic_access(ioapic, &guest, &access);

	if (guest.refused) {
		assert_true(owns(party, guest.line));
		assert_false(guest.entry & MASKED);
		party->fake->refused++;
	}

	*value = access.value;
	return e;
}

static void reg_write(struct ioapic *ioapic, struct party *party, uint8_t number, uint32_t value)
{
	uint64_t select = number, data = value;

	assert_ok(page(ioapic, party, 0, 4, true, &select));
	assert_ok(page(ioapic, party, 0x10, 4, true, &data));
}

static uint32_t reg_read(struct ioapic *ioapic, struct party *party, uint8_t number)
{
	uint64_t select = number, data = ~0ull;

	assert_ok(page(ioapic, party, 0, 4, true, &select));
	assert_ok(page(ioapic, party, 0x10, 4, false, &data));
	assert_true(data <= UINT32_MAX);
	return (uint32_t)data;
}

static void test_permit_is_what_is_harmless(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	unsigned permitted = 0;

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned cell = 0; cell < GUESTS; cell++) {
		struct party party = { &fake, cell };
		const struct ioapic_guest guest = guest_of(&party);

		for (uint64_t low = 0; low < 1u << 17; low += (low & 0xff) == 0x11 ? 0xef : 1)
			for (uint64_t high = 0; high < 0x200; high += high % 16 == 9 ? 7 : 1) {
				uint64_t entry = (high & 0xff) << 56 | (high >> 8) << 48 | low, out = 0;
				bool may = ioapic_permit(&ops, &guest, entry, &out);
				uint32_t id;

				if (!may) {
					/* nothing was refused that could have been had */
					assert_false(harmless(entry, cell) && !(entry & 0x800));
					continue;
				}
				permitted++;
				assert_true(harmless(out, cell));
				if (out == entry)
					continue;
				if (cell != 0 && high >> 8) {
					/* masked, and in a format that is not its to choose */
					assert_true(entry & 0x10000);
					assert_int_equal(out, entry & ~(1ull << 48));
					continue;
				}
				/* the destination alone was put in other words */
				assert_true(cell != 0 && entry & 0x800 && !(out & 0x800));
				assert_int_equal((out ^ entry) & ~(0xffull << 56 | 0x800), 0);
				assert_true(find(&party, high & 0xff, true, &id));
				assert_int_equal(out >> 56, id);
			}
	}
	assert_true(permitted > 10000);
}

/* On some the bits below the destination are more of it: CPU 0x101 is not CPU 1. */
static void test_reserved_bits_are_the_root_cells(void **state)
{
	struct fake fake;
	struct ioapic ioapic;

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned cell = 0; cell < GUESTS; cell++) {
		struct party party = { &fake, cell };
		const struct ioapic_guest guest = guest_of(&party);

		for (uint64_t id = 0; id < 8; id++)
			for (unsigned bit = 17; bit < 56; bit++) {
				uint64_t plain = id << 56 | 0x31, out = 0, clean = 0;

				if (bit == 48 || !ioapic_permit(&ops, &guest, plain, &clean))
					continue;
				assert_true(ioapic_permit(&ops, &guest, plain | 1ull << bit, &out));
				assert_int_equal(out, cell == 0 ? plain | 1ull << bit : plain);
				assert_int_equal(clean, plain);
			}
	}
}

/* Registers above the pins' and below, from everyone: nobody else's pin moves, own ones read as written. */
static void test_a_pin_is_its_owners(void **state)
{
	uint64_t seed = 0x10ca91c;
	struct fake fake, before;
	struct ioapic ioapic;
	uint64_t view[PINS];

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned pin = 0; pin < PINS; pin++)
		view[pin] = MASKED;
	for (unsigned round = 0; round < 400000; round++) {
		struct party party = { &fake, test_below(&seed, GUESTS) };
		uint8_t number = (uint8_t)test_below(&seed, round % 7 == 0 ? 0x100 : 0x10 + 2 * PINS);
		unsigned pin = (number - 0x10u) / 2;
		bool own = number >= 0x10 && pin < PINS && fake.owner[pin] == party.cell;
		uint32_t value = (uint32_t)test_random(&seed);

		/* mostly something that makes sense */
		if (number & 1 && test_below(&seed, 4) != 0)
			value = (test_below(&seed, 8) << 24) | (test_below(&seed, 9) == 0 ? 0x10000 : 0);
		else if (test_below(&seed, 4) != 0)
			value = 0x30 + test_below(&seed, 3) * 0x40 + (test_below(&seed, 2) ? 0x800 : 0) +
				(test_below(&seed, 2) ? LEVEL : 0) + (test_below(&seed, 3) ? 0 : MASKED);
		before = fake;
		reg_write(&ioapic, &party, number, value);
		if (own)
			view[pin] = number & 1 ? (view[pin] & UINT32_MAX) | (uint64_t)value << 32 :
						 (view[pin] & ~(uint64_t)UINT32_MAX) | (value & ~LOW_STATES);
		for (unsigned other = 0; other < PINS; other++)
			assert_true(fake.entry[other] == before.entry[other] || (own && other == pin));
		assert_true(fake.id == before.id || (number == 0 && party.cell == 0 && fake.id == value));
		if (!own)
			assert_int_equal(fake.refused, before.refused);
		for (unsigned cell = 0; own && cell < GUESTS; cell++) {
			struct party reader = { &fake, cell };
			uint32_t low = reg_read(&ioapic, &reader, (uint8_t)(0x10 + 2 * pin));
			uint32_t high = reg_read(&ioapic, &reader, (uint8_t)(0x11 + 2 * pin));

			assert_int_equal(low & ~LOW_STATES, cell == party.cell ? (uint32_t)view[pin] : MASKED);
			assert_int_equal(high, cell == party.cell ? (uint32_t)(view[pin] >> 32) : 0);
		}
		/* what is masked in the hardware though its owner has it unmasked was said */
		if (own && !(view[pin] & MASKED) && fake.entry[pin] & MASKED)
			assert_int_equal(fake.refused, before.refused + 1);
		else
			assert_int_equal(fake.refused, before.refused);
	}
	assert_true(fake.refused > 1000);
}

/* Whatever was written, in two halves and in either order: once it is legal it is there. */
static void test_an_entry_comes_up_in_either_order(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	struct party party = { &fake, 1 };
	const uint8_t low = 0x10 + 2 * 4, high = low + 1;

	(void)state;
	begin(&fake, &ioapic);
	reg_write(&ioapic, &party, low, 0x41);
	assert_int_equal(fake.entry[4], MASKED);
	assert_int_equal(reg_read(&ioapic, &party, low), 0x41);
	reg_write(&ioapic, &party, high, 3u << 24);
	assert_int_equal(fake.entry[4], 3ull << 56 | 0x41);
	/* to somebody else's, and back */
	reg_write(&ioapic, &party, high, 4u << 24);
	assert_int_equal(fake.entry[4], MASKED);
	assert_int_equal(reg_read(&ioapic, &party, high), 4u << 24);
	reg_write(&ioapic, &party, high, 2u << 24);
	assert_int_equal(fake.entry[4], 2ull << 56 | 0x41);
	/* a logical destination is put in physical words, and reads as it was written */
	reg_write(&ioapic, &party, low, 0x841 | MASKED);
	reg_write(&ioapic, &party, high, 0x0cu << 24);
	reg_write(&ioapic, &party, low, 0x841);
	assert_int_equal(fake.entry[4], 2ull << 56 | 0x41);
	assert_int_equal(reg_read(&ioapic, &party, low), 0x841);
	assert_int_equal(reg_read(&ioapic, &party, high), 0x0c000000);
	assert_int_equal(fake.refused, 2);
}

/* Moving the destination of an unmasked edge must not mask it in between: an edge would be lost. */
static void test_a_new_destination_is_one_write(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	struct party root = { &fake, 0 };

	(void)state;
	begin(&fake, &ioapic);
	reg_write(&ioapic, &root, 0x10, 0x31);
	fake.writes = 0;
	reg_write(&ioapic, &root, 0x11, 1u << 24);
	assert_int_equal(fake.writes, 1);
	assert_int_equal(fake.entry[0], 1ull << 56 | 0x31);
}

static void test_states_are_the_hardwares(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	struct party owner = { &fake, 2 }, other = { &fake, 1 };

	(void)state;
	begin(&fake, &ioapic);
	reg_write(&ioapic, &owner, 0x15, 5u << 24);
	reg_write(&ioapic, &owner, 0x14, 0x55 | LEVEL);
	fake.entry[2] |= LOW_STATES;
	assert_int_equal(reg_read(&ioapic, &owner, 0x14), 0x55 | LEVEL | LOW_STATES);
	assert_int_equal(reg_read(&ioapic, &other, 0x14), MASKED);
	/* written back as read */
	reg_write(&ioapic, &owner, 0x14, 0x55 | LEVEL | LOW_STATES);
	fake.entry[2] &= ~(uint64_t)LOW_STATES;
	assert_int_equal(reg_read(&ioapic, &owner, 0x14), 0x55 | LEVEL);
}

static void test_silence(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	struct party root = { &fake, 0 };

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned pin = 0; pin < PINS; pin++) {
		/* of all kinds */
		fake.entry[pin] = ioapic.wanted[pin] = (uint64_t)(2 * fake.owner[pin]) << 56 | 0x77 |
						       (pin & 4 ? LEVEL | 0x4000 : 0) | (pin & 8 ? MASKED : 0);
		ioapic_silence(&ioapic, pin);
		assert_int_equal(fake.entry[pin], MASKED);
		assert_int_equal(ioapic.wanted[pin], MASKED);
	}
	assert_int_equal(reg_read(&ioapic, &root, 0x10), MASKED);
	assert_int_equal(reg_read(&ioapic, &root, 0x11), 0);
}

/* A CPU leaves the root cell with entries that mean it, and comes back. */
static void test_a_cpu_that_moves_takes_its_interrupts_along(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	struct party root = { &fake, 0 }, without = { &fake, GUESTS };
	struct ioapic_guest guest;

	(void)state;
	begin(&fake, &ioapic);
	reg_write(&ioapic, &root, 0x11, 1u << 24);
	reg_write(&ioapic, &root, 0x10, 0x55);
	assert_int_equal(fake.entry[0], 1ull << 56 | 0x55);
	/* as it would be seen by one that has no CPU of that id any more; pin 0 stays the root cell's */
	guest = guest_of(&without);
	ioapic_review(&ioapic, &guest, 0);
	assert_true(guest.refused);
	assert_int_equal(guest.line, FIRST);
	assert_true(fake.entry[0] & MASKED);
	assert_int_equal(reg_read(&ioapic, &root, 0x10), 0x55);
	guest = guest_of(&root);
	ioapic_review(&ioapic, &guest, 0);
	assert_false(guest.refused);
	assert_int_equal(fake.entry[0], 1ull << 56 | 0x55);
}

/* VT-d says it by a bit, AMD's way by a vector that is none. */
static void test_remapped_entries_are_known(void **state)
{
	(void)state;
	assert_true(ioapic_is_remapped(REMAPPABLE | 0x31));
	assert_true(ioapic_is_remapped(REMAPPABLE | MASKED));
	for (uint64_t vector = 0; vector < 0x100; vector++) {
		assert_int_equal(ioapic_is_remapped(vector), vector < 16);
		assert_int_equal(ioapic_is_remapped(LEVEL | 0x100 | vector), vector < 16);
		assert_false(ioapic_is_remapped(MASKED | vector));
		/* the PIC's, and NMIs, have none */
		assert_false(ioapic_is_remapped(0x700 | vector));
		assert_false(ioapic_is_remapped(0x400 | vector));
	}
}

static void test_eoi_ends_own_lines_only(void **state)
{
	struct fake fake;
	struct ioapic ioapic;

	(void)state;
	for (unsigned cell = 0; cell < GUESTS; cell++)
		for (unsigned vector = 0x40; vector < 0x44; vector++) {
			struct party party = { &fake, cell };
			uint64_t value = vector | 0xabcd00;

			begin(&fake, &ioapic);
			for (unsigned pin = 0; pin < PINS; pin++) {
				ioapic.wanted[pin] = (uint64_t)(2 * fake.owner[pin]) << 56 | (0x40 + pin / 3 % 4) |
						     (pin & 1 ? LEVEL : 0);
				fake.entry[pin] = ioapic.wanted[pin] | (pin & 1 ? 0x4000 : 0);
			}
			assert_ok(page(&ioapic, &party, 0x40, 4, true, &value));
			for (unsigned pin = 0; pin < PINS; pin++) {
				bool ended = fake.owner[pin] == cell && 0x40 + pin / 3 % 4 == vector;

				assert_int_equal(fake.entry[pin] & ~0x4000ull, ioapic.wanted[pin]);
				assert_int_equal((fake.entry[pin] >> 14) & 1, (pin & 1) && !ended);
			}
		}
}

/* 82093AA, 3.1: two registers, and one that came later; what else there is in the page is nothing. */
static void test_every_offset_in_every_size(void **state)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	struct fake fake;
	struct ioapic ioapic;
	uint64_t selected[GUESTS] = { 0 };

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned cell = 0; cell < GUESTS; cell++)
		for (uint64_t offset = 0; offset < 0x1000; offset++)
			for (unsigned s = 0; s < 4; s++)
				for (unsigned write = 0; write < 2; write++) {
					struct party party = { &fake, cell };
					struct fake before = fake;
					bool there = (sizes[s] == 4 && offset % 4 == 0) || (offset == 0 && sizes[s] == 1);
					uint64_t value = 0x41;

					assert_int_equal(page(&ioapic, &party, offset, sizes[s], write, &value),
							 there ? OK : ERR_INVALID);
					assert_memory_equal(before.entry, fake.entry, sizeof(fake.entry));
					assert_int_equal(before.id, fake.id);
					if (there && write && offset == 0)
						selected[cell] = value;
					/* the upper half of a pin that is not there */
					if (there && !write)
						assert_int_equal(value, offset == 0 ? selected[cell] : 0);
					else
						assert_int_equal(value, 0x41);
				}
}

static void test_each_has_its_own_index(void **state)
{
	struct fake fake;
	struct ioapic ioapic;
	uint64_t value;

	(void)state;
	begin(&fake, &ioapic);
	for (unsigned cell = 0; cell < GUESTS; cell++) {
		struct party party = { &fake, cell };

		value = 0x10 + 2 * cell;
		assert_ok(page(&ioapic, &party, 0, 4, true, &value));
	}
	for (unsigned cell = 0; cell < GUESTS; cell++) {
		struct party party = { &fake, cell };

		assert_ok(page(&ioapic, &party, 0, 4, false, &value));
		assert_int_equal(value, 0x10 + 2 * cell);
		value = 0x50 | MASKED;
		assert_ok(page(&ioapic, &party, 0x10, 4, true, &value));
		assert_int_equal(fake.entry[cell], 0x50 | MASKED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permit_is_what_is_harmless),
		cmocka_unit_test(test_reserved_bits_are_the_root_cells),
		cmocka_unit_test(test_a_pin_is_its_owners),
		cmocka_unit_test(test_an_entry_comes_up_in_either_order),
		cmocka_unit_test(test_a_new_destination_is_one_write),
		cmocka_unit_test(test_states_are_the_hardwares),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_a_cpu_that_moves_takes_its_interrupts_along),
		cmocka_unit_test(test_remapped_entries_are_known),
		cmocka_unit_test(test_eoi_ends_own_lines_only),
		cmocka_unit_test(test_every_offset_in_every_size),
		cmocka_unit_test(test_each_has_its_own_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
