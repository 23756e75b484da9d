#!/bin/sh
# The connector header alone: compiles as every language a connector may be written in, without a warning, and has no
# hidden padding in its C11 form. $1: the header's directory; $2: the frozen copy of this minor, which it must equal.
set -eu
header=$1/tieline.h
cmp "$header" "$2" || {
    echo "tieline.h differs from $2: raise the minor, add a copy and a test connector" >&2
    exit 1
}
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
