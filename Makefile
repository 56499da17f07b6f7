# fsd: one Makefile, no configure, no recursion but for the order of `check`.  `make help` lists the targets.
#   make MODE=release|debug|asan|cov   flags and folder build/$(MODE) change together
#   WERROR=1                           warnings are errors (what CI does)
#   V=1                                shows the commands
.DELETE_ON_ERROR:
.SUFFIXES:
MODE    ?= release
BUILD   := build/$(MODE)
PREFIX  ?= /usr
PYTHON  ?= /usr/bin/python3
JOBS    ?= $(shell expr $$(nproc) + 1)
SUITES  ?= test/system test/lua examples
VERSION := 0.1.0

WARN_ALL := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wformat=2 -Wundef -Wpointer-arith \
  -Wcast-qual -Wvla -Walloca -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough
WARN_GCC := -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches -Wlogical-op
HARDEN   := -fstack-protector-strong -fPIE -fno-common
# Profiles go nowhere, but for those who are told where by LLVM_PROFILE_FILE: workers have an environment of their own.  With %c in that
# name the counters are in the file itself, so that what is killed, or becomes another program, is counted as well.
PROFILE  := -fprofile-instr-generate=/dev/null -mllvm -runtime-counter-relocation=true
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_release     := gcc
CC_debug       := gcc
CC_asan        := gcc
CC_cov         := clang-14
# With all symbols bound at the start a call into a library needs no stub; messages between actors cost 6 % less.
# Inlined between its files, the worker needs 4 % fewer instructions for a small request.  Objects can be linked both ways, and only
# the worker's own link, which takes ten seconds, does this.
CFLAGS_release := -O2 -g -fno-plt -flto=auto -ffat-lto-objects -D_FORTIFY_SOURCE=2 $(HARDEN) $(WARN_GCC)
CFLAGS_debug   := -O0 -g3 $(HARDEN) $(WARN_GCC)
CFLAGS_asan    := -O1 -g $(SANITIZE) $(HARDEN) $(WARN_GCC)
CFLAGS_cov     := -O0 -g $(PROFILE) -fcoverage-mapping $(HARDEN) -w
LDFLAGS_release := -fno-lto
LDFLAGS_asan   := $(SANITIZE)
LDFLAGS_cov    := -fprofile-instr-generate
$(if $(CC_$(MODE)),,$(error MODE must be release, debug, asan or cov, not "$(MODE)"))

CC       := $(CC_$(MODE))
CPPFLAGS := -std=c11 -D_GNU_SOURCE -DFSD_VERSION='"$(VERSION)"' -I.
CFLAGS   := $(CPPFLAGS) $(WARN_ALL) $(CFLAGS_$(MODE)) $(if $(WERROR),-Werror) $(EXTRA_CFLAGS)
LDFLAGS  := -pie -Wl,-z,relro,-z,now $(LDFLAGS_$(MODE))

# What each program may see: only the worker gets the paths of Lua and libh2o.  scripts/check-layers reads these rows.
INC_common :=
INC_daemon := $(shell pkg-config --cflags libsystemd jansson yaml-0.1)
INC_ctl    := $(shell pkg-config --cflags jansson)
INC_worker := $(shell pkg-config --cflags lua5.4) -DH2O_USE_LIBUV=0
LIB_common :=
LIB_daemon := $(shell pkg-config --libs libsystemd jansson yaml-0.1)
LIB_ctl    := $(shell pkg-config --libs jansson)
LIB_worker := $(shell pkg-config --libs lua5.4 libh2o-evloop) -lssl -lcrypto -lz -lm

# Libraries that few workers need are shared objects of their own, opened when they are needed (worker/toolbox/private_module.c).
INC_sodium := $(shell pkg-config --cflags libsodium)
LIB_sodium := $(shell pkg-config --libs libsodium)
INC_jwt    := $(shell pkg-config --cflags libjwt)
LIB_jwt    := $(shell pkg-config --libs libjwt)

AREAS    := common daemon ctl worker
MODULES  := $(patsubst %.c,$(BUILD)/%.so,$(wildcard modules/*.c))
PROGRAMS := $(BUILD)/fsd $(BUILD)/fsd-worker $(BUILD)/fsdctl
SRC      := $(foreach a,$(AREAS),$(wildcard $(a)/*.c $(a)/*/*.c $(a)/*/*/*.c))
OBJ      := $(SRC:%.c=$(BUILD)/%.o)
MAINS    := %/main.o
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard $(addsuffix _test.c,test/unit/*/* test/unit/*/*/* test/unit/*/*/*/*)))
SUPPORT  := $(patsubst %.c,$(BUILD)/%,$(filter-out %/sanitizer.c,$(wildcard test/support/*.c)))
FUZZERS  := $(patsubst test/fuzz/%_fuzz.c,%,$(wildcard test/fuzz/*_fuzz.c))

# `$(call say,CC)` is a line's prefix: it prints "CC what"; nothing with -s, and the whole command with V=1.
is_silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(V),,@$(if $(is_silent),,printf '%-4s %s\n' $(1) $(patsubst $(BUILD)/%,%,$(if $(2),$(2),$@)) &&))

all: $(PROGRAMS) $(MODULES) ## build the three programs, and what they open (default)

# A file that changes when a source is added or goes away, so that no archive keeps an object of old.
ifneq ($(file <$(BUILD)/sources),$(SRC))
$(shell mkdir -p $(BUILD))$(file >$(BUILD)/sources,$(SRC))
endif
$(BUILD)/sources: ;

define area_rules
$(BUILD)/$(1)/%.o: $(1)/%.c Makefile
	@mkdir -p $$(@D)
	$$(call say,CC,$$<) $$(CC) $$(CFLAGS) $$(INC_$(1)) -MMD -MP -c $$< -o $$@
$(BUILD)/lib$(1).a: $(filter-out $(MAINS),$(filter $(BUILD)/$(1)/%,$(OBJ))) $(BUILD)/sources
	$$(call say,AR) rm -f $$@ && ar rcs $$@ $$(filter %.o,$$^)
$(BUILD)/test/unit/$(1)/%: test/unit/$(1)/%.c $(BUILD)/lib$(1).a $(BUILD)/libcommon.a Makefile
	@mkdir -p $$(@D)
	$$(call say,TEST,$$<) $$(CC) $$(CFLAGS) $$(INC_$(1)) -MMD -MP -MF $$@.d $$< -o $$@ $$(LDFLAGS) \
	  $(BUILD)/lib$(1).a $(BUILD)/libcommon.a $$(LIB_$(1)) -lcmocka
flags-$(1): # for the checks: what the preprocessor is told
	@echo $$(CPPFLAGS) $$(INC_$(1))
endef
$(foreach a,$(AREAS),$(eval $(call area_rules,$(a))))

$(MODULES): $(BUILD)/%.so: %.c Makefile
	@mkdir -p $(@D)
	$(call say,SO,$<) $(CC) $(CFLAGS) -fPIC -fvisibility=hidden $(INC_$(*F)) -MMD -MP -MF $@.d $< -o $@ \
	  -shared $(filter-out -pie,$(LDFLAGS)) $(LIB_$(*F))
flags-modules: # for the checks
	@echo $(CPPFLAGS) $(foreach m,$(MODULES),$(INC_$(basename $(notdir $(m)))))

# Programs that system tests start, such as a client that makes load.
$(SUPPORT): $(BUILD)/%: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CFLAGS) -MMD -MP -MF $@.d $< -o $@ $(LDFLAGS)

# The sanitized programs write their reports to files: the environment that says where would not reach a worker.
SANITIZER_OBJ_asan := $(BUILD)/test/support/sanitizer.o
$(SANITIZER_OBJ_asan): test/support/sanitizer.c Makefile
	@mkdir -p $(@D) $(BUILD)/reports
	$(call say,CC,$<) $(CC) $(CFLAGS) -DFSD_SANITIZER_REPORTS='"$(CURDIR)/$(BUILD)/reports/report"' \
	  -DFSD_SANITIZER_SUPPRESSIONS='"$(CURDIR)/test/support/lsan.supp"' -c $< -o $@

link = $(call say,LD) $(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(LDFLAGS)
$(BUILD)/fsd: $(BUILD)/daemon/main.o $(SANITIZER_OBJ_$(MODE)) $(BUILD)/libdaemon.a $(BUILD)/libcommon.a
	$(link) $(LIB_daemon)
$(BUILD)/fsdctl: $(BUILD)/ctl/main.o $(SANITIZER_OBJ_$(MODE)) $(BUILD)/libctl.a $(BUILD)/libcommon.a
	$(link) $(LIB_ctl)
# Nobody in the program names this function, which libh2o calls (worker/http/quick_print.c).  Warnings were given when files were compiled.
$(BUILD)/fsd-worker: LDFLAGS := $(filter-out -fno-lto,$(LDFLAGS)) -Wl,-u,__sprintf_chk -w
$(BUILD)/fsd-worker: $(BUILD)/worker/main.o $(SANITIZER_OBJ_$(MODE)) $(BUILD)/libworker.a $(BUILD)/libcommon.a
	$(link) $(LIB_worker)

tests: $(TESTS) $(SUPPORT) ## build the unit tests, and what system tests need
# JOBS is how many test programs, and processes of pytest, run at a time: one more than there are CPUs, since most of them wait.
# cmocka says on stderr how a test program ended, so both streams go the same way.
check-unit: export LSAN_OPTIONS := suppressions=$(CURDIR)/test/support/lsan.supp:print_suppressions=0
check-unit: $(TESTS) ## run the unit tests
	@printf '%s\n' $(TESTS) | xargs -P $(JOBS) -I{} sh -c \
	  'timeout 300 {} >{}.log 2>&1 || { echo "--- failed: {}"; cat {}.log; exit 1; }'
	@echo "all $(words $(TESTS)) unit test programs passed: $$(cat $(TESTS:=.log) | grep -c '^\[       OK') tests"
check-system: $(PROGRAMS) $(MODULES) $(SUPPORT) ## run the tests of real processes (ARGS= for pytest; JOBS=0 for -s and --pdb)
	FSD_BUILD=$(CURDIR)/$(BUILD) timeout --foreground -s INT -k 30 1800 $(PYTHON) -B -m pytest -p no:cacheprovider \
	  -n $(JOBS) --dist loadfile $(SUITES) $(ARGS)
check: check-unit ## the quick part: unit tests, and the system tests marked as basic
	@$(MAKE) --no-print-directory check-system ARGS='-q -m basic'
lint: $(PROGRAMS) $(MODULES) ## all of the checks below; each is also a part of its own
	scripts/lint
layers format tidy cppcheck analyzer sizes shell: ## one part of lint
	scripts/lint $@
fmt: ## format the C sources
	clang-format-14 -i $$(find $(AREAS) modules test -name '*.[ch]')
fmt-check: format ## is everything formatted?
fuzz: $(FUZZERS:%=fuzz-%) ## run every fuzz target for FUZZ_SECONDS (5); fuzz-NAME runs one
$(FUZZERS:%=fuzz-%): fuzz-%:
	scripts/fuzz $*
cover: ## branch coverage: of the pure files, and of the master
	scripts/cover
install: $(PROGRAMS) $(MODULES) ## install below DESTDIR
	scripts/install "$(BUILD)" "$(DESTDIR)" "$(PREFIX)"
clean: ## remove all builds
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z][a-z -]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 24

-include $(OBJ:.o=.d) $(TESTS:=.d) $(SUPPORT:=.d) $(MODULES:=.d)
.PHONY: all tests check check-unit check-system lint layers format tidy cppcheck analyzer sizes shell fmt fmt-check fuzz \
  cover install clean help $(FUZZERS:%=fuzz-%) $(AREAS:%=flags-%) flags-modules
