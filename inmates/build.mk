# SPDX-License-Identifier: GPL-2.0-only
# Every program in inmates/demos and inmates/tests, linked with all of inmates/lib

INMATE_PROGRAMS := $(sort $(wildcard inmates/demos/*.c inmates/tests/*.c))
INMATE_NAMES := $(basename $(notdir $(INMATE_PROGRAMS)))
INMATE_BINS := $(INMATE_NAMES:%=$(BUILD)/inmates/%.bin)
INMATE_ELFS := $(INMATE_NAMES:%=$(BUILD)/inmates/%.elf)
INMATE_LIB := $(sort $(wildcard inmates/lib/*.[cS] inmates/lib/$(ARCH)/*.[cS]))
INMATE_LIB_OBJECTS := $(INMATE_LIB:%=$(BUILD)/%.o)
INMATE_OBJECTS := $(INMATE_PROGRAMS:%=$(BUILD)/%.o) $(INMATE_LIB_OBJECTS)
INMATE_LDS := inmates/lib/$(ARCH)/inmate.lds

ifneq ($(words $(INMATE_NAMES)),$(words $(sort $(INMATE_NAMES))))
$(error inmates/demos and inmates/tests hold a program of the same name)
endif

INMATE_CPPFLAGS := -Iinmates/lib -Iinclude -I$(BUILD)/include
INMATE_CFLAGS := -std=c11 -ffreestanding -O2 -g -fno-common -fno-pic -fno-pie -mstrict-align \
	-mno-outline-atomics -ffunction-sections -fdata-sections -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffp-contract=off $(WARNINGS)
INMATE_LDFLAGS := -nostdlib --gc-sections -z noexecstack --no-warn-rwx-segments --fatal-warnings \
	--build-id=none

$(INMATE_OBJECTS): $(BUILD)/%.o: % Makefile inmates/build.mk | $(VERSION_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(INMATE_CPPFLAGS) $(INMATE_CFLAGS) -MMD -MP -c $< -o $@

# The programs come from two folders: one rule each
define inmate_rule
$(BUILD)/inmates/$(basename $(notdir $(1))).elf: $(BUILD)/$(1).o $(INMATE_LIB_OBJECTS) $(INMATE_LDS)
	$$(call say,LD,$$@)
	$$(Q)$$(LD) $$(INMATE_LDFLAGS) -T $$(INMATE_LDS) $$< $$(INMATE_LIB_OBJECTS) -o $$@
endef
$(foreach program,$(INMATE_PROGRAMS),$(eval $(call inmate_rule,$(program))))

$(INMATE_BINS): %.bin: %.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

.PHONY: inmates
inmates: $(INMATE_BINS)

-include $(INMATE_OBJECTS:.o=.d)
