#!/bin/bash
# demo.sh: builds tyto and shows what it is for, on two captures of a small waterworks that lie in pcaps/plant.
# Installs what it needs with apt (Debian 12 or 13), as root or with sudo. Safe to run again: it starts from an empty
# database each time.
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

echo "Tyto: a passive network sensor for industrial plants. This demonstration sends nothing to any network and changes"
echo "nothing outside this folder, apart from the Debian packages that it installs."

say "1. Packages"
# shellcheck disable=SC2086
need $BUILD_PACKAGES

say "2. Build"
configure build
compile build engine/tyto
echo "build/engine/tyto: $(build/engine/tyto --version)"

say "3. Learning: five minutes of an ordinary morning"
echo "A SCADA server polls four controllers and two RTUs over five protocols and sets setpoints; a panel reads; an"
echo "engineering station asks who is there and makes a backup of one program."
rm -rf "$out"
mkdir "$out"
tyto replay --learn -c $plant/site.yaml -d $out/tyto.db -o $out/morning.json $plant/normal.pcap
echo
echo "All of it is the baseline now. One thing is worth a word even while learning; rules see to that:"
tyto alerts -d $out/tyto.db

say "4. Judging: the afternoon, when things go wrong"
echo "A laptop that nobody knows is plugged in. It looks around, programs and stops a controller, changes the mode of"
echo "another, and takes over the desktop of the SCADA server. Later the engineering station repairs one of the two."
tyto replay --detect -c $plant/site.yaml -d $out/tyto.db -o $out/alerts.json $plant/incident.pcap
echo
tyto alerts -d $out/tyto.db --since 2026-01-05T14:00

say "5. One of them in words"
uid=$(build/engine/tyto alerts -d $out/tyto.db --type OT-POL-016 --json | grep -o '"alert_uid":"[0-9a-f]*"' | head -1 |
    cut -d'"' -f4)
tyto alerts -d $out/tyto.db "$uid"

say "6. The inventory: read from the traffic alone, but for the names"
tyto assets -d $out/tyto.db

say "7. What is where"
cat <<TXT
database       $out/tyto.db        SQLite: assets, links, operations, alerts
alerts         $out/alerts.json    what a SIEM would read: a JSON line each alert and each update, $(wc -l <$out/alerts.json) lines
configuration  $plant/site.yaml
captures       $plant/normal.pcap, $plant/incident.pcap

Go on from here:
  export PATH=\$PWD/build/engine:\$PATH
  tyto assets -d $out/tyto.db plc-dosing                  all that is known of one device
  tyto links -d $out/tyto.db --asset plc-pumps --ops      who does what with a controller
  tyto baseline export -d $out/tyto.db                    what is normal, as a text to review
  tyto baseline accept -d $out/tyto.db $uid   take the alert of part 5 for normal
  tyto replay -d mine.db CAPTURE.pcap                         a capture of your own
TXT
echo
echo "Done in $((SECONDS - started)) s."
