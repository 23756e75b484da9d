#!/bin/sh
# The connector header alone: compiles as every language a connector may be written in, without a warning, and has no
# hidden padding in its C11 form. $1: the header's directory; $2: the directory of the released minors: a header that says
# it is one of them must equal its copy.
set -eu
header=$1/tieline.h
minor=$(sed -nE 's/^#define TL_ABI_MINOR ([0-9]+)u$/\1/p' "$header")
released=$2/0.${minor:?the header says no minor}/tieline.h
if [ -e "$released" ]; then
    cmp "$header" "$released" || {
        echo "tieline.h differs from $released: raise the minor, add a copy and a test connector" >&2
        exit 1
    }
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo '#include "tieline.h"' >"$dir/x.c"
cp "$dir/x.c" "$dir/x.cc"
for std in c11 c17 c2x; do
    cc -std=$std -Wall -Wextra -Wpedantic -Wpadded -Werror -I"$1" -fsyntax-only "$dir/x.c"
done
for std in c++11 c++17 c++20; do
    c++ -std=$std -Wall -Wextra -Wpedantic -Wno-missing-field-initializers -Werror -I"$1" -fsyntax-only "$dir/x.cc"
done
