/* conf_keys.c: every key of the configuration: what it takes, its default, what it does. docs/CONFIGURATION.md has more
 * words; a test holds that it names every key here. */
#include "engine/conf.h"

#include <stddef.h>

/* clang-format off */
const struct conf_key conf_keys[] = {
    {"sensor.name", "text", NULL, "name of this sensor: `host` in every record, and part of the uid of its alerts"},
    {"sensor.site", "text", NULL, "the site it stands in; for people"},
    {"mode", "auto, learn, live, detect", "auto",
     "auto: learn on a new database, then judge link by link as learning ends; learn: only learn; live: judge "
     "what is past its learning; detect: judge, learn nothing"},
    {"timezone", "zone name or POSIX rule", "UTC",
     "zone of maintenance windows and of times of day in rules; records are always UTC"},

    {"networks[].name", "text", NULL, "name of the network; addresses in different networks are different devices"},
    {"networks[].interface", "text", NULL, "packets of this interface only"},
    {"networks[].vlan", "VLAN id or range", NULL, "packets with such a tag only: 7 or 10-20"},
    {"networks[].subnets", "list of subnets", NULL, "packets with an address in one of them only"},
    {"networks[].vlan_separates", "yes or no", "no",
     "each VLAN of this network is a network of its own; else a tag is only an attribute"},

    {"zones[].name", "text", NULL, "name of the zone"},
    {"zones[].networks", "list of networks", NULL,
     "everything in these networks; with subnets: the subnets of these networks"},
    {"zones[].subnets", "list of subnets", NULL, "everything in these subnets; the longest one that holds decides"},
    {"zones[].assets", "list of assets or addresses", NULL, "these devices, before any subnet"},
    {"zones[].purdue", "0, 1, 2, 3, 3.5, 4 or 5", NULL, "level of the Purdue model"},

    {"assets[].name", "text", NULL, "name of the device"},
    {"assets[].address", "addresses", NULL, "IP or MAC addresses, all of one device"},
    {"assets[].network", "network", NULL, "the network these addresses are in; without: any"},
    {"assets[].type", "text", NULL, "what it is: plc, hmi, engineering_station, switch, ..."},
    {"assets[].owner", "text", NULL, "whom to ask"},
    {"assets[].criticality", "low, medium, high, critical", NULL, "how much depends on it"},
    {"assets[].tags", "list of texts", NULL, "anything else"},

    {"engineering_stations", "list of assets, addresses or subnets", NULL,
     "stations that may program: what they do newly is lowered and marked; programming by others is critical"},

    {"maintenance[].name", "text", NULL, "name of the work; stands in the alerts it lowers"},
    {"maintenance[].window.from", "time", NULL, "2026-05-01 06:00, or with days a time of day: 22:00"},
    {"maintenance[].window.to", "time", NULL, "end, exclusive; a time of day not after `from` is on the next day"},
    {"maintenance[].window.days", "list of mon .. sun", NULL,
     "repeated on these days of each week (the days on which it begins)"},
    {"maintenance[].zone", "zone", NULL, "work in this zone only"},
    {"maintenance[].asset", "asset, address or subnet", NULL, "work on this device only"},
    {"maintenance[].actor", "asset, address or subnet", NULL, "work from this device only"},
    {"maintenance[].action", "list of actions", NULL,
     "these acts only: write, program_download, ... (tyto protocols --actions)"},

    {"redundancy", "list of lists of addresses", NULL,
     "addresses that stand for one role: a redundant pair of servers or controllers"},

    {"learning.period", "duration", "14d",
     "a link or device learns at least so long after it was first seen (a time without any packet "
     "counts for a day at most) ..."},
    {"learning.quiet", "duration", "1d", "... and until nothing new was seen of it for so long"},
    {"learning.fold", "duration", "10m", "what follows from something new within this time is counted in its alert"},
    {"learning.read_gap", "number", "16", "learned read ranges that are closer than this are one range"},
    {"learning.router_addresses", "number", "8", "a MAC address with more IP addresses than this is a router"},
    {"learning.scan_window", "duration", "2m", "scans are counted over this time"},
    {"learning.scan_addresses", "number", "50", "addresses tried in it by one device: an address scan"},
    {"learning.scan_ports", "number", "25", "ports of one device tried in it: a port scan"},
    {"learning.scan_controllers", "number", "10",
     "devices whose controller ports are tried in it: a scan for controllers"},

    {"limits.<table>", "number or bytes", NULL,
     "size of a table: `tyto config limits` shows them with their reasons"},
    {"limits.duplicate_window", "duration", "2ms",
     "the same bytes again within this time are a copy; over the other LAN of PRP or HSR 400 ms; 0s: never"},
    {"limits.time_jump", "duration", "1h",
     "packet time that goes back further than this, and stays there, starts a new time: counted and told"},

    {"protocols.<name>.ports", "list of ports", NULL,
     "ports in addition to the registered ones: 1502, tcp/1502, udp/20001"},
    {"protocols.<name>.off", "yes or no", "no", "this protocol is not dissected"},
    {"protocols.iec104.cause_size", "1 or 2", "2", "bytes of the cause of transmission: 2 with the originator address"},
    {"protocols.iec104.common_address_size", "1 or 2", "2", "bytes of the common address of the ASDU"},
    {"protocols.iec104.object_address_size", "1 to 3", "3", "bytes of an information object's address"},

    {"rules.defaults", "yes or no", "yes", "load the shipped rules"},
    {"rules.files", "list of files", NULL, "rule files to load, relative to this file"},
    {"rules.enable", "list of rule ids", NULL, "rules that are shipped switched off"},
    {"rules.disable", "list of rule ids", NULL, "rules that are not used"},

    {"alerts.window", "duration", "10m", "repetitions within it are folded into one update"},
    {"alerts.rate", "number", "1000",
     "alerts of one type in one window that are told one by one; what is beyond is counted in one"},
    {"alerts.evidence_bytes", "number", "64", "bytes of the message shown as evidence"},
    {"alerts.types.<id>", "off, critical, major, minor, warning", NULL,
     "an alert type or a rule that is not raised, or with another severity"},

    {"outputs[].type", "file", "file", "kind of output"},
    {"outputs[].path", "path or -", NULL, "JSON lines are appended to this file; - is standard output"},
    {"outputs[].what", "alerts, events", "alerts", "what is written"},
    {"outputs[].severity", "critical, major, minor, warning", "warning", "alerts of this severity and worse"},

    {"run.user", "text", NULL, "user to become after the sources are open"},
    {"run.cpus", "list of numbers or ranges", NULL, "processors to run on: [2, 4-7]; without: all"},
    {"run.workers", "number", "0",
     "worker threads; 0: one for each processor of `run.cpus`; without those one less than there are processors"},
    {"run.filter", "text", NULL, "packets to capture from interfaces, in libpcap's filter language; without: all"},
    {"run.snaplen", "number", "262144", "bytes of each packet to capture; what is beyond is cut"},
    {"run.buffer", "bytes", "64M", "the kernel's ring of each interface; its queues share it"},
    {"run.promiscuous", "true, false", "true", "capture what is addressed to others, too"},
    {"run.immediate", "true, false", "false", "packets one by one as they come, instead of by blocks of 10 ms"},
    {"run.adapter_time", "true, false", "false", "time stamps of the network card, where it has them"},
    {"run.wait", "true, false", "false", "wait for interfaces that are not there at the start"},
    {"run.dpdk_args", "list of texts", NULL, "arguments for DPDK's environment: [-m, '1024']"},
    {"run.dpdk_mbufs", "number", "16384", "packet buffers of each DPDK port"},
    {"run.stats_interval", "duration", "1m", "time between two `stats` records in the output of events; 0: none"},
    {"run.metrics", "address:port or path", NULL, "where Prometheus can ask for counters: 127.0.0.1:9464, or a socket"},
    {"run.silence", "duration", "1m", "least time without a packet that an interface is told as silent for; 0: never"},
    {"run.capture_dir", "path of a folder", NULL, "the packets around each alert go into a file there"},
    {"run.capture_before", "duration", "10s", "packets so long before the alert"},
    {"run.capture_after", "duration", "5s", "and so long after it"},
    {"run.capture_ring", "bytes", "32M", "the latest packets that are kept in memory for that"},
    {"run.capture_file", "bytes", "4M", "the most for one file"},
    {"run.capture_total", "bytes", "256M", "the most for all files; the oldest make room"},
    {NULL, NULL, NULL, NULL},
};
/* clang-format on */
