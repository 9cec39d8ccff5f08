#!/usr/bin/env python3
"""Makes pcaps/bacnet/stack.pcap: two devices and a station that run the BACnet stack bacpypes3, in network namespaces of their
own, recorded by tcpdump. By hand, as root; nothing in the build or the tests needs it, or runs it.

  bacnet.py PYTHON [OUT]    PYTHON has bacpypes3 (pip install bacpypes3 in a virtual environment)
"""
import asyncio
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = {"bnt-station": "10.63.0.5", "bnt-ahu": "10.63.0.20", "bnt-vav": "10.63.0.21"}
BRIDGE = "bnt-br"


def sh(*args, check=True):
    return subprocess.run(args, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if not check else None)


def network():
    sh("ip", "netns", "add", BRIDGE)
    sh("ip", "-n", BRIDGE, "link", "add", "br0", "type", "bridge")
    sh("ip", "-n", BRIDGE, "link", "set", "br0", "up")
    for n, (ns, ip) in enumerate(HOSTS.items()):
        sh("ip", "netns", "add", ns)
        sh("ip", "-n", ns, "link", "add", "eth0", "address", f"02:00:0a:3f:00:{int(ip.split('.')[3]):02x}", "type", "veth",
           "peer", "name", f"p{n}", "netns", BRIDGE)
        sh("ip", "-n", BRIDGE, "link", "set", f"p{n}", "master", "br0", "up")
        sh("ip", "-n", ns, "addr", "add", f"{ip}/24", "brd", "10.63.0.255", "dev", "eth0")
        sh("ip", "-n", ns, "link", "set", "eth0", "up")
        sh("ip", "-n", ns, "link", "set", "lo", "up")


def clean():
    for ns in [*HOSTS, BRIDGE]:
        sh("ip", "netns", "del", ns, check=False)


def app_of(name, instance, ip):
    from bacpypes3.app import Application
    from bacpypes3.argparse import SimpleArgumentParser
    args = SimpleArgumentParser().parse_args(["--name", name, "--instance", str(instance), "--address", f"{ip}/24",
                                              "--vendoridentifier", "999"])
    return Application.from_args(args)


async def device(name, instance, ip, points):
    from bacpypes3.local.analog import AnalogValueObject
    app = app_of(name, instance, ip)
    for n in range(points):
        app.add_object(AnalogValueObject(objectIdentifier=("analog-value", n), objectName=f"{name} point {n}",
                                         presentValue=20.0 + n / 10, statusFlags=[0, 0, 0, 0], covIncrement=0.5,
                                         eventState="normal", outOfService=False, units="degrees-celsius"))
    await asyncio.sleep(60)


async def quiet(call):
    """Errors, rejects and aborts of the other side are part of the capture."""
    try:
        return await call
    except BaseException as e:  # the stack's errors are not all of one family
        if isinstance(e, (KeyboardInterrupt, asyncio.CancelledError)):
            raise
        return e


async def station(ip):
    from bacpypes3.pdu import Address
    from bacpypes3.primitivedata import ObjectIdentifier
    app, ahu, vav = app_of("station", 5, ip), Address("10.63.0.20"), Address("10.63.0.21")
    await quiet(app.who_is())
    await quiet(app.who_is(1000, 1999))
    await quiet(app.who_has(None, None, ObjectIdentifier("analog-value,1"), None))
    for who, n in ((ahu, 1020), (vav, 1021)):
        dev = f"device,{n}"
        for prop in ("object-name", "vendor-name", "vendor-identifier", "model-name", "firmware-revision",
                     "application-software-version", "description", "location", "serial-number", "system-status",
                     "protocol-services-supported", "object-list"):
            await quiet(app.read_property(who, dev, prop))
        await quiet(app.read_property(who, dev, "object-list", 0))
    await quiet(app.read_property_multiple(ahu, ["analog-value,1", ["present-value", "status-flags", "units", "reliability"],
                                                 "analog-value,2", ["all"], "analog-value,99", ["present-value"]]))
    for _ in range(3):
        await quiet(app.read_property(ahu, "analog-value,1", "present-value"))
    await quiet(app.read_property(vav, "analog-value,77", "present-value"))
    async with app.change_of_value(ahu, ObjectIdentifier("analog-value,3"), 1, True, 30) as cov:
        await asyncio.wait_for(cov.get_value(), 5)
        await quiet(app.write_property(ahu, "analog-value,3", "present-value", 40.0, None, 8))
        await asyncio.wait_for(cov.get_value(), 5)
    await quiet(app.write_property(vav, "analog-value,1", "present-value", 18.5))
    await quiet(app.write_property(vav, "analog-value,1", "object-identifier", ObjectIdentifier("analog-value,9")))
    await asyncio.sleep(1)


def main():
    if sys.argv[1] in ("device", "station"):
        name, ip = sys.argv[2:4]
        asyncio.run(station(ip) if sys.argv[1] == "station" else device(name, int(sys.argv[4]), ip, int(sys.argv[5])))
        return
    python = sys.argv[1]
    out = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "../../bacnet/stack.pcap")
    clean()
    network()
    started = []
    try:
        def run(ns, *args):
            started.append(subprocess.Popen(["ip", "netns", "exec", ns, *args]))
            return started[-1]
        run(BRIDGE, "tcpdump", "-q", "-U", "-i", "br0", "-w", out, "udp or arp")
        run("bnt-ahu", python, __file__, "device", "ahu", HOSTS["bnt-ahu"], "1020", "400")
        run("bnt-vav", python, __file__, "device", "vav", HOSTS["bnt-vav"], "1021", "8")
        time.sleep(8)
        run("bnt-station", python, __file__, "station", "station", HOSTS["bnt-station"]).wait(60)
        time.sleep(1)
    finally:
        for p in started:
            p.terminate()
            p.wait()
        clean()


if __name__ == "__main__":
    main()
