#!/usr/bin/env python3
"""Records captures of OPC UA between real stacks: a client and a server of asyncua on the loopback interface, and
between them a relay that writes down what each of them sends, and when.

  pip install asyncua==2.1.0 cryptography          (in an environment of its own; neither build nor tests need it)
  record/opcua.py DIR [NAME...]                    writes DIR/asyncua_NAME.pcap and .messages.tsv

Times, certificates and random numbers differ from run to run, so these captures are kept as they were recorded, and
all.py does not make them again. The addresses are made up; bytes, segments and times are what the stacks did.
"""
import asyncio
import datetime
import os
import pathlib
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from asyncua import Client, Server, ua, uamethod  # noqa: E402
from asyncua.common.connection import TransportLimits  # noqa: E402
from asyncua.crypto import security_policies as sp  # noqa: E402
from asyncua.crypto.cert_gen import setup_self_signed_certificate  # noqa: E402
from asyncua.crypto.permission_rules import SimpleRoleRuleset, User, UserRole  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: E402
from wire import Trace  # noqa: E402

PORT, RELAY, URI = 48410, 48411, "urn:tyto.example:plant"
CLIENT, SERVER = "10.40.0.5", "10.40.0.20"
MSS = 1448


class Relay:
    """Takes connections, opens its own to the server, and keeps (time, connection, side, bytes) of both ways."""

    def __init__(self):
        self.log, self.n = [], 0

    async def pump(self, n, side, reader, writer):
        try:
            while data := await reader.read(65536):
                self.log.append((time.time(), n, side, data))
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        self.log.append((time.time(), n, side, None))
        writer.close()

    async def accept(self, reader, writer):
        n, self.n = self.n, self.n + 1
        self.log.append((time.time(), n, None, None))
        r, w = await asyncio.open_connection("127.0.0.1", PORT)
        await asyncio.gather(self.pump(n, 0, reader, w), self.pump(n, 1, r, writer))

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", RELAY)

    def write(self, path):
        t = Trace(path, start=self.log[0][0], step=0.00002)
        links, seen, ended = {}, {}, set()
        for when, n, side, data in self.log:
            t.now = max(t.now, round(when * 1_000_000))
            if side is None:
                links[n] = t.tcp(CLIENT, 50000 + n, SERVER, 4840)
                continue
            if data is None:
                if n not in ended:
                    links[n].close()
                ended.add(n)
                continue
            for at in range(0, len(data), MSS):
                part = data[at:at + MSS]
                frame = (links[n].to_client if side else links[n].to_server)(part)
                self.expect(t, frame, seen.setdefault((n, side), Stream()), part)
        t.save()

    @staticmethod
    def expect(t, frame, stream, part):
        for function in stream.feed(part):
            t.expect(frame, "opcua", function)


class Stream:
    """The messages of one direction that can be read, by type and TypeId (OPC 10000-6 6.7.2)."""

    def __init__(self):
        self.data, self.first, self.policy = b"", {}, ""

    def feed(self, part):
        self.data += part
        while len(self.data) >= 8 and len(self.data) >= (size := struct.unpack("<I", self.data[4:8])[0]):
            chunk, self.data = self.data[:size], self.data[size:]
            kind, final, at = chunk[:3].decode(), chunk[3:4], 16
            if kind in ("HEL", "ACK", "ERR", "RHE"):
                yield kind
                continue
            if kind == "OPN":
                at = 12
                for _ in range(3):
                    n = max(0, struct.unpack("<i", chunk[at:at + 4])[0])
                    self.policy = chunk[at + 4:at + 4 + n].decode(errors="replace") if at == 12 else self.policy
                    at += 4 + n
            request = chunk[at + 4:at + 8]
            if request not in self.first:
                self.first[request] = chunk[at + 8:at + 12]
            if final == b"C":
                continue
            head = self.first.pop(request)
            if head[:2] == b"\x01\x00":
                yield struct.unpack("<H", head[2:])[0]


class Users:
    def get_user(self, iserver, username=None, password=None, certificate=None):
        if username is None:
            return User(role=UserRole.User)
        good = {"operator": "tyto-valve-7", "engineer": "tyto-engineer-1"}.get(username) == password
        return User(role=UserRole.Admin if username == "engineer" else UserRole.User) if good else None


@uamethod
def start_pump(parent, number, speed):
    return number, f"pump {number} runs at {speed:.1f}"


VALUES = [("Boolean", True, ua.VariantType.Boolean), ("SByte", -5, ua.VariantType.SByte), ("Byte", 200, ua.VariantType.Byte),
          ("Int16", -1234, ua.VariantType.Int16), ("UInt16", 54321, ua.VariantType.UInt16),
          ("Int32", -123456, ua.VariantType.Int32), ("UInt32", 3000000000, ua.VariantType.UInt32),
          ("Int64", -2**40, ua.VariantType.Int64), ("UInt64", 2**63, ua.VariantType.UInt64),
          ("Float", 1.5, ua.VariantType.Float), ("Double", 21.375, ua.VariantType.Double),
          ("String", "Kläranlage", ua.VariantType.String), ("Bytes", b"\x00\x01\xfe", ua.VariantType.ByteString),
          ("When", datetime.datetime(2026, 1, 5, 10, 11, 12), ua.VariantType.DateTime),
          ("Text", ua.LocalizedText("Ventil", "de"), ua.VariantType.LocalizedText),
          ("Name", ua.QualifiedName("Valve", 2), ua.VariantType.QualifiedName),
          ("Node", ua.NodeId("Tank.Level", 2), ua.VariantType.NodeId),
          ("Doubles", [1.0, 2.5, -3.25], ua.VariantType.Double), ("Strings", ["a", "", "long text"], ua.VariantType.String),
          ("Matrix", [[1, 2, 3], [4, 5, 6]], ua.VariantType.Int32)]


async def make_server(work, limits=None):
    server = Server(user_manager=Users())
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{PORT}/plant/")
    server.set_server_name("Tyto test plant")
    await server.set_application_uri(URI)
    await server.set_build_info("http://tyto.example/plant", "Tyto Test Works", "Test Plant Server", "3.2.1", "build 77",
                                datetime.datetime(2026, 1, 1))
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
                                ua.SecurityPolicyType.Basic256Sha256_Sign], permission_ruleset=SimpleRoleRuleset())
    await certificate(work, "server", URI)
    await server.load_certificate(os.path.join(work, "server.der"))
    await server.load_private_key(os.path.join(work, "server.pem"))
    if limits:
        server.limits = limits
    ns = await server.register_namespace("http://tyto.example/plant")
    plant = await server.nodes.objects.add_object(ua.NodeId("Plant", ns), ua.QualifiedName("Plant", ns))
    nodes = {}
    for name, value, kind in VALUES:
        nodes[name] = await plant.add_variable(ua.NodeId("Plant." + name, ns), ua.QualifiedName(name, ns), value, kind)
        await nodes[name].set_writable()
    nodes["Fixed"] = await plant.add_variable(ua.NodeId(1001, ns), ua.QualifiedName("Fixed", ns), 42)
    nodes["Level"] = await plant.add_variable(ua.NodeId("Tank.Level", ns), ua.QualifiedName("Level", ns), 1.0)
    nodes["start"] = await plant.add_method(ua.NodeId("Plant.Start", ns), ua.QualifiedName("Start", ns), start_pump,
                                            [ua.VariantType.UInt32, ua.VariantType.Double],
                                            [ua.VariantType.UInt32, ua.VariantType.String])
    nodes["plant"] = plant
    return server, ns, nodes


async def certificate(work, name, uri):
    await setup_self_signed_certificate(pathlib.Path(work, name + ".pem"), pathlib.Path(work, name + ".der"), uri,
                                        "plant.example", [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
                                        {"countryName": "DE", "organizationName": "Tyto Test Works", "commonName": f"Tyto {name}"})


def client():
    c = Client(f"opc.tcp://127.0.0.1:{RELAY}/plant/", timeout=10)
    c.name, c.description = "Tyto test client", "Tyto test client"
    c.application_uri = "urn:tyto.example:client"
    return c


async def quiet(what):
    """A request that the server refuses is a part of the recording."""
    try:
        return await what
    except (ua.UaError, asyncio.TimeoutError, ConnectionError) as e:
        print("refused:", type(e).__name__)
        return None


async def session(server, ns, nodes):
    await client().connect_and_get_server_endpoints()
    await client().connect_and_find_servers()
    async with client() as c:
        await c.get_namespace_array()
        await c.nodes.server_state.read_value()
        await c.get_node(2256).read_value()
        for i in (2261, 2262, 2263, 2264, 2265):
            await c.get_node(i).read_value()
        plant = c.get_node(ua.NodeId("Plant", ns))
        await plant.get_children()
        await c.nodes.objects.get_child([f"{ns}:Plant", f"{ns}:Int16"])
        await quiet(c.nodes.objects.get_child([f"{ns}:Nowhere"]))
        every = [c.get_node(ua.NodeId("Plant." + v[0], ns)) for v in VALUES]
        await c.read_values(every)
        for n, (_, value, kind) in zip(every, VALUES):
            await n.write_value(ua.DataValue(ua.Variant(value, kind)))
        await quiet(c.read_values([every[0], c.get_node(ua.NodeId("No.Such", ns)), every[1]]))
        await every[3].read_attributes([ua.AttributeIds.DisplayName, ua.AttributeIds.DataType, ua.AttributeIds.AccessLevel])
        await quiet(c.get_node(ua.NodeId(1001, ns)).write_value(43))
        await quiet(every[5].write_value("not a number"))
        await plant.call_method(f"{ns}:Start", ua.Variant(3, ua.VariantType.UInt32), 1450.5)
        await quiet(plant.call_method(f"{ns}:Start", ua.Variant(3, ua.VariantType.UInt32)))
        await c.register_nodes([every[0], every[1]])
        await c.unregister_nodes([every[0], every[1]])
        level = c.get_node(ua.NodeId("Tank.Level", ns))
        await level.read_raw_history(datetime.datetime(2020, 1, 1), None, 10)
        view = ua.BrowseParameters(View=ua.ViewDescription(), RequestedMaxReferencesPerNode=2, NodesToBrowse=[
            ua.BrowseDescription(NodeId=ua.NodeId(2253), BrowseDirection=ua.BrowseDirection.Both, ResultMask=63)])
        found = await c.uaclient.browse(view)
        await quiet(c.uaclient.browse_next(ua.BrowseNextParameters(False, [found[0].ContinuationPoint])))


async def engineer(server, ns, nodes):
    """Changes of the address space, by the one user who may; the password goes over the wire as it is."""
    for user, password in (("engineer", "wrong"), ("engineer", "tyto-engineer-1")):
        c = client()
        c.set_user(user)
        c.set_password(password)
        try:
            await c.connect()
        except (ua.UaError, ConnectionError):
            continue
        try:
            plant = c.get_node(ua.NodeId("Plant", ns))
            folder = await quiet(plant.add_folder(ua.NodeId("Plant.New", ns), f"{ns}:New"))
            if folder:
                var = await quiet(folder.add_variable(ua.NodeId(0, ns), f"{ns}:Fresh", 7))
                await quiet(folder.add_reference(c.get_node(ua.NodeId("Plant.Int16", ns)), ua.ObjectIds.Organizes))
                await quiet(folder.delete_reference(c.get_node(ua.NodeId("Plant.Int16", ns)), ua.ObjectIds.Organizes, True))
                await quiet(c.delete_nodes([var or folder]))
                await quiet(c.delete_nodes([folder]))
        finally:
            await quiet(c.disconnect())


async def subscriptions(server, ns, nodes):
    class Handler:
        def datachange_notification(self, node, val, data):
            pass

        def event_notification(self, event):
            pass

        def status_change_notification(self, status):
            pass

    async with client() as c:
        sub = await c.create_subscription(200, Handler())
        level = c.get_node(ua.NodeId("Tank.Level", ns))
        handles = await sub.subscribe_data_change([level, c.get_node(ua.NodeId("Plant.String", ns)), c.nodes.server_state])
        events = await sub.subscribe_events()
        gen = await server.get_event_generator()
        gen.event.Severity = 700
        for i in range(4):
            await nodes["Level"].write_value(1.0 + i / 4)
            if i % 2:
                await gen.trigger(message=f"level step {i}")
            await asyncio.sleep(0.3)
        await nodes["Level"].write_value(ua.DataValue(ua.Variant(2.0, ua.VariantType.Double),
                                                      ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)))
        await asyncio.sleep(0.3)
        await quiet(sub.modify_monitored_item(handles[0], 500.0))
        await quiet(sub.set_monitoring_mode(ua.MonitoringMode.Disabled))
        await quiet(sub.set_publishing_mode(False))
        await sub.unsubscribe([handles[1], events])
        await sub.delete()


async def security(server, ns, nodes, work):
    await certificate(work, "client", "urn:tyto.example:client")
    for mode in (ua.MessageSecurityMode.Sign, ua.MessageSecurityMode.SignAndEncrypt):
        c = client()
        c.set_user("operator")
        c.set_password("tyto-valve-7")
        await c.set_security(sp.SecurityPolicyBasic256Sha256, os.path.join(work, "client.der"),
                             os.path.join(work, "client.pem"), mode=mode)
        c.secure_channel_timeout = 2000
        async with c:
            for _ in range(3):
                await c.get_node(ua.NodeId("Plant.Double", ns)).read_value()
                await c.get_node(ua.NodeId("Plant.Int32", ns)).write_value(ua.Variant(7, ua.VariantType.Int32))
                await asyncio.sleep(0.8)


async def chunks(server, ns, nodes):
    c = client()
    async with c:
        big = c.get_node(ua.NodeId("Plant.String", ns))
        await big.write_value("x" * 30000)
        await big.read_value()
        many = c.get_node(ua.NodeId("Plant.Doubles", ns))
        await many.write_value(ua.DataValue(ua.Variant([i / 8 for i in range(3000)], ua.VariantType.Double)))
        await many.read_value()
        await c.get_node(ua.NodeId("Plant.Boolean", ns)).read_value()
        await quiet(c.get_node(ua.NodeId("Plant.Bytes", ns)).write_value(b"\0" * 120000))


async def discovery(server, ns, nodes):
    """A second server registers at the first, which is asked for servers then."""
    c = client()
    await c.connect_sessionless()
    reg = ua.RegisteredServer(ServerUri="urn:tyto.example:second", ProductUri="http://tyto.example/second",
                              ServerNames=[ua.LocalizedText("Second server")], ServerType=ua.ApplicationType.Server,
                              DiscoveryUrls=["opc.tcp://10.40.0.21:4840"], IsOnline=True)
    await quiet(c.uaclient.register_server(reg))
    await quiet(c.uaclient.find_servers(ua.FindServersParameters(EndpointUrl=c.server_url.geturl())))
    await quiet(c.uaclient.find_servers_on_network(ua.FindServersOnNetworkParameters()))
    await c.disconnect_sessionless()


SCENES = {"session": session, "engineer": engineer, "subscriptions": subscriptions, "security": security,
          "chunks": chunks, "discovery": discovery}


async def record(name, out):
    relay = Relay()
    with tempfile.TemporaryDirectory() as work:
        limits = TransportLimits(8192, 8192, 12, 100000) if name == "chunks" else None
        server, ns, nodes = await make_server(work, limits)
        async with server:
            await server.historize_node_data_change(nodes["Level"])
            for i in range(3):
                await nodes["Level"].write_value(float(i))
            await relay.start()
            await SCENES[name](server, ns, nodes, *([work] if name == "security" else []))
            await asyncio.sleep(0.3)
    relay.write(os.path.join(out, f"asyncua_{name}.pcap"))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or SCENES:
        asyncio.run(record(name, sys.argv[1]))
        print(name, flush=True)


if __name__ == "__main__":
    main()
