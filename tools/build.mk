# SPDX-License-Identifier: GPL-2.0-only
# The jailhouse command, of the folders of architectures with that of this one: static for the target, and for this machine to be tested on it

CLI := $(BUILD)/jailhouse
# One of each architecture: it has its loader and its folder of sources
CLI_HOST_BUILD := $(BUILD)/host
HOST_CLI := $(CLI_HOST_BUILD)/jailhouse
LIBFDT := $(BUILD)/libfdt
# The configurations' parser is the hypervisor's own
CLI_SOURCES := $(sort $(wildcard tools/jailhouse-cli/*.c tools/jailhouse-cli/$(ARCH)/*.c)) hypervisor/config/parse.c \
	$(addprefix hypervisor/base/,crc.c fmt.c why.c)
CLI_OBJECTS := $(CLI_SOURCES:%=$(BUILD)/cli/%.o)
HOST_CLI_OBJECTS := $(CLI_SOURCES:%=$(CLI_HOST_BUILD)/cli/%.o)
CLI_CPPFLAGS = -Itools/jailhouse-cli -Itools/jailhouse-cli/$(ARCH) -Iinclude -Ihypervisor -I$(BUILD)/include -isystem $(LIBFDT) -D_GNU_SOURCE \
	-DBOOT_LOADER='"$(LOADER_BIN)"'
CLI_CFLAGS := -std=c11 -O2 -g $(WARNINGS)

$(CLI_OBJECTS): $(BUILD)/cli/%.o: % Makefile tools/build.mk | $(VERSION_H) $(LIBFDT)/libfdt.a
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CLI_CPPFLAGS) $(CLI_CFLAGS) -MMD -MP -c $< -o $@

$(HOST_CLI_OBJECTS): $(CLI_HOST_BUILD)/cli/%.o: % Makefile tools/build.mk | $(VERSION_H) $(LIBFDT)/libfdt.a
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(CLI_CPPFLAGS) $(CLI_CFLAGS) -MMD -MP -c $< -o $@

# Embedded where it is used, which the compiler does not tell make
$(addsuffix /cli/tools/jailhouse-cli/boot.c.o,$(BUILD) $(CLI_HOST_BUILD)): $(LOADER_BIN)

$(CLI): $(CLI_OBJECTS) $(LIBFDT)/libfdt.a
	$(call say,LD,$@)
	$(Q)$(CC) -static $^ -o $@

$(HOST_CLI): $(HOST_CLI_OBJECTS)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $^ -lfdt -o $@

$(LIBFDT)/libfdt.a:
	$(error no libfdt for $(ARCH) was fetched yet: run 'make setup ARCH=$(ARCH)' (as root) once)

.PHONY: tools
tools: $(if $(CLI_SOURCES),$(CLI) $(HOST_CLI))

-include $(CLI_OBJECTS:.o=.d) $(HOST_CLI_OBJECTS:.o=.d)
