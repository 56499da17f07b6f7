# fsd: one Makefile, no configure, no recursion.  `make help` lists the targets.
#   make MODE=release|debug|asan|cov   flags and folder build/$(MODE) change together
#   WERROR=1                           warnings are errors (what CI does)
.DELETE_ON_ERROR:
MODE    ?= release
BUILD   := build/$(MODE)
PREFIX  ?= /usr
VERSION := 0.1.0

WARN_ALL := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wformat=2 -Wundef -Wpointer-arith \
  -Wcast-qual -Wvla -Walloca -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough
WARN_GCC := -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches -Wlogical-op
HARDEN   := -fstack-protector-strong -fPIE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_release     := gcc
CC_debug       := gcc
CC_asan        := gcc
CC_cov         := clang-14
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN) $(WARN_GCC)
CFLAGS_debug   := -O0 -g3 $(HARDEN) $(WARN_GCC)
CFLAGS_asan    := -O1 -g $(SANITIZE) $(HARDEN) $(WARN_GCC)
CFLAGS_cov     := -O0 -g -fprofile-instr-generate -fcoverage-mapping $(HARDEN)
LDFLAGS_asan   := $(SANITIZE)
LDFLAGS_cov    := -fprofile-instr-generate
$(if $(CC_$(MODE)),,$(error MODE must be release, debug, asan or cov, not "$(MODE)"))

CC      := $(CC_$(MODE))
CFLAGS  := -std=c11 -D_GNU_SOURCE -DFSD_VERSION='"$(VERSION)"' -I. $(WARN_ALL) $(CFLAGS_$(MODE)) \
           $(if $(WERROR),-Werror) $(EXTRA_CFLAGS)
LDFLAGS := -pie -Wl,-z,relro,-z,now $(LDFLAGS_$(MODE))

# What each program may see: only the worker gets the paths of Lua and libh2o.
INC_common :=
INC_daemon := $(shell pkg-config --cflags libsystemd jansson yaml-0.1)
INC_ctl    := $(shell pkg-config --cflags jansson)
INC_worker := $(shell pkg-config --cflags lua5.4) -DH2O_USE_LIBUV=0
LIB_common :=
LIB_daemon := $(shell pkg-config --libs libsystemd jansson yaml-0.1)
LIB_ctl    := $(shell pkg-config --libs jansson)
LIB_worker := $(shell pkg-config --libs lua5.4 libh2o-evloop) -lssl -lcrypto -lm

AREAS    := common daemon ctl worker
PROGRAMS := $(BUILD)/fsd $(BUILD)/fsd-worker $(BUILD)/fsdctl
SRC      := $(foreach a,$(AREAS),$(wildcard $(a)/*.c $(a)/*/*.c $(a)/*/*/*.c))
OBJ      := $(SRC:%.c=$(BUILD)/%.o)
MAINS    := %/main.o
area_lib  = $(BUILD)/lib$(1).a
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard test/unit/*/*_test.c test/unit/*/*/*_test.c test/unit/*/*/*/*_test.c))
FUZZERS  := $(patsubst test/fuzz/%_fuzz.c,%,$(wildcard test/fuzz/*_fuzz.c))

all: $(PROGRAMS) ## build the three programs (default)

define area_rules
$(BUILD)/$(1)/%.o: $(1)/%.c Makefile
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(INC_$(1)) -MMD -MP -c $$< -o $$@
$(BUILD)/lib$(1).a: $(filter-out $(MAINS),$(filter $(BUILD)/$(1)/%,$(OBJ)))
	rm -f $$@ && ar rcs $$@ $$^
$(BUILD)/test/unit/$(1)/%: test/unit/$(1)/%.c $(BUILD)/lib$(1).a $(BUILD)/libcommon.a Makefile
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(INC_$(1)) -MMD -MP $$< -o $$@ $$(LDFLAGS) $(BUILD)/lib$(1).a $(BUILD)/libcommon.a $$(LIB_$(1)) -lcmocka
endef
$(foreach a,$(AREAS),$(eval $(call area_rules,$(a))))

link = $(CC) $(CFLAGS) -o $@ $(filter %.o %.a,$^) $(LDFLAGS)
$(BUILD)/fsd: $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a $(BUILD)/libcommon.a
	$(link) $(LIB_daemon)
$(BUILD)/fsdctl: $(BUILD)/ctl/main.o $(BUILD)/libctl.a $(BUILD)/libcommon.a
	$(link) $(LIB_ctl)
$(BUILD)/fsd-worker: $(BUILD)/worker/main.o $(BUILD)/libworker.a $(BUILD)/libcommon.a
	$(link) $(LIB_worker)

tests: $(TESTS) ## build the unit tests
check-unit: $(TESTS) ## run the unit tests
	@fail=0; for t in $(TESTS); do CMOCKA_MESSAGE_OUTPUT=stdout $$t || fail=1; done; exit $$fail
check-system: $(PROGRAMS) ## run the tests of real processes (ARGS= for pytest)
	FSD_BUILD=$(CURDIR)/$(BUILD) /usr/bin/python3 -m pytest -q -p no:cacheprovider test/system test/lua examples $(ARGS)
check: check-unit ## the quick part: unit tests, and the system tests marked as basic
	$(MAKE) check-system ARGS='-m basic'
lint: ## layers, globals, formatting, shell, static analysis
	scripts/lint
fmt: ## format the C sources
	clang-format-14 -i $$(git ls-files '*.c' '*.h')
fuzz: $(addprefix fuzz-,$(FUZZERS)) ## run every fuzz target for FUZZ_SECONDS (5)
fuzz-%:
	scripts/fuzz $*
cover: ## branch coverage of the unit tests
	scripts/cover
install: $(PROGRAMS) ## install below DESTDIR
	scripts/install "$(BUILD)" "$(DESTDIR)" "$(PREFIX)"
clean: ## remove all builds
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

-include $(OBJ:.o=.d) $(TESTS:=.d)
.PHONY: all tests check check-unit check-system lint fmt fuzz cover install clean help
