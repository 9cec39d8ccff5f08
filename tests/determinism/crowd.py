"""crowd.py: one capture in which every table of the sensor is too small at its least limit."""
import os
import struct


def read(tid, first, n=2):
    return struct.pack(">HHHBBHH", tid & 0xFFFF, 0, 6, 1, 3, first, n)


def read_answer(tid, n=2):
    return struct.pack(">HHHBBB", tid & 0xFFFF, 0, 3 + 2 * n, 1, 3, 2 * n) + b"\0\1" * n


def write(tid, at):
    return struct.pack(">HHHBBHH", tid & 0xFFFF, 0, 6, 1, 6, at, tid & 0xFFFF)


def refusal(tid):
    return struct.pack(">HHHBBB", tid & 0xFFFF, 0, 3, 1, 0x83, 2)


def identity(tid, serial):
    text = b"serial %d" % serial
    objects = b"\0\1A\2" + bytes((len(text),)) + text
    body = bytes((1, 0x2B, 0x0E, 1, 1, 0, 0, 2)) + objects
    return struct.pack(">HHH", tid & 0xFFFF, 0, len(body)) + body


def devices(t):
    """More devices, pairs, functions and failing stations than the tables hold."""
    for i in range(1100):
        c = t.tcp(f"10.1.{i // 200}.{i % 200 + 1}", 50000, f"10.2.{i // 280}.{i % 280 % 250 + 1}", 502)
        c.to_server(read(i, i))
        c.to_client(read_answer(i) if i % 2 else refusal(i))


def objects(t):
    """Many objects of few devices; a device that calls itself something else each time."""
    links = [t.tcp(f"10.3.0.{i + 1}", 50000, "10.3.1.1", 502) for i in range(30)]
    for k in range(290):
        for i, c in enumerate(links):
            c.to_server(read(k, k, 2 + i))  # ranges that grow into one
            if k % 2:
                c.to_server(write(k, 7 * k + i))
    for k in range(1100):
        links[0].to_server(struct.pack(">HHHBBBBB", k, 0, 5, 1, 0x2B, 0x0E, 1, 0))
        links[0].to_client(identity(k, k))


def unfinished(t, dnp3):
    """Requests without answers, messages without ends, holes, fragments, and what the flows of a pair share."""
    c = t.tcp("10.4.0.1", 50000, "10.4.1.1", 502)
    c.to_server(read(0, 0))
    c.to_client(read_answer(0))
    for k in range(100):
        c.to_server(read(k, k))
    c = t.tcp("10.4.0.2", 50000, "10.4.1.2", 20000)
    for k in range(80):
        c.to_server(dnp3.link(0xC4, 10 + k, 1, b"\xc0\xc0\x01" + b"\x3c\x02\x06"))  # whole: a read of class 1
        c.to_server(dnp3.link(0xC4, 10 + k, 1, b"\x40\xc1\x02" + bytes(240)))  # the first of several
    for n in range(3):
        c = t.tcp("10.4.0.3", 50000 + n, "10.4.1.3", 502)
        c.to_server(read(1, 1))
        c.to_client(read_answer(1))
        for k in range(120):
            c.skip(True, 12)
            c.to_server(read(k, 2) * 20)
    for k in range(100):
        h = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + 1400, k, 0x2000, 64, 17, 0, bytes((10, 4, 0, 4)), bytes((10, 4, 1, 4)))
        t.eth("02:00:0a:04:01:04", "02:00:0a:04:00:04", 0x0800, h + bytes(1400))


def strangers(t):
    """Links of everybody to everybody, which nobody claims: nDPI's."""
    for i in range(4500):
        t.udp(f"10.{8 + i // 2500}.{i // 250 % 10}.{i % 250 + 1}", 40000, f"10.12.{i % 7}.{i % 11 + 1}", 30000 + i % 13,
              b"word %d" % i)


def orders(t):
    """Restarts, listen-only modes and cleared counters, each of another pair: more alerts at a time than are kept open."""
    for i in range(60):
        c = t.tcp(f"10.14.0.{i + 1}", 50000, f"10.14.1.{i + 1}", 502)
        for k, sub in enumerate((1, 4, 10)):
            pdu = struct.pack(">HHHBBHH", k, 0, 6, 1, 8, sub, 0)
            c.to_server(pdu)
            c.to_client(pdu)


def faults(t):
    """Messages too short for many units of one device, twice each: more kinds than their shard keeps apart."""
    for n in range(40):
        c = t.tcp("10.15.0.1", 50000 + n, "10.15.1.1", 502)
        c.to_server(read(0, 0))
        c.to_client(read_answer(0))
        c.to_server(struct.pack(">HHHBBB", 1, 0, 3, n % 20 + 1, 3, 0))


def files(t, dnp3):
    """Files that are opened, each under another name: more names than are kept."""
    c = t.tcp("10.16.0.1", 50000, "10.16.1.1", 20000)
    for k in range(1100):
        name = b"f%d" % k
        body = struct.pack("<HH6sHIIHHH", 26, len(name), bytes(6), 0, 0, 0, 1, 1024, k) + name
        head = bytes((0xC0, 0xC0 | k & 15, 25, 70, 3, 0x5B, 1)) + struct.pack("<H", len(body))
        c.to_server(dnp3.link(0xC4, 1, 10, head + body))


def publishers(t, goose):
    """Control blocks of one device: more than are expected to speak again."""
    for i in range(60):
        goose.Publisher(t, appid=i, ied=f"Q{i}", ttl=2000).send()


def make(path, wire, dnp3, goose):
    t = wire.Trace(path, step=0.0005)
    devices(t)
    objects(t)
    unfinished(t, dnp3)
    strangers(t)
    orders(t)
    faults(t)
    files(t, dnp3)
    publishers(t, goose)
    unfinished(t, dnp3)
    t.save()
    return os.path.getsize(path)
