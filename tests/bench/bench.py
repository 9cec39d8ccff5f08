#!/usr/bin/env python3
"""Packets per second of tyto beside the floor, libpcap and Suricata. docs/PERFORMANCE.md tells what it means.

  tests/bench/bench.py [--build build] [--trace FILE] [--rounds 5] [--core N] [--json FILE]

Without --trace it makes one of a million packets: with ../shared/tools/make_bench.py where that is present, else from the
bundled captures (make_trace.py); kept in the build folder for the next time. Every tool runs on one core; the tools take
turns, so that a noisy moment of the machine falls on all of them. Medians of the rounds. A run over ten packets is taken
off each time; one that is not counted comes before both, so that both find memory that was in use a moment before (where
a host takes free memory back, its first touch is the host's work). The CPU time (user and system) is what the ratios are made of; the wall time stands beside it.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, '..', '..'))
SHARED = os.environ.get('TYTO_SHARED', os.path.join(ROOT, '..', 'shared'))


class Failed(Exception):
    pass


class Run:
    """One run of a program: wall and CPU seconds, peak memory, what it printed."""

    def __init__(self, argv, core):
        with tempfile.TemporaryFile() as out:
            t0 = time.monotonic()
            p = subprocess.Popen(['taskset', '-c', str(core)] + argv, stdout=out, stderr=subprocess.STDOUT)
            _, status, use = os.wait4(p.pid, 0)
            self.wall = time.monotonic() - t0
            p.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.text = out.read().decode(errors='replace')
        self.cpu, self.rss = use.ru_utime + use.ru_stime, use.ru_maxrss * 1024
        if p.returncode:
            raise Failed('%s: exit %d\n%s' % (' '.join(argv), p.returncode, self.text[-800:]))


class Tool:
    name = note = ''

    def __init__(self, where):
        self.dir, self.full, self.ten, self.packets, self.extra = where, [], [], 0, {}

    def argv(self, trace):
        raise NotImplementedError

    def clean(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def look(self, run):
        """After a run over the whole trace: what it counted."""

    def run(self, trace, core):
        self.clean()
        return Run(self.argv(trace), core)

    def round(self, trace, ten, core):
        self.run(ten, core)
        self.full.append(self.run(trace, core))
        self.look(self.full[-1])
        self.ten.append(self.run(ten, core))


class Counter(Tool):
    """Prints `pkts N ...`."""

    def __init__(self, where, name, program, *args):
        super().__init__(where)
        self.name, self.program, self.args = name, program, list(args)

    def argv(self, trace):
        return [self.program, trace] + self.args

    def look(self, run):
        self.packets = int(run.text.split()[1])


class Tyto(Tool):
    def __init__(self, where, binary, events):
        super().__init__(where)
        self.binary, self.log = binary, events
        self.name = 'tyto replay -w 1 -e' if events else 'tyto replay -w 1'

    def argv(self, trace):
        d = self.dir
        return ([self.binary, 'replay', '-q', '-w', '1', '-d', d + '/tyto.db', '-o', d + '/alerts.json', '--stats',
                 d + '/stats.json'] + (['-e', d + '/events.json'] if self.log else []) + [trace])

    def look(self, run):
        s = json.load(open(self.dir + '/stats.json'))
        self.packets = s['packets']
        self.extra = {'messages': s['messages'], 'events': s['events'], 'alerts': s['alerts'], 'flows': s['flows'],
                      'memory_bytes': s['memory_bytes'], 'database_bytes': os.path.getsize(self.dir + '/tyto.db')}
        if self.log:
            self.extra['event_bytes'] = os.path.getsize(self.dir + '/events.json')


class Suricata(Tool):
    def __init__(self, where, binary, conf):
        super().__init__(where)
        self.binary, self.conf, self.name = binary, conf, 'Suricata, 100 rules'
        self.version = subprocess.run([binary, '-V'], capture_output=True, text=True).stdout.strip()

    def argv(self, trace):
        return [self.binary, '-c', self.conf + '/evealert.yaml', '-S', self.conf + '/ot100.rules', '-l', self.dir, '-r',
                trace, '--runmode', 'single']

    def look(self, run):
        n = {}
        for line in open(self.dir + '/stats.log'):
            part = [x.strip() for x in line.split('|')]
            if len(part) == 3 and part[2].isdigit():
                n[part[0]] = int(part[2])
        self.packets = n.get('decoder.pkts', 0)
        self.extra = {k: v for k, v in sorted(n.items()) if k == 'detect.alert' or k.startswith(
            ('app_layer.tx.modbus', 'app_layer.tx.dnp3', 'app_layer.tx.enip', 'app_layer.flow.modbus',
             'app_layer.flow.dnp3', 'app_layer.flow.enip'))}
        for proto in ('modbus', 'dnp3', 'enip'):
            if not sum(v for k, v in n.items() if k.startswith('app_layer.tx.' + proto)):
                print('warning: Suricata parsed no %s: the comparison flatters it' % proto, file=sys.stderr)
        rules = self.dir + '/suricata.log'
        if os.path.exists(rules):
            self.extra['rules_log'] = [x.strip() for x in open(rules) if 'rules' in x][:3]


def build_tools(build):
    """The floor and the empty loop; the floor is the one that all peers are measured with, where it is present."""
    subprocess.run(['ninja', '-C', build, 'bench-tools', 'engine/tyto'], check=True, stdout=subprocess.DEVNULL)
    floor, theirs = build + '/tests/bench/floor', SHARED + '/tools/peers/floor_walk.c'
    if os.path.exists(theirs):
        floor = build + '/tests/bench/floor_walk'
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-w', '-include', 'unistd.h', '-o', floor, theirs], check=True)
    loop = build + '/tests/bench/pcap_loop'
    return floor, loop if os.path.exists(loop) else None


def make_trace(build):
    tool, tsv = SHARED + '/tools/make_bench.py', SHARED + '/tools/bench-templates.tsv'
    theirs = os.path.exists(tool) and os.path.exists(tsv)
    path = build + ('/bench-mix.pcap' if theirs else '/bench-own.pcap')
    if os.path.exists(path):
        return path
    print('making', path, file=sys.stderr)
    part = path + '.part'
    if theirs:
        cmd = [tool, '--templates', tsv, '--root', SHARED + '/pcaps', '--out', part, '--duration', '455']
    else:
        cmd = [HERE + '/make_trace.py', '--out', part]
    subprocess.run([sys.executable] + cmd, check=True, stdout=subprocess.DEVNULL)
    os.rename(part, path)
    return path


def first_packets(trace, to, n):
    d = open(trace, 'rb').read(1 << 20)
    at = 24
    for _ in range(n):
        at += 16 + struct.unpack_from('<I' if d[0] in (0xd4, 0x4d) else '>I', d, at + 8)[0]
    open(to, 'wb').write(d[:at])


def result(t):
    med = lambda runs, what: statistics.median(getattr(r, what) for r in runs)
    row = {'tool': t.name, 'packets': t.packets, 'runs': len(t.full), 'peak_rss': max(r.rss for r in t.full),
           'start_wall_s': med(t.ten, 'wall'), 'start_cpu_s': med(t.ten, 'cpu')}
    for what in ('wall', 'cpu'):
        s = max(med(t.full, what) - med(t.ten, what), 1e-6)
        row[what + '_s'] = s
        row[what + '_spread'] = [min(getattr(r, what) for r in t.full), max(getattr(r, what) for r in t.full)]
        row[what + '_pps'] = t.packets / s
        row[what + '_ns'] = s * 1e9 / t.packets
    row.update(t.extra)
    return row


def ratios(rows):
    by = {r['tool']: r for r in rows}
    for r in rows:
        for what in ('cpu', 'wall'):
            for other, key in (('floor, mmap', 'of_floor'), ('floor, read()', 'of_floor_read'), ('pcap_loop', 'of_pcap_loop'),
                               ('Suricata, 100 rules', 'to_suricata')):
                if other in by:
                    r['%s_%s' % (what, key)] = r[what + '_pps'] / by[other][what + '_pps']
    plain, log = by.get('tyto replay -w 1'), by.get('tyto replay -w 1 -e')
    if plain and log:
        events = log['events']
        for what in ('cpu', 'wall'):
            log[what + '_ns_per_event'] = (log[what + '_s'] - plain[what + '_s']) * 1e9 / events


def machine():
    cpu = [x.split(':')[1].strip() for x in open('/proc/cpuinfo') if x.startswith('model name')]
    name = [x.split('=')[1].strip().strip('"') for x in open('/etc/os-release') if x.startswith('PRETTY_NAME')]
    return {'cpu': cpu[0] if cpu else '?', 'cpus': os.cpu_count(), 'kernel': platform.release(),
            'system': name[0] if name else '?', 'load': os.getloadavg(), 'date': time.strftime('%Y-%m-%d %H:%M')}


def share(r, key, form):
    return form % r[key] if key in r else '-'


def table(rows, about):
    print('%(cpu)s, %(cpus)d CPUs, %(system)s, Linux %(kernel)s, load %(l)s; %(date)s'
          % dict(about['machine'], l=' '.join('%.1f' % x for x in about['machine']['load'])))
    print('%s: %d packets, %d bytes; medians of %d; start-up taken off' %
          (os.path.basename(about['trace']), about['packets'], about['bytes'], about['rounds']))
    print()
    print('| tool | Mpps (CPU) | ns a packet | share of the floor | of pcap_loop | times Suricata | Mpps (wall) | peak MiB | start ms |')
    print('|---|---|---|---|---|---|---|---|---|')
    for r in rows:
        print('| %s | %.3f | %.0f | %s | %s | %s | %.3f | %.0f | %.0f |' %
              (r['tool'], r['cpu_pps'] / 1e6, r['cpu_ns'], share(r, 'cpu_of_floor', '%.3f'),
               share(r, 'cpu_of_pcap_loop', '%.3f'), share(r, 'cpu_to_suricata', '%.2f'), r['wall_pps'] / 1e6,
               r['peak_rss'] / 2**20, r['start_wall_s'] * 1e3))
    for name in about['missing']:
        print('| %s | | | | | | | | |' % name)
    for r in rows:
        if 'cpu_ns_per_event' in r:
            print('\n-e: %d events, %.0f ns CPU an event (%.0f ns wall), %.0f bytes a line' %
                  (r['events'], r['cpu_ns_per_event'], r['wall_ns_per_event'], r['event_bytes'] / r['events']))
        if 'messages' in r and 'cpu_ns_per_event' not in r:
            print('\ntyto: %s; %d alerts' % (', '.join('%s %d' % x for x in r['messages'].items()), r['alerts']))
        if r['tool'].startswith('Suricata'):
            print('\n%s: %s' % (about['suricata'], ', '.join(
                '%s %d' % (k.replace('app_layer.', ''), v) for k, v in r.items()
                if k.startswith(('app_layer', 'detect')))))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('--build', default=ROOT + '/build')
    ap.add_argument('--trace')
    ap.add_argument('--rounds', type=int, default=5)
    ap.add_argument('--core', type=int, default=(os.cpu_count() or 1) - 1)
    ap.add_argument('--json', help='all figures as JSON')
    ap.add_argument('--suricata', default=shutil.which('suricata'), help='its program; none: the row says so')
    ap.add_argument('--tmp', help='where databases and logs go meanwhile (a folder on a disk)')
    a = ap.parse_args()
    build = os.path.abspath(a.build)
    floor, loop = build_tools(build)
    trace = os.path.abspath(a.trace) if a.trace else make_trace(build)
    missing, about = [], {'trace': trace, 'bytes': os.path.getsize(trace), 'rounds': a.rounds, 'machine': machine()}
    with tempfile.TemporaryDirectory(prefix='tyto-bench-', dir=a.tmp) as tmp:
        where = lambda n: os.path.join(tmp, n)
        tools = [Counter(where('floor'), 'floor, mmap', floor), Counter(where('floor_read'), 'floor, read()', floor, 'read')]
        if loop:
            tools.append(Counter(where('loop'), 'pcap_loop', loop))
        else:
            missing.append('pcap_loop: libpcap-dev not installed')
        tools += [Tyto(where('tyto'), build + '/engine/tyto', False), Tyto(where('tyto_e'), build + '/engine/tyto', True)]
        peer = SHARED + '/tools/peers/suricata_ot.py'
        if a.suricata and os.path.exists(peer):
            subprocess.run([sys.executable, peer, where('conf')], check=True)
            tools.append(Suricata(where('suricata'), a.suricata, where('conf')))
            about['suricata'] = tools[-1].version
        else:
            missing.append('Suricata 7: ' + ('no ' + peer if a.suricata else 'not installed'))
        ten = where('ten.pcap')
        first_packets(trace, ten, 10)
        for i in range(a.rounds + 1):  # the first round warms the page cache and is not counted
            for t in tools:
                t.round(trace, ten, a.core)
            if not i:
                for t in tools:
                    t.full, t.ten = [], []
            print('round %d of %d' % (i, a.rounds), file=sys.stderr)
    rows = [result(t) for t in tools]
    about['packets'] = rows[0]['packets']
    for r in rows:
        if r['packets'] != about['packets']:
            print('warning: %s saw %d packets' % (r['tool'], r['packets']), file=sys.stderr)
    ratios(rows)
    about.update(missing=missing, rows=rows)
    table(rows, about)
    if a.json:
        json.dump(about, open(a.json, 'w'), indent=1)


if __name__ == '__main__':
    try:
        main()
    except Failed as e:
        sys.exit('bench: %s' % e)
