#!/bin/sh
# make format: brings all C and C++ sources to the form of .clang-format.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"
need_packages clang-format-14
find "$here/src" -name '*.[ch]' -o -name '*.cc' | sort | xargs clang-format-14 -i
