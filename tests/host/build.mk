# SPDX-License-Identifier: GPL-2.0-only
#
# Host tests: base, config, core and the pure parts of the architectures against the
# model in arch/host, under ASan and UBSan, with gcc and clang. Works from the top
# Makefile and alone: make -f tests/host/build.mk test-host
#
# Every tests/host/test_*.c is a cmocka program, every tests/fuzz/fuzz_*.c a libFuzzer
# target; other C files next to the tests are linked with each of them on demand.

host_goal := $(.DEFAULT_GOAL)

HOST_OUT := build/host
HOST_PYTHON := $(or $(PYTHON),/usr/bin/python3)
HOST_GCC ?= gcc
HOST_CLANG ?= clang
HOST_AR ?= ar
HOST_Q := $(if $(filter-out 0,$(V)),,@)
HOST_FUZZ_RUNS ?= 20000
HOST_FUZZ_SECONDS ?= 10

HOST_SANITIZE := -O1 -g -fno-sanitize-recover=all -fno-omit-frame-pointer
HOST_FLAGS := -std=c11 -Wall -Wextra -Wconversion -Wswitch-enum -Wmissing-prototypes \
	-Wstrict-prototypes -Wshadow -Wundef -Werror -include tests/host/autoconf.h \
	-Iinclude -Ihypervisor -Ihypervisor/include -Idriver -Itests/host
# The tests and the model have a C library, what they test has none
HOST_HOSTED := -D_POSIX_C_SOURCE=200809L
host_kind = $(if $(filter tests/% hypervisor/arch/host/% driver/%,$(1)),$(HOST_HOSTED),-ffreestanding)
HOST_gcc := $(HOST_GCC) $(HOST_FLAGS) $(HOST_SANITIZE) -fsanitize=address,undefined
HOST_clang := $(HOST_CLANG) $(HOST_FLAGS) $(HOST_SANITIZE) -fsanitize=address,undefined
HOST_fuzz := $(HOST_CLANG) $(HOST_FLAGS) $(HOST_SANITIZE) -fsanitize=fuzzer-no-link,address,undefined

# The C library's mem* serve the tests and the sanitizers; ours are tested under other names
HOST_RENAME := memcpy memmove memset memcmp
HOST_STR_FLAGS := $(foreach f,$(HOST_RENAME),-D$(f)=own_$(f))
# What a program links with besides cmocka
HOST_LIBS_test_ldst := -lcapstone
HOST_LIBS_test_insn := -lcapstone

HOST_CODE := $(wildcard $(addprefix hypervisor/,base/*.c config/*.c core/*.c \
	arch/arm64/pure/*.c arch/x86/pure/*.c arch/host/*.c)) driver/merge.c
HOST_TESTS := $(patsubst tests/host/%.c,%,$(wildcard tests/host/test_*.c))
HOST_SUPPORT := $(filter-out tests/host/test_%,$(wildcard tests/host/*.c))
HOST_FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
HOST_FUZZ_SUPPORT := $(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c))
HOST_PROGRAMS := $(foreach c,gcc clang,$(HOST_TESTS:%=$(HOST_OUT)/$(c)/%))
HOST_FUZZ_PROGRAMS := $(HOST_FUZZERS:%=$(HOST_OUT)/fuzz/%)
HOST_BUILD_FILES := tests/host/build.mk tests/host/autoconf.h

# $(call host_rules,COMPILER)
define host_rules
$(HOST_OUT)/$(1)/obj/hypervisor/base/str.o: hypervisor/base/str.c $(HOST_BUILD_FILES)
	@mkdir -p $$(@D)
	$$(HOST_Q)$$(HOST_$(1)) $$(call host_kind,$$<) $$(HOST_STR_FLAGS) -MMD -MP -c -o $$@ $$<

$(HOST_OUT)/$(1)/obj/hypervisor/%.o: hypervisor/%.c $(HOST_BUILD_FILES)
	@mkdir -p $$(@D)
	$$(HOST_Q)$$(HOST_$(1)) $$(call host_kind,$$<) -MMD -MP -c -o $$@ $$<

$(HOST_OUT)/$(1)/obj/driver/%.o: driver/%.c $(HOST_BUILD_FILES)
	@mkdir -p $$(@D)
	$$(HOST_Q)$$(HOST_$(1)) $$(call host_kind,$$<) -MMD -MP -c -o $$@ $$<

$(HOST_OUT)/$(1)/obj/tests/%.o: tests/%.c $(HOST_BUILD_FILES)
	@mkdir -p $$(@D)
	$$(HOST_Q)$$(HOST_$(1)) $$(call host_kind,$$<) -MMD -MP -c -o $$@ $$<

# Made anew, so that members of files that are gone do not stay
$(HOST_OUT)/$(1)/libhost.a: $(patsubst %.c,$(HOST_OUT)/$(1)/obj/%.o,$(HOST_CODE) $(HOST_SUPPORT))
	$$(HOST_Q)rm -f $$@ && $$(HOST_AR) rcs $$@ $$^

-include $(patsubst %.c,$(HOST_OUT)/$(1)/obj/%.d,$(HOST_CODE) $(HOST_SUPPORT) \
	$(HOST_TESTS:%=tests/host/%.c) $(HOST_FUZZERS:%=tests/fuzz/%.c) $(HOST_FUZZ_SUPPORT))
endef
$(foreach c,gcc clang fuzz,$(eval $(call host_rules,$(c))))

define host_test_rules
$(HOST_OUT)/$(1)/test_%: $(HOST_OUT)/$(1)/obj/tests/host/test_%.o $(HOST_OUT)/$(1)/libhost.a
	$$(HOST_Q)$$(HOST_$(1)) -o $$@ $$^ -lcmocka $$(HOST_LIBS_$$(@F))
endef
$(foreach c,gcc clang,$(eval $(call host_test_rules,$(c))))

$(HOST_OUT)/fuzz/fuzz_%: $(HOST_OUT)/fuzz/obj/tests/fuzz/fuzz_%.o \
		$(HOST_FUZZ_SUPPORT:%.c=$(HOST_OUT)/fuzz/obj/%.o) $(HOST_OUT)/fuzz/libhost.a
	$(HOST_Q)$(HOST_fuzz) -fsanitize=fuzzer -o $@ $^

.SECONDARY: $(foreach c,gcc clang,$(HOST_TESTS:%=$(HOST_OUT)/$(c)/obj/tests/host/%.o)) \
	$(HOST_FUZZERS:%=$(HOST_OUT)/fuzz/obj/tests/fuzz/%.o) $(HOST_FUZZ_SUPPORT:%.c=$(HOST_OUT)/fuzz/obj/%.o)

.PHONY: test-host fuzz-smoke
# The fuzzers without a corpus and with a fixed seed: the same inputs each time
test-host: $(HOST_PROGRAMS) $(HOST_FUZZ_PROGRAMS)
	$(HOST_Q)$(HOST_PYTHON) tests/host/run.py --logs $(HOST_OUT)/logs \
		'$(HOST_PYTHON) tests/host/layers.py' $(HOST_PROGRAMS) \
		$(foreach f,$(HOST_FUZZ_PROGRAMS),'$(f) -runs=$(HOST_FUZZ_RUNS) -seed=1 -max_len=4096')

fuzz-smoke: $(HOST_FUZZ_PROGRAMS)
	$(HOST_Q)mkdir -p $(HOST_OUT)/fuzz/findings
	$(HOST_Q)$(HOST_PYTHON) tests/host/run.py --logs $(HOST_OUT)/logs \
		$(foreach f,$(HOST_FUZZ_PROGRAMS),'$(f) -max_total_time=$(HOST_FUZZ_SECONDS) -max_len=4096 -artifact_prefix=$(HOST_OUT)/fuzz/findings/')

# Alone, test-host is the goal; included, whatever was the goal before stays it
.DEFAULT_GOAL := $(if $(filter tests/host/build.mk,$(firstword $(MAKEFILE_LIST))),test-host,$(host_goal))
