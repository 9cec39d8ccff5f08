#!/usr/bin/env python3
"""Compare Tyto's reader and decoder with capinfos and tshark, capture by capture.

usage: decode.py DECODE_DUMP [--all | --sample N] [--counts] [FOLDER_OR_FILE...]

DECODE_DUMP is the program built from tests/tools/decode_dump.c. Captures are those under $TYTO_SHARED/pcaps (default
../shared). Where there are none, or no tshark, it says "skipped" (exit status 77).
Compared for every packet of a sample of the captures: innermost IP addresses, protocol, ports, payload lengths as the
headers claim them; and for every capture that capinfos accepts whole the number of packets."""
import collections
import hashlib
import os
import shutil
import subprocess
import sys

# Headers behind which Wireshark goes on and Tyto ends: quoted packets, tunnels that are not taken off.
STOPS = set("""icmp icmpv6 gtp gtpprime teredo l2tp ayiya capwap capwap.data esp lisp lisp-data pfcp socks wlan wlan_radio
radiotap dtls openvpn wg sip llt tzsp usb cflow sflow pktap amt mint bat batadv nflog sctp nsh nhrp""".split())
LINKS = set('eth sll null raw ppp chdlc fr loop'.split())
FIELDS = """frame.number frame.protocols ip.src ip.dst ip.proto ipv6.src ipv6.dst tcp.srcport tcp.dstport tcp.len
udp.srcport udp.dstport udp.length""".split()


def captures(args):
    shared = os.environ.get('TYTO_SHARED', os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../shared'))
    roots = args or [os.path.join(shared, 'pcaps')]
    files = []
    for root in roots:
        if os.path.isfile(root):
            files.append(root)
        for folder, _, names in os.walk(root):
            files += [os.path.join(folder, n) for n in names if n.endswith(('.pcap', '.pcapng', '.cap', '.pcap.gz'))]
    return sorted(files)


def column(text):
    return text.split(',') if text else []


def last(layers, name, values):
    """The value that belongs to the last layer of this name before a stop."""
    n = layers.count(name)
    return values[n - 1] if 0 < n <= len(values) else None


def expected(row):
    """(src, dst, ver, proto, sport, dport, payload) as tshark sees the innermost packet; None: nothing comparable."""
    f = dict(zip(FIELDS, row))
    layers = f['frame.protocols'].split(':')
    for i, name in enumerate(layers):
        if name in STOPS:
            layers = layers[:i]
            break
    if not layers or layers[0] not in LINKS:
        return None
    inner = [x for x in layers if x in ('ip', 'ipv6')]
    if not inner:
        return None
    v4 = inner[-1] == 'ip'
    src = last(layers, inner[-1], column(f[('ip' if v4 else 'ipv6') + '.src']))
    dst = last(layers, inner[-1], column(f[('ip' if v4 else 'ipv6') + '.dst']))
    if src is None or dst is None:
        return None
    tail = layers[len(layers) - 1 - layers[::-1].index(inner[-1]):]
    if 'eth' in tail:  # a frame in a tunnel without IP in it
        return None
    sport = dport = payload = None
    for name in ('tcp', 'udp'):
        if name in tail:
            sport = last(layers, name, column(f[name + '.srcport']))
            dport = last(layers, name, column(f[name + '.dstport']))
            length = last(layers, name, column(f['tcp.len' if name == 'tcp' else 'udp.length']))
            if length is not None:
                payload = int(length) - (0 if name == 'tcp' else 8)
            break
    return src, dst, sport, dport, payload


def tshark(path):
    cmd = ['tshark', '-n', '-r', path, '-T', 'fields', '-E', 'occurrence=a', '-o', 'tcp.check_checksum:FALSE', '-o',
           'ip.check_checksum:FALSE', '-o', 'udp.check_checksum:FALSE']
    for f in FIELDS:
        cmd += ['-e', f]
    out = subprocess.run(cmd, capture_output=True, text=True, errors='replace').stdout
    return [line.split('\t') for line in out.splitlines()]


FRAGMENT, BAD_HEADER = 2, 0x20  # struct layers.what


def differs(want, c):
    src, dst, sport, dport, payload = want
    if c is None:
        return True
    if c[7] != src or c[8] != dst:
        return True
    if sport is None or int(c[-1], 16) & FRAGMENT:  # Wireshark reads ports from a first fragment that stays alone
        return False
    return (c[11], c[12]) != (sport, dport) or (payload is not None and c[14] != str(payload))


def compare(dump, path, verbose):
    """Counts of packets compared, different, and different because their headers contradict themselves."""
    ours = {}
    out = subprocess.run([dump, path], capture_output=True, text=True, errors='replace').stdout
    for line in out.splitlines():
        c = line.split('\t')
        ours[c[1]] = c
    n = wrong = contradictory = 0
    for row in tshark(path):
        row += [''] * (len(FIELDS) - len(row))
        want = expected(row)
        c = ours.get(row[0])
        if want is None:
            continue
        n += 1
        if not differs(want, c):
            continue
        if c and int(c[-1], 16) & BAD_HEADER:
            contradictory += 1
            continue
        wrong += 1
        if verbose and wrong <= 3:
            print(f'  {os.path.basename(path)[-60:]} frame {row[0]}: tshark {row[1]} {want}, ours {c[5:] if c else None}')
    return n, wrong, contradictory


def counts(dump, files):
    bad = 0
    for at in range(0, len(files), 200):
        some = files[at:at + 200]
        info = {}
        out = subprocess.run(['capinfos', '-T', '-r', '-t', '-c'] + some, capture_output=True, text=True).stdout
        for line in out.splitlines():
            name, kind, n = line.rsplit('\t', 2)
            if 'pcap' in kind:  # capinfos takes many things for files: "mime", "btsnoop"
                info[name] = n
        out = subprocess.run([dump, '-c'] + some, capture_output=True, text=True).stdout
        for line in out.splitlines():
            name, n, fault = line.split('\t')
            if name in info and info[name] != n:
                bad += 1
                print(f'  {name}: capinfos {info[name]}, ours {n} {fault}')
    print(f'packet counts: {len(files)} captures, {bad} differ')
    return bad


def main():
    args = sys.argv[1:]
    dump = args.pop(0)
    sample = 60
    everything = '--all' in args
    if '--sample' in args:
        i = args.index('--sample')
        sample = int(args[i + 1])
        del args[i:i + 2]
    args = [a for a in args if not a.startswith('--')]
    files = captures(args)
    if not files or not shutil.which('tshark') or not shutil.which('capinfos'):
        print('skipped: no captures, or no tshark')
        return 77  # Meson's code for it
    bad = counts(dump, files)
    files.sort(key=lambda p: hashlib.sha256(os.path.basename(p).encode()).digest())
    total = collections.Counter()
    for path in files if everything else files[:sample]:
        n, wrong, contradictory = compare(dump, path, True)
        total['packets'] += n
        total['wrong'] += wrong
        total['contradictory'] += contradictory
        total['captures'] += 1
    print(f"decoding: {total['captures']} captures, {total['packets']} packets compared, {total['wrong']} differ, "
          f"{total['contradictory']} more where a header contradicts itself")
    return 1 if bad or total['wrong'] > total['packets'] // 1000 else 0


if __name__ == '__main__':
    sys.exit(main())
