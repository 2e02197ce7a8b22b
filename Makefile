# filmgate. Two commands: `make run` starts the whole product, `make test` runs everything.
# The object lists are written out, layer by layer: this file is the map.

# ---- layers, from the ground up (see core/, tests/lint/includes.sh holds them to it) ----
BASE     := arena conf env err fault id log scan sb str time utf8
IO       := address child db db_link fetch file hash hash_sign json json_scan json_write redact sigv4 transfer xml
PROVIDER := adapter catalogue catalogue_fit catalogue_model catalogue_read catalogue_wire comfyui \
            comfyui_send fal kling luma match minimax openai providers replicate route runway \
            schema schema_check veo verify
ACCOUNT  := account
MONEY    := brake cost ledger plan quote usage use
MEDIA    := boxes disk forecast gate image key link name s3 s3_call s3_list store store_now
MODERATE := azure finder normalise openai rules rules_read service verdict
NOTIFY   := deliver delivery endpoint outbox
JOB      := act action adopt callback cancel clock create decide dossier erase erasure explain export hold list moderation offer overview policy quote read request retain retry review search share standing state store tell upload wake weather
SWEEPER  := away books bucket budget check deliver dispatch frames ingest keys line moderate poll prepare queue reference reroute resolve retention room slots sweep task traffic uploads weather wire

CORE := $(BASE:%=base/%) $(IO:%=io/%) $(PROVIDER:%=provider/%) $(ACCOUNT:%=account/%) \
        $(MONEY:%=money/%) $(MODERATE:%=moderate/%) \
        $(MEDIA:%=media/%) $(NOTIFY:%=notify/%) $(JOB:%=job/%)

# ---- programs ----
WEB    := admin_act admin_jobs admin_overview app auth deliveries fcgx file form hooks jobs limits loop media meta models problem query quotes reviews routes sessions shares status storage uploads usage users webhooks
STUDIO := api books deliver drawing files font poke render request words worker
CLI    := main account act callback catalogue db desk doctor erase funds hold job media media_audit moderation orphans plan provider report retention review storage webhook

# ---- build ----
BUILD  ?= build
CC     := gcc
OPT    ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
WARN   := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
          -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings
LIBS_H := $(shell pkg-config --cflags-only-I libmariadb json-c 2>/dev/null | sed 's/-I/-isystem /g')
CFLAGS  = -std=c17 -pedantic -D_DEFAULT_SOURCE -fno-common -MMD -MP $(OPT) $(WARN) -Icore $(LIBS_H) \
          -include core/base/banned.h
LDLIBS := -lmariadb -lcurl -ljson-c -lb2 -lcrypto -linih -licui18n -licuuc -lexpat
LIBS_T := -lcmocka -ljansson

PROGRAMS := $(BUILD)/filmgate $(BUILD)/filmgate-api $(BUILD)/filmgate-hook $(BUILD)/filmgate-studio \
            $(BUILD)/filmgate-sweeper
UNIT  := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
STORE := $(patsubst tests/store/%.c,%,$(wildcard tests/store/*_test.c))
TWEB  := $(patsubst tests/web/%.c,%,$(wildcard tests/web/*_test.c))
BENCH := empty load polls raw

all: $(PROGRAMS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$*))) -c $< -o $@

CFLAGS_tests := -Itests -Ifcgi
CFLAGS_fcgi  := -Ifcgi
# /readyz wants the schema that the last migration makes.
$(BUILD)/fcgi/meta.o: CFLAGS += -DFG_SCHEMA_VERSION=$(shell ls sql/migrations | \
    sed -n 's/^0*\([0-9][0-9]*\)_.*/\1/p' | tail -1)
$(BUILD)/fcgi/meta.o: $(wildcard sql/migrations/*.sql)
# posix_spawn's closefrom and chdir actions are GNU's own
$(BUILD)/core/io/child.o: CFLAGS += -D_GNU_SOURCE

$(BUILD)/libfgcore.a: $(CORE:%=$(BUILD)/core/%.o) $(BUILD)/gen/catalogue_schema.o
	@rm -f $@
	@ar rcs $@ $^

LINK = @echo "  LD    $@"; $(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$(BUILD)/filmgate-sweeper: $(SWEEPER:%=$(BUILD)/core/sweeper/%.o) $(BUILD)/core/sweeper/main.o \
                           $(BUILD)/libfgcore.a
	$(LINK)
$(BUILD)/filmgate: $(CLI:%=$(BUILD)/core/cli/%.o) $(BUILD)/gen/migrations.o $(BUILD)/libfgcore.a
	$(LINK)
$(BUILD)/filmgate-api $(BUILD)/filmgate-hook: $(BUILD)/filmgate-%: $(BUILD)/fcgi/main.o \
                           $(WEB:%=$(BUILD)/fcgi/%.o) $(BUILD)/libfgcore.a
	$(LINK) -lfcgi
$(BUILD)/filmgate-studio: $(BUILD)/fcgi/studio/main.o $(STUDIO:%=$(BUILD)/fcgi/studio/%.o) \
                           $(WEB:%=$(BUILD)/fcgi/%.o) $(BUILD)/libfgcore.a
	$(LINK) -lfcgi

# The studio's own parts, without the pool's half of it.
STUDIO_OWN := $(patsubst %,$(BUILD)/fcgi/studio/%.o,$(filter-out api,$(STUDIO))) $(BUILD)/fcgi/form.o
$(BUILD)/tests/unit/studio_test $(BUILD)/tests/store/studio_test: $(STUDIO_OWN)

$(BUILD)/tests/unit/traffic_test: $(BUILD)/core/sweeper/traffic.o
$(BUILD)/tests/unit/cli_test: $(BUILD)/core/cli/catalogue.o
$(BUILD)/tests/unit/moderation_cli_test: $(patsubst %,$(BUILD)/core/cli/%.o,desk moderation)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/t.o $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T)

# The program carries its schema.
$(BUILD)/gen/migrations.c: sql/embed.sh sql/grants.sql $(wildcard sql/migrations/*.sql)
	@mkdir -p $(@D)
	sql/embed.sh >$@.new
	mv $@.new $@

# The library carries the schema of the catalogue.
$(BUILD)/gen/catalogue_schema.c: core/provider/catalogue.schema.json
	@mkdir -p $(@D)
	@{ echo '#include "base/ctx.h"'; echo 'extern const struct fg_str catalogue_schema;'; \
	    echo 'static const unsigned char text[] = {'; \
	    od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/'; \
	    echo '};'; echo 'const struct fg_str catalogue_schema = { (const char *)text, sizeof text };'; \
	} >$@.new
	@mv $@.new $@
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) -c $< -o $@

# mysql.h says strcpy in its macros: it comes before base/banned.h.
$(BUILD)/core/io/db.o $(BUILD)/core/io/db_link.o $(BUILD)/tests/store/own/%.o \
    $(BUILD)/tests/store/job_world.o: LIBS_H += -include mysql.h

# Tests against a private MariaDB. Those of db.c have statements of their own, and db.c compiled for them.
DB_WORLD := $(BUILD)/tests/store/db_server.o $(BUILD)/core/cli/db.o $(BUILD)/gen/migrations.o
DB_OWN   := -DDB_STATEMENTS='"store/db_test.def"'
DB_TESTS := $(BUILD)/tests/store/db_test $(BUILD)/tests/store/db_fault_test
$(BUILD)/tests/store/own/%.o: core/io/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Itests $(DB_OWN) -c $< -o $@
$(DB_TESTS:%=%.o) $(BUILD)/tests/store/db_thing.o: CFLAGS_tests += $(DB_OWN)
$(DB_TESTS): $(BUILD)/tests/store/%: $(BUILD)/tests/store/%.o $(BUILD)/tests/store/db_thing.o \
             $(BUILD)/tests/store/own/db.o $(BUILD)/tests/store/own/db_link.o \
             $(BUILD)/tests/store/db_proxy.o $(BUILD)/tests/store/db_server.o $(BUILD)/tests/t.o \
             $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T)
# Jobs with a sweeper in process and a fake provider.
JOB_TESTS := act job job_life books brake callback verdict cancel clock deliver dossier funds sweep poll ingest lease moderation money_random overview \
             notify operator parallel prepare erasure retention storage retired routing slots unsure uploads wire
$(JOB_TESTS:%=$(BUILD)/tests/store/%_test): $(BUILD)/tests/store/job_world.o $(BUILD)/tests/store/db_proxy.o \
             $(BUILD)/tests/fakes/provider.o $(BUILD)/tests/fakes/comfy.o $(SWEEPER:%=$(BUILD)/core/sweeper/%.o)
$(BUILD)/tests/store/moderation_test: $(BUILD)/tests/fakes/moderator.o
$(BUILD)/tests/store/notify_test $(BUILD)/tests/store/deliver_test: $(BUILD)/tests/fakes/receiver.o \
             $(BUILD)/tests/store/notify_world.o
$(BUILD)/tests/store/money_random_test $(BUILD)/tests/store/parallel_test: $(BUILD)/tests/store/money_truth.o
$(BUILD)/tests/store/funds_test: $(patsubst %,$(BUILD)/core/cli/%.o,act desk doctor funds plan report)
$(BUILD)/tests/store/erasure_test $(BUILD)/tests/store/retention_test $(BUILD)/tests/store/storage_test: \
             $(patsubst %,$(BUILD)/core/cli/%.o,act desk erase hold media_audit retention storage)
$(BUILD)/tests/store/act_test: $(patsubst %,$(BUILD)/core/cli/%.o,act desk funds hold provider)
$(BUILD)/tests/store/operator_test: $(patsubst %,$(BUILD)/core/cli/%.o,act callback desk orphans)
$(BUILD)/tests/store/%: $(BUILD)/tests/store/%.o $(DB_WORLD) $(BUILD)/tests/t.o $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T)

# Stories with faults in them, of a build with FG_FAULT.
NTH := nth_test play stories_desk stories_job stories_media stories_moderation stories_other
$(BUILD)/tests/fault/nth_test: $(NTH:%=$(BUILD)/tests/fault/%.o) \
             $(BUILD)/tests/store/job_world.o $(BUILD)/tests/store/notify_world.o $(BUILD)/tests/store/db_proxy.o \
             $(BUILD)/tests/fakes/provider.o $(BUILD)/tests/fakes/comfy.o $(BUILD)/tests/fakes/receiver.o $(BUILD)/tests/fakes/moderator.o \
             $(SWEEPER:%=$(BUILD)/core/sweeper/%.o) \
             $(DB_WORLD) $(BUILD)/tests/t.o $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T)

# Requests through routes and handlers in process; fcgx_test speaks FastCGI to a real loop.
$(BUILD)/tests/web/%: $(BUILD)/tests/web/%.o $(BUILD)/tests/web/web_world.o $(WEB:%=$(BUILD)/fcgi/%.o) \
                  $(BUILD)/tests/store/db_server.o $(BUILD)/core/cli/db.o $(BUILD)/gen/migrations.o \
                  $(BUILD)/tests/t.o $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T) -lfcgi

# The store by hand, for tests/s3.
$(BUILD)/tests/s3/drive: $(BUILD)/tests/s3/drive.o $(BUILD)/libfgcore.a
	$(LINK)

$(BUILD)/tests/bench/raw.o: LIBS_H += -include mysql.h
# memmem is GNU's own
$(BUILD)/tests/bench/load.o $(BUILD)/tests/web/status_test.o $(BUILD)/tests/store/ingest_test.o: CFLAGS += -D_GNU_SOURCE
$(BUILD)/tests/bench/load $(BUILD)/tests/bench/polls $(BUILD)/tests/bench/raw: $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o \
                  $(BUILD)/libfgcore.a
	$(LINK)
$(BUILD)/tests/bench/empty: $(BUILD)/tests/bench/empty.o $(WEB:%=$(BUILD)/fcgi/%.o) $(BUILD)/libfgcore.a
	$(LINK) -lfcgi

# A hundred thousand files that have expired, and creations meanwhile; by a database of its own.
$(BUILD)/tests/bench/retention: $(BUILD)/tests/bench/retention.o $(BUILD)/tests/store/job_world.o $(BUILD)/tests/store/db_proxy.o \
             $(BUILD)/tests/fakes/provider.o $(BUILD)/tests/fakes/comfy.o $(SWEEPER:%=$(BUILD)/core/sweeper/%.o) \
             $(DB_WORLD) $(BUILD)/tests/t.o $(BUILD)/libfgcore.a
	$(LINK) $(LIBS_T)
bench-retention: $(BUILD)/tests/bench/retention
	@CMOCKA_MESSAGE_OUTPUT=STDOUT $(BUILD)/tests/bench/retention

# ---- the two commands ----
# Packages first, then make anew: what pkg-config answers above is right only once they are there.
run: packages
	@$(MAKE) -s -j2 all
	@exec nginx/stack.sh

# The C suites a second time with sanitizers: `make SANITIZED=` leaves that out.
SANITIZED ?= build-asan
# Programs that can be killed at named points: see core/base/fault.h.
export FAULT_BUILD ?= build-fault
SANITIZE  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
test: packages-test
	@$(MAKE) -s -j2 all test-programs tests/node_modules/.package-lock.json
	@$(MAKE) -s -j2 BUILD=$(FAULT_BUILD) OPT='$(OPT) -DFG_FAULT' all fault-programs
	@$(if $(SANITIZED),$(MAKE) -s -j2 BUILD=$(SANITIZED) OPT='$(SANITIZE)' test-programs)
	@$(MAKE) -s test-run

packages:
	@nginx/packages.sh run
packages-test:
	@nginx/packages.sh test

# ---- tests: each suite also runs alone ----
T_UNIT  := $(UNIT:%=$(BUILD)/tests/unit/%)
T_STORE := $(STORE:%=$(BUILD)/tests/store/%)
T_WEB   := $(TWEB:%=$(BUILD)/tests/web/%)
T_LINT  := $(filter-out tests/lint/lib.sh,$(wildcard tests/lint/*.sh))
T_E2E   := $(wildcard tests/e2e/*.test.mjs)
T_S3    := $(wildcard tests/s3/*.test.mjs)
T_PROV  := $(wildcard tests/fakes/providers/*.test.mjs) $(wildcard tests/providers/*.test.mjs)
# The longest two go first, so that the others find room beside them; those after them want the machine for themselves.
T_LONG  := $(FAULT_BUILD)/tests/fault/nth_test tests/fault/crash.test.mjs
T_FAULT := $(filter-out $(T_LONG),$(wildcard tests/fault/*.test.mjs)) tests/fault/chaos.sh
T_C     := $(T_UNIT) $(T_STORE) $(T_WEB)
T_ASAN  := $(if $(SANITIZED),$(T_C:$(BUILD)/%=asan:$(SANITIZED)/%))
export BUILD
export CHECK_CC = $(CC) $(filter-out -MMD -MP,$(CFLAGS))

test-programs: $(T_C) $(BUILD)/tests/s3/drive
fault-programs: $(BUILD)/tests/fault/nth_test
test-run:
	@tests/run.sh $(T_LINT) $(T_LONG) $(T_C) $(T_ASAN) $(T_PROV) $(T_S3) $(T_E2E) $(T_FAULT)
test-unit: $(T_UNIT)
	@tests/run.sh $^
test-store: $(T_STORE)
	@tests/run.sh $^
test-web: $(T_WEB)
	@tests/run.sh $^
test-lint:
	@tests/run.sh $(T_LINT)
test-asan:
	@$(MAKE) -s -j2 BUILD=$(SANITIZED) OPT='$(SANITIZE)' test-programs
	@tests/run.sh $(T_ASAN)
test-fault: all tests/node_modules/.package-lock.json
	@$(MAKE) -s -j2 BUILD=$(FAULT_BUILD) OPT='$(OPT) -DFG_FAULT' all fault-programs
	@tests/run.sh $(T_LONG) $(T_FAULT)
# MINUTES of everything going wrong at once, then the books are compared: see tests/README.md.
SEED    ?= fresh
MINUTES ?= 5
chaos: all tests/node_modules/.package-lock.json
	@FILMGATE_LIMITS_DUPLICATE_WINDOW_S=0 MINUTES=$(MINUTES) node tests/fault/chaos/main.mjs $(SEED)
# Six wars, some minutes: too long for `make test`.
chaos-selftest: tests/node_modules/.package-lock.json
	@$(MAKE) -s -j2 BUILD=$(FAULT_BUILD) OPT='$(OPT) -DFG_FAULT' all
	@FILMGATE_LIMITS_DUPLICATE_WINDOW_S=0 BUILD=$(FAULT_BUILD) node tests/fault/chaos/selftest.mjs
test-providers: tests/node_modules/.package-lock.json
	@tests/run.sh $(T_PROV)
test-s3: all $(BUILD)/tests/s3/drive tests/node_modules/.package-lock.json
	@tests/run.sh $(T_S3)
test-e2e: all tests/node_modules/.package-lock.json
	@tests/run.sh $(T_E2E)

tests/node_modules/.package-lock.json: tests/package-lock.json
	@cd tests && npm ci --silent
	@touch $@

# ---- bench: ratios to what this machine can do at best; QUICK=1 is rough and takes some two minutes ----
T_BENCH := $(BENCH:%=$(BUILD)/tests/bench/%)
bench: packages
	@$(MAKE) -s -j2 all bench-programs
	@tests/bench/run.sh
bench-programs: $(T_BENCH)

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY: # keep objects: an executable made again should not compile them again
.PHONY: all clean run test packages packages-test test-programs fault-programs test-run test-unit test-store test-web \
        test-lint test-asan test-fault chaos chaos-selftest test-providers test-s3 test-e2e bench bench-programs bench-retention
