#!/bin/bash
# release.sh [--install]: the program for daily use, build-release/engine/tyto: optimised as a whole, and once more by
# what it was seen to do most (gcc's -fprofile-use) while it read a long mix of the bundled captures. Debian 12 or 13.
# With --install it is put into /usr/local/bin (as root or with sudo). Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/setup.sh

dir=build-release
trace=$dir/training.pcap
export CC=${CC:-gcc}

# read_twice NAME: learns, then judges, then with every message logged by two workers; alerts in $dir/NAME.json
read_twice() {
    local out=$dir/$1
    rm -f "$out".*
    "$dir/engine/tyto" replay -q -w 1 --learn -d "$out.db" -o "$out.learn.json" "$trace"
    "$dir/engine/tyto" replay -q -w 1 --detect -d "$out.db" -o "$out.json" "$trace"
    "$dir/engine/tyto" replay -q -w 2 -d "$out.2.db" -o "$out.2.json" -e /dev/null "$trace"
    rm -f "$out".db* "$out".2.db*
}

case ${1:-} in '' | --install) ;; *) echo "usage: $0 [--install]" >&2; exit 64 ;; esac

say "1. Packages"
# shellcheck disable=SC2086
need $BUILD_PACKAGES

say "2. Build that counts what it does"
rm -rf "$dir" # counters of an older tree would mislead
configure "$dir" --buildtype=release -Db_lto=true -Db_pgo=generate -Dc_args=-fprofile-update=prefer-atomic
compile "$dir" engine/tyto

say "3. Training"
python3 tests/bench/make_trace.py --packets 300000 --out "$trace" >/dev/null
read_twice counted

say "4. Build by these counts"
# What the training did not meet is compiled as without a profile, not for size: plants differ. Structures are cleared
# and copied by the library: gcc's "rep stos" and "rep movs" are slower (docs/PERFORMANCE.md).
flags=-fprofile-partial-training
[ "$(uname -m)" != x86_64 ] || flags="$flags -mstringop-strategy=libcall"
meson configure "$dir" -Db_pgo=use -Dc_args="$flags"
compile "$dir" engine/tyto
read_twice optimised
for part in learn.json json 2.json; do
    cmp "$dir/counted.$part" "$dir/optimised.$part"
done
rm -f "$trace" "$dir"/counted.* "$dir"/optimised.*
echo "$dir/engine/tyto: $("$dir/engine/tyto" --version); it raises the same alerts as the plain build"

if [ "${1:-}" = --install ]; then
    say "5. Install"
    run=()
    [ "$(id -u)" = 0 ] || run=(sudo)
    "${run[@]}" install -m 755 "$dir/engine/tyto" /usr/local/bin/tyto
    echo "/usr/local/bin/tyto; docs/CAPTURE.md tells how to run it as a service"
fi
