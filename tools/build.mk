# SPDX-License-Identifier: GPL-2.0-only
# The jailhouse command: static for the target, and for this machine to be tested on it

CLI := $(BUILD)/jailhouse
HOST_CLI := $(HOST_BUILD)/jailhouse
CLI_SOURCES := $(sort $(wildcard tools/jailhouse-cli/*.c))
CLI_OBJECTS := $(CLI_SOURCES:%=$(BUILD)/%.o)
HOST_CLI_OBJECTS := $(CLI_SOURCES:%=$(HOST_BUILD)/%.o)
CLI_CPPFLAGS := -Iinclude -I$(BUILD)/include -D_GNU_SOURCE
CLI_CFLAGS := -std=c11 -O2 -g $(WARNINGS)

$(CLI_OBJECTS): $(BUILD)/%.o: % Makefile tools/build.mk | $(VERSION_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CLI_CPPFLAGS) $(CLI_CFLAGS) -MMD -MP -c $< -o $@

$(HOST_CLI_OBJECTS): $(HOST_BUILD)/%.o: % Makefile tools/build.mk | $(VERSION_H)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(CLI_CPPFLAGS) $(CLI_CFLAGS) -MMD -MP -c $< -o $@

$(CLI): $(CLI_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) -static $^ -o $@

$(HOST_CLI): $(HOST_CLI_OBJECTS)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $^ -o $@

.PHONY: tools
tools: $(if $(CLI_SOURCES),$(CLI) $(HOST_CLI))

-include $(CLI_OBJECTS:.o=.d) $(HOST_CLI_OBJECTS:.o=.d)
