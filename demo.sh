#!/bin/bash
# demo.sh: builds tyto and shows what it is for, on two captures of a small waterworks that lie in pcaps/plant.
# Installs what it needs with apt (Debian 12 or 13). Safe to run again: it starts from an empty database each time.
set -euo pipefail
cd "$(dirname "$0")"
. tools/setup.sh

out=demo-out
plant=pcaps/plant
started=$SECONDS

tyto() {
    echo "\$ tyto $*"
    build/engine/tyto "$@"
}

echo "Tyto: a passive network sensor for industrial plants. This demonstration sends nothing and changes nothing outside"
echo "this folder, apart from Debian packages that it installs."

say "1. Packages"
# shellcheck disable=SC2086
need $BUILD_PACKAGES

say "2. Build"
configure build
compile build engine/tyto
echo "build/engine/tyto: $(build/engine/tyto --version)"

say "3. Learning: five minutes of an ordinary morning"
echo "A SCADA server polls six controllers and RTUs of four protocols and sets setpoints; an engineering station makes a backup."
rm -rf "$out"
mkdir "$out"
tyto replay --learn -c $plant/site.yaml -d $out/tyto.db -o $out/morning.json $plant/normal.pcap
echo
echo "What was learned in figures. Reading a controller's program out is told even now; a rule sees to that:"
tyto baseline show -d $out/tyto.db | sed -n '1,12p'
echo
tyto alerts -d $out/tyto.db

say "4. Judging: the afternoon, when things go wrong"
echo "A laptop that nobody knows is plugged in, and somebody sits down at it."
tyto replay --detect -c $plant/site.yaml -d $out/tyto.db -o $out/alerts.json $plant/incident.pcap
echo
tyto alerts -d $out/tyto.db --since 2026-01-05T14:00

say "5. One of them in words"
uid=$(build/engine/tyto alerts -d $out/tyto.db --type OT-POL-016 --json | grep -o '"alert_uid":"[0-9a-f]*"' | head -1 | cut -d'"' -f4)
tyto alerts -d $out/tyto.db "$uid"

say "6. The inventory, read from the traffic alone (names are from the configuration)"
tyto assets -d $out/tyto.db
echo
tyto assets -d $out/tyto.db 10.10.1.31

say "7. What is where"
cat <<TXT
database     $out/tyto.db        (SQLite: assets, links, operations, alerts)
alerts       $out/alerts.json    ($(wc -l <$out/alerts.json) lines, for a SIEM)
configuration $plant/site.yaml

Go on from here, with PATH=\$PWD/build/engine:\$PATH :
  tyto alerts -d $out/tyto.db --severity critical          the worst only
  tyto links -d $out/tyto.db --asset plc-pumps --ops       who does what with a controller
  tyto baseline accept -d $out/tyto.db $uid    take that alert for normal from now on
  tyto baseline export -d $out/tyto.db                     what is normal, as a text to review
  tyto replay -d mine.db CAPTURE.pcap                      your own capture
Done in $((SECONDS - started)) s.
TXT
