# setup.sh: what demo.sh, test.sh and .ci/run share; to be sourced in the root of the tree.
# Debian 12 and 13. Everything is safe to do twice.

BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config python3 libndpi-dev libyaml-dev libjansson-dev libsqlite3-dev
    zlib1g-dev libpcap-dev check ieee-data"

# What the tests use where it is to be had: DPDK (some 100 small packages), network namespaces.
OPTIONAL_PACKAGES="libdpdk-dev iproute2 procps"

say() {
    printf '\n== %s\n' "$*"
}

# need PACKAGE...: installs what is missing, with apt, as root or with sudo; asks for nothing when nothing is missing.
need() {
    local missing=() p run=()
    for p in "$@"; do
        dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed' || missing+=("$p")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "all packages are installed"
        return
    fi
    echo "installing: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "$0: needs root or sudo for: apt-get install ${missing[*]}" >&2
            exit 1
        fi
        run=(sudo)
    fi
    run+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    local log
    log=$(mktemp)
    if ! "${run[@]}" update </dev/null >"$log" 2>&1 ||
        ! "${run[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        echo "$0: the packages could not be installed" >&2
        exit 1
    fi
    rm -f "$log"
}

# want PACKAGE...: as need, but without them things go on.
want() {
    (need "$@") || echo "goes on without: $*"
}

# configure DIR [MESON OPTION]...: a build folder, made anew when it is not usable (another compiler, a moved tree).
configure() {
    local dir=$1 log
    shift
    log=$(mktemp)
    if [ -f "$dir/build.ninja" ] && meson setup --reconfigure "$dir" "$@" >"$log" 2>&1; then
        rm -f "$log"
        return
    fi
    rm -rf "$dir"
    if ! meson setup "$dir" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# compile DIR [TARGET]...: prints the compiler's words only when they are needed.
compile() {
    local dir=$1 log
    shift
    log=$(mktemp)
    if ! ninja -C "$dir" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    grep -E 'warning:' "$log" || true
    rm -f "$log"
}
