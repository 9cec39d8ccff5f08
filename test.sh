#!/bin/bash
# test.sh: installs what the tests need with apt (Debian 12 or 13), builds, and runs all tests but the lints.
# Tests that compare with captures outside this tree look for them in $TYTO_SHARED (default ../shared) and are skipped
# without them. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")"
. tools/setup.sh
started=$SECONDS

say "Packages"
# shellcheck disable=SC2086
need $BUILD_PACKAGES
# shellcheck disable=SC2086
want $OPTIONAL_PACKAGES

say "Build"
configure build
compile build
echo "done"

say "Tests: meson test -C build --no-suite lint"
status=0
meson test -C build --no-rebuild --print-errorlogs --no-suite lint --logbase tests </dev/null || status=$?

say "Results"
python3 tools/testsum.py build/meson-logs/tests.json || status=1
echo "$((SECONDS - started)) s in all"
exit "$status"
