"""netns.py: two network namespaces joined by a veth pair, for the tests of live capture. Needs root; usable() says so."""
import os
import shutil
import subprocess


def sh(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kw).stdout


def usable():
    """None, or why these tests cannot run here."""
    if os.geteuid():
        return "not root"
    if not shutil.which("ip"):
        return "no `ip` (iproute2)"
    probe = f"tyto-probe-{os.getpid()}"
    try:
        sh("ip", "netns", "add", probe)
        try:  # in a changed root that is no mount point they can be made, and not entered
            sh("ip", "netns", "exec", probe, "sh", "-c", "true")
        finally:
            sh("ip", "netns", "del", probe)
    except subprocess.CalledProcessError as e:
        return "no network namespaces: " + e.stderr.strip()
    return None


class Wire:
    """tx sends, rx watches. Neither end has an address; IPv6 and ARP are off, so nothing travels but what is sent."""

    def __init__(self):
        self.tx, self.rx = (f"tyto-{end}-{os.getpid()}" for end in ("tx", "rx"))
        for ns in (self.tx, self.rx):
            sh("ip", "netns", "add", ns)
        self.plug()

    def no_ipv6(self, ns, dev):
        """As sysctl does, which a small system does not have."""
        sh(*self.inside(ns), "sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{dev}/disable_ipv6")

    def plug(self):
        sh("ip", "link", "add", "vt", "netns", self.tx, "type", "veth", "peer", "name", "vr", "netns", self.rx)
        for ns, dev in ((self.tx, "vt"), (self.rx, "vr")):
            self.no_ipv6(ns, dev)
            sh("ip", "-n", ns, "link", "set", dev, "up", "arp", "off")

    def unplug(self):
        sh("ip", "-n", self.tx, "link", "del", "vt")

    @staticmethod
    def inside(ns):
        return ["ip", "netns", "exec", ns]

    def sent_by(self, ns, dev):
        """Packets that the interface has sent: /proc/net/dev."""
        for line in sh(*self.inside(ns), "cat", "/proc/net/dev").splitlines():
            name, _, rest = line.partition(":")
            if name.strip() == dev:
                return int(rest.split()[9])
        raise KeyError(dev)

    def close(self):
        for ns in (self.tx, self.rx):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
