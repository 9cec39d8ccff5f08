#!/usr/bin/env python3
"""streams.py: connections that somebody disturbs, and networks that disorder them: what both ends talk about is read.

  streams.py TYTO SOURCE_ROOT [CASE...]
"""
import struct
import sys

from cases import CASES, case, main

import run

del CASES[:]  # of run.py, whose words are used here
N = 20


def dialogue(c, n=N, first=0):
    for k in range(n):
        run.poll(c, first + k)


def connection(t, **kw):
    return t.tcp("10.0.0.1", 50000, "10.0.1.1", 502, **kw)


def expect(t, n=N, kind="transaction"):
    r = run.play(t)
    got = [e["ot"]["kind"] for e in r.events if e["event_type"] == "modbus"]
    assert got == [kind] * n, (len(got), {k: got.count(k) for k in got}, n)
    return r


# ---- by somebody who only guesses numbers ----

@case
def a_syn_inside_a_connection_ends_nothing():
    for ahead in (11, 5000, 1 << 21, -200, -(1 << 22)):
        t = run.trace()
        c = connection(t)
        dialogue(c, 5)
        c.raw(True, b"", 0x02, ahead)
        c.raw(False, b"", 0x10)  # the receiver says where it is (RFC 5961 4)
        dialogue(c, N - 5, 5)
        expect(t)


@case
def a_syn_before_the_first_data_ends_nothing():
    t = run.trace()
    c = connection(t)
    c.raw(True, b"", 0x02, 700)
    c.raw(False, b"", 0x10)
    dialogue(c)
    expect(t)


@case
def a_reset_with_a_wrong_number_and_a_syn_end_nothing():
    t = run.trace()
    c = connection(t)
    dialogue(c, 5)
    c.raw(True, b"", 0x04, 40)
    c.raw(True, b"", 0x02, 300)
    c.raw(False, b"", 0x10)
    dialogue(c, N - 5, 5)
    expect(t)


@case
def a_segment_far_beyond_the_window_is_waited_for_in_vain():
    for ahead, pause in ((2000, 0.3), (300_000, 3), (900_000, 30), (900_000, 90)):
        t = run.trace()
        c = connection(t)
        dialogue(c, 5)
        c.raw(True, run.read_regs(99), seq_offset=ahead)
        c.raw(False, b"", 0x10)  # it still waits for what comes next
        t.wait(pause)
        dialogue(c, N - 5, 5)
        r = run.play(t)
        got = [e["ot"]["kind"] for e in r.events if e["event_type"] == "modbus" and e["ot"]["kind"] == "transaction"]
        assert len(got) == N, (ahead, len(got))
        assert r.stats["evictions"]["segments"] == 0 and not r.of("OT-OPS-002"), r.stats["evictions"]


# ---- connections that do end ----

@case
def the_same_ports_again():
    """Ended, reset, or simply forgotten by a client that was switched off: the next one is a new connection."""
    for end in ("fin", "rst", "nothing"):
        t = run.trace()
        c = connection(t)
        dialogue(c, 5)
        if end == "fin":
            c.close()
        elif end == "rst":
            c.raw(True, b"", 0x04)
        t.wait(2)
        c = connection(t, isn=(1100, 900_000))  # close to the old numbers: they tell nothing
        dialogue(c, 5, 5)
        expect(t, 10)


@case
def the_same_ports_again_one_way():
    t = run.trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502, handshake=False, isn=(1000, 5000))
    for isn in (1000, 1200):
        c.seq[0] = isn
        c.raw(True, b"", 0x02, -1)
        for k in range(10):
            c.to_server(run.read_regs(k))
        t.wait(40)
    expect(t, 20, "request")


# ---- by the network ----

@case
def a_copy_of_the_syn_behind_the_first_data():
    """Of a second mirror port, or by the other LAN of PRP, up to half a second late."""
    for late_us in (4000, 8000, 15_000, 500_000):
        t = run.trace()
        c = connection(t)
        dialogue(c, 10)
        syns = [(us + late_us, d) for us, d in t.packets[:3]]
        t.packets = sorted(t.packets + syns, key=lambda p: p[0])
        expect(t, 10)


@case
def a_segment_that_comes_again_behind_a_whole_window():
    """64 KiB: the sender has sent all of it before the loss is known to it."""
    for behind in (24, 30, 45, 60):
        t = run.trace()
        c = connection(t)
        dialogue(c, 5)
        lost = run.read_regs(5)
        c.skip(True, len(lost))
        for k in range(behind):
            c.to_server(run.read_regs(6 + k))
            if k == 0:
                c.raw(False, b"", 0x10, ack_offset=-2 * len(lost))  # its receiver asks for it
        t.wait(0.2)
        c.raw(True, lost, seq_offset=-len(lost) * (behind + 1))
        for k in range(behind + 1):
            c.to_client(run.regs(5 + k))
        r = run.play(t)
        whole = sum(e["ot"]["kind"] == "transaction" for e in r.events if e["event_type"] == "modbus")
        assert r.stats["streams"]["gaps"] == 0, (behind, r.stats["streams"])
        assert whole >= 5 + min(behind + 1, 16), (behind, whole)  # as many requests as may wait at a time


@case
def a_hole_in_a_capture_behind_a_later_one():
    """Captures in a row: the time of the engine stands still while the second one is read, its own goes on."""
    t = run.trace()
    dialogue(connection(t))
    t.wait(600)
    dialogue(t.tcp("10.0.0.2", 50000, "10.0.1.2", 502))
    t.now -= 900_000_000
    c = t.tcp("10.0.0.3", 50000, "10.0.1.3", 502)
    dialogue(c, 5)
    c.skip(True, 12)  # a request that the capture has not
    c.to_client(run.regs(5))
    for k in range(6, N):
        t.wait(0.5)
        run.poll(c, k)
    r = run.play(t)
    got = [e["ot"]["kind"] for e in r.events if e["event_type"] == "modbus" and e["src_ip"] == "10.0.0.3"]
    assert got.count("transaction") >= N - 2, {k: got.count(k) for k in got}


def point(n):
    """IEC 60870-5-104: an I frame of number n with a single point that changed by itself."""
    return bytes((0x68, 14)) + struct.pack("<HH", n << 1, 0) + bytes((1, 1, 3, 0, 1, 0, n & 0xFF, 1, 0, 1))


@case
def a_hole_before_it_is_known_whose_flow_it_is():
    """The numbers that the hole took away are missed by nobody."""
    t = run.trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 12345, handshake=False)
    c.to_client(point(10))
    c.raw(True, b"", 0x10)
    c.skip(False, len(point(11)))
    c.to_client(point(12))
    t.wait(0.1)
    c.raw(True, b"", 0x10)  # it had what is missing here
    for k in range(13, 20):
        c.to_client(point(k))
    r = run.play(t)
    told = [e["ot"]["anomalies"] for e in r.events if e["event_type"] == "iec104"]
    assert r.stats["streams"]["gaps"] == 1 and len(told) >= 8 and not any(told), (r.stats["streams"], told)


@case
def flows_that_are_looked_at_again_leave_room_for_others():
    """Each of them waits for the rest of what may be a message; so many that all buffers would be theirs."""
    t = run.trace()
    for i in range(200):
        c = t.tcp("10.0.0.1", 20000 + i, "10.0.1.1", 502)
        for _ in range(8):
            c.to_server(b"GET / HTTP/1.1\r\n")
        c.to_client(b"\0\1\0\0")  # an MBAP header begins so
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 12345)
    dialogue(c)
    r = run.play(t)
    got = [e["ot"]["kind"] for e in r.events if e["event_type"] == "modbus" and 12345 in (e["src_port"], e["dest_port"])]
    assert got == ["transaction"] * N, got


if __name__ == "__main__":
    main(sys.argv[3:])
