#!/usr/bin/env python3
"""tls.py: protocols under TLS.

  tls.py TYTO SOURCE_ROOT ndpi|none [CASE...]
"""
import json
import struct
import sys

import cases
from cases import case
from run import ask, play, trace

import opcua  # noqa: E402

cases.CASES.clear()
NDPI = sys.argv[3] == "ndpi"


def sized(body):
    return struct.pack(">I", len(body))[1:] + body


def record(*messages):
    """Handshake messages (RFC 5246 7.4) in a record of TLS 1.2 (6.2.1)."""
    body = b"".join(bytes((kind,)) + sized(m) for kind, m in messages)
    return struct.pack(">BHH", 22, 0x0303, len(body)) + body


def handshake(c, subject):
    """As far as it is not encrypted; then data that are."""
    hello = b"\3\3" + bytes(range(32))
    c.to_server(record((1, hello + b"\0\0\2\xc0\x2f\1\0")))
    c.to_client(record((2, hello + b"\0\xc0\x2f\0"), (11, sized(sized(opcua.certificate(subject)))), (14, b"")))
    c.to_server(b"\x17\3\3\0\x20" + bytes(range(32)))


def listed(what, db):
    return json.loads(ask(what, "-d", db, "--json"))


@case
def goes_by_the_name_that_its_port_is_registered_for():
    for port, name in ((802, "modbus"), (19999, "dnp3"), (2221, "enip"), (19998, "iec104"), (3782, "mms"), (8443, "tls")):
        t = trace()
        handshake(t.tcp("10.0.0.5", 50000, "10.0.1.1", port), "plc-7")
        for args in (), ("--no-ndpi",):
            r = play(t, *args)
            link, = listed("links", r.db)
            assert link["tls"] and link["app_proto"] == name and "tls" in link["protocols"], (port, args, link)
            assert not r.events and not r.of("OT-ANO-010"), (port, r.events, r.alerts)


@case
def the_certificate_is_the_servers():
    if not NDPI:
        print("skipped: built without nDPI")
        return
    t = trace()
    handshake(t.tcp("10.0.0.5", 50000, "10.0.1.1", 802), "plc-7")
    facts = {a["ips"][0]: [p["value"] for p in a["properties"] if p["key"] == "certificate"]
             for a in listed("assets", play(t).db)}
    assert facts["10.0.0.5"] == [] and len(facts["10.0.1.1"]) == 1 and "plc-7" in facts["10.0.1.1"][0], facts


if __name__ == "__main__":
    cases.main(sys.argv[4:])
