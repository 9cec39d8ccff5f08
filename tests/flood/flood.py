#!/usr/bin/env python3
"""One flood (flood.c) against `tyto replay`, judged. usage: flood.py TYTO FLOOD KIND

A plant is learned first; the flood comes a day later, with a real attack in its middle. Checked:
- peak memory stays under 256 MiB with the default limits, for 1 and for 8 workers, also when every byte of every table
  is touched (MALLOC_PERTURB_: full tables, whatever fills them);
- the stop of the S7 controller and the Modbus write outside the learned range are among the alerts;
- the flood itself is few alerts, whatever its size: eight of a type that come at once are told one by one, all others
  are counted in one; the statistics say what was evicted;
- alerts, devices and links are the same for 1 and for 8 workers;
- the time grows with the packets, not with their square.
TYTO_FLOOD=full in the environment: 10 million flows, a million sources (minutes); else about 20 seconds a kind.
"""
import json
import os
import subprocess
import sys
import tempfile

MIB = 1 << 20
MOST_MEMORY = 256 * MIB
# kind: packets quick and full, the most alerts, counters of --stats of which one must not be zero
KINDS = {
    'flows': (200000, 10000000, 80, ['evictions.flows']),
    'sources': (100000, 1000000, 80, ['evictions.assets']),
    'onebyte': (60000, 2000000, 80, []),
    'jumps': (100000, 2000000, 80, ['streams.gaps']),
    'holes': (100000, 2000000, 80, ['evictions.segments']),
    'halfopen': (200000, 4000000, 80, ['evictions.flows']),
    'fragments': (100000, 2000000, 80, ['evictions.fragments']),
    'clock': (40000, 400000, 800, ['streams.time_rebased']),
}
SLACK = 1.8     # of the time for twice the packets, over twice the time
SHORT_S = 0.3   # shorter runs say nothing about time

failures = []


def check(good, text):
    print(('ok    ' if good else 'FAIL  ') + text)
    if not good:
        failures.append(text)


class Run:
    def __init__(self, tyto, feed, folder, args, touch=False):
        """feed: the command whose output is replayed. Processor seconds and peak memory are of tyto alone."""
        env = {k: v for k, v in os.environ.items() if k != 'MALLOC_PERTURB_'}
        if touch:
            env['MALLOC_PERTURB_'] = '170'
        src = subprocess.Popen(feed, stdout=subprocess.PIPE)
        p = subprocess.Popen([tyto, 'replay', '-q', '-d', folder + '/tyto.db', '-o', folder + '/alerts', '--stats',
                              folder + '/stats'] + args + ['-'], stdin=src.stdout, env=env)
        src.stdout.close()
        _, status, use = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        check(src.wait() == 0 and p.returncode == 0, '%s: exit %d' % (' '.join(args), p.returncode))
        self.cpu, self.rss = use.ru_utime + use.ru_stime, use.ru_maxrss * 1024
        self.stats = json.load(open(folder + '/stats'))
        self.alerts = open(folder + '/alerts').read()


def listing(tyto, what, folder):
    return subprocess.run([tyto, what, '-d', folder + '/tyto.db', '--json'], capture_output=True, check=True).stdout


def counter(stats, path):
    for key in path.split('.'):
        stats = stats[key]
    return stats


def judge_alerts(kind, text, most):
    alerts = [json.loads(x) for x in text.splitlines()]
    check(len(alerts) <= most, '%d alert records, at most %d' % (len(alerts), most))
    stop = [a for a in alerts if a.get('src_ip') == '10.1.0.16' and a.get('dest_ip') == '10.1.0.32'
            and a.get('ot', {}).get('action') == 'stop']
    check(stop, 'the stop of the S7 controller is told: ' + ', '.join(sorted({a['tyto']['id'] for a in stop})))
    write = [a for a in alerts if a.get('src_ip') == '10.1.0.17' and a.get('dest_ip') == '10.1.0.33'
             and a.get('ot', {}).get('action') == 'write' and '4000' in json.dumps(a['ot'].get('objects'))]
    check(write, 'the write far from the learned registers is told: ' + ', '.join(sorted({a['tyto']['id'] for a in write})))
    flood = {a['tyto']['alert_uid'] for a in alerts} - {a['tyto']['alert_uid'] for a in stop + write}
    print('      %d other alerts of a flood of kind %s' % (len(flood), kind))


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in KINDS:
        sys.exit(__doc__)
    tyto, flood, kind = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
    quick, full, most, counters = KINDS[kind]
    n = full if os.environ.get('TYTO_FLOOD') == 'full' else quick
    runs = {}
    with tempfile.TemporaryDirectory(prefix='tyto-flood-') as tmp:
        def fresh(name):
            folder = os.path.join(tmp, name)
            os.mkdir(folder)
            return folder
        learned = fresh('learned')
        Run(tyto, [flood, 'plant', '1200'], learned, ['--learn'])
        database = open(learned + '/tyto.db', 'rb').read()
        for name, packets, workers in (('half', n // 2, '1'), ('one', n, '1'), ('eight', n, '8')):
            folder = fresh(name)
            open(folder + '/tyto.db', 'wb').write(database)
            runs[name] = r = Run(tyto, [flood, kind, str(packets)], folder, ['--detect', '-w', workers], name != 'one')
            r.lists = {what: listing(tyto, what, folder) for what in ('assets', 'links')}
            print('      %s workers: %d packets, %.2f s of CPU, %.1f MiB at most' %
                  (workers, r.stats['packets'], r.cpu, r.rss / MIB))
            check(r.rss < MOST_MEMORY, 'memory under %d MiB' % (MOST_MEMORY // MIB))
            check(r.stats['memory_bytes'] < MOST_MEMORY, 'tables of %.1f MiB' % (r.stats['memory_bytes'] / MIB))
    one, eight, half = runs['one'], runs['eight'], runs['half']
    judge_alerts(kind, one.alerts, most)
    for c in counters:
        check(counter(one.stats, c) > 0, '%s: %d' % (c, counter(one.stats, c)))
    check(one.alerts == eight.alerts, 'alerts are the same for 8 workers')
    for what in one.lists:
        check(one.lists[what] == eight.lists[what], what + ' are the same for 8 workers')
    for what in ('evictions', 'messages', 'events', 'flows', 'streams', 'dropped', 'alerts', 'alert_updates'):
        check(one.stats[what] == eight.stats[what], '%s are counted the same for 8 workers' % what)
    if half.cpu > SHORT_S:
        check(one.cpu < 2 * half.cpu * SLACK, 'twice the packets took %.2f times as long' % (one.cpu / half.cpu))
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
