#!/usr/bin/env python3
"""sight.py: what the sensor knows of what it does not see: packets lost on the way to it, one direction alone.

  sight.py TYTO SOURCE_ROOT [CASE...]

Each capture is replayed with one worker, with three and with eight, as in run.py, and says the same each time.
"""
import struct
import sys

import cases
from cases import case
from run import pairs, play, poll, polls, read_regs, regs, trace

import decode  # noqa: E402
import dnp3  # noqa: E402
import goose  # noqa: E402
import iec104  # noqa: E402

cases.CASES.clear()


def lose(t, lost):
    """The packets whose numbers (from 0) are in `lost` never came."""
    t.packets = [p for i, p in enumerate(t.packets) if i not in lost]


def unseen(r):
    u = r.stats["unseen"]
    return u["holes"], u["bytes"], u["messages"], u["frames"]


def of_devices(r, ip):
    return [a for a in r.alerts if ip in (a.get("src_ip"), a.get("dest_ip"))]


# ---- TCP: acknowledged, and never seen ----

@case
def bytes_acknowledged_but_never_seen():
    t = trace(step=0.02)
    t.vlan = 7
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    lost = set()
    for k in range(43):
        if k % 4 == 3:
            lost.add(len(t.packets) + 1)  # the answer
        poll(c, k)
        t.wait(0.1)
    lose(t, lost)
    r = play(t)
    assert unseen(r) == (10, 10 * len(regs(0)), 0, 0), r.stats["unseen"]
    assert r.stats["unseen"]["ports"] == [{"interface": "", "vlan": 7, "holes": 10, "bytes": 130, "messages": 0,
                                           "frames": 0}], r.stats["unseen"]
    alert, = r.of("OT-OPS-012")
    assert "VLAN 7" in alert["tyto"]["why"] and alert["tyto"]["count"] == 10, alert


@case
def a_hole_in_a_burst():
    """The segments behind the hole are here; the acknowledgement covers all."""
    t = trace(step=0.0001)
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    for k in range(6):
        c.to_server(b"".join(read_regs(8 * k + i) for i in range(4)))
        c.to_client(b"".join(regs(8 * k + i) for i in range(8)), cut=[26, 52, 78])
        t.wait(0.2)
    lose(t, {3 + 5 * k + 2 for k in range(5)})
    r = play(t)
    assert unseen(r) == (5, 5 * 26, 0, 0), r.stats["unseen"]
    assert not r.of("OT-OPS-012"), "few"


@case
def what_follows_a_hole_is_marked():
    t = trace(start=1767607872.0 - 1767607872 % 60)
    early, hurt, late, last = (t.tcp(f"10.0.0.{i}", 50000, f"10.0.1.{i}", 502, handshake=False) for i in range(1, 5))
    poll(early, 1)
    for k in range(4):
        poll(hurt, k)
        t.wait(1)
    lost = len(t.packets) + 1
    polls(t, [hurt], 5, wait=1)
    poll(late, 1)
    for _ in range(40):  # time passes: three minutes
        t.wait(5)
        poll(hurt, 9)
    poll(last, 1)
    lose(t, {lost})
    r = play(t)
    assert unseen(r)[0] == 1, r.stats["unseen"]
    for n, marked in ((1, False), (3, True), (4, False)):
        alerts = of_devices(r, f"10.0.1.{n}")
        assert alerts and all(a["tyto"]["quality"]["loss"] is marked for a in alerts), (n, marked, alerts)


@case
def no_hole_where_nothing_is_missing():
    def again(t, c):  # by the sender, and keep-alives
        for k in range(20):
            c.to_server(read_regs(k))
            t.wait(0.3)
            c.raw(True, read_regs(k), seq_offset=-12)
            c.to_client(regs(k))
            c.raw(True, b"", flags=0x10)
            t.wait(1)
            c.raw(False, b"\0", seq_offset=-1)
            c.raw(True, b"", flags=0x10)

    def lost_on_the_wire(t, c):  # sent again before it is acknowledged
        for k in range(20):
            c.skip(True, 12)
            c.to_server(read_regs(k))
            c.raw(True, read_regs(k), seq_offset=-24)
            c.to_client(regs(k))
            t.wait(1)

    def swapped(t, c):  # two ports of a mirror
        for k in range(20):
            poll(c, k)
            t.packets[-2:] = [(t.packets[-2][0], t.packets[-1][1]), (t.packets[-1][0], t.packets[-2][1])]
            t.wait(1)

    def one_side(t, c):
        polls(t, [c], 20, wait=1)
        t.packets = [p for p in t.packets if p[1][30:34] == bytes([10, 0, 1, 1])]

    def closed(t, c):
        polls(t, [c], 5, wait=1)
        c.close()

    for what in (again, lost_on_the_wire, swapped, one_side, closed):
        for handshake in (True, False):
            t = trace()
            what(t, t.tcp("10.0.0.1", 50000, "10.0.1.1", 502, handshake=handshake))
            r = play(t)
            assert unseen(r) == (0, 0, 0, 0), (what.__name__, r.stats["unseen"])


@case
def headers_alone_are_cut_and_no_loss():
    t = trace()
    polls(t, pairs(t), 20)
    t.cut = 54
    r = play(t)
    assert unseen(r) == (0, 0, 0, 0) and r.stats["truncated"] > 100, r.stats


# ---- sequence numbers ----

@case
def iec104_frames_in_a_hole():
    t = trace()
    link, lost = iec104.Link(t), set()
    for k in range(20):
        if k in (5, 6, 12):
            lost.add(len(t.packets))
        link.tell(13, 3, b"\x64\x01\x00" + struct.pack("<fB", 1.5, 0))
        t.wait(0.1)
    lose(t, lost)
    t.packets = [p for p in t.packets if p[1][26:30] == bytes(map(int, iec104.SERVER.split(".")))]  # one side alone
    r = play(t)
    assert unseen(r) == (2, 0, 3, 0), r.stats["unseen"]


@case
def iec104_numbers_that_jump_are_no_hole():
    t = trace()
    link = iec104.Link(t)
    for k in range(20):
        if k == 9:
            link.ns[1] += 3  # with every byte of the stream
        link.tell(13, 3, b"\x64\x01\x00" + struct.pack("<fB", 1.5, 0))
        t.wait(0.1)
    r = play(t)
    assert unseen(r) == (0, 0, 0, 0), r.stats["unseen"]
    assert any("seq_gap" in str(e["ot"]["anomalies"]) or "sequence" in str(e["ot"]["anomalies"]) for e in r.events)


@case
def dnp3_requests_left_out():
    for carrier in ("tcp", "udp"):
        t, lost = trace(), set()
        pair = dnp3.tcp(t) if carrier == "tcp" else dnp3.Pair(t, ((dnp3.MASTER_IP, 20000), (dnp3.RTU_IP, 20000)))
        for k in range(40):
            if k in (20, 35):
                lost |= {len(t.packets), len(t.packets) + 1}
            pair.ask(dnp3.READ, dnp3.classes(1))
        lose(t, lost)
        t.packets = [p for p in t.packets if p[1][26:30] == bytes(map(int, dnp3.MASTER_IP.split(".")))]  # one side alone
        r = play(t)
        assert unseen(r) == (2, 0, 2, 0), (carrier, r.stats["unseen"])


@case
def dnp3_masters_that_count_otherwise():
    t = trace()
    pair = dnp3.Pair(t, ((dnp3.MASTER_IP, 20000), (dnp3.RTU_IP, 20000)))
    for k in range(60):  # one number for several outstations
        pair.seq += k % 3
        pair.ask(dnp3.READ, dnp3.classes(1))
    r = play(t)
    assert unseen(r) == (0, 0, 0, 0), r.stats["unseen"]


@case
def goose_messages_left_out():
    t, lost = trace(), set()
    p = goose.Publisher(t)
    for k in range(30):
        if k in (10, 11, 20):
            lost.add(len(t.packets))
        p.send()
        t.wait(0.5)
    lost.add(len(t.packets))
    p.change([goose.boolean(1), goose.quality(), goose.dbpos(2), goose.quality()])
    p.burst(0.004, 0.008)
    lose(t, lost)
    assert unseen(play(t)) == (3, 0, 4, 0)
    t = trace()
    p = goose.Publisher(t)
    for k in range(10):  # starts anew, or another publisher speaks
        p.send()
        t.wait(0.5)
    p.st, p.sq = 1, 0
    for k in range(10):
        p.send()
        t.wait(0.5)
    p.st += 5000
    p.send()
    assert unseen(play(t)) == (0, 0, 0, 0)


def sampled(t, count, appid=0x4000, sv_id=b"MU01", n_asdu=1):
    """IEC 61850-9-2: n ASDUs of which the first has smpCnt `count`."""
    def ber(tag, v):
        return bytes([tag, len(v)]) + v if len(v) < 128 else bytes([tag, 0x81, len(v)]) + v
    asdus = b"".join(ber(0x30, ber(0x80, sv_id) + ber(0x82, struct.pack(">H", count + i)) +
                         ber(0x83, b"\0\0\0\1") + ber(0x85, b"\2") + ber(0x87, b"\0" * 8)) for i in range(n_asdu))
    pdu = ber(0x60, ber(0x80, bytes([n_asdu])) + ber(0xA2, asdus))
    t.eth("01:0c:cd:04:00:01", "00:a0:f4:00:00:01", 0x88BA, struct.pack(">HHHH", appid, len(pdu) + 8, 0, 0) + pdu)


def cyclic_data(t, count, frame_id=0x8001, back=False):
    ends = ["00:0e:8c:00:00:01", "00:0e:8c:00:00:02"]
    t.eth(ends[back], ends[not back], 0x8892, struct.pack(">H", frame_id) + b"\x80" * 40 +
          struct.pack(">HBB", count & 0xFFFF, 0x35, 0))


@case
def sampled_values_left_out():
    for n_asdu in (1, 2):
        t = trace(step=0.00025)
        t.vlan = 3
        for k in range(200):
            if k not in (50, 120, 121):
                sampled(t, k % 90 * n_asdu, n_asdu=n_asdu)  # a new second each 90
            if k != 70:
                sampled(t, k * n_asdu, sv_id=b"MU02", n_asdu=n_asdu)
        assert unseen(play(t)) == (3, 0, 4, 0), n_asdu
    t = trace(step=0.00025)  # not steady: nothing is said
    for k in range(100):
        sampled(t, k * k % 251)
    for k in range(30):
        sampled(t, k)
    sampled(t, 3000)  # began anew
    assert unseen(play(t)) == (0, 0, 0, 0)


@case
def profinet_frames_left_out():
    t = trace(step=0.001)
    for k in range(2000):  # the counter wraps after 1024 frames of 2 ms
        if k not in (100, 1023, 1024, 1500):
            cyclic_data(t, 64 * k)
        cyclic_data(t, 64 * k + 7, back=True)  # the other way, the same FrameID
        if k % 4 == 0 and k != 400:
            cyclic_data(t, 64 * k, frame_id=0x8002)  # a slower one between the same two
        if k == 1200:
            cyclic_data(t, 64 * k + 7, back=True)  # a copy
    assert unseen(play(t)) == (4, 0, 5, 0)
    t = trace(step=0.001)
    for k in range(60):
        cyclic_data(t, 64 * k, frame_id=0xFE01)  # an alarm has no counter
        cyclic_data(t, 64 * k if k < 40 else 64 * k + 20000)  # the device began anew
    assert unseen(play(t)) == (0, 0, 0, 0)


@case
def erspan_frames_left_out():
    def mirrored(order):
        t, inner = trace(), trace()
        polls(inner, pairs(inner), 40, wait=0)
        for n, (_, f) in enumerate(inner.packets):
            header = struct.pack(">IHHI", 100 + n, 0x1007, 0x1805, 0)
            t.frame(decode.gre(0x1000, 0x88BE, header, f))
        t.packets = order(t.packets)
        return play(t)

    holes = mirrored(lambda p: [x for i, x in enumerate(p) if i not in (150, 151, 152, 300)])
    assert unseen(holes)[3] == 4, holes.stats["unseen"]
    assert {p["vlan"] for p in holes.stats["unseen"]["ports"]} <= {0, 7}, holes.stats["unseen"]
    late = mirrored(lambda p: p[:150] + [p[152], p[150], p[151]] + p[153:])
    assert unseen(late)[3] == 0, late.stats["unseen"]
    assert unseen(mirrored(list))[3] == 0
    two = mirrored(lambda p: [x for k in range(200) for x in (p[k], p[k + 200])])  # two cards, each with its counter
    assert unseen(two)[3] == 0, two.stats["unseen"]


# ---- one direction only ----

@case
def one_direction_of_a_vlan():
    t = trace()
    for vlan in (7, 8):
        t.vlan = vlan
        c = [t.tcp(f"10.0.{vlan}.{i}", 50000, f"10.1.{vlan}.{i}", 502) for i in range(1, 7)]
        polls(t, c, 10)
    t.packets = [p for p in t.packets if p[1][30:33] != bytes([10, 1, 7])]
    r = play(t)
    alert, = r.of("OT-OPS-004")
    why = alert["tyto"]["why"]
    assert "VLAN 7" in why and "6 of 6 TCP connections" in why and "10.0.7." in why and "2 more" in why, why
    assert "10.0.8." not in why and alert["tyto"]["count"] == 6, alert


@case
def one_direction_of_a_pair():
    t = trace()
    polls(t, pairs(t), 10)
    t.packets = [p for p in t.packets if p[1][30:34] != bytes([10, 0, 1, 2])]
    r = play(t)
    alert, = r.of("OT-OPS-004")
    assert alert["tyto"]["why"].startswith("10.0.1.2 > 10.0.0.2: "), alert["tyto"]["why"]
    assert (alert["src_ip"], alert["dest_ip"]) == ("10.0.1.2", "10.0.0.2") and alert["tyto"]["src_asset"], alert


@case
def a_device_that_is_dead_is_no_mirror():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    polls(t, [c], 5)
    t.wait(400)  # its counts are told by then
    for k in range(14):
        c.raw(True, read_regs(9))
        t.wait(2)
    assert not play(t).of("OT-OPS-004")


@case
def no_answer_means_nothing_where_answers_are_not_seen():
    def search(answers_seen):
        t = trace()
        for n in range(3):
            c = t.tcp("10.0.0.1", 50000 + n, "10.0.1.1", 502)
            for unit in range(20 * n + 1, 20 * n + 21):
                c.to_server(struct.pack(">HHHBBHH", unit, 0, 6, unit, 3, 0, 2))
                c.raw(False, b"", flags=0x10)
                t.wait(0.2)
        t.wait(20)
        t.packets = [p for p in t.packets if answers_seen or p[1][30:34] == bytes([10, 0, 1, 1])]
        r = play(t)
        return [a for a in r.alerts if a["alert"]["signature"] == "A station searches for units behind a device"]

    assert search(True) and not search(False)


# ---- publishers that fall silent ----

def substation(t, seconds, relays, stop=lambda k, n: False):
    """Relays that publish twice a second, and a poll; stop(relay, half second): it says nothing then."""
    p = [goose.Publisher(t, mac=f"00:a0:f4:00:00:{i:02x}", appid=0x1000 + i, ied=f"Q{i}", ttl=2000) for i in range(relays)]
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    for n in range(2 * seconds):
        for k, x in enumerate(p):
            if stop(k, n):
                x.sq += 1
            else:
                x.send()
        poll(c, n)
        t.wait(0.5 - (relays + 2) * 0.001)
    return c


@case
def a_publisher_that_falls_silent():
    t = trace()
    substation(t, 150, 3, lambda k, n: k == 1 and n >= 100)
    r = play(t)
    alert, = r.of("OT-ANO-005")
    assert alert["src_ip" if "src_ip" in alert else "ether"], alert
    assert "Q1LD0/LLN0$GO$gcb01" in alert["tyto"]["why"] and "within 2 s" in alert["tyto"]["why"], alert["tyto"]["why"]
    assert alert["tyto"]["count"] == 1 and alert["app_proto"] == "goose", alert
    frame = alert["tyto"]["evidence"]["frames"][0]
    assert t.packets[frame - 1][1][6:12] == bytes.fromhex("00a0f4000001"), "its last message is the evidence"


@case
def silence_says_nothing_where_one_direction_is_seen():
    def fall_silent(answers_seen):
        t = trace()
        t.vlan = 7
        polls(t, [t.tcp(f"10.0.7.{i}", 50000, f"10.1.7.{i}", 502) for i in range(1, 5)], 10)
        t.wait(330)  # judged
        substation(t, 60, 1, lambda k, n: n >= 60)
        t.packets = [p for p in t.packets if answers_seen or p[1][30:33] != bytes([10, 1, 7])]
        r = play(t)
        assert bool(r.of("OT-OPS-004")) is not answers_seen
        return r.of("OT-ANO-005")

    assert fall_silent(True) and not fall_silent(False)


@case
def publishers_that_are_not_silent():
    t = trace()
    substation(t, 150, 3)
    assert not play(t).of("OT-ANO-005"), "all speak"
    t = trace(start=1767607872.0 - 1767607872 % 60 + 5)
    substation(t, 120, 3, lambda k, n: k == 1 and 40 <= n < 60)  # late: the protocol's own anomaly
    r = play(t)
    assert not r.of("OT-ANO-005"), "it is back before the window ends"
    assert any("time_allowed_to_live_expired" in a for e in r.events for a in e["ot"]["anomalies"]), "late"
    t = trace()
    substation(t, 20, 3)
    t.wait(3600)  # two captures, and nothing between them: whether it spoke is not known
    c = t.tcp("10.0.0.1", 50001, "10.0.1.1", 502)
    polls(t, [c], 200, wait=1)
    assert not play(t).of("OT-ANO-005"), "a time in which nothing was seen"
    t = trace()
    substation(t, 100, 3)  # the capture ends
    assert not play(t).of("OT-ANO-005")


@case
def more_publishers_than_are_watched():
    t = trace()
    p = [goose.Publisher(t, appid=i, ied=f"Q{i}", ttl=2000) for i in range(300)]  # of one device: in one shard
    for _ in range(3):
        for x in p:
            x.send()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    polls(t, [c], 200, wait=1)
    r = play(t)
    assert r.stats["evictions"]["expectations"] > 200 and r.stats["evictions"]["shared"] > 0, r.stats["evictions"]
    assert 0 < len(r.of("OT-ANO-005")) <= 32, len(r.of("OT-ANO-005"))


@case
def silence_while_packets_are_lost():
    """A poll's answers are missing as well: it waits until nothing was lost for a while, and is not told if it is back."""
    def run_with(back):
        t, lost = trace(start=1767607872.0 - 1767607872 % 60 + 5), set()
        substation(t, 460, 2, lambda k, n: k == 1 and 200 <= n < (300 if back else 10**9))
        answers = [i for i, p in enumerate(t.packets) if p[1][26:30] == bytes([10, 0, 1, 1]) and len(p[1]) > 60]
        lose(t, set(answers[180:340:4]))  # from 90 s to 170 s
        return play(t)

    r = run_with(True)
    assert unseen(r)[0] >= 30 and not r.of("OT-ANO-005"), r.stats["unseen"]
    alert, = run_with(False).of("OT-ANO-005")
    assert alert["tyto"]["quality"]["loss"] is False and alert["timestamp"] > "2026-01-05T10:15", alert


# ---- much at once ----

@case
def publishers_that_fall_silent_together():
    t = trace()
    substation(t, 150, 8, lambda k, n: k < 6 and n >= 100)
    r = play(t)
    alert, = r.of("OT-OPS-013")
    assert "6 publishers did not speak in time" in alert["tyto"]["why"] and "2 more" in alert["tyto"]["why"], alert
    assert not r.of("OT-ANO-005"), "one alert for all"


def plant(t, minutes, n=12, silent=lambda k, minute: False, vlan=lambda k: None, server=lambda k: f"10.0.1.{k + 1}"):
    c = []
    for k in range(n):
        t.vlan = vlan(k)
        c.append(t.tcp(f"10.0.0.{k + 1}", 50000, server(k), 502))
    for m in range(minutes):
        for k, x in enumerate(c):
            t.vlan = vlan(k)
            if not silent(k, m):
                poll(x, m)
        t.wait(60 - 2 * n * t.step / 1e6)


@case
def links_that_vanish_together():
    t = trace(start=1767607872.0 - 1767607872 % 300 + 20)
    plant(t, 40, silent=lambda k, m: k < 8 and m >= 25)
    r = play(t)
    alert, = r.of("OT-OPS-013")
    why = alert["tyto"]["why"]
    assert "8 of 12 links that were in use" in why and "10.0.0." in why and "4 more" in why, why
    assert alert["tyto"]["count"] == 8, alert
    t = trace(start=1767607872.0 - 1767607872 % 300 + 20)
    plant(t, 40, n=40, silent=lambda k, m: k < 8 and m >= 25, vlan=lambda k: 7 if k < 10 else 8)
    alert, = play(t).of("OT-OPS-013")
    assert "8 of 10 links of VLAN 7" in alert["tyto"]["why"], alert["tyto"]["why"]


@case
def what_is_no_change_of_visibility():
    def nothing(what, **kw):
        t = trace(start=1767607872.0 - 1767607872 % 300 + 20)
        plant(t, 40, **kw)
        r = play(t)
        assert not r.of("OT-OPS-013"), (what, r.of("OT-OPS-013"))

    nothing("all are there")
    nothing("few", silent=lambda k, m: k < 5 and m >= 25)
    nothing("one device", silent=lambda k, m: k < 8 and m >= 25, server=lambda k: "10.0.1.1" if k < 8 else "10.0.1.2")
    nothing("one by one", silent=lambda k, m: m >= 10 + 5 * k)
    nothing("now and then", silent=lambda k, m: k < 8 and m % 15 > 7)
    t = trace(start=1767607872.0 - 1767607872 % 300 + 20)
    plant(t, 22)
    t.wait(3600)  # another capture, of something else
    c = t.tcp("10.9.0.1", 50000, "10.9.1.1", 502)
    polls(t, [c], 900, wait=1)
    assert not play(t).of("OT-OPS-013")


BRIDGE = "00:a0:45:00:00:01"


def bpdu(t, flags, kind=2):
    body = b"\x42\x42\x03\0\0\x02" + bytes([kind]) + (bytes([flags]) + bytes(31) if kind != 0x80 else b"")
    f = bytes.fromhex("0180c2000000" + BRIDGE.replace(":", "")) + struct.pack(">H", len(body)) + body
    t.frame(f.ljust(60, b"\0"))


def mrp(t, kind, state=1):
    body = struct.pack(">HBB", 1, kind, 18) + struct.pack(">H6sHHHI", 0x8000, bytes(6), 0, state, 0, 0)
    t.eth("01:15:4e:00:00:01" if kind == 2 else "01:15:4e:00:00:02", BRIDGE, 0x88E3, body)


def dlr(t, state):
    t.eth("01:21:6c:00:00:01", BRIDGE, 0x80E1, struct.pack(">BBBB4sIBB", 2, 1, 1, 0, bytes(4), 7, state, 0) + bytes(28))


def hsr(t, way):
    body = struct.pack(">HHHBB6s", 0x0001, 7, 23, 6, 0, bytes(6))
    t.sequence = getattr(t, "sequence", 0) + (way == 0)
    tag = struct.pack(">HHH", way << 12 | (len(body) + 6), t.sequence, 0x88FB)
    t.eth("01:15:4e:00:01:00", BRIDGE, 0x892F, tag + body + bytes(40))


@case
def the_network_finds_another_way():
    def told(frames):
        t = trace()
        c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
        polls(t, [c], 5, wait=1)
        frames(t)
        polls(t, [c], 100, wait=1)
        return [a["tyto"]["why"] for a in play(t).of("OT-OPS-013")]

    def many(f, values):
        def frames(t):
            for v in values:
                f(t, v)
                t.wait(1)
        return frames

    for what, frames in (("RSTP tells of a change", many(bpdu, [0] * 5 + [1] * 10 + [0] * 5)),
                         ("RSTP tells of a change", lambda t: bpdu(t, 0, 0x80)),
                         ("MRP tells of a change", many(mrp, [3, 3, 3])),
                         ("MRP tells of a ring that is open", many(lambda t, s: mrp(t, 2, s), [1, 1, 0, 0, 0])),
                         ("DLR tells of a ring that is open", many(dlr, [1, 1, 2, 2, 2])),
                         ("DLR tells of a ring that is closed", many(dlr, [2, 2, 1])),
                         ("HSR or PRP tells of a ring that is open", many(hsr, [0, 1] * 5 + [0] * 15))):
        why = told(frames)
        assert len(why) == 1 and why[0].startswith(what), (what, why)
    for frames in (many(bpdu, [0] * 10), many(lambda t, s: mrp(t, 2, s), [1] * 10), many(dlr, [1] * 10),
                   many(hsr, [0, 1] * 20), many(hsr, [0] * 30)):
        assert not told(frames)


@case
def silence_behind_a_reconfiguration():
    t = trace()
    c = substation(t, 60, 3)
    bpdu(t, 1)
    t2 = t.now
    p = [goose.Publisher(t, mac=f"00:a0:f4:00:00:{i:02x}", appid=0x1000 + i, ied=f"Q{i}", ttl=2000) for i in range(3)]
    for x in p:
        x.sq = 120
    for n in range(180):
        for x in p[1:]:
            x.send()
        poll(c, n)
        t.wait(0.5)
    assert t.now > t2
    r = play(t)
    alerts = r.of("OT-OPS-013")
    assert len(alerts) == 1 and not r.of("OT-ANO-005"), (alerts, r.of("OT-ANO-005"))


cases.main(sys.argv[3:])
