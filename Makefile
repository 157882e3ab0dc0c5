# lead_system: build, install and test.
#
#   make check         everything, on a machine with only a compiler and make
#   make demo          the main job done on screen
#   make && make install && make installcheck     for DBAs, on their own server
#
# The targets of OWN_GOALS are scripts that install Debian packages when they
# are missing and use a throw-away server; all others are PGXS's.

EXTENSION = lead_system
EXTVERSION = 1.0.0
MODULE_big = lead_system
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
DATA_built = build/lead_system--$(EXTVERSION).sql

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(COPT_WERROR)
SHLIB_LINK = -lcsv

REGRESS = $(shell cat sql/schedule)
REGRESS_OPTS = --load-extension=lead_system
ISOLATION = $(shell cat test/isolation/schedule)
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=lead_system

OWN_GOALS = check demo bench simulate lint format check-matrix er-diagrams

ifneq ($(filter $(OWN_GOALS),$(MAKECMDGOALS)),)

.PHONY: $(OWN_GOALS)
$(OWN_GOALS):
	@scripts/$@.sh

else

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error pg_config or the server's development files are missing: "make check" installs them, or see README.md)
endif

# Bitcode for JIT inlining is of no use for functions that call into the
# server, and would need clang.
override with_llvm = no

PHONE_LIB = lead_system_phone.so
EXTRA_CLEAN = build $(PHONE_LIB) src/phone/*.o

include $(PGXS)

HEADERS_OF_OURS = $(wildcard src/*.h src/*/*.h)
$(OBJS): $(HEADERS_OF_OURS)

build/lead_system--$(EXTVERSION).sql: src/install.list $(wildcard src/*/*.sql) scripts/assemble.sh
	@mkdir -p build
	scripts/assemble.sh src/install.list > $@.tmp && mv $@.tmp $@

# The phone number parser is optional: without libphonenumber's headers it is
# left out, and lead_system understands numbers in E.164 form only.
HAVE_PHONENUMBER := $(shell echo '\#include <phonenumbers/phonenumberutil.h>' | $(CXX) -E -x c++ - >/dev/null 2>&1 && echo yes)
ifeq ($(HAVE_PHONENUMBER),yes)
all: $(PHONE_LIB)
install: install-phone
uninstall: uninstall-phone
else
$(warning libphonenumber is not installed (libphonenumber-dev): building without the phone number parser)
endif

PHONE_SOURCES = src/phone/lead_system_phone.cc src/phone/module.cc
$(PHONE_LIB): $(PHONE_SOURCES) src/phone/lead_system_phone.h
	$(CXX) -std=c++17 -O2 -g -Wall $(COPT_WERROR) -fPIC -Isrc -I$(includedir_server) -shared -o $@ $(PHONE_SOURCES) -lphonenumber

.PHONY: install-phone uninstall-phone
install-phone: $(PHONE_LIB) installdirs
	$(INSTALL_SHLIB) $(PHONE_LIB) '$(DESTDIR)$(pkglibdir)/$(PHONE_LIB)'
uninstall-phone:
	rm -f '$(DESTDIR)$(pkglibdir)/$(PHONE_LIB)'

endif
