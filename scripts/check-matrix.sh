#!/bin/sh
# make check-matrix: make check on every PostgreSQL that Debian has: 15 here,
# 17 in a chroot of trixie, 18 in one of forky.  The chroots are kept between
# runs in $CHROOTS; needs root.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"

CHROOTS=${CHROOTS:-/var/tmp/lead_system-chroots}
MATRIX=${MATRIX:-15 17 18}
[ "$(id -u)" = 0 ] || die "make check-matrix needs root, for debootstrap and chroot"
need_packages debootstrap

suite_of() {
    case $1 in
        17) echo trixie ;;
        18) echo forky ;;
        *) die "PostgreSQL $1 is not in the matrix" ;;
    esac
}

# The mirror that this machine uses.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -n 's/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*/\2/p' | grep -v security | head -n 1 |
        grep . || sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -v security | head -n 1
}

# Make the chroot of a suite, unless it is there.  debootstrap of an older
# Debian does not know newer suites; the script of sid fits all of them.
make_chroot() {
    [ -e "$CHROOTS/$1/.complete" ] && return 0
    say "making a chroot of $1"
    rm -rf "${CHROOTS:?}/$1"
    mkdir -p "$CHROOTS"
    debootstrap --variant=minbase "$1" "$CHROOTS/$1" "$(mirror)" /usr/share/debootstrap/scripts/sid >"$CHROOTS/$1.log" 2>&1 ||
        { tail -n 20 "$CHROOTS/$1.log"; die "debootstrap of $1 failed"; }
    # What hides the way to the package servers here, hides it there.
    cp /etc/resolv.conf "$CHROOTS/$1/etc/" 2>/dev/null || true
    cp /etc/apt/apt.conf.d/*proxy* "$CHROOTS/$1/etc/apt/apt.conf.d/" 2>/dev/null || true
    # A caching mirror can be behind a suite that changes daily.
    echo 'Acquire::Check-Valid-Until "false";' >"$CHROOTS/$1/etc/apt/apt.conf.d/99lead_system"
    touch "$CHROOTS/$1/.complete"
}

unmount_all() {
    for suite in trixie forky; do
        umount "$CHROOTS/$suite/dev/shm" 2>/dev/null || true
        umount "$CHROOTS/$suite/proc" 2>/dev/null || true
    done
}
trap unmount_all EXIT
trap 'exit 130' INT TERM HUP

failed=
for version in $MATRIX; do
    say "PostgreSQL $version"
    if [ "$version" = 15 ]; then
        PG_MAJOR=15 "$here/scripts/check.sh" || failed="$failed $version"
        continue
    fi
    suite=$(suite_of "$version")
    root=$CHROOTS/$suite
    make_chroot "$suite"
    mount -t proc proc "$root/proc"
    mkdir -p "$root/dev/shm"
    mount -t tmpfs tmpfs "$root/dev/shm"
    rm -rf "$root/src"
    mkdir "$root/src"
    tar -C "$here" --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.so' -cf - . | tar -C "$root/src" -xf -
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PG_MAJOR="$version" \
        ${SUITES:+SUITES="$SUITES"} ${http_proxy:+http_proxy="$http_proxy"} \
        sh -c 'cd /src && exec scripts/check.sh' || failed="$failed $version"
    unmount_all
done
[ -z "$failed" ] || die "failed on PostgreSQL$failed"
say "all of $MATRIX passed"
