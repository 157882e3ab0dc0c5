# What the scripts of "make check" and its like share; sourced, not run.
#
# Everything happens in a temporary folder: a copy of the sources is built
# there, the server's programs are copied there, and the extension is installed
# into the copy.  PostgreSQL finds its files relative to its programs, so
# neither the installed server nor any cluster of it is touched.

set -eu

say() { printf '%s\n' "== $*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# The server version to test with: $PG_MAJOR, or the newest one installed, or
# the one that Debian offers.
pg_major() {
    if [ -n "${PG_MAJOR:-}" ]; then
        echo "$PG_MAJOR"
    elif ls -d /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
        ls -d /usr/lib/postgresql/*/bin/postgres | cut -d/ -f5 | sort -n | tail -n 1
    else
        apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
    fi
}

# Run a command as root, if that is possible without asking.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo "$@"
    else
        return 126
    fi
}

# Install the Debian packages named, if any is missing.
need_packages() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    say "installing:$missing"
    # shellcheck disable=SC2086
    log=$(mktemp)
    if as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing" >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "Debian packages are missing. Please run:
  apt-get install$missing"
}

# What building and running needs.
build_packages() {
    # Without package lists Debian cannot say which server it offers.
    [ -n "$(pg_major)" ] || as_root apt-get update -qq || true
    major=$(pg_major)
    [ -n "$major" ] || die "no PostgreSQL server found, and none offered by the package sources"
    need_packages gcc g++ make "postgresql-$major" "postgresql-server-dev-$major" libcsv-dev libphonenumber-dev
    PG_MAJOR=$major
    export PG_MAJOR
}

# What the test suites need on top.
test_packages() {
    need_packages "postgresql-$PG_MAJOR-pgtap" "postgresql-$PG_MAJOR-cron" libtap-parser-sourcehandler-pgtap-perl libipc-run-perl
}

# The server must not run as root; as root, work is done as user postgres.
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid postgres --regid postgres --clear-groups env HOME="$TMP" "$@"
    else
        "$@"
    fi
}

# Make the temporary folder; it goes when the script ends, however it ends.
make_temporary() {
    TMP=$(mktemp -d "${TMPDIR:-/tmp}/lead_system.XXXXXX")
    trap cleanup EXIT
    trap 'exit 130' INT TERM HUP
    [ "$(id -u)" = 0 ] && chown postgres: "$TMP"
    chmod 755 "$TMP"
    PGBIN=$TMP/install/usr/lib/postgresql/$PG_MAJOR/bin
    PGXS_DIR=/usr/lib/postgresql/$PG_MAJOR/lib/pgxs
    PATH=$PGBIN:$PATH
    PGHOST=$TMP/socket
    PGPORT=5432
    PGUSER=postgres
    PGDATABASE=postgres
    export TMP PATH PGHOST PGPORT PGUSER PGDATABASE
}

cleanup() {
    status=$?
    trap - EXIT
    if [ -f "$TMP/data/postmaster.pid" ]; then
        as_server_user "$PGBIN/pg_ctl" -D "$TMP/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    rm -rf "$TMP"
    exit $status
}

# Copy the sources and build them, warnings being errors.
build_copy() {
    mkdir -p "$TMP/src"
    tar -C "$1" --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.so' -cf - . | tar -C "$TMP/src" -xf -
    [ "$(id -u)" = 0 ] && chown -R postgres: "$TMP/src"
    say "building for PostgreSQL $PG_MAJOR"
    as_server_user make -s -C "$TMP/src" -j"$(nproc)" \
        PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" COPT_WERROR=-Werror >"$TMP/build.log" 2>&1 ||
        { cat "$TMP/build.log"; die "build failed"; }
}

# Copy the server's programs and install the extension among the copies.
install_copy() {
    as_server_user mkdir -p "$TMP/install/usr/lib/postgresql/$PG_MAJOR" "$TMP/install/usr/share/postgresql"
    as_server_user cp -a "/usr/lib/postgresql/$PG_MAJOR/bin" "$TMP/install/usr/lib/postgresql/$PG_MAJOR/"
    as_server_user mkdir -p "$TMP/install/usr/lib/postgresql/$PG_MAJOR/lib"
    as_server_user find "/usr/lib/postgresql/$PG_MAJOR/lib" -maxdepth 1 -name '*.so' \
        -exec cp -a -t "$TMP/install/usr/lib/postgresql/$PG_MAJOR/lib" {} +
    as_server_user cp -a "/usr/share/postgresql/$PG_MAJOR" "$TMP/install/usr/share/postgresql/"
    as_server_user make -s -C "$TMP/src" install DESTDIR="$TMP/install" \
        PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" >"$TMP/install.log" 2>&1 ||
        { cat "$TMP/install.log"; die "installation into the temporary folder failed"; }
}

# Start a throw-away server on a socket in the temporary folder.
start_cluster() {
    as_server_user mkdir -p "$PGHOST"
    as_server_user "$PGBIN/initdb" -D "$TMP/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$TMP/initdb.log" 2>&1 ||
        { cat "$TMP/initdb.log"; die "initdb failed"; }
    cat >>"$TMP/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PGHOST'
fsync = off
synchronous_commit = off
max_wal_size = 4GB
shared_buffers = 512MB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
${1:-}
CONF
    as_server_user "$PGBIN/pg_ctl" -D "$TMP/data" -l "$TMP/server.log" -w start >/dev/null ||
        { cat "$TMP/server.log"; die "the server did not start"; }
}
