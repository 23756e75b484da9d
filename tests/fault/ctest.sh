#!/bin/bash
# ctest.sh PROGRAM FAULT: the short form of CTest, or a longer one with TIELINE_TEST_LONG. All of it: PROGRAM --every 1.
set -euo pipefail
if [ -n "${TIELINE_TEST_LONG-}" ]; then
    exec "$1" --fault "$2" --every 40
fi
exec "$1" --fault "$2" --every 1500 --scenarios 6
