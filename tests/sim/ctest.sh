#!/bin/bash
# ctest.sh SIM random|trace|sweep N: the short form of CTest, or the long one with TIELINE_TEST_LONG.
set -euo pipefail
sim=$1 what=$2 n=$3
case $what in
random) exec "$sim" --jobs 2 --runs "$([ -n "${TIELINE_TEST_LONG-}" ] && echo 5000 || echo "$n")" --seed 1 ;;
trace) exec "$sim" --same-trace --jobs 2 --runs "$([ -n "${TIELINE_TEST_LONG-}" ] && echo 100 || echo "$n")" --seed 77 ;;
sweep) exec "$sim" --sweep --every "$([ -n "${TIELINE_TEST_LONG-}" ] && echo 1 || echo "$n")" ;;
esac
