# SPDX-License-Identifier: GPL-2.0-only
# hypervisor.elf and hypervisor.bin: every source of the layers and of arch/$(ARCH_DIR)

HYPERVISOR_ELF := $(BUILD)/hypervisor.elf
HYPERVISOR_BIN := $(BUILD)/hypervisor.bin
HYPERVISOR_LDS := hypervisor/arch/$(ARCH_DIR)/link.lds.S

HYPERVISOR_DIRS := $(addprefix hypervisor/,base config core arch/$(ARCH_DIR) arch/$(ARCH_DIR)/*)
HYPERVISOR_SOURCES := $(filter-out %.lds.S,$(sort $(wildcard \
	$(HYPERVISOR_DIRS:%=%/*.c) $(HYPERVISOR_DIRS:%=%/*.S))))
HYPERVISOR_OBJECTS := $(HYPERVISOR_SOURCES:%=$(BUILD)/%.o)

HYPERVISOR_CPPFLAGS := -Iinclude -Ihypervisor -Ihypervisor/include -I$(BUILD)/include \
	-include $(AUTOCONF)
# What the architecture adds: ARCH_FREESTANDING for both compilers, ARCH_CFLAGS for gcc, ARCH_HOT
include hypervisor/arch/$(ARCH_DIR)/build.mk
# What both compilers know; then what only gcc needs to be told
FREESTANDING := -std=c11 -ffreestanding -fno-common -mgeneral-regs-only $(ARCH_FREESTANDING) -Os -g -ffunction-sections -fdata-sections -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing $(WARNINGS)
# Optimised as one program; the passes that are off trade size for speed
HYPERVISOR_CFLAGS := $(FREESTANDING) $(ARCH_CFLAGS) -flto \
	-fno-tree-loop-optimize -fno-tree-loop-im -fno-move-loop-invariants -fno-tree-pre -fno-tree-dominator-opts \
	-fno-shrink-wrap -fomit-frame-pointer
HYPERVISOR_LDFLAGS := -Wl,--gc-sections,-z,noexecstack,-z,max-page-size=4096 \
	-Wl,--fatal-warnings,--build-id=none -nostdlib -static -flto-partition=one
# What nearly every exit runs through, where instructions count more than bytes
$(ARCH_HOT:%=$(BUILD)/%.o): HYPERVISOR_CFLAGS += -O2 -fshrink-wrap \
	-fno-align-functions -fno-align-jumps -fno-align-loops -fno-align-labels
# Ends in many places, most of them a call that says why: one way out is smaller than a jump from each
$(patsubst %,$(BUILD)/%.o,$(wildcard hypervisor/config/*.c)): HYPERVISOR_CFLAGS += -fno-optimize-sibling-calls
# The compiler calls memcpy & co. when all else is compiled already
$(BUILD)/hypervisor/base/str.c.o: HYPERVISOR_CFLAGS += -fno-lto

$(HYPERVISOR_OBJECTS): $(BUILD)/%.o: % $(AUTOCONF) Makefile hypervisor/build.mk hypervisor/arch/$(ARCH_DIR)/build.mk | $(VERSION_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HYPERVISOR_CPPFLAGS) $(HYPERVISOR_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/hypervisor/link.lds: $(HYPERVISOR_LDS) $(AUTOCONF) hypervisor/build.mk
	$(call say,LDS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HYPERVISOR_CPPFLAGS) -E -P -undef -D__ASSEMBLY__ -D__LINKER__ -x assembler-with-cpp \
		-MMD -MP -MT $@ -MF $@.d $< -o $@

# A weak symbol would let the link choose silently; files choose here. (-flto names its
# debug information with weak symbols of its own, FILE.c.HASH.)
$(HYPERVISOR_ELF): $(HYPERVISOR_OBJECTS) $(BUILD)/hypervisor/link.lds
	$(call say,LD,$@)
	$(Q)$(CC) $(HYPERVISOR_CFLAGS) $(HYPERVISOR_LDFLAGS) -T $(BUILD)/hypervisor/link.lds \
		-Wl,-Map,$(@:.elf=.map) $(HYPERVISOR_OBJECTS) -o $@
	$(Q)weak=$$($(NM) $@ | grep -E ' [vVwW] ' | grep -vE '\.c\.[0-9a-f]{8}$$'); if [ -n "$$weak" ]; then \
		echo "$@: weak symbols are not allowed here:" >&2; echo "$$weak" >&2; exit 1; fi

$(HYPERVISOR_BIN): $(HYPERVISOR_ELF)
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

# One root object: whatever else could be written would be a second
$(BUILD)/hypervisor/.globals: $(HYPERVISOR_ELF)
	$(Q)written=$$($(NM) $< | grep -E ' [bBdDcC] ' | grep -vE ' (machine|boot_l[0-9a-z_]*|_[a-z_]+)$$'); \
	if [ -n "$$written" ]; then echo "$<: writable objects beside the root object:" >&2; \
		echo "$$written" >&2; exit 1; fi
	$(Q)touch $@

.PHONY: hypervisor
hypervisor: $(BUILD)/hypervisor/.globals
hypervisor: $(HYPERVISOR_BIN)

# The freestanding sources must be clean under the other compiler too
LINT_SOURCES := $(filter %.c,$(HYPERVISOR_SOURCES))
LINT_STAMPS := $(LINT_SOURCES:%=$(BUILD)/lint/%.ok)
$(LINT_STAMPS): $(BUILD)/lint/%.ok: % $(AUTOCONF) hypervisor/build.mk | $(VERSION_H)
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) --target=$(GNU_MACHINE)-linux-gnu -fsyntax-only $(HYPERVISOR_CPPFLAGS) $(FREESTANDING) \
		-MMD -MP -MT $@ -MF $@.d $<
	$(Q)touch $@

.PHONY: lint
lint: $(LINT_STAMPS)

-include $(HYPERVISOR_OBJECTS:.o=.d) $(BUILD)/hypervisor/link.lds.d $(LINT_STAMPS:=.d)
