# svclab: build, test, install. `make help` lists the targets.
#
# Everything a target needs beyond a compiler is installed by tools/deps.sh (Debian
# packages; it says what it installs and does nothing when all is there). Sources are
# found by folder; objects, with their header dependencies, go to $(BUILD).

VERSION := 0.1.0
BUILD ?= build
prefix ?= /usr/local
bindir = $(prefix)/bin
datadir = $(prefix)/share
mandir = $(datadir)/man

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wvla -Wformat=2 -Werror
STANDARD := -std=gnu11 -fno-strict-aliasing
LIBRARIES := libfyaml jansson ldns lua5.4 libedit libmd libpcap
# Quiet before the packages are there: deps.sh runs first and make starts again.
# Asked when first needed, and once: every command names them.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lnet -lm)$(PKG_LIBS)
SVCLAB_CPPFLAGS = -Isim -I. -D_GNU_SOURCE -DSVCLAB_VERSION='"$(VERSION)"' \
	-DSVCLAB_DATADIR='"$(datadir)/svclab"' $(PKG_CFLAGS)
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(SVCLAB_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c

LIB_SOURCES := $(sort $(wildcard sim/*.c sim/*/*.c sim/*/*/*.c dataplanes/*.c dataplanes/*/*.c lua/*.c))
CLI_SOURCES := $(sort $(wildcard cli/*.c cli/*/*.c))
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c tests/differential/kernel_*.c))
MODES_SOURCES := $(sort $(wildcard tests/modes/*.c))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
BENCH_SOURCES := $(sort $(wildcard tests/bench/*.c))

LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/lua/prelude_text.o
CLI_OBJECTS := $(CLI_SOURCES:%.c=$(BUILD)/%.o)
TESTS := $(TEST_SOURCES:%.c=$(BUILD)/%.t) $(BUILD)/tests/modes.t
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/tests/fuzz/%)
BENCHES := $(BENCH_SOURCES:tests/bench/%.c=$(BUILD)/tests/bench/%)
LIB := $(BUILD)/libsvclab.a

JOBS ?= $(shell nproc)
PROVE ?= prove

.PHONY: all deps test check conformance vm bench plots doc asan fuzz captures install uninstall clean \
	distclean help units fuzzers benches
.SECONDARY:

# Packages first, then the build in a make of its own, which sees what was installed.
all: deps
	@$(MAKE) --no-print-directory $(BUILD)/svclab

deps:
	@tools/deps.sh build

help:
	@sed -n 's/^# help: //p' Makefile

$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' > $@
FORCE:

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $<

# lua/prelude.lua goes into the program as an array of bytes.
$(BUILD)/lua/prelude_text.c: lua/prelude.lua
	@mkdir -p $(@D)
	@{ echo 'extern const char prelude_text[];'; echo 'extern const unsigned prelude_length;'; \
	   echo 'const char prelude_text[] = {'; od -An -v -tu1 $< | sed 's/  */, /g; s/^, //; s/$$/,/'; \
	   echo '0 };'; echo 'const unsigned prelude_length = sizeof prelude_text - 1;'; } > $@

$(BUILD)/lua/prelude_text.o: $(BUILD)/lua/prelude_text.c $(BUILD)/flags
	$(COMPILE) -o $@ $<

# The list of members is part of the archive's key, so that a removed source leaves it.
$(BUILD)/members: FORCE
	@mkdir -p $(BUILD)
	@echo '$(LIB_OBJECTS)' | cmp -s - $@ || echo '$(LIB_OBJECTS)' > $@

$(LIB): $(LIB_OBJECTS) $(BUILD)/members
	@rm -f $@
	@ar qcs $@ $(LIB_OBJECTS)

$(BUILD)/svclab: $(CLI_OBJECTS) $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CLI_OBJECTS) $(LIB) $(PKG_LIBS)

$(BUILD)/tests/unit/%.t: $(BUILD)/tests/unit/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

$(BUILD)/tests/differential/%.t: $(BUILD)/tests/differential/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

# Random clusters in every mode; scenarios on dataplanes that are wrong on purpose.
$(BUILD)/tests/modes.t: $(MODES_SOURCES:%.c=$(BUILD)/%.o) $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/broken: $(BUILD)/tests/broken.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

units: $(TESTS) $(BUILD)/tests/broken
benches: $(BENCHES)
fuzzers: $(FUZZERS)

# help: make              build build/svclab
# help: make conformance  the main job: every scenario on every dataplane, then a matrix
# help:                   (REQUIRE=netns,vm: real Linux must not be missing; FULL=1: nothing from the cache)
# help:                   (JUNIT=FILE: the results as JUnit XML, too); results/conformance.{tsv,html}
# help: make vm           the kernel and initramfs that --on vm boots
# help: make test         units, golden, differential, scenarios, fuzz smoke (under 5 minutes)
# help: make asan         the same tests under AddressSanitizer and UBSan (build-asan/)
# help: make fuzz         each parser under libFuzzer for FUZZ_SECONDS (default 600), one after another
# help: make bench        figures of speed and memory
# help: make plots        results/*.svg from the figures
# help: make doc          doc/scenario-api.md, from lua/svclab.d.lua
# help: make captures     take tests/captures again from real Linux (netns, VM)
# help: make install      to $(DESTDIR)$(prefix); uninstall removes it
SCENARIOS := $(sort $(shell find scenarios -name '*.lua' -not -path '*/labs/*' 2>/dev/null))
SCRIPTS := $(sort $(wildcard tests/*.t tests/*/*.t))
PROVE_RUN = SVCLAB=$(abspath $(BUILD))/svclab BUILD=$(BUILD) $(PROVE) -j$(JOBS) --exec tests/exec

test check:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/svclab units fuzzers
	$(PROVE_RUN) $(SCRIPTS) $(TESTS) $(SCENARIOS)

# Every scenario at every place: the simulator, then real Linux. A failure still prints the
# matrix. Cells on real Linux mostly wait, so there are more jobs than processors.
CELLS := results/conformance
CELL_JOBS ?= $(shell expr $$(nproc) + 4)
CELL_ENVIRONMENT = SVCLAB=$(abspath $(BUILD))/svclab SVCLAB_VM=$(VM)
conformance:
	@tools/deps.sh conformance
	@case "$$PLACES $$REQUIRE" in *vm*) vm=vm ;; esac; tools/deps.sh netns $$vm || test -z "$$REQUIRE"
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/svclab
	@$(CELL_ENVIRONMENT) tools/cells plan $(CELLS) $(SCENARIOS)
	@$(CELL_ENVIRONMENT) $(PROVE) -j$(CELL_JOBS) --exec tests/exec $$(cat $(CELLS)/jobs.list) \
	  $(wildcard tests/captures/*.t); \
	code=$$?; tools/matrix $(CELLS) || code=1; tools/page $(CELLS) || code=1; \
	  test -z "$(JUNIT)" || tools/junit $(CELLS) "$(JUNIT)" || code=1; exit $$code

# What --on vm boots; kept until packages or vm/ change.
VM := $(or $(SVCLAB_VM),$(abspath $(BUILD))/vm)
vm:
	@tools/deps.sh build vm
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/svclab
	@vm/build.sh $(VM) $(BUILD)/svclab
	@sed 's/^/vm: /' $(VM)/version

# Real Linux is asked again for every capture, here and (ipvs) in the VM.
captures:
	@tools/deps.sh build netns vm
	@$(MAKE) --no-print-directory $(BUILD)/svclab
	@for conditions in tests/captures/*.txt; do \
	  sed -n 's/^mode: //p; s/^on: //p; s/^seed: //p' $$conditions | paste -sd ' ' -; done | sort -u | \
	while read -r mode on seed; do \
	  $(BUILD)/svclab capture $$(sed -n 's/^scenario: //p' tests/captures/*-$$mode-$$on.txt) \
	    --mode $$mode --on $$on --seed $$seed </dev/null || exit 1; done

bench:
	@tools/deps.sh bench
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/svclab benches
	@for program in $(BENCHES); do $$program || exit 1; done
	@SVCLAB=$(BUILD)/svclab tests/bench/dns.sh

# Figures that the program measures itself: the same bytes every time.
plots:
	@tools/deps.sh plots
	@$(MAKE) --no-print-directory $(BUILD)/svclab
	@tools/plots $(BUILD)/svclab results

# The reference of the scenario language, from its annotations.
doc:
	@mkdir -p doc
	@tools/api lua/svclab.d.lua >doc/scenario-api.md

asan:
	@tools/deps.sh test
	@ASAN_OPTIONS=detect_leaks=0 $(MAKE) --no-print-directory test BUILD=build-asan \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'

# Coverage-guided, with clang; FUZZERS=build-fuzz/tests/fuzz/nft takes one of them. Inputs
# that are new go to build-fuzz/corpus, those that break something to build-fuzz/found.
FUZZ_SECONDS ?= 600
fuzz:
	@$(MAKE) --no-print-directory -j$(JOBS) fuzzers BUILD=build-fuzz CC=clang \
	  CPPFLAGS=-DFUZZ_LIBFUZZER LDFLAGS=-fsanitize=fuzzer CFLAGS='-O1 -g \
	  -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	  -fno-sanitize-recover=all'
	@for program in $(FUZZERS:$(BUILD)/%=build-fuzz/%); do \
	  tests/fuzz/run "$$program" $(FUZZ_SECONDS) || exit 1; done

install: all
	install -Dm755 $(BUILD)/svclab $(DESTDIR)$(bindir)/svclab
	@find scenarios vm lua/svclab.d.lua -type f 2>/dev/null | while read -r f; do \
	  install -Dm$$([ -x "$$f" ] && echo 755 || echo 644) "$$f" "$(DESTDIR)$(datadir)/svclab/$$f"; done
	@for page in $(wildcard man/*.[157]); do \
	  install -Dm644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done

uninstall:
	rm -f $(DESTDIR)$(bindir)/svclab
	rm -rf $(DESTDIR)$(datadir)/svclab
	rm -f $(patsubst man/%,$(DESTDIR)$(mandir)/man*/%,$(wildcard man/*.[157]))

clean:
	rm -rf $(BUILD) results/conformance

distclean: clean
	rm -rf build build-*

-include $(LIB_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d) $(TEST_SOURCES:%.c=$(BUILD)/%.d) $(MODES_SOURCES:%.c=$(BUILD)/%.d) $(BUILD)/tests/broken.d \
	$(FUZZ_SOURCES:%.c=$(BUILD)/%.d) $(BENCH_SOURCES:%.c=$(BUILD)/%.d)
