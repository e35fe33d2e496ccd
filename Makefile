# SPDX-License-Identifier: GPL-2.0-only
#
# The one Makefile of tardy: non-recursive, everything it makes is under $(BUILD).
#
# It finds sources itself, so a new file needs no line here:
#   bpf/*.bpf.c              one BPF object, build/skel/tardy.skel.h (struct tardy_bpf);
#                            bpf/probe_*.bpf.c (and BPF_SEPARATE): a skeleton each, NAME_bpf
#   user/**/*.c              build/libtardy.a; user/main.c is linked with it to build/tardy
#   tests/unit/*_test.c      a cmocka program each; tests/lib/*.c is linked to all of them
#   tests/fuzz/*_fuzz.c      a libFuzzer program each
#   tests/oracle/*.c         oracle_server*, oracle_client*, oracle_compare*; the rest is shared
#   tests/bench/*_bench.c    a benchmark program each
#   tools/demo/*.c           a program of the demo each
#
# Useful variables: V=1 (show commands), BUILD=dir, CC=clang, SAN=1, COV=1, WERROR=1,
# DIRS='user/base user/proto' (library of these folders only), TESTS='slice_test http1_test'
# (these unit tests or fuzz targets only). Two makes at once need two BUILD folders.

VERSION := 0.1.0

ifneq ($(filter-out 3.% 4.0 4.1 4.2,$(MAKE_VERSION)),$(MAKE_VERSION))
$(error GNU make 4.3 or newer is needed, this is $(MAKE_VERSION))
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all
.PHONY: FORCE

# ---- variants ------------------------------------------------------------------------------
ifneq ($(filter default undefined,$(origin CC)),)
CC := gcc
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := ar
endif
CLANG ?= clang
PKG_CONFIG ?= pkg-config
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin:/usr/local/sbin" command -v bpftool || echo bpftool)
PREFIX ?= /usr/local
DESTDIR ?=

OPT := -O2
HARDEN := -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2
ifdef FUZZ
BUILD ?= build/fuzz
override CC := $(CLANG)
HARDEN :=
OPT := -O1
VARIANT_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else ifdef SAN
BUILD ?= build/san
HARDEN :=
OPT := -O1
VARIANT_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
else ifdef COV
BUILD ?= build/cov
HARDEN :=
OPT := -O0
VARIANT_FLAGS := --coverage
else
BUILD ?= build
endif

MACHINE := $(shell uname -m)
ARCH ?= $(patsubst aarch64,arm64,$(MACHINE))
BPF_ARCH := $(patsubst x86_64,x86,$(ARCH))

# ---- sources -------------------------------------------------------------------------------
DIRS ?= user
TESTS ?=
# $(call chosen,sources): those whose base name is in TESTS, all when TESTS is empty
chosen = $(if $(strip $(TESTS)),$(foreach t,$(TESTS),$(filter %/$(t).c,$(1))),$(1))

USER_SRC := $(sort $(shell find $(DIRS) -name '*.c' 2>/dev/null))
LIB_SRC := $(filter-out user/main.c,$(USER_SRC))
MAIN_SRC := $(if $(filter user,$(DIRS)),$(wildcard user/main.c))
TESTLIB_SRC := $(sort $(wildcard tests/lib/*.c))
UNIT_SRC := $(call chosen,$(sort $(wildcard tests/unit/*_test.c)))
FUZZ_SRC := $(call chosen,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
BENCH_SRC := $(sort $(wildcard tests/bench/*_bench.c))
DEMO_SRC := $(sort $(wildcard tools/demo/*.c))
ORACLE_SRC := $(sort $(wildcard tests/oracle/*.c))
ORACLE_KINDS := $(foreach k,oracle_server oracle_client oracle_compare,\
	$(if $(filter tests/oracle/$(k)%,$(ORACLE_SRC)),$(k)))
ORACLE_SHARED := $(foreach s,$(ORACLE_SRC),$(if $(filter $(ORACLE_KINDS:%=tests/oracle/%%),$(s)),,$(s)))
ALL_C := $(USER_SRC) $(TESTLIB_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(BENCH_SRC) $(DEMO_SRC) $(ORACLE_SRC)

BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
BPF_SEPARATE ?= $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/probe_*.bpf.c))
BPF_ONE := $(filter-out $(BPF_SEPARATE:%=bpf/%.bpf.c),$(BPF_SRC))
SKELS := $(if $(BPF_ONE),$(BUILD)/skel/tardy.skel.h) \
	$(foreach n,$(BPF_SEPARATE),$(BUILD)/skel/$(n).skel.h)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
BENCH_BIN := $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)
DEMO_BIN := $(DEMO_SRC:tools/demo/%.c=$(BUILD)/demo-%)
ORACLE_BIN := $(ORACLE_KINDS:%=$(BUILD)/oracle/%)

# ---- flags ---------------------------------------------------------------------------------
LIB_PKGS := libbpf libelf zlib libzstd ncursesw
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIB_PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(LIB_PKGS) 2>/dev/null || \
	echo -lbpf -lelf -lz -lzstd -lncursesw -ltinfo)
CMOCKA_LIBS := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || echo -lcmocka)

CC_IS_CLANG := $(if $(findstring clang,$(CC)),1)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings
ifndef CC_IS_CLANG
WARN += -Wcast-align -Wlogical-op -Wduplicated-cond
endif
ifdef WERROR
WARN += -Werror
endif
# empty, so that a file which defines it too makes no second definition
CPPFLAGS_ALL := -Iuser -I. -Itests -isystem $(BUILD)/skel -D_GNU_SOURCE= \
	-DTARDY_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS ?= -g
CFLAGS_ALL := -std=gnu11 $(OPT) -fno-omit-frame-pointer -fPIE $(WARN) $(HARDEN) \
	$(VARIANT_FLAGS) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(VARIANT_FLAGS) $(LDFLAGS)
LIBS := $(PKG_LIBS) -liberty -lm -pthread
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra \
	-Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR),-Werror) \
	-Ivmlinux/$(ARCH) -Ibpf $(EXTRA_BPF_CFLAGS)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

# Built through sudo from somebody's clone: what was made belongs to that person.
own = $(if $(SUDO_UID),chown -R $(SUDO_UID):$(SUDO_GID) $(BUILD) 2>/dev/null || :,:)

# ---- what to make --------------------------------------------------------------------------
.PHONY: all
all: lib $(if $(MAIN_SRC),$(BUILD)/tardy) $(DEMO_BIN) ## build build/tardy and the demo's programs (default)
	@$(own)

.PHONY: lib bpf unit-bins fuzz-bins bench-bins oracle-bins test-bins objects
lib: $(BUILD)/libtardy.a
bpf: $(SKELS) ## build the BPF object and its skeleton only
unit-bins: $(UNIT_BIN)
fuzz-bins: $(FUZZ_BIN)
bench-bins: $(BENCH_BIN)
oracle-bins: $(ORACLE_BIN)
test-bins: all unit-bins oracle-bins bench-bins
objects: $(call obj,$(ALL_C)) $(SKELS)

# The stamps: rewritten only when their text changes, so that a change of compiler, flags or of
# the list of files rebuilds what it concerns.
define flags_text
$(CC) $(shell $(CC) -dumpfullversion -dumpversion 2>/dev/null)
$(CPPFLAGS_ALL)
$(CFLAGS_ALL)
$(LDFLAGS_ALL) $(LIBS)
endef
define bpf_flags_text
$(CLANG) $(BPFTOOL) $(BPF_CFLAGS)
$(BPF_SRC)
endef
MAKE_PID := $(shell echo $$PPID)
DRY_RUN := $(findstring n,$(firstword -$(MAKEFLAGS)))
# $(call stamp,text) writes $@ if it differs; the text goes through a file, not the shell
define stamp
@mkdir -p $(@D)
$(if $(DRY_RUN),,$(file >$@.$(MAKE_PID),$(1)))
@if cmp -s $@.$(MAKE_PID) $@; then rm -f $@.$(MAKE_PID); else mv $@.$(MAKE_PID) $@; fi
endef
$(BUILD)/flags: FORCE | $(BUILD)/.dir
	$(call stamp,$(flags_text))
$(BUILD)/bpf.flags: FORCE | $(BUILD)/.dir
	$(call stamp,$(bpf_flags_text))
$(BUILD)/sources: FORCE | $(BUILD)/.dir
	$(call stamp,$(LIB_SRC) $(TESTLIB_SRC) $(ORACLE_SRC))
$(BUILD)/.dir:
	@mkdir -p $(@D) && touch $@

# ---- BPF -----------------------------------------------------------------------------------
$(BUILD)/bpf/%.o: bpf/%.bpf.c $(BUILD)/bpf.flags
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/bpf/tardy.bpf.o: $(BPF_ONE:bpf/%.bpf.c=$(BUILD)/bpf/%.o)
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(BPF_SEPARATE:%=$(BUILD)/bpf/%.bpf.o): $(BUILD)/bpf/%.bpf.o: $(BUILD)/bpf/%.o
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/skel/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(say) SKEL $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@

# An architecture whose file is not there yet: this kernel's.
vmlinux/$(ARCH)/vmlinux.h:
	@mkdir -p $(@D)
	$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c >$@
$(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.o): | vmlinux/$(ARCH)/vmlinux.h

.PHONY: vmlinux
vmlinux: ## regenerate vmlinux/<arch>/vmlinux.h from this kernel
	@mkdir -p vmlinux/$(ARCH)
	$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c >vmlinux/$(ARCH)/vmlinux.h.new
	mv vmlinux/$(ARCH)/vmlinux.h.new vmlinux/$(ARCH)/vmlinux.h

# ---- C -------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# Skeletons are included as system headers, which -MMD leaves out.
SKEL_USERS := $(if $(ALL_C),$(shell grep -l 'skel\.h"' $(ALL_C) /dev/null 2>/dev/null))
$(call obj,$(SKEL_USERS)): $(SKELS)

$(BUILD)/libtardy.a: $(call obj,$(LIB_SRC)) $(BUILD)/sources
	$(say) AR $@
	@rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)

$(BUILD)/libtest.a: $(call obj,$(TESTLIB_SRC)) $(BUILD)/sources
	$(say) AR $@
	@rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)

# $(call link,libraries)
define link
$(say) LD $@
@mkdir -p $(@D)
$(Q)$(CC) $(LDFLAGS_ALL) $(filter %.o,$^) $(filter %.a,$^) $(1) -o $@
endef

$(BUILD)/tardy: $(call obj,$(MAIN_SRC)) $(BUILD)/libtardy.a
	$(call link,$(LIBS))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libtest.a $(BUILD)/libtardy.a
	$(call link,$(CMOCKA_LIBS) $(LIBS))
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libtest.a $(BUILD)/libtardy.a
	$(call link,-fsanitize=fuzzer $(LIBS))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libtest.a $(BUILD)/libtardy.a
	$(call link,$(LIBS))
$(BUILD)/demo-%: $(BUILD)/obj/tools/demo/%.o
	$(call link,-lm -pthread)
define oracle_rule
$(BUILD)/oracle/$(1): $(call obj,$(filter tests/oracle/$(1)%,$(ORACLE_SRC)) $(ORACLE_SHARED)) \
	$(BUILD)/libtardy.a
	$$(call link,$$(LIBS))
endef
$(foreach k,$(ORACLE_KINDS),$(eval $(call oracle_rule,$(k))))
.SECONDARY:

-include $(patsubst %.o,%.d,$(call obj,$(ALL_C)) $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.o))

# ---- tests ---------------------------------------------------------------------------------
# The runner builds what a suite needs; see docs/testing.md.
RUN_TESTS = +tools/run-tests.sh
export TESTS V
# "make test-unit test-tui": one after the other
SUITE_GOALS := test check test-unit test-san test-fuzz test-golden test-tui test-live test-compare \
	oracle test-oracle test-vm bench lint run demo
ifneq ($(filter $(SUITE_GOALS),$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: test check test-unit test-san test-fuzz test-golden test-tui test-live test-compare oracle \
	test-oracle test-vm bench
test: ## install what is missing, build, lint and run every suite
	$(RUN_TESTS) --setup all
check: ## the suites that need no root and no server: lint, unit, san, fuzz, golden
	$(RUN_TESTS) build lint unit san fuzz golden
test-unit: ## unit tests (TESTS='name_test ...' chooses)
	$(RUN_TESTS) unit
test-san: ## unit tests under address and undefined-behaviour sanitizers
	$(RUN_TESTS) san
test-fuzz: ## fuzz all targets for FUZZ_BUDGET (360) seconds of a processor, or FUZZ_SECONDS each
	$(RUN_TESTS) fuzz
test-golden: ## command-line output against stored results
	$(RUN_TESTS) golden
test-tui: ## scripted keys against stored screens
	$(RUN_TESTS) tui
test-live: ## real servers on this kernel (root)
	$(RUN_TESTS) live
test-compare: ## cross-checks against other tools and the servers' own logs (root)
	$(RUN_TESTS) compare
oracle test-oracle: ## servers with a known mix of causes; tardy must agree (root)
	$(RUN_TESTS) oracle
test-vm: ## the same programs on other kernels, in a virtual machine
	$(RUN_TESTS) vm
bench: ## budgets: cost per request, per switch, collector throughput (root)
	$(RUN_TESTS) bench

# ---- static checks -------------------------------------------------------------------------
FMT_FILES := $(sort $(shell find bpf user tests tools -name '*.[ch]' 2>/dev/null))
LINT_C := $(USER_SRC) $(TESTLIB_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(BENCH_SRC) $(DEMO_SRC) $(ORACLE_SRC)

.PHONY: lint lint-gcc lint-clang lint-analyze lint-format lint-rules lint-shell fmt
lint: ## every static check
	$(RUN_TESTS) lint
# one after the other through the runner, or each alone
lint-gcc:
	+$(Q)$(MAKE) BUILD=$(BUILD)/lint-gcc CC=gcc WERROR=1 objects
lint-clang:
	+$(Q)$(MAKE) BUILD=$(BUILD)/lint-clang CC=$(CLANG) WERROR=1 objects
lint-analyze: $(LINT_C:%=$(BUILD)/analyze/%.ok)
lint-format:
	$(Q)tools/lint/format.sh check $(FMT_FILES)
lint-rules:
	$(Q)tools/lint/layers.sh
	$(Q)tools/lint/files.sh
lint-shell:
	$(Q)tools/lint/shell.sh
fmt: ## reformat the C sources
	$(Q)tools/lint/format.sh write $(FMT_FILES)

$(BUILD)/analyze/%.ok: % $(BUILD)/flags tools/lint/analyze.sh
	$(say) ANALYZE $<
	@mkdir -p $(@D)
	$(Q)tools/lint/analyze.sh $(CLANG) $@ $< $(CPPFLAGS_ALL) -std=gnu11
$(foreach s,$(filter $(LINT_C),$(SKEL_USERS)),$(BUILD)/analyze/$(s).ok): $(SKELS)
-include $(LINT_C:%=$(BUILD)/analyze/%.d)

.PHONY: cov
cov: ## line coverage of the unit tests, file by file
	+$(Q)$(MAKE) COV=1 BUILD=$(BUILD)/cov unit-bins
	$(Q)tools/lint/coverage.sh $(BUILD)/cov

# ---- use -----------------------------------------------------------------------------------
.PHONY: setup run demo demo-down
setup: ## install the Debian packages that are missing (root)
	$(Q)tools/setup.sh build test demo
run: ## install, build and open the live view; DEMO=1 forces the demo, DEMO=0 forbids it
	@tools/run.sh run
demo: ## the same on the bundled demo classroom (MODE=...), which stays up until demo-down
	@tools/run.sh demo
demo-down: ## end the demo classroom
	@tools/run.sh demo-down

.PHONY: install uninstall
# what the program prints itself, and where it goes
INSTALL_MADE := tardy.8:share/man/man8/tardy.8 \
	tardy.bash:share/bash-completion/completions/tardy \
	tardy.zsh:share/zsh/site-functions/_tardy \
	tardy.fish:share/fish/vendor_completions.d/tardy.fish
DOC_FILES := LICENSE $(wildcard README.md docs/*.md)
install: all ## install to DESTDIR/PREFIX (/usr/local)
	install -D -m 0755 $(BUILD)/tardy $(DESTDIR)$(PREFIX)/sbin/tardy
	$(BUILD)/tardy man >$(BUILD)/tardy.8
	$(foreach s,bash zsh fish,$(BUILD)/tardy completion $(s) >$(BUILD)/tardy.$(s) &&) :
	$(foreach f,$(INSTALL_MADE),install -D -m 0644 $(BUILD)/$(subst :, $(DESTDIR)$(PREFIX)/,$(f)) &&) :
	$(foreach d,$(wildcard $(DOC_FILES)),install -D -m 0644 $(d) \
		$(DESTDIR)$(PREFIX)/share/doc/tardy/$(notdir $(d)) &&) :
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/tardy
	$(foreach f,$(INSTALL_MADE),rm -f $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(f))) &&) :
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/tardy

# One entry per C file, for editors and clang tools.
comma := ,
json_str = "$(subst ",\",$(subst \,\\,$(1)))"
compile_entry = {"directory":"$(CURDIR)"$(comma)"file":"$(1)"$(comma)"command":$(call json_str,$(2) -c $(1))}
define compile_text
[
$(foreach s,$(ALL_C),$(call compile_entry,$(s),$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL))$(comma)
)$(foreach s,$(BPF_SRC),$(call compile_entry,$(s),$(CLANG) $(BPF_CFLAGS))$(comma)
){"directory":"$(CURDIR)"$(comma)"file":"Makefile"$(comma)"command":"true"}
]
endef
compile_commands.json: FORCE ## database of compile commands for editors
	$(call stamp,$(compile_text))

.PHONY: clean help version
clean: ## remove everything that was built
	rm -rf $(BUILD) compile_commands.json
version: ## print the version
	@echo $(VERSION)
help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-][a-z_. -]*:.*## / { \
		printf "  %-24s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
