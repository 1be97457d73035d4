// SPDX-License-Identifier: GPL-2.0-only
/* What guests do to the GIC's registers: each access goes through their cell's view (pure/gic.h). */
#include "arm64.h"
#include "sysreg.h"

uint64_t gic_bus_read(void *context, uint32_t offset, unsigned size)
{
	uint8_t *at = (uint8_t *)context + offset;

	/* nearly all are words */
	if (size == 4)
		return *(volatile uint32_t *)(void *)at;
	if (size == 8)
		return *(volatile uint64_t *)(void *)at;
	return size == 2 ? *(volatile uint16_t *)(void *)at : *(volatile uint8_t *)at;
}

void gic_bus_write(void *context, uint32_t offset, unsigned size, uint64_t value)
{
	uint8_t *at = (uint8_t *)context + offset;

	if (size == 4)
		*(volatile uint32_t *)(void *)at = (uint32_t)value;
	else if (size == 8)
		*(volatile uint64_t *)(void *)at = value;
	else if (size == 2)
		*(volatile uint16_t *)(void *)at = (uint16_t)value;
	else
		*(volatile uint8_t *)at = (uint8_t)value;
}

static void send_sgi(void *context, uint64_t icc_sgi1r)
{
	(void)context;
	sysreg_write(ICC_SGI1R_EL1, icc_sgi1r);
}

void gic_guest_sgi(struct cpu *self, uint64_t icc_sgi1r)
{
	const struct gicd_view *view = &self->cell->arch->gicd;

	/* the guest's barrier before it was for its own domain */
	dsb(ish);
	gic_sgi_filter(icc_sgi1r, view, self->hwid, send_sgi, NULL);
	isb();
}

static err_t distributor_access(struct cpu *cpu, struct mmio_access *access)
{
	const struct gic_bus bus = { machine.gicd, gic_bus_read, gic_bus_write };
	const bool write = access->write;
	err_t e;

	/*
	 * A read is one load of one register, masked by one load of who owns what: a line that moves
	 * meanwhile shows as it was before or after.
	 */
	if (write)
		lock_take(&machine.gicd_lock);
	e = gicd_access(&cpu->cell->arch->gicd, &bus, access);
	if (write)
		lock_drop(&machine.gicd_lock);
	if (write && cpu->arch->injected)
		lr_revalidate(cpu);
	return e;
}

/* The CPU whose redistributor the cell sees at that offset of them all, or NULL. Nearly always it is the one that asks. */
static struct cpu *owner_at(struct cpu *self, uint64_t offset)
{
	const struct system *sys = self->sys;
	const struct gicd_view *view = &self->cell->arch->gicd;
	uint8_t *frame = (uint8_t *)sys->config.system->platform.arm64.gicr.start + offset;
	unsigned i;

	if (view->counted)
		return cpu_find(self->cell, gic_affinity_of(view, gic_counted((unsigned)(offset / GICR_SIZE))));
	if (self->arch->gicr == frame)
		return self;
	for (i = 0; i < sys->cpu_count; i++)
		if (sys->cpus[i]->arch->gicr == frame)
			return sys->cpus[i];
	return NULL;
}

static err_t redistributor_access(struct cpu *cpu, struct mmio_access *access)
{
	uint64_t stride = cpu->cell->arch->gicd.counted ? GICR_SIZE : machine.gicr_stride;
	struct cpu *owner = owner_at(cpu, align_down(access->address.v, stride));
	struct gicr_view foreign = { .own = false };
	struct gic_bus bus = { NULL, gic_bus_read, gic_bus_write };

	/* the configured span may be longer than what is there: nothing is read behind it */
	if (owner == NULL) {
		access->value = access->write ? access->value : 0;
		return OK;
	}
	bus.context = owner->arch->gicr;
	access->address = gpa(access->address.v & (stride - 1));
	TRY(gicr_access(owner->cell == cpu->cell ? &owner->arch->gicr_view : &foreign, &bus, access));
	if (access->write && cpu->arch->injected)
		lr_revalidate(cpu);
	return OK;
}

void gic_mediate(struct cell *cell)
{
	struct span seen[2];

	config_gic_spans(cell->config.cell, &cell->sys->config.system->platform.arm64, seen);
	cell->mmio[0] = (struct mmio_region){ seen[0], distributor_access };
	cell->mmio[1] = (struct mmio_region){ seen[1], redistributor_access };
	cell->mmio_count = 2;
}

