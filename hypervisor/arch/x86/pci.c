// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI configuration space, of segment 0, by mechanism #1 and ECAM. A function belongs to the root cell
 * unless a cell's configuration names it. To everybody else it is not there.
 */
#include "arch/cpu.h"
#include "asm.h"
#include "core/fault.h"
#include "pure/apic.h"
#include "pure/pci.h"
#include "x86.h"

/* Mechanism #1 (PCI Local Bus 3.0, 3.2.2.3) */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define ADDRESS_ENABLE BIT(31)
#define ADDRESS_RESERVED BITS(30, 24)	/* some chipsets' way to more registers */
#define ADDRESS_BDF BITS(23, 8)
#define ADDRESS_REGISTER BITS(7, 2)

/* Message destination: every CPU */
#define MESSAGE_ALL 0xffu

#define ECAM_BDF BITS(27, 12)
#define ECAM_REGISTER BITS(11, 0)

/* A bdf in words */
#define BDF "%02x:%02x.%x"
#define BDF_ARGS(bdf) (bdf) >> 8, (bdf) >> 3 & 0x1f, (bdf) & 7

struct pci_cell {
	uint32_t pages;
	uint32_t count;
	uint64_t ready;			/* in arch_now()'s time: resets are over */
	struct pci_function function[];
};

#define for_each_function(f, pci) for ((f) = (pci)->function; (f) < (pci)->function + (pci)->count; (f)++)

static uint64_t ecam_address(uint16_t bdf, unsigned offset)
{
	return (uint64_t)bdf << FIELD_SHIFT(ECAM_BDF) | offset;
}

/* Where ECAM has the register, or NULL. Its addresses are the hypervisor's own too. */
static void *ecam(uint16_t bdf, unsigned offset)
{
	const struct abi_span *span = &machine.sys.config.system->platform.x86_64.mmconfig;
	uint64_t at = ecam_address(bdf, offset);

	return at < span->size ? (void *)(span->start + at) : NULL;
}

static uint32_t all_ones(unsigned size)
{
	return (uint32_t)BITS(8 * size - 1, 0);
}

/* By RAX, whatever the compiler likes: some AMD CPUs know ECAM accesses no other way (family 10h BKDG, 2.11) */
static uint32_t load(const void *at, unsigned size)
{
	uint32_t value = 0;

	if (size == 1)
		__asm__ volatile("movb (%1), %%al" : "+a"(value) : "r"(at) : "memory");
	else if (size == 2)
		__asm__ volatile("movw (%1), %%ax" : "+a"(value) : "r"(at) : "memory");
	else
		__asm__ volatile("movl (%1), %%eax" : "+a"(value) : "r"(at) : "memory");
	return value;
}

static void store(void *at, unsigned size, uint32_t value)
{
	if (size == 1)
		__asm__ volatile("movb %%al, (%1)" : : "a"(value), "r"(at) : "memory");
	else if (size == 2)
		__asm__ volatile("movw %%ax, (%1)" : : "a"(value), "r"(at) : "memory");
	else
		__asm__ volatile("movl %%eax, (%1)" : : "a"(value), "r"(at) : "memory");
}

static void select(uint16_t bdf, unsigned offset)
{
	out32(PCI_ADDRESS, (uint32_t)(ADDRESS_ENABLE | FIELD_PUT(ADDRESS_BDF, bdf) | (offset & ADDRESS_REGISTER)));
}

/* The registers themselves. Caller holds pci_lock. */
static uint32_t hardware_read(void *context, uint16_t bdf, unsigned offset, unsigned size)
{
	const void *at = ecam(bdf, offset);

	(void)context;
	if (at != NULL)
		return load(at, size);
	if (offset >= PCI_SPACE)
		return all_ones(size);
	select(bdf, offset);
	return port_in((uint16_t)(PCI_DATA + (offset & 3)), size);
}

static void hardware_write(void *context, uint16_t bdf, unsigned offset, unsigned size, uint32_t value)
{
	void *at = ecam(bdf, offset);

	(void)context;
	if (at != NULL) {
		store(at, size, value);
	} else if (offset < PCI_SPACE) {
		select(bdf, offset);
		port_out((uint16_t)(PCI_DATA + (offset & 3)), size, value);
	}
}

/* A doubleword of device memory: what lies there is uncached by the MTRRs, however the window is mapped. */
static uint32_t device_load(void *context, uint64_t at)
{
	struct cpu *self = this_cpu();
	uint32_t value = *(volatile uint32_t *)arch_window_open(self, hpa(at), 4);

	(void)context;
	arch_window_close(self);
	return value;
}

static void device_store(void *context, uint64_t at, uint32_t value)
{
	struct cpu *self = this_cpu();

	(void)context;
	*(volatile uint32_t *)arch_window_open(self, hpa(at), 4) = value;
	arch_window_close(self);
}

/* The first of the cell's CPUs that is meant. */
static bool message_target(void *context, uint32_t destination, bool logical, uint32_t *id)
{
	const struct cell *cell = context;
	struct cpu *cpu;

	if (cell->arch->remapped)
		return false;
	for_each_cell_cpu(cpu, cell) {
		if (!apic_is_meant(&cpu->arch->apic, destination, logical, MESSAGE_ALL))
			continue;
		*id = (uint32_t)cpu->hwid;
		return true;
	}
	return false;
}

/* The context is the cell. */
static const struct pci_bus bus = { hardware_read, hardware_write, device_load, device_store, message_target };

static struct pci_function *find(struct pci_cell *pci, uint16_t bdf)
{
	struct pci_function *f;

	if (pci != NULL)
		for_each_function(f, pci)
			if (f->bdf == bdf)
				return f;
	return NULL;
}

void pci_init(void)
{
	machine.pci_address[0] = in32(PCI_ADDRESS);
}

static const char *words_for(err_t e)
{
	if (e == ERR_NOT_FOUND)
		return "nobody answers; name one that is there";
	if (e == ERR_UNSUPPORTED)
		return "it is a bridge; name what is behind it";
	return "its capabilities make no sense; leave it to the root cell";
}

static err_t find_functions(struct cell *cell, struct pci_cell *pci, struct why *why)
{
	for (; pci->count < cell->config.cell->pci_count; pci->count++) {
		uint16_t bdf = cell->config.pci[pci->count].bdf;
		err_t e;

		lock_take(&machine.pci_lock);
		e = pci_find(&bus, cell, bdf, &pci->function[pci->count]);
		lock_drop(&machine.pci_lock);
		if (e == OK)
			continue;
		return why_set(why, e, "pci[%u]: function " BDF ": %s", pci->count, BDF_ARGS(bdf), words_for(e));
	}
	return OK;
}

static struct span table_pages(const struct pci_function *f)
{
	uint64_t start = align_down(f->table.start, PAGE_SIZE);

	return (struct span){ start, align_up(f->table.start + f->table.size, PAGE_SIZE) - start };
}

/* Where the cell has a page of host-physical device memory. */
static bool guest_of(const struct cell *cell, uint64_t host, uint64_t *guest)
{
	uint32_t i;

	for (i = 0; i < cell->config.cell->mem_count; i++) {
		const struct abi_mem *mem = &cell->config.mem[i];

		if (!(mem->flags & ABI_MEM_IO) || !span_has(mem_host_span(mem), host))
			continue;
		*guest = mem->virt + (host - mem->phys);
		return true;
	}
	return false;
}

static bool host_of(const struct cell *cell, gpa_t at, uint64_t *host)
{
	uint32_t i;

	for (i = 0; i < cell->config.cell->mem_count; i++) {
		const struct abi_mem *mem = &cell->config.mem[i];

		if (!(mem->flags & ABI_MEM_IO) || !span_has(mem_guest_span(mem), at.v))
			continue;
		*host = mem->phys + (at.v - mem->virt);
		return true;
	}
	return false;
}

/*
 * Tables of messages are written through pci_msix() only. One that is not wholly in device memory the
 * cell has cannot be used: the BAR says where it lies, and that may be anything.
 */
static err_t hide_table(struct cell *cell, struct pci_function *f)
{
	struct span pages = table_pages(f);
	uint64_t at, guest;

	for (at = pages.start; at < pages.start + pages.size; at += PAGE_SIZE) {
		if (!guest_of(cell, at, &guest)) {
			f->table.size = 0;
			continue;
		}
		TRY(space_cut(&cell->space, (struct span){ guest, PAGE_SIZE }));
		space_unmap(&cell->space, (struct span){ guest, PAGE_SIZE });
	}
	return OK;
}

err_t pci_cell_init(struct cell *cell, struct why *why)
{
	uint32_t count = cell->config.cell->pci_count, pages;
	struct pci_function *f;
	struct pci_cell *pci;
	void *memory;

	if (count == 0)
		return OK;
	pages = (uint32_t)(align_up(sizeof(*pci) + count * sizeof(pci->function[0]), PAGE_SIZE) >> PAGE_SHIFT);
	TRY(pool_take(&cell->sys->pool, pages, 1, &memory));
	pci = memory;
	pci->pages = pages;
	cell->arch->pci = pci;
	TRY(find_functions(cell, pci, why));
	for_each_function(f, pci)
		if (f->table.size != 0)
			TRY(hide_table(cell, f));
	return OK;
}

void pci_cell_exit(struct cell *cell)
{
	struct pci_cell *pci = cell->arch->pci;

	if (pci != NULL)
		pool_give(&cell->sys->pool, pci, pci->pages);
	cell->arch->pci = NULL;
}

static void begin_reset(struct pci_cell *pci, const struct pci_function *f)
{
	if (pci_reset(f))
		pci->ready = arch_now() + arch_ticks_per_second() / 1000 * PCI_RESET_MS;
}

/*
 * Reset when a cell gets it: nobody waits for that but the cell, if it is that early. On the way
 * back it is only silenced: Linux resets what it takes over, and finds the BARs it knows.
 */
void pci_cell_attach(struct cell *cell)
{
	struct pci_cell *pci = cell->arch->pci;
	struct pci_function *f;

	machine.pci_address[cell->id] = 0;
	if (pci == NULL)
		return;
	lock_take(&machine.pci_lock);
	machine.pci[cell->id] = pci;
	for_each_function(f, pci) {
		pci_take(f);
		begin_reset(pci, f);
	}
	lock_drop(&machine.pci_lock);
}

static bool is_ready(const struct pci_cell *pci)
{
	return (int64_t)(arch_now() - pci->ready) >= 0;
}

/*
 * What a CPU of the cell's that is still on its way writes comes before this, or is refused: it was told
 * to stop before. During a reset nothing is on, and nobody may be there to switch it on.
 */
bool pci_cell_quiesce(struct cell *cell)
{
	struct pci_cell *pci = cell->arch->pci;
	struct pci_function *f;

	if (pci == NULL)
		return true;
	if (!is_ready(pci))
		return false;
	lock_take(&machine.pci_lock);
	for_each_function(f, pci)
		pci_quiesce(f);
	lock_drop(&machine.pci_lock);
	return true;
}

void pci_cell_detach(struct cell *cell)
{
	struct pci_cell *pci = cell->arch->pci;
	struct pci_function *f;

	if (pci == NULL)
		return;
	lock_take(&machine.pci_lock);
	for_each_function(f, pci)
		pci_give_back(f);
	machine.pci[cell->id] = NULL;
	lock_drop(&machine.pci_lock);
}

void pci_cell_reset(struct cell *cell)
{
	struct pci_cell *pci = cell->arch->pci;
	bool untouched = pci != NULL && !is_ready(pci);
	struct pci_function *f;

	machine.pci_address[cell->id] = 0;
	if (pci == NULL || untouched)
		return;
	lock_take(&machine.pci_lock);
	for_each_function(f, pci) {
		pci_quiesce(f);
		pci_forget(f);
		begin_reset(pci, f);
	}
	lock_drop(&machine.pci_lock);
}

static void tell_refused(const struct cpu *self, uint16_t bdf, const char *what)
{
	if (cell_may_tell(self->cell))
		fault_say(self, false, "PCI function " BDF ": %s", BDF_ARGS(bdf), what);
}

#define WORDS_MESSAGE "an interrupt message that means none of its CPUs, or is none; it stays off"

/* One access to a function that is this cell's, or to one that is not there for it. */
static void cell_access(struct cpu *self, uint16_t bdf, unsigned offset, struct mmio_access *access)
{
	struct pci_cell *pci = self->cell->arch->pci;
	struct pci_function *f = find(pci, bdf);
	bool fine = true;

	if (f == NULL)
		return;
	while (!is_ready(pci))
		cpu_check_stop(self);
	lock_take(&machine.pci_lock);
	if (!access->write)
		access->value = pci_read(f, offset, access->size);
	/* pairs with the release in cpu_stop(): see pci_cell_quiesce() */
	else if (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE))
		fine = pci_write(f, offset, access->size, (uint32_t)access->value);
	lock_drop(&machine.pci_lock);
	if (!fine)
		tell_refused(self, bdf, WORDS_MESSAGE);
}

/* Caller holds pci_lock. */
static bool is_cells(uint16_t bdf)
{
	unsigned id;

	for (id = 0; id < ARRAY_SIZE(machine.pci); id++)
		if (find(machine.pci[id], bdf) != NULL)
			return true;
	return false;
}

/* One access to a function that is no cell's. */
static void root_access(struct cpu *self, uint16_t bdf, unsigned offset, struct mmio_access *access)
{
	bool foreign;

	lock_take(&machine.pci_lock);
	foreign = is_cells(bdf);
	if (!foreign && access->write)
		hardware_write(NULL, bdf, offset, access->size, (uint32_t)access->value);
	else if (!foreign)
		access->value = hardware_read(NULL, bdf, offset, access->size);
	lock_drop(&machine.pci_lock);
	if (foreign && access->write)
		tell_refused(self, bdf, "it is a cell's");
}

/* Of what is not there, or may not be seen, all bits are 1. */
static void config_access(struct cpu *self, uint16_t bdf, unsigned offset, struct mmio_access *access)
{
	if (!access->write)
		access->value = all_ones(access->size);
	if (!pci_access_is_plain(offset, access->size))
		return;
	if (cell_is_root(self->cell))
		root_access(self, bdf, offset, access);
	else
		cell_access(self, bdf, offset, access);
}

err_t pci_mmio(struct cpu *self, struct mmio_access *access)
{
	unsigned offset = (unsigned)(access->address.v & ECAM_REGISTER);

	if (!pci_access_is_plain(offset, access->size))
		return ERR_INVALID;
	config_access(self, (uint16_t)FIELD_GET(ECAM_BDF, access->address.v), offset, access);
	return OK;
}

void pci_pio(struct cpu *self, struct pio_access *access)
{
	uint32_t *address = &machine.pci_address[self->cell->id];
	unsigned offset = (*address & ADDRESS_REGISTER) + (access->port & 3u);
	struct mmio_access data = { .value = access->value, .size = access->size, .write = access->write };

	if (access->port != PCI_ADDRESS && (*address & (ADDRESS_ENABLE | ADDRESS_RESERVED)) == ADDRESS_ENABLE) {
		config_access(self, (uint16_t)FIELD_GET(ADDRESS_BDF, *address), offset, &data);
		access->value = (uint32_t)data.value;
	} else if (access->port != PCI_ADDRESS) {
		access->value = UINT32_MAX;
	} else if (access->write) {
		*address = access->value;
	} else {
		access->value = *address;
	}
}

/*
 * The cell's function whose table, or else whose table's pages hold the address: of two tables in one
 * page neither may be written as if it were the other function's registers.
 */
static struct pci_function *table_at(const struct cell *cell, gpa_t at, uint64_t *host)
{
	struct pci_cell *pci = cell->arch->pci;
	struct pci_function *f, *found = NULL;

	if (pci == NULL || !host_of(cell, at, host))
		return NULL;
	for_each_function(f, pci) {
		if (f->table.size != 0 && span_has(table_pages(f), *host) &&
		    (found == NULL || span_has(f->table, *host)))
			found = f;
	}
	return found;
}

bool pci_is_msix(const struct cell *cell, gpa_t at)
{
	uint64_t host;

	return table_at(cell, at, &host) != NULL;
}

/* A doubleword of those pages: of the table, or of what shares them with it and is just the function's. */
static bool table_access(struct pci_function *f, uint64_t at, bool write, uint32_t *value)
{
	bool fine = true;

	lock_take(&machine.pci_lock);
	if (write && span_has(f->table, at))
		fine = pci_table_write(f, at, *value);
	else if (write)
		device_store(NULL, at, *value);
	else
		*value = span_has(f->table, at) ? pci_table_read(f, at) : device_load(NULL, at);
	lock_drop(&machine.pci_lock);
	return fine;
}

err_t pci_msix(struct cpu *self, struct mmio_access *access)
{
	uint64_t host, value = 0;
	struct pci_function *f = table_at(self->cell, access->address, &host);
	bool fine = true;
	unsigned i;

	if (f == NULL || (access->size != 4 && access->size != 8) || host % access->size != 0)
		return ERR_INVALID;
	for (i = 0; i < access->size; i += 4) {
		uint32_t part = (uint32_t)(access->value >> 8 * i);

		fine &= table_access(f, host + i, access->write, &part);
		value |= (uint64_t)part << 8 * i;
	}
	if (!access->write)
		access->value = value;
	if (!fine)
		tell_refused(self, f->bdf, WORDS_MESSAGE);
	return OK;
}
