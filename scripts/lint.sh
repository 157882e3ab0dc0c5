#!/bin/sh
# make lint: the rules that a script can check.  Prints a TAP line per rule and
# the offending places.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"
cd "$here"

# rule NAME: reads offending places from standard input; none is good.  Runs
# at the end of a pipe, hence in a process of its own: the number of the rule
# and the verdict are kept in files.
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
echo 0 >"$state/number"
rule() {
    number=$(($(cat "$state/number") + 1))
    echo "$number" >"$state/number"
    found=$(cat)
    if [ -z "$found" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '%s\n' "$found" | sed 's/^/#   /' | head -n 40
        touch "$state/failed"
    fi
}

sources() { find src \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) | sort; }

# Names and limits of the layout.
sources | xargs wc -l | awk '$1 > 500 && $2 != "total" { print $2 ": " $1 " lines" }' |
    rule "no source file has more than 500 lines"
sources | xargs awk 'FNR == 1 { s = 0 } /^\{/ { s = FNR } /^\}/ { if (s && FNR - s > 60) print FILENAME ":" s ": " FNR - s " lines"; s = 0 }' |
    rule "no function has more than 60 lines"
sources | grep -v core/compat.h | xargs grep -nE 'PG_VERSION_NUM|PG_MAJORVERSION_NUM' |
    rule "server versions are known to src/core/compat.h only"
sources | xargs -n1 sh -c 'sed -n 1p "$0" | grep -q "^/\*---" || echo "$0"' |
    rule "each source file opens with what it is for"
for f in $(sources | grep '\.c$'); do
    grep -m1 '#include' "$f" | grep -q '"postgres.h"' || echo "$f"
done | rule "postgres.h is included first"

# A function has a comment above it, unless it is a prototype or Init.
sources | grep '\.c$' | xargs awk '
    FNR == 1 { prev = ""; prev2 = "" }
    /^[a-z][a-zA-Z0-9_]*\(/ && prev !~ /;$/ && prev ~ /^[a-zA-Z]/ {
        name = $0; sub(/\(.*/, "", name)
        if (before !~ /\*\/$/ && before !~ /PG_FUNCTION_INFO_V1/ && name !~ /_init$/ && name != "_PG_init") missing[FILENAME ":" FNR ": " name] = 1
    }
    { if ($0 !~ /^$/) { before = prev; prev = $0 } }
    END { for (m in missing) print m }' | sort |
    grep -vE ': (ls_[a-z0-9_]+|set_[a-z]+|get_[a-z_]+|is_[a-z]+)$' |
    rule "functions say what they are for"

# Errors.
sources | xargs awk '/ereport\(ERROR/ { start = FNR; text = "" } start { text = text $0; if (/;[ \t]*$/) { if (text !~ /errcode\(/) print FILENAME ":" start; start = 0 } }' |
    rule "every ereport(ERROR) has an errcode"
sources | xargs grep -nE 'errmsg\("[A-Z][a-z]' | rule "primary messages begin in lower case"
sources | xargs grep -nE 'errmsg\("[^"]*\.",?\)' | rule "primary messages have no period"
for code in $(sed -n "s/.*MAKE_SQLSTATE('\(.\)', '\(.\)', '\(.\)', '\(.\)', '\(.\)').*/\1\2\3\4\5/p" src/core/errors.h); do
    grep -q "$code" docs/errors.md || echo "$code is not in docs/errors.md"
done | rule "docs/errors.md lists our error codes"
errcodes=$(ls /usr/include/postgresql/*/server/utils/errcodes.h | tail -n 1)
for name in $(sources | xargs grep -hoE 'errcode\(ERRCODE_[A-Z0-9_]+' | sed 's/.*(//' | grep -v INTERNAL_ERROR | sort -u); do
    code=$(grep -w "$name" "$errcodes" | grep -o "'.'" | tr -d "'\n")
    grep -q "${code:-none}" docs/errors.md || echo "$name ($code) is not in docs/errors.md"
done | rule "... and those of the server that are raised"

for f in $(sources | grep '\.c$'); do
    domain=$(dirname "$f")
    [ "$(basename "$f" .c)" = "$(basename "$domain")" ] || [ ! -f "$domain/README.md" ] || grep -q "$(basename "$f")" "$domain/README.md" || echo "$f"
done | rule "each domain's README.md says what its files are for"

# Exported symbols: what is not static begins with ls_ (PostgreSQL 15 exports all of it).
sources | grep '\.c$' | xargs awk '/^[a-zA-Z_][a-zA-Z0-9_ ]*[ *]$|^[a-zA-Z_][a-zA-Z0-9_ *]*$/ { type = $0; next }
    /^[a-zA-Z_][a-zA-Z0-9_]*\(/ { if (type != "" && type !~ /static/) { n = $0; sub(/\(.*/, "", n); if (n !~ /^ls_/ && n != "_PG_init") print FILENAME ":" FNR ": " n } } { type = "" }' |
    rule "exported symbols begin with ls_"

# SQL.
sql=$(find src -name '*.sql' | sort)
grep -nE 'IF NOT EXISTS|OR REPLACE|CASCADE;' $sql | rule "install scripts adopt nothing and drop nothing"
for f in $sql; do grep -qxF "$f" src/install.list || echo "$f"; done | rule "every SQL part is in src/install.list"
grep -v '^#' src/install.list | while read -r f; do [ -f "$f" ] || echo "$f"; done | rule "src/install.list names files that exist"
grep -nE 'SECURITY DEFINER|LANGUAGE plpgsql' $sql | rule "no SECURITY DEFINER and no PL/pgSQL ship"
grep -nE '= *(lead_system\.)?current_org_id\(\)' $sql | grep -v 'SELECT lead_system.current_org_id()' | rule "policies call current_org_id() once per query"

# What has to happen because time passes is a job of run_maintenance(): a function
# that takes a batch and returns how many, or whose comment says that it is one.
jobs=src/maintenance/jobs.c
cat $sql | awk '/^COMMENT ON FUNCTION lead_system\./ { name = $4; sub(/^lead_system\./, "", name); sub(/\(.*/, "", name); next }
    name != "" { if (/scheduler/) print name; name = "" }' >"$state/scheduled"
cat $sql | sed -n 's/^CREATE FUNCTION lead_system\.\([a-z_]*\)(batch integer[^)]*) RETURNS bigint.*/\1/p' | cat - "$state/scheduled" | sort -u |
    while read -r f; do grep -qF "lead_system.$f(" $jobs || echo "$f"; done | rule "what is for a scheduler is a job of maintenance"
grep -oE '"SELECT lead_system\.[a-z_]+\((\$1)?\)"' $jobs | sed 's/.*\.\([a-z_]*\)(.*/\1/' |
    while read -r f; do grep -qx "$f" "$state/scheduled" || echo "$f"; done | rule "... and says so in its comment"

# Tests are run, and none is left out.
for f in sql/*.sql; do n=$(basename "$f" .sql); grep -qxF "$n" sql/schedule || echo "$f"; done 2>/dev/null | grep -v '\*' | rule "every pg_regress test is scheduled"
for f in test/isolation/specs/*.spec; do n=$(basename "$f" .spec); grep -qxF "$n" test/isolation/schedule || echo "$f"; done 2>/dev/null | grep -v '\*' | rule "every isolation test is scheduled"
for n in $(cat sql/schedule); do [ -f "expected/$n.out" ] || echo "expected/$n.out"; done | rule "every pg_regress test has expected output"
grep -nE 'pg_sleep' $(find sql test -name '*.sql' -o -name '*.spec' 2>/dev/null) /dev/null | rule "no test waits on the clock"

# Documentation.
for d in src/*/; do [ -f "${d}README.md" ] || echo "$d"; done | rule "every folder of src has a README"
for f in *.md docs/*.md src/*/README.md; do
    grep -oE '\]\([^):#]+' "$f" | cut -c3- | grep -vxE 'https?' | while read -r target; do [ -e "$(dirname "$f")/$target" ] || echo "$f: $target"; done
done | rule "links of the documentation lead somewhere"
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" lead_system.control)
{
    grep -qF "\"version\": \"$version\"" META.json || echo META.json
    grep -qF "## $version" CHANGELOG.md || echo CHANGELOG.md
} | rule "META.json and CHANGELOG.md know the version of lead_system.control"

# Nothing unfinished, no machine paths.
git ls-files 2>/dev/null | grep -vE '^(scripts/lint.sh|docs/.*\.svg)$' | xargs grep -nE '(^|[^X])(TODO|FIXME|XXX|HACK)([^X]|$)' 2>/dev/null | rule "nothing is marked as unfinished"
git ls-files 2>/dev/null | grep -vE '^(scripts/|\.ci/|docs/.*\.svg)' | xargs grep -nE '(^|[^a-zA-Z0-9._])/(home|root|work)/' 2>/dev/null | rule "no machine paths"

# Formatter and static analysis, where Debian has the pinned versions.
if apt-cache show clang-format-14 >/dev/null 2>&1; then
    need_packages clang-format-14 cppcheck >/dev/null
    sources | xargs clang-format-14 --dry-run --Werror 2>&1 | grep 'error:' | rule "sources have the form of .clang-format"
    cppcheck --quiet --force --inline-suppr --std=c99 --enable=warning,portability --suppress=missingInclude \
        --suppress=preprocessorErrorDirective --suppress=unknownMacro --suppress=syntaxError -Isrc src 2>&1 |
        grep -E '(error|warning|portability):' | rule "cppcheck finds nothing"
fi
[ ! -e "$state/failed" ]
