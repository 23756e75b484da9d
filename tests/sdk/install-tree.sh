#!/bin/bash
# install-tree.sh BUILD_DIR CONNECTOR_DIR
# Installs the sdk component of BUILD_DIR into a scratch tree, builds the connector of CONNECTOR_DIR against it, once by
# CMake and once by pkg-config and a plain compiler call, and checks what each module exports.
set -euo pipefail
build=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/moved

cmake --install "$build" --prefix "$scratch/first" --component sdk >/dev/null
mv "$scratch/first" "$tree" # the package must not know where it was installed
if grep -rIl -e "$build" -e "$scratch/first" "$tree"; then
    echo "the files above name the build or install directory" >&2
    exit 1
fi

check_exports() {
    local names
    names=$(nm -D --defined-only "$1" | awk '{print $3}')
    if [ "$names" != tieline_connector_v0 ]; then
        printf '%s exports: %s\n' "$1" "$names" >&2
        exit 1
    fi
    readelf -d "$1" | grep -q 'BIND_NOW\|NOW' || { echo "$1 is not bound at load" >&2; exit 1; }
}

cmake -G Ninja -S "$source" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$tree" >"$scratch/log" 2>&1 &&
    cmake --build "$scratch/build" >>"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
check_exports "$scratch/build/connectors/minimal.so"

PKG_CONFIG_PATH=$(dirname "$(find "$tree" -name tieline.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # the flags are words
cc -std=c11 -shared -fPIC -fvisibility=hidden $(pkg-config --cflags tieline) -o "$scratch/plain.so" "$source/minimal.c" \
    $(pkg-config --libs tieline) -Wl,-z,defs -Wl,-z,now \
    -Wl,--version-script="$(pkg-config --variable=connectormap tieline)"
check_exports "$scratch/plain.so"

# A connector that uses what it does not link must fail here, not at the operator's.
printf 'extern int no_such_function(void); int go(void); int go(void) { return no_such_function(); }\n' >"$scratch/bad.c"
mkdir "$scratch/bad"
sed 's/minimal\.c/..\/bad.c/' "$source/CMakeLists.txt" >"$scratch/bad/CMakeLists.txt"
cmake -G Ninja -S "$scratch/bad" -B "$scratch/bad/build" -DCMAKE_PREFIX_PATH="$tree" >/dev/null
if cmake --build "$scratch/bad/build" >"$scratch/log" 2>&1; then
    echo "an undefined symbol was linked without complaint" >&2
    exit 1
fi
grep -q no_such_function "$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
echo "ok: built from the install tree by CMake and by pkg-config"
