// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space against a model of a function: BARs that can be sized, power management,
 * MSI, MSI-X with its table, PCI Express with a reset. The model says for every bit whether a
 * write may change it, and watches what the function could send: whatever a cell writes, that is
 * nothing or a fixed interrupt to one of its own CPUs.
 */
#include "test.h"

#include "arch/x86/pure/pci.h"
#include "base/types.h"

#define BDF 0x0028u
#define POWER 0x40u
#define MSI 0x50u
#define MSIX 0x70u
#define EXPRESS 0x90u
#define TABLE 0xfe001000ull
#define ENTRIES 5u
#define OWN_ID 3u
#define OWN_LOGICAL 0x08u
#define FAR_ID 0x1234u

struct device {
	uint8_t space[PCI_SPACE_EXTENDED];
	uint8_t writable[PCI_SPACE_EXTENDED];
	uint8_t clears[PCI_SPACE_EXTENDED];	/* cleared by a 1 */
	uint32_t table[ENTRIES * 4];
	uint32_t own_id;			/* what the cell's CPU is called */
	unsigned resets;
	unsigned writes;
};

static void put(struct device *d, unsigned at, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		d->space[at + i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const struct device *d, unsigned at, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)d->space[at + i] << 8 * i;
	return value;
}

static void can_write(struct device *d, unsigned at, unsigned size, uint32_t bits)
{
	for (unsigned i = 0; i < size; i++)
		d->writable[at + i] = (uint8_t)(bits >> 8 * i);
}

static uint32_t device_read(void *context, uint16_t bdf, unsigned offset, unsigned size)
{
	const struct device *d = context;

	assert_true(pci_access_is_plain(offset, size));
	return bdf == BDF ? get(d, offset, size) : (uint32_t)(0xffffffffull >> (32 - 8 * size));
}

static void device_write(void *context, uint16_t bdf, unsigned offset, unsigned size, uint32_t value)
{
	struct device *d = context;

	assert_true(pci_access_is_plain(offset, size));
	assert_int_equal(bdf, BDF);
	d->writes++;
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i), *at = &d->space[offset + i];

		*at = (uint8_t)((*at & ~d->writable[offset + i]) | (byte & d->writable[offset + i]));
		*at = (uint8_t)(*at & ~(byte & d->clears[offset + i]));
	}
	if (get(d, EXPRESS + 8, 2) & 0x8000) {
		d->resets++;
		put(d, EXPRESS + 8, 2, 0);
		put(d, 0x04, 2, 0);
		for (unsigned i = 0x10; i < 0x28; i++)
			d->space[i] = (uint8_t)(d->space[i] & ~d->writable[i]);
	}
}

static uint32_t device_load(void *context, uint64_t at)
{
	const struct device *d = context;

	assert_true(at >= TABLE && at < TABLE + sizeof(d->table) && at % 4 == 0);
	return d->table[(at - TABLE) / 4];
}

static void device_store(void *context, uint64_t at, uint32_t value)
{
	struct device *d = context;

	assert_true(at >= TABLE && at < TABLE + sizeof(d->table) && at % 4 == 0);
	/* it decodes there only then */
	assert_true(d->space[4] & 2);
	d->table[(at - TABLE) / 4] = value;
}

static bool target(void *context, uint32_t destination, bool logical, uint32_t *id)
{
	const struct device *d = context;

	if (logical ? !(destination & OWN_LOGICAL) : destination != OWN_ID)
		return false;
	*id = d->own_id;
	return true;
}

static const struct pci_bus bus = { device_read, device_write, device_load, device_store, target };

static void device_init(struct device *d)
{
	memset(d, 0, sizeof(*d));
	d->own_id = OWN_ID;
	put(d, 0x00, 4, 0x11e81234);
	put(d, 0x04, 4, 0x40100107);
	can_write(d, 0x04, 2, 0x0547);
	d->clears[0x07] = 0xf9;
	can_write(d, 0x0c, 2, 0xffff);
	put(d, 0x10, 4, 0xfe001004);	/* 64-bit memory, 4 KiB */
	put(d, 0x14, 4, 0x0);
	can_write(d, 0x10, 4, 0xfffff000);
	can_write(d, 0x14, 4, 0xffffffff);
	put(d, 0x18, 4, 0xc001);	/* ports, 32 of them */
	can_write(d, 0x18, 4, 0xffffffe0);
	put(d, 0x1c, 4, 0xfd000008);	/* prefetchable memory, 1 MiB */
	can_write(d, 0x1c, 4, 0xfff00000);
	put(d, 0x30, 4, 0xfc000001);
	can_write(d, 0x30, 4, 0xffff0001);
	put(d, 0x34, 1, POWER);
	can_write(d, 0x3c, 1, 0xff);
	put(d, POWER, 4, 0x00030001 | MSI << 8);
	can_write(d, POWER + 4, 2, 0x0103);
	d->clears[POWER + 5] = 0x80;
	put(d, MSI, 4, 0x018a0005 | MSIX << 8);	/* 64-bit, maskable, 32 messages */
	can_write(d, MSI + 2, 2, 0x0071);
	can_write(d, MSI + 4, 4, 0xfffffffc);
	can_write(d, MSI + 8, 4, 0xffffffff);
	can_write(d, MSI + 12, 2, 0xffff);
	can_write(d, MSI + 16, 4, 0xffffffff);
	put(d, MSIX, 4, (ENTRIES - 1) << 16 | EXPRESS << 8 | 0x11);
	can_write(d, MSIX + 2, 2, 0xc000);
	put(d, MSIX + 4, 4, 0);
	put(d, EXPRESS, 4, 0x00020010);
	put(d, EXPRESS + 4, 4, 1u << 28);
	can_write(d, EXPRESS + 8, 2, 0xffff);
	for (unsigned i = 0x100; i < PCI_SPACE_EXTENDED; i++) {
		d->space[i] = (uint8_t)(i * 7);
		d->writable[i] = 0xff;
	}
	for (unsigned i = 0; i < ENTRIES * 4; i++)
		d->table[i] = 0xfee55555;
}

/* What its owner could have sent with it: nothing but a fixed interrupt to the cell's CPU. */
static void check_messages(const struct device *d)
{
	uint32_t control = get(d, MSI + 2, 2), count = 1u << (control >> 4 & 7);

	if (control & 1) {
		assert_int_equal(get(d, MSI + 4, 4), 0xfee00000 | OWN_ID << 12);
		assert_int_equal(get(d, MSI + 8, 4), 0);
		assert_in_range(get(d, MSI + 12, 2), 16, 255);
		assert_true(count <= 32 && get(d, MSI + 12, 2) % count == 0);
	}
	if (!(get(d, MSIX + 2, 2) & 0x8000))
		return;
	for (unsigned i = 0; i < ENTRIES; i++) {
		const uint32_t *e = &d->table[4 * i];

		if (e[3] & 1)
			continue;
		assert_int_equal(e[0], 0xfee00000 | OWN_ID << 12);
		assert_int_equal(e[1], 0);
		assert_in_range(e[2], 16, 255);
	}
}

static void taken(struct device *d, struct pci_function *f)
{

	device_init(d);
	assert_ok(pci_find(&bus, d, BDF, f));
	assert_int_equal(d->writes, 0);
	pci_take(f);
}

static void test_find(void **state)
{
	struct device d;
	struct pci_function f;

	(void)state;
	device_init(&d);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_int_equal(f.power, POWER);
	assert_int_equal(f.msi, MSI);
	assert_int_equal(f.msix, MSIX);
	assert_int_equal(f.express, EXPRESS);
	assert_true(f.resets);
	assert_int_equal(f.table.start, 0xfe001000);
	assert_int_equal(f.table.size, ENTRIES * 16);
	assert_err(pci_find(&bus, &d, BDF + 1, &f), ERR_NOT_FOUND);
	put(&d, 0x00, 2, 0);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_NOT_FOUND);
	put(&d, 0x00, 2, 0x1234);
	put(&d, 0x0e, 1, 0x81);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_UNSUPPORTED);
	put(&d, 0x0e, 1, 0x80);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	/* a table where no address leads to */
	put(&d, MSIX + 4, 4, 2);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_int_equal(f.table.size, 0);
	put(&d, MSIX + 4, 4, 6);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_int_equal(f.table.size, 0);
	put(&d, MSIX + 4, 4, 0x2003);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_int_equal(f.table.start, 0xfd002000);
	put(&d, 0x14, 4, 0xffffffff);
	put(&d, 0x10, 4, 0xfffffff4);
	put(&d, MSIX + 4, 4, 0xfffffff8);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_int_equal(f.table.size, 0);
	/* without capabilities */
	put(&d, 0x06, 2, 0);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_true(!f.power && !f.msi && !f.msix && !f.express && !f.resets && f.table.size == 0);
}

static void test_hostile_capabilities(void **state)
{
	struct device d;
	struct pci_function f;

	(void)state;
	/* round and round, also with an end that is none */
	device_init(&d);
	put(&d, EXPRESS + 1, 1, EXPRESS);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_INVALID);
	device_init(&d);
	put(&d, EXPRESS, 2, 0xa000);
	put(&d, 0xa0, 2, 0xa400);
	put(&d, 0xa4, 2, 0xa200);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_INVALID);
	/* into the header */
	device_init(&d);
	put(&d, 0x34, 1, 0x3c);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_INVALID);
	/* two of a kind */
	device_init(&d);
	put(&d, EXPRESS, 2, 0xa010);
	put(&d, 0xa0, 1, 0x05);
	assert_err(pci_find(&bus, &d, BDF, &f), ERR_INVALID);
	/* out of the space, over one another */
	for (unsigned at = 0x40; at < PCI_SPACE; at += 4) {
		static const uint8_t ids[] = { 0x01, 0x05, 0x10, 0x11 };
		static const uint8_t sizes[] = { 8, 24, 12, 12 };

		for (unsigned i = 0; i < 4; i++) {
			device_init(&d);
			memset(&d.space[0x40], 0, PCI_SPACE - 0x40);
			put(&d, 0x34, 1, at);
			put(&d, at, 4, ids[i] | (ids[i] == 0x05 ? 0x01800000 : 0));
			assert_err(pci_find(&bus, &d, BDF, &f), at + sizes[i] <= PCI_SPACE ? OK : ERR_INVALID);
		}
		device_init(&d);
		memset(&d.space[0x40], 0, PCI_SPACE - 0x40);
		put(&d, 0x34, 1, 0x80);
		put(&d, 0x80, 4, 0x01800005);
		if (at == 0x80)
			continue;
		put(&d, 0x81, 1, at);
		put(&d, at, 2, 0x11);
		/* the second's first bytes may lie in the first's last, or make another of it */
		if (at > 0x80 ? at < 0x80 + 24 : at + 12 > 0x80)
			assert_err(pci_find(&bus, &d, BDF, &f), ERR_INVALID);
		else if (at + 12 <= PCI_SPACE)
			assert_ok(pci_find(&bus, &d, BDF, &f));
	}
}

static void test_random_spaces_end(void **state)
{
	uint64_t seed = 0x5eed;
	struct device d;
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		struct pci_function f;

		memset(&d, 0, sizeof(d));
		for (unsigned i = 0; i < PCI_SPACE; i++) {
			d.space[i] = (uint8_t)test_random(&seed);
			/* enough of them are what is looked for, and few lead anywhere */
			if (i % 4 == 0 && i >= 0x40)
				d.space[i] = (uint8_t[]){ 1, 5, 0x10, 0x11 }[test_below(&seed, 4)];
			if (i % 4 == 1 && i >= 0x40 && test_below(&seed, 3))
				d.space[i] = 0;
		}
		d.space[0x0e] = 0;
		if (pci_find(&bus, &d, BDF, &f) != OK)
			continue;
		found++;
		assert_true(!f.msi || (f.msi >= 0x40 && f.msi % 4 == 0));
		assert_true(f.table.size == 0 || span_valid(f.table));
	}
	assert_true(found > 1000);
}

static void test_changes_hands(void **state)
{
	struct device d;
	struct pci_function f;

	(void)state;
	device_init(&d);
	put(&d, MSI + 2, 2, 0x018b);
	put(&d, MSIX + 2, 2, 0x8004);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	pci_take(&f);
	assert_int_equal(get(&d, 0x04, 2), 0x0500);
	/* nothing of the status is lost */
	assert_int_equal(get(&d, 0x06, 2), 0x4010);
	assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
	assert_int_equal(get(&d, MSIX + 2, 2) & 0x8000, 0);
	assert_int_equal(get(&d, 0x30, 4) & 1, 0);
	assert_int_equal(get(&d, 0x10, 4), 0xfe001004);
	assert_int_equal(get(&d, 0x18, 4), 0xc001);
	assert_true(pci_reset(&f));
	assert_int_equal(d.resets, 1);
	assert_int_equal(get(&d, 0x1c, 4), 0x8);
	pci_give_back(&f);
	assert_int_equal(get(&d, 0x1c, 4), 0xfd000008);
	assert_int_equal(get(&d, 0x04, 2) & 0x7, 0);
	put(&d, EXPRESS + 4, 4, 0);
	assert_ok(pci_find(&bus, &d, BDF, &f));
	assert_false(pci_reset(&f));
	assert_int_equal(d.resets, 1);
}

static void test_bars(void **state)
{
	static const uint32_t sizes[] = { 0xfffff004, 0xffffffff, 0xffffffe1, 0xfff00008, 0, 0 };
	struct device d, before;
	struct pci_function f;

	(void)state;
	taken(&d, &f);
	before = d;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint32_t at = 0x10 + 4 * i, was = get(&d, at, 4);

		assert_int_equal(pci_read(&f, at, 4), was);
		assert_true(pci_write(&f, at, 4, 0xffffffff));
		assert_int_equal(pci_read(&f, at, 4), sizes[i]);
		assert_int_equal(pci_read(&f, at + 2, 2), sizes[i] >> 16);
		assert_true(pci_write(&f, at, 4, was));
		assert_int_equal(pci_read(&f, at, 4), was);
		/* a byte at a time */
		assert_true(pci_write(&f, at + 3, 1, 0x5a));
		assert_int_equal(pci_read(&f, at + 3, 1), sizes[i] ? 0x5a : 0);
	}
	assert_memory_equal(d.space, before.space, sizeof(d.space));
	pci_forget(&f);
	for (unsigned i = 0; i < PCI_BARS; i++)
		assert_int_equal(pci_read(&f, 0x10 + 4 * i, 4), get(&d, 0x10 + 4 * i, 4));
	/* after a reset they are there again before the function answers */
	assert_true(pci_reset(&f));
	assert_int_equal(get(&d, 0x10, 4), 0x4);
	assert_true(pci_write(&f, 0x04, 2, 0x2));
	assert_int_equal(get(&d, 0x10, 4), 0xfe001004);
	/* and its INTx line, which may be others' too, is no cell's to raise, whatever it writes */
	assert_int_equal(get(&d, 0x04, 2), 0x402);
	assert_true(pci_write(&f, 0x05, 1, 0x00));
	assert_int_equal(get(&d, 0x04, 2), 0x402);
}

/* The bits of the space that a cell may change in the function, messages aside. */
static uint8_t cells_bits(unsigned at)
{
	if (at == 0x04)
		return 0x07;
	if (at == 0x0c || at == 0x0d || at == 0x3c)
		return 0xff;
	if (at == POWER + 4)
		return 0x03;
	if (at == MSIX + 3)
		return 0x40;	/* enabling is tested apart */
	return at >= MSI + 16 && at < MSI + 20 ? 0xff : 0;
}

static bool is_messages(unsigned at)
{
	return (at >= MSI + 2 && at < MSI + 14) || at == MSIX + 3;
}

static void test_every_byte_in_every_size(void **state)
{
	static const uint32_t values[] = { 0xffffffff, 0, 0xa5a5a5a5, 0x5a5a5a5a };
	struct device d, before;
	struct pci_function f;

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(values); n++) {
		for (unsigned size = 1; size <= 4; size *= 2) {
			for (unsigned at = 0; at < PCI_SPACE_EXTENDED; at += size) {
				uint32_t value = values[n];

				/* MSI-X stays off */
				if (at <= MSIX + 3 && at + size > MSIX + 3)
					value &= ~(0x80u << 8 * (MSIX + 3 - at));
				taken(&d, &f);
				before = d;
				(void)pci_write(&f, at, size, value);
				check_messages(&d);
				for (unsigned i = 0; i < PCI_SPACE_EXTENDED; i++) {
					uint8_t changed = d.space[i] ^ before.space[i];

					if (i < at || i >= at + size)
						assert_true(changed == 0 || is_messages(i));
					else if (!is_messages(i))
						assert_int_equal(changed & ~cells_bits(i), 0);
					if (i >= at && i < at + size && !is_messages(i))
						assert_int_equal(d.space[i] & cells_bits(i),
								 (value >> 8 * (i - at)) & cells_bits(i));
				}
				assert_int_equal(d.resets, 0);
				assert_memory_equal(d.table, before.table, sizeof(d.table));
			}
		}
	}
}

static void test_reads_are_the_functions(void **state)
{
	struct device d;
	struct pci_function f;

	(void)state;
	taken(&d, &f);
	for (unsigned size = 1; size <= 4; size *= 2) {
		for (unsigned at = 0; at < PCI_SPACE_EXTENDED; at += size) {
			uint32_t value = pci_read(&f, at, size);

			if (at >= 0x30 && at < 0x34)
				assert_int_equal(value, 0);
			else
				assert_int_equal(value, get(&d, at, size));
		}
	}
	for (unsigned at = 0; at < PCI_SPACE_EXTENDED + 8; at++)
		for (unsigned size = 0; size < 10; size++)
			assert_int_equal(pci_access_is_plain(at, size),
					 at < 4096 && (size == 1 || (size == 2 && at % 2 == 0) || (size == 4 && at % 4 == 0)));
}

static void write_msi(struct pci_function *f, uint32_t address, uint32_t high, uint32_t data)
{
	(void)pci_write(f, MSI + 4, 4, address);
	(void)pci_write(f, MSI + 8, 4, high);
	(void)pci_write(f, MSI + 12, 2, data);
}

static void test_msi(void **state)
{
	struct device d;
	struct pci_function f;

	(void)state;
	taken(&d, &f);
	/* logical, lowest priority: what stock Linux may write; in the function the physical id */
	write_msi(&f, 0xfee00004 | 0x0f << 12, 0, 0x4131);
	assert_true(pci_write(&f, MSI + 2, 2, 0x0001));
	assert_int_equal(get(&d, MSI + 4, 4), 0xfee00000 | OWN_ID << 12);
	assert_int_equal(get(&d, MSI + 12, 2), 0x31);
	assert_int_equal(get(&d, MSI + 2, 2), 0x018b);
	check_messages(&d);
	/* it reads what it wrote */
	assert_int_equal(pci_read(&f, MSI + 4, 4), 0xfee00004 | 0x0f << 12);
	assert_int_equal(pci_read(&f, MSI + 8, 4), 0);
	assert_int_equal(pci_read(&f, MSI + 12, 2), 0x4131);
	assert_int_equal(pci_read(&f, MSI + 2, 2), 0x018b);
	/* another vector while it is on; then a CPU of others: off, until it means an own one again */
	assert_true(pci_write(&f, MSI + 12, 2, 0x40));
	assert_int_equal(get(&d, MSI + 12, 2), 0x40);
	assert_false(pci_write(&f, MSI + 4, 4, 0xfee00000 | 4 << 12));
	assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
	assert_int_equal(pci_read(&f, MSI + 2, 2) & 1, 1);
	assert_true(pci_write(&f, MSI + 4, 4, 0xfee00000 | OWN_ID << 12));
	assert_int_equal(get(&d, MSI + 2, 2) & 1, 1);
	/* four messages: the function sets the lower bits */
	assert_true(pci_write(&f, MSI + 12, 2, 0x43));
	assert_true(pci_write(&f, MSI + 2, 2, 0x0021));
	assert_int_equal(get(&d, MSI + 12, 2), 0x40);
	check_messages(&d);
	assert_true(pci_write(&f, MSI + 12, 2, 0x20));
	assert_false(pci_write(&f, MSI + 2, 2, 0x0061));
	assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
	assert_true(pci_write(&f, MSI + 2, 2, 0x0000));
	/* an id that has no place in a message */
	d.own_id = FAR_ID;
	assert_false(pci_write(&f, MSI + 2, 2, 0x0001));
	assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
	pci_forget(&f);
	assert_int_equal(pci_read(&f, MSI + 12, 2), 0);
	assert_int_equal(pci_read(&f, MSI + 2, 2), 0x018a);
}

static void test_messages_a_cell_may_not_have(void **state)
{
	static const struct { uint32_t address, high, data; } bad[] = {
		{ 0xfee00000 | OWN_ID << 12, 0, 0x0f },		/* no interrupt's vector */
		{ 0xfee00000 | OWN_ID << 12, 0, 0x00 },
		{ 0xfee00000 | OWN_ID << 12, 0, 0x231 },	/* SMI */
		{ 0xfee00000 | OWN_ID << 12, 0, 0x431 },	/* NMI */
		{ 0xfee00000 | OWN_ID << 12, 0, 0x531 },	/* INIT */
		{ 0xfee00000 | OWN_ID << 12, 0, 0x731 },	/* ExtINT */
		{ 0xfee00000 | OWN_ID << 12, 1, 0x31 },		/* memory */
		{ 0x1000 | OWN_ID << 12, 0, 0x31 },
		{ 0xfed00000 | OWN_ID << 12, 0, 0x31 },
		{ 0xfee00010 | OWN_ID << 12, 0, 0x31 },		/* remappable */
		{ 0xfee00020 | OWN_ID << 12, 0, 0x31 },		/* more bits of the id */
		{ 0xfee00000 | 2 << 12, 0, 0x31 },		/* others */
		{ 0xfee00000 | 0xff << 12, 0, 0x31 },
		{ 0xfee00004 | 0x07 << 12, 0, 0x31 },
	};
	struct device d;
	struct pci_function f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		taken(&d, &f);
		write_msi(&f, bad[i].address, bad[i].high, bad[i].data);
		assert_false(pci_write(&f, MSI + 2, 2, 0x0001));
		assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
		/* written while it is on */
		write_msi(&f, 0xfee00000 | OWN_ID << 12, 0, 0x31);
		assert_int_equal(get(&d, MSI + 2, 2) & 1, 1);
		write_msi(&f, bad[i].address, bad[i].high, bad[i].data);
		assert_int_equal(get(&d, MSI + 2, 2) & 1, 0);
		/* and in the table */
		assert_true(pci_write(&f, 0x04, 2, 0x6));
		assert_true(pci_write(&f, MSIX + 2, 2, 0x8000));
		(void)pci_table_write(&f, TABLE, bad[i].address);
		(void)pci_table_write(&f, TABLE + 4, bad[i].high);
		(void)pci_table_write(&f, TABLE + 8, bad[i].data);
		(void)pci_table_write(&f, TABLE + 12, 0);
		check_messages(&d);
		/* the upper half is never written: what is left may be fine */
		assert_int_equal(d.table[3] & 1, bad[i].high == 0);
	}
}

static void test_table(void **state)
{
	struct device d, before;
	struct pci_function f;

	(void)state;
	taken(&d, &f);
	before = d;
	/* while the function does not decode, there is no table, and no messages from it */
	assert_false(pci_write(&f, MSIX + 2, 2, 0x8000));
	assert_int_equal(get(&d, MSIX + 2, 2) & 0x8000, 0);
	assert_true(pci_table_write(&f, TABLE, 0xfee00000 | OWN_ID << 12));
	assert_memory_equal(d.table, before.table, sizeof(d.table));
	/* what Linux had in it is gone before it is seen or used */
	assert_true(pci_write(&f, 0x04, 2, 0x6));
	assert_int_equal(pci_table_read(&f, TABLE + 16), 0);
	for (unsigned i = 0; i < ENTRIES * 4; i++)
		assert_int_equal(d.table[i], i % 4 == 3);
	assert_true(pci_write(&f, MSIX + 2, 2, 0xc000));
	assert_int_equal(get(&d, MSIX + 2, 2), 0xc000 | (ENTRIES - 1));
	/* not unmasked while it says nothing */
	assert_false(pci_table_write(&f, TABLE + 28, 0));
	assert_true(pci_table_write(&f, TABLE + 16, 0xfee00004 | OWN_LOGICAL << 12));
	assert_true(pci_table_write(&f, TABLE + 20, 0));
	assert_true(pci_table_write(&f, TABLE + 24, 0x4022));
	assert_true(pci_table_write(&f, TABLE + 28, 0));
	assert_int_equal(d.table[4], 0xfee00000 | OWN_ID << 12);
	assert_int_equal(d.table[6], 0x22);
	assert_int_equal(d.table[7], 0);
	check_messages(&d);
	assert_false(pci_table_write(&f, TABLE + 16, 0xfee00000));
	assert_int_equal(d.table[7], 1);
	/* the next owner finds nothing of it */
	pci_forget(&f);
	assert_true(pci_table_write(&f, TABLE + 28, 1));
	for (unsigned i = 0; i < ENTRIES * 4; i++)
		assert_int_equal(d.table[i], i % 4 == 3);
}

/* Anything, in any order: nothing is ever sent that may not be, and no BAR moves. */
static void test_storm(void **state)
{
	uint64_t seed = 0xbadc0ffee;
	struct device d;
	struct pci_function f;
	unsigned enabled = 0;

	(void)state;
	taken(&d, &f);
	for (unsigned n = 0; n < 300000; n++) {
		static const uint32_t liked[] = { 0xfee00000 | OWN_ID << 12, 0xfee00004 | 8 << 12, 0x31, 0x8001, 0xffff, 0 };
		unsigned size = 1u << test_below(&seed, 3), at = test_below(&seed, 0xa0 / size) * size;
		uint32_t value = test_below(&seed, 3) ? liked[test_below(&seed, 6)] : (uint32_t)test_random(&seed);

		/* now and then as it should be, so that there is something to spoil */
		if (n % 64 == 0) {
			write_msi(&f, liked[0], 0, liked[2]);
			(void)pci_write(&f, MSI + 2, 2, 1);
		}
		if (test_below(&seed, 4) == 0)
			(void)pci_table_write(&f, TABLE + test_below(&seed, ENTRIES * 4) * 4, value);
		else
			(void)pci_write(&f, at, size, value);
		check_messages(&d);
		assert_int_equal(get(&d, 0x10, 4), 0xfe001004);
		assert_int_equal(get(&d, 0x30, 4) & 1, 0);
		enabled += get(&d, MSI + 2, 2) & 1;
	}
	assert_true(enabled > 1000);
	assert_int_equal(d.resets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_hostile_capabilities),
		cmocka_unit_test(test_random_spaces_end),
		cmocka_unit_test(test_changes_hands),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_every_byte_in_every_size),
		cmocka_unit_test(test_reads_are_the_functions),
		cmocka_unit_test(test_msi),
		cmocka_unit_test(test_messages_a_cell_may_not_have),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
