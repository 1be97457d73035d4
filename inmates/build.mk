# SPDX-License-Identifier: GPL-2.0-only
# Every program in inmates/demos and inmates/tests, and the one that inmates/bench is, linked
# with all of inmates/lib; of folders of architectures that of this one

INMATE_PROGRAMS := $(sort $(wildcard inmates/demos/*.c inmates/tests/*.c inmates/tests/$(ARCH)/*.c))
INMATE_BENCH := $(sort $(wildcard inmates/bench/*.[cS] inmates/bench/$(ARCH)/*.[cS]))
INMATE_NAMES := $(basename $(notdir $(INMATE_PROGRAMS))) bench
INMATE_BINS := $(INMATE_NAMES:%=$(BUILD)/inmates/%.bin)
INMATE_ELFS := $(INMATE_NAMES:%=$(BUILD)/inmates/%.elf)
INMATE_LIB := $(sort $(wildcard inmates/lib/*.[cS] inmates/lib/$(ARCH)/*.[cS]))
INMATE_LIB_OBJECTS := $(INMATE_LIB:%=$(BUILD)/%.o)
INMATE_BENCH_OBJECTS := $(INMATE_BENCH:%=$(BUILD)/%.o)
INMATE_OBJECTS := $(INMATE_PROGRAMS:%=$(BUILD)/%.o) $(INMATE_BENCH_OBJECTS) $(INMATE_LIB_OBJECTS)
INMATE_LDS := inmates/lib/$(ARCH)/inmate.lds

ifneq ($(words $(INMATE_NAMES)),$(words $(sort $(INMATE_NAMES))))
$(error two programs in inmates/demos and inmates/tests are of the same name, or of the name bench)
endif

# Sets INMATE_ARCH_CFLAGS
include inmates/lib/$(ARCH)/build.mk
INMATE_CPPFLAGS := -Iinmates/lib -Iinmates/lib/$(ARCH) -Iinmates/bench -Iinmates/bench/$(ARCH) -Iinclude -I$(BUILD)/include
INMATE_CFLAGS := -std=c11 -ffreestanding -O2 -g -fno-common -fno-pic -fno-pie $(INMATE_ARCH_CFLAGS) \
	-ffunction-sections -fdata-sections -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffp-contract=off $(WARNINGS)
INMATE_LDFLAGS := -nostdlib --gc-sections -z noexecstack --no-warn-rwx-segments --fatal-warnings \
	--build-id=none

$(INMATE_OBJECTS): $(BUILD)/%.o: % Makefile inmates/build.mk | $(VERSION_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(INMATE_CPPFLAGS) $(INMATE_CFLAGS) -MMD -MP -c $< -o $@

# The programs come from two folders: one rule each, with the objects besides the library's
define inmate_rule
$(BUILD)/inmates/$(1).elf: $(2) $(INMATE_LIB_OBJECTS) $(INMATE_LDS)
	$$(call say,LD,$$@)
	$$(Q)$$(LD) $$(INMATE_LDFLAGS) -T $$(INMATE_LDS) $(2) $$(INMATE_LIB_OBJECTS) -o $$@
endef
$(foreach program,$(INMATE_PROGRAMS),$(eval $(call inmate_rule,$(basename $(notdir $(program))),$(BUILD)/$(program).o)))
$(eval $(call inmate_rule,bench,$(INMATE_BENCH_OBJECTS)))

$(INMATE_BINS): %.bin: %.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

# What the command puts into a boot region; embedded in it, so no program for /inmates
LOADER_SOURCE := inmates/loader/$(ARCH)/loader.S
LOADER_BIN := $(BUILD)/inmates/loader/loader.bin

$(LOADER_BIN): $(LOADER_SOURCE) include/abi/boot.h include/abi/power.h inmates/build.mk
	$(call say,LOADER,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Iinclude -c $(LOADER_SOURCE) -o $(@:.bin=.o)
	$(Q)$(OBJCOPY) -O binary -j .text $(@:.bin=.o) $@

# Systems of other people's kind for machines that cells stand in for: each with the base, at an address of its
# own, and one thing of it different: $(call guest_rule,NAME,BASE,MMU,WHO ZEROES .bss,MORE OBJECTS)
GUEST_BASE := $(sort $(wildcard inmates/guests/$(ARCH)/base/*.[cS]))
GUEST_BASE_OBJECTS := $(GUEST_BASE:%=$(BUILD)/%.o)
GUEST_SOURCES := $(if $(GUEST_BASE),$(sort $(wildcard inmates/guests/$(ARCH)/*.[cS])))
GUEST_OBJECTS := $(GUEST_SOURCES:%=$(BUILD)/%.o) $(GUEST_BASE_OBJECTS)
GUEST_LDS := inmates/guests/$(ARCH)/guest.lds
GUEST_NAMES := $(if $(GUEST_SOURCES),nested polled smp tree)
GUEST_BINS := $(GUEST_NAMES:%=$(BUILD)/inmates/guests/%.bin)
GUEST_CFLAGS := $(INMATE_CFLAGS) -mstrict-align
# Interrupts keep no floating point registers
$(GUEST_BASE_OBJECTS): GUEST_CFLAGS += -mgeneral-regs-only

$(GUEST_OBJECTS): $(BUILD)/%.o: % Makefile inmates/build.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

define guest_rule
$(BUILD)/inmates/guests/$(1).elf: $(BUILD)/inmates/guests/$(ARCH)/$(1).c.o $(5) $(GUEST_BASE_OBJECTS) $(GUEST_LDS)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(LD) $$(INMATE_LDFLAGS) --defsym base=$(2) --defsym mmu_on=$(3) --defsym loader_zeroes=$(4) -T $$(GUEST_LDS) \
		$$(filter %.o,$$^) -o $$@
endef
$(eval $(call guest_rule,polled,0x40000000,0,0))
$(eval $(call guest_rule,smp,0x40200000,0,0))
$(eval $(call guest_rule,nested,0x40200000,1,1))
$(eval $(call guest_rule,tree,0x40200000,1,0,$(BUILD)/inmates/guests/$(ARCH)/image.S.o))

$(GUEST_BINS): %.bin: %.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

# Programs that are entered as an operating system is, for the loader's tests; linked for 2 MiB, of 32 bits if so named
ENTERED := $(patsubst inmates/guests/$(ARCH)/%.S,$(BUILD)/inmates/guests/%.elf,$(filter-out $(GUEST_SOURCES),$(wildcard inmates/guests/$(ARCH)/*.S)))
ENTERED_FORMAT_multiboot := elf32-i386

$(ENTERED): $(BUILD)/inmates/guests/%.elf: inmates/guests/$(ARCH)/%.S $(wildcard inmates/guests/$(ARCH)/*.inc) \
		include/abi/power.h inmates/build.mk
	$(call say,GUEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Iinclude -c $< -o $(@:.elf=.o)
	$(Q)$(LD) -N -nostdlib -z noexecstack --no-warn-rwx-segments --build-id=none -Ttext=0x200000 $(@:.elf=.o) -o $@
	$(Q)$(if $(ENTERED_FORMAT_$*),$(OBJCOPY) -O $(ENTERED_FORMAT_$*) $@)

.PHONY: inmates
inmates: $(INMATE_BINS) $(GUEST_BINS) $(ENTERED) $(LOADER_BIN)

-include $(INMATE_OBJECTS:.o=.d) $(GUEST_OBJECTS:.o=.d)
