# SPDX-License-Identifier: GPL-2.0-only
#
# `make help` lists the targets. All output goes to build/$(ARCH), host programs to
# build/host.

# `make demo SHELL=1` asks for a shell at the end; make's own variable of that name is
# set back at once, and kept from the makes below.
STAY := $(if $(filter command line,$(origin SHELL)),$(SHELL))
override SHELL := /bin/sh
MAKEOVERRIDES := $(filter-out SHELL=%,$(MAKEOVERRIDES))

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ARCHES := arm64 x86_64
ARCH ?= arm64
ifeq ($(filter $(ARCHES),$(ARCH)),)
$(error ARCH=$(ARCH) is not supported; $(ARCHES) are)
endif

TOP := $(CURDIR)
BUILD := build/$(ARCH)
HOST_BUILD := build/host
PYTHON ?= /usr/bin/python3
V ?= 0
Q := $(if $(filter 0,$(V)),@)
# $(call say,WHAT,FILE)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' '$(1)' '$(2)')

# hypervisor/arch/<this> and the compiler's name of the machine
ARCH_DIR := $(if $(filter x86_64,$(ARCH)),x86,$(ARCH))
GNU_MACHINE := $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))
CROSS_COMPILE ?= $(if $(filter $(GNU_MACHINE),$(shell uname -m)),,$(GNU_MACHINE)-linux-gnu-)
CC = $(CROSS_COMPILE)gcc-12
LD = $(CROSS_COMPILE)ld
AR = $(CROSS_COMPILE)ar
NM = $(CROSS_COMPILE)nm
OBJCOPY = $(CROSS_COMPILE)objcopy
HOSTCC ?= gcc
CLANG ?= clang
KCONFIG_CONF ?= kconfig-conf
KCONFIG_MCONF ?= kconfig-mconf

WARNINGS := -Wall -Wextra -Wconversion -Wswitch-enum -Wmissing-prototypes \
	-Wstrict-prototypes -Wshadow -Wundef -Werror

# Goals that build nothing themselves work without tools, .config and kernels
LIGHT := help setup setup-all clean distclean demo shell debug test
ifneq ($(filter-out $(LIGHT),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))),)
MISSING := $(shell for tool in $(CC) $(LD) $(OBJCOPY) $(HOSTCC) $(KCONFIG_CONF) $(PYTHON); do \
	command -v $$tool >/dev/null || echo $$tool; done)
$(if $(MISSING),$(error not installed: $(MISSING). Run 'make setup ARCH=$(ARCH)' (as root) once))
endif

.PHONY: all
all:

# --- what is chosen at build time -------------------------------------------------
CONFIG := $(BUILD)/.config
AUTOCONF := $(BUILD)/include/config/autoconf.h
KCONFIG_ENV := ARCH=$(ARCH) srctree=$(TOP) KCONFIG_CONFIG=.config KCONFIG_AUTOHEADER=include/config/autoconf.h
# kconfig writes next to where it runs
kconfig = mkdir -p $(BUILD)/include/config $(BUILD)/include/generated && \
	cd $(BUILD) && $(KCONFIG_ENV) $(1) $(TOP)/Kconfig

.PHONY: defconfig menuconfig
defconfig:
	$(call say,CONFIG,$(CONFIG))
	$(Q)$(call kconfig,$(KCONFIG_CONF) --alldefconfig) >/dev/null

menuconfig:
	$(Q)$(call kconfig,$(KCONFIG_MCONF))

$(CONFIG):
	$(call say,CONFIG,$@)
	$(Q)$(call kconfig,$(KCONFIG_CONF) --alldefconfig) >/dev/null

# What a choice made earlier says nothing of has its default
$(AUTOCONF): $(CONFIG) Kconfig
	$(Q)$(call kconfig,$(KCONFIG_CONF) --olddefconfig) >/dev/null
	$(Q)$(call kconfig,$(KCONFIG_CONF) --silentoldconfig) >/dev/null
	$(Q)touch $@

VERSION_H := $(BUILD)/include/version.h
VERSION := $(or $(shell git -C $(TOP) describe --always --dirty 2>/dev/null),unversioned)

.PHONY: FORCE
FORCE:

# Written only when it changes, so that nothing is rebuilt for nothing
$(VERSION_H): FORCE
	@mkdir -p $(@D)
	@printf '#define JAILHOUSE_VERSION "%s"\n' '$(VERSION)' >$@.part
	@if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

include hypervisor/build.mk inmates/build.mk tools/build.mk configs/build.mk
-include tests/host/build.mk

# --- the driver, for each kernel that was fetched ---------------------------------
# Real directories only: the short names are links
RELEASES := $(notdir $(patsubst %/vmlinuz,%,$(shell \
	find $(BUILD)/linux -mindepth 2 -maxdepth 2 -name vmlinuz -not -path '*/.part*' 2>/dev/null)))
MODULES := $(RELEASES:%=$(BUILD)/modules/%/jailhouse.ko)
DRIVER_SOURCES := $(wildcard driver/*.[chS]) driver/Kbuild $(wildcard include/abi/*.h)

.PHONY: modules
modules: $(MODULES)
	$(if $(RELEASES),,@echo "  no kernel was fetched yet: 'make setup' fetches Debian's")

# Built out of tree: Kbuild leaves its files next to links to the sources
$(BUILD)/modules/%/jailhouse.ko: $(DRIVER_SOURCES) Makefile | $(VERSION_H) $(BUILD)/linux/%/vmlinuz
	$(call say,MODULE,$*)
	$(Q)mkdir -p $(@D)
	$(Q)ln -sf $(wildcard $(TOP)/driver/*.[chS]) $(TOP)/driver/Kbuild $(@D)/
	$(Q)log=$(@D)/build.log; \
	$(MAKE) --no-print-directory -C $(TOP)/$(BUILD)/linux/$*/root/usr/src/linux-headers-$* \
		M=$(TOP)/$(@D) ARCH=$(ARCH) CROSS_COMPILE=$(CROSS_COMPILE) CONFIG_DEBUG_INFO_BTF_MODULES= \
		JAILHOUSE_INCLUDE=$(TOP)/include modules >$$log 2>&1 || \
		{ cat $$log >&2; exit 1; }; \
	grep -E 'warning|WARNING' $$log >&2; [ $(V) = 0 ] || cat $$log; touch $@

# --- install ----------------------------------------------------------------------
INSTALL = install -D
PREFIX ?= /usr/local

.PHONY: install
install: all modules
	$(Q)$(INSTALL) -m 755 $(CLI) $(DESTDIR)$(PREFIX)/sbin/jailhouse
	$(Q)$(INSTALL) -m 644 $(HYPERVISOR_BIN) $(DESTDIR)/lib/firmware/jailhouse.bin
	$(Q)for release in $(RELEASES); do \
		$(INSTALL) -m 644 $(BUILD)/modules/$$release/jailhouse.ko \
			$(DESTDIR)/lib/modules/$$release/extra/jailhouse.ko || exit 1; \
	done
	$(Q)find tools/jailhouse -name '*.py' | while read -r file; do \
		$(INSTALL) -m 644 $$file $(DESTDIR)$(PREFIX)/libexec/jailhouse/$${file#tools/} || exit 1; \
	done
	$(Q)(find configs -name '*.toml'; cd $(BUILD) && find configs -name '*.cell') | while read -r file; do \
		from=$$file; [ -f $$from ] || from=$(BUILD)/$$file; \
		$(INSTALL) -m 644 $$from $(DESTDIR)$(PREFIX)/share/jailhouse/$$file || exit 1; \
	done
	$(Q)for file in $(INMATE_BINS); do \
		$(INSTALL) -m 644 $$file $(DESTDIR)$(PREFIX)/share/jailhouse/inmates/$${file##*/} || exit 1; \
	done

# --- set up, run, test ------------------------------------------------------------
# Each of these starts from whatever state the clone is in. The makes are separate, as
# setting up changes what there is to build.
KERNELS := 6.1 6.1-rt 6.12 6.12-rt
IN_PYTHON = ARCH=$(ARCH) PYTHONPATH=$(TOP)/tools $(PYTHON) -m
# `make test` alone tests every architecture, `make test ARCH=` that one
TESTED := $(if $(filter command line,$(origin ARCH)),$(ARCH),$(ARCHES))

.PHONY: setup setup-all demo shell debug test test-python test-qemu bench
setup:
	$(Q)ARCH=$(ARCH) sh tools/setup/setup.sh 6.12

setup-all:
	$(Q)ARCH=$(ARCH) sh tools/setup/setup.sh $(KERNELS)

demo:
	$(Q)$(MAKE) --no-print-directory setup
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(IN_PYTHON) machine.demo $(if $(filter-out 0 no,$(STAY)),--shell)

shell:
	$(Q)$(MAKE) --no-print-directory demo SHELL=1

debug:
	$(Q)$(MAKE) --no-print-directory setup
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(IN_PYTHON) machine.debug $(DEBUG_FLAGS)

# The set-up comes first as it brings the Python that counts
test:
	$(Q)for arch in $(TESTED); do \
		ARCH=$$arch sh tools/setup/setup.sh $(KERNELS) || { echo '0 passed, 1 failed'; exit 1; }; done
	$(Q)PYTHONDONTWRITEBYTECODE=1 MAKE='$(MAKE)' $(PYTHON) tests/run.py $(TESTED)

PYTHON_TESTS = tests/python tests/cli
test-python:
	$(Q)$(PYTHON) -m pytest $(PYTEST_FLAGS) $(PYTHON_TESTS)

test-qemu: all
	$(Q)$(IN_PYTHON) pytest $(PYTEST_FLAGS) tests/qemu

bench: all
	$(Q)$(IN_PYTHON) machine.bench $(BENCH_FLAGS)

# --- the rest ---------------------------------------------------------------------
.PHONY: clean distclean help
# What was fetched and chosen stays
clean:
	$(Q)rm -rf $(HOST_BUILD)
	$(Q)if [ -d $(BUILD) ]; then \
		find $(BUILD) -mindepth 1 -maxdepth 1 \
			! -name linux ! -name busybox ! -name libfdt ! -name u-boot.bin ! -name memtest.bin ! -name .config -exec rm -rf {} +; fi

distclean:
	$(Q)rm -rf build

help:
	@echo 'To see it work:'
	@echo '  demo         set the machine up, build, and run two cells under Debian in QEMU'
	@echo '  shell        the same, ending in the root cell'\''s shell (also: make demo SHELL=1)'
	@echo '  debug        the same with gdb on the running hypervisor'
	@echo '               (DEBUG_FLAGS=--before-enable: with gdb before it runs)'
	@echo 'To build (everything under build/ARCH):'
	@echo '  all          hypervisor, inmates, command, configurations, modules (default)'
	@echo '  hypervisor inmates tools configs modules    each of these alone'
	@echo '  menuconfig   choose what is built in; defconfig puts the defaults back'
	@echo '  install      into DESTDIR= (PREFIX=/usr/local for all but firmware and modules)'
	@echo '  setup        install missing Debian packages, fetch the 6.12 kernel (as root)'
	@echo '  setup-all    the same with all the kernels the tests boot'
	@echo 'To test:'
	@echo '  test         everything, set-up included; the last line counts'
	@echo '  test-host    core, config and the pure parts on this machine, under sanitizers'
	@echo '  test-python  the configuration compiler and the command'\''s own tests'
	@echo '  test-qemu    the scenarios in emulated machines (PYTEST_FLAGS="-k name")'
	@echo '  lint         compile every freestanding source with clang as well'
	@echo '  bench        measure again what docs/performance.md says (x86_64: performance-x86_64.md);'
	@echo '               BENCH_FLAGS=--reference-only: only what the tests compare'
	@echo '  clean        remove what was built; distclean also what was fetched and chosen'
	@echo 'ARCH=x86_64 does it for AMD machines with SVM; without it all is for arm64, and'
	@echo 'test is for both. V=1 shows the commands, -j works.'

all: hypervisor inmates tools configs modules
