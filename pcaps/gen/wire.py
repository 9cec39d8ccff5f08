"""wire.py: builds capture files packet by packet, for the scripts beside it. Python standard library only.

  t = Trace("out.pcap", start=1767607872.0)
  c = t.tcp("10.0.0.5", 50000, "10.0.0.9", 502)      # handshake is written at once
  c.to_server(b"...")                                # one segment each; returns the packet number
  c.to_client(b"...")
  c.to_server(b"...", cut=[3, 7])                    # the same bytes in several segments (split at 3 and 7); last one's number
  c.close()
  t.udp("10.0.0.5", 2222, "10.0.0.9", 2222, b"...")
  t.eth("01:0c:cd:01:00:01", "02:...", 0x88b8, b"...")
  t.expect(frame, "modbus", "3")                     # a message that must be found; written to out.messages.tsv
  t.save()
Time moves by `step` seconds a packet; t.wait(s) moves it on. Addresses get MACs 02:00 + the IP address.
"""
import os
import socket
import struct


def _sum16(b):
    if len(b) % 2:
        b += b"\0"
    s = sum(struct.unpack(f">{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def mac(text):
    return bytes(int(x, 16) for x in text.split(":"))


def ip_mac(ip, oui=None):
    b = socket.inet_aton(ip)
    return (mac(oui)[:3] + b[1:]) if oui else b"\x02\x00" + b


class Tcp:
    def __init__(self, t, client, cport, server, sport, handshake, isn):
        self.t, self.ends, self.seq = t, ((client, cport), (server, sport)), list(isn)
        if handshake:
            self._send(0, b"", 0x02)
            self.seq[0] += 1
            self._send(1, b"", 0x12)
            self.seq[1] += 1
            self._send(0, b"", 0x10)

    def _send(self, side, data, flags, seq=None, ack_offset=0):
        (sip, sp), (dip, dp) = self.ends[side], self.ends[1 - side]
        seq = self.seq[side] if seq is None else seq
        ack = self.seq[1 - side] + ack_offset if flags & 0x10 else 0
        h = struct.pack(">HHIIBBHHH", sp, dp, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 0xFAF0, 0, 0)
        pseudo = socket.inet_aton(sip) + socket.inet_aton(dip) + struct.pack(">BBH", 0, 6, len(h) + len(data))
        h = h[:16] + struct.pack(">H", _sum16(pseudo + h + data)) + h[18:]
        return self.t.ip(sip, dip, 6, h + data)

    def _data(self, side, data, cut):
        n, at = 0, 0
        for end in [*cut, len(data)]:
            n = self._send(side, data[at:end], 0x18)
            self.seq[side] += end - at
            at = end
        return n

    def to_server(self, data, cut=()):
        return self._data(0, data, cut)

    def to_client(self, data, cut=()):
        return self._data(1, data, cut)

    def raw(self, from_client, data, flags=0x18, seq_offset=0, ack_offset=0):
        """A segment that does not move the sequence number on: retransmissions, holes, resets."""
        side = 0 if from_client else 1
        return self._send(side, data, flags, self.seq[side] + seq_offset, ack_offset)

    def skip(self, from_client, n):
        """n bytes that the capture lost."""
        self.seq[0 if from_client else 1] += n

    def close(self):
        self._send(0, b"", 0x11)
        self.seq[0] += 1
        self._send(1, b"", 0x11)
        self.seq[1] += 1
        self._send(0, b"", 0x10)


class Trace:
    def __init__(self, path, start=1767607872.0, step=0.001, ouis=None):
        self.path, self.now, self.step, self.n = path, round(start * 1_000_000), round(step * 1_000_000), 0
        self.packets, self.expected, self.ip_id, self.ouis = [], [], 0, ouis or {}
        self.vlan, self.cut = None, None  # cut: bytes that the capture keeps of a packet

    def wait(self, seconds):
        self.now += round(seconds * 1_000_000)

    def frame(self, data):
        self.n += 1
        self.packets.append((self.now, data))
        self.now += self.step
        return self.n

    def eth(self, dst, src, ethertype, payload):
        dst, src = (mac(x) if isinstance(x, str) else x for x in (dst, src))
        tag = struct.pack(">HH", 0x8100, self.vlan) if self.vlan else b""
        f = dst + src + tag + struct.pack(">H", ethertype) + payload
        return self.frame(f.ljust(60, b"\0"))

    def _mac(self, ip):
        first = int(ip.split(".")[0])
        if ip == "255.255.255.255" or ip.endswith(".255"):
            return b"\xff" * 6
        if 224 <= first < 240:
            b = socket.inet_aton(ip)
            return b"\x01\x00\x5e" + bytes([b[1] & 0x7F]) + b[2:]
        return ip_mac(ip, self.ouis.get(ip))

    def ip(self, src, dst, proto, payload, ttl=64):
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        h = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), self.ip_id, 0x4000, ttl, proto, 0,
                        socket.inet_aton(src), socket.inet_aton(dst))
        h = h[:10] + struct.pack(">H", _sum16(h)) + h[12:]
        return self.eth(self._mac(dst), self._mac(src), 0x0800, h + payload)

    def udp(self, src, sport, dst, dport, data):
        h = struct.pack(">HHHH", sport, dport, 8 + len(data), 0)
        return self.ip(src, dst, 17, h + data)

    def arp(self, op, src_ip, dst_ip):
        sha = self._mac(src_ip)
        tha = self._mac(dst_ip) if op == 2 else b"\0" * 6
        body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, op) + sha + socket.inet_aton(src_ip) + tha + socket.inet_aton(dst_ip)
        return self.eth(b"\xff" * 6 if op == 1 else self._mac(dst_ip), sha, 0x0806, body)

    def tcp(self, client, cport, server, sport, handshake=True, isn=(1000, 5000)):
        return Tcp(self, client, cport, server, sport, handshake, isn)

    def expect(self, frame, protocol, function, optional=0):
        self.expected.append((frame, protocol, str(function), optional))

    def save(self):
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for us, d in self.packets:
                f.write(struct.pack("<IIII", us // 1_000_000, us % 1_000_000, len(d[:self.cut]), len(d)) + d[:self.cut])
        if self.expected:
            with open(os.path.splitext(self.path)[0] + ".messages.tsv", "w") as f:
                f.write("frame\tprotocol\tfunction\toptional\n")
                for row in self.expected:
                    f.write("\t".join(str(x) for x in row) + "\n")
