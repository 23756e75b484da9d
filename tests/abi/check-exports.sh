#!/bin/sh
# Each connector named exports exactly one symbol, the entry, and needs no symbol that the C library does not have.
set -eu
for so in "$@"; do
    exported=$(nm -D --defined-only "$so" | awk '$2 != "A" { print $3 }' | sort | tr '\n' ' ')
    if [ "$exported" != "tieline_connector_v0 " ]; then
        echo "$so exports: $exported" >&2
        exit 1
    fi
    if readelf -d "$so" | grep -E 'NEEDED.*(curl|ssl|crypto|ltdl|sqlite)|TEXTREL|RPATH|RUNPATH'; then
        echo "$so: not allowed in a connector" >&2
        exit 1
    fi
    readelf -d "$so" | grep -q -E 'BIND_NOW|FLAGS_1.*NOW' || {
        echo "$so is not linked with -z now" >&2
        exit 1
    }
done
