# SPDX-License-Identifier: GPL-2.0-only
# Each configs/<board>/<system>.toml becomes a folder of blobs: system.cell and one per
# cell. Which ones is for the text to say, so a stamp stands for them here.

# Of boards of this architecture
CONFIG_BOARDS := $(patsubst %/machine.toml,%,$(shell \
	grep -l '^arch = "$(ARCH)"' configs/*/machine.toml))
CONFIG_TEXTS := $(filter-out %/machine.toml,$(sort $(wildcard $(CONFIG_BOARDS:%=%/*.toml))))
CONFIG_STAMPS := $(CONFIG_TEXTS:%.toml=$(BUILD)/%/.built)
CONFIG_COMPILER := $(shell find tools/jailhouse -name '*.py')

$(CONFIG_STAMPS): $(BUILD)/%/.built: %.toml $(wildcard configs/*/machine.toml) $(CONFIG_COMPILER) configs/build.mk
	$(call say,CELLS,$<)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tools $(PYTHON) -m jailhouse config build $< -o $(@D)/ >$(@D)/.log \
		|| { cat $(@D)/.log >&2; exit 1; }
	$(Q)touch $@

.PHONY: configs
configs: $(CONFIG_STAMPS)
