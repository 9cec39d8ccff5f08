#!/usr/bin/env python3
"""new_protocol.py NAME CARRIER...: the skeleton of a new protocol, for CONTRIBUTING.md's chapter "Add a protocol".

CARRIER is tcp/PORT, udp/PORT or eth/0xTYPE. Example: new_protocol.py fins udp/9600 tcp/9600

Writes the files that a protocol consists of, and the lines that make it known:
  dissectors/NAME.c          tables and functions; builds, recognises nothing, has FILLIN where the protocol has to be
  dissectors/list.def        the registration
  pcaps/gen/NAME.py          the script that builds captures; pcaps/NAME/SOURCES.md, a row for each
  tests/unit/test_NAME.c     unit tests; NAME.list, rules_NAME.def
  rules/default/NAME.yaml    rules
  docs/agreement/NAME.md     agreement with Wireshark; README.md: a row in the table of protocols
Nothing that is there is overwritten; then it stops before the first change.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

DISSECTOR = '''/* @NAME@.c: FILLIN: one line that says what the protocol is for.
 *
 * Spec: FILLIN: document, edition (clauses)
 *
 *   FILLIN: a picture of the bytes
 *
 * FILLIN: who is the client. Not decoded: FILLIN.
 * Identity: FILLIN: what tells vendor, model, version, name of a device. */
#include "dissectors/dissector.h"

enum @NAME@_field { F_FILLIN, F_COUNT };
enum @NAME@_kind { K_FILLIN, K_COUNT };
enum @NAME@_anomaly { A_SHORT, A_COUNT };
@PORTS@
/* clang-format off */
static const struct op_row ops[] = { /* sorted by code, then selector */
    {1, OP_ANY_SELECTOR, "fillin_read_something", ACT_READ, 0, 0, 0, 0, 0},
};
static const struct field_def fields[] = {
    [F_FILLIN] = {"fillin", FT_UINT, false, NULL, NULL, "what it is, in one line"},
};
static const struct kind_def kinds[] = {
    [K_FILLIN] = {"fillin", KIND_RANGE},
};
static const struct anomaly_def anomalies[] = {
    [A_SHORT] = {"too_short", 2, "what the standard wants, with the clause"},
};
/* clang-format on */

static const struct proto_schema schema = {
    .name = "@NAME@",
    .title = "FILLIN",
    .spec = "FILLIN",
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = F_COUNT,
    .kinds = kinds,
    .n_kinds = K_COUNT,
    .anomalies = anomalies,
    .n_anomalies = A_COUNT,
};
_Static_assert(ARRAY_LEN(fields) == F_COUNT && ARRAY_LEN(anomalies) == A_COUNT, "tables are complete");

/* Strict: it is asked on every port@LAYER2@. */
static enum match @NAME@_probe(struct cur c, struct dis_ctx *x)
{
    (void)c;
    (void)x;
    return MATCH_NO; /* FILLIN */
}
@FRAME@
/* Exactly one PDU. A length or a count is used only after cur_ok(). */
static enum verdict @NAME@_parse(struct cur pdu, struct dis_ctx *x)
{
    uint32_t code = cur_u8(&pdu), value = cur_u16be(&pdu);
    if (!cur_ok(&pdu)) {
        ev_malformed(x, &schema, A_SHORT);
        return DIS_MALFORMED;
    }
    struct event *e = ev_begin(x, &schema, code, OP_ANY_SELECTOR);
    ev_range(e, K_FILLIN, 0, value, value);
    ev_u64(e, F_FILLIN, value);
    ev_commit(x, e); /* a request that is answered: ev_wait(), and ev_answer() with the same key */
    return DIS_OK;
}

static const struct proto_schema *const schemas[] = {&schema, NULL};

const struct dissector dissector_@NAME@ = {
    .name = "@NAME@",
    .schemas = schemas,
    .transports = @TRANSPORTS@,
@FIELDS@    .min_probe = 3,
    .max_pdu = LIM_PDU,
    .probe = @NAME@_probe,
@FRAMEFIELD@    .parse = @NAME@_parse,
};
'''

FRAME = '''
/* How long is the PDU that begins here? */
static struct frame @NAME@_frame(struct cur c, const struct dis_ctx *x)
{
    (void)x;
    return cur_left(&c) < 3 ? (struct frame){FRAME_MORE, 0} : (struct frame){FRAME_OK, 3}; /* FILLIN */
}
'''

GENERATOR = '''#!/usr/bin/env python3
"""Builds captures of FILLIN, judged by FILLIN (clauses).

  @NAME@.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../@NAME@ beside this script)
"""
import os
import sys

from wire import Trace


def basic(path):
    """FILLIN: what it shows."""
    t = Trace(path)
    n = @SEND@
    t.expect(n, "@NAME@", "1")
    t.save()


def other(path):
    """Not the protocol, on its port."""
    t = Trace(path)
    @OTHER@
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../@NAME@")
    for build in (basic, other):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
'''

SOURCES = '''# Captures of FILLIN

All are built by `pcaps/gen/@NAME@.py` (Apache-2.0, as the project), by the standard; beside each stands the table of the messages that must be found.

| capture | what it shows |
|---|---|
| basic.pcap | FILLIN |
| other.pcap | not the protocol |
'''

TEST = '''/* test_@NAME@.c: bytes in, events out. */
#include "tests/unit/dis_feed.h"

extern const struct dissector dissector_@NAME@;

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
}
END_TEST

START_TEST(a_message)
{
    struct feed *f = feed_new(&dissector_@NAME@, @PORT@, 1, 1);
    f->transport = @DIS@;
    @FEED@(f, 0, "01 0007");
    EXPECT(f, "message 1 fillin_read_something read fillin:7");
    feed_free(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("@NAME@");
    TCase *t = tcase_create("@NAME@");
    tcase_add_test(t, schema_is_sound);
    tcase_add_test(t, a_message);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
'''

RULES = '''# FILLIN: the protocol.
- id: OT-FILLIN-001
  sid: @SID@
  title: FILLIN
  severity: minor
  attack_ics: [T0855]
  enabled: false
  remedy: FILLIN, what somebody should do who reads the alert.
  when: {protocol: @NAME@, function: fillin_read_something, object: 'fillin:7'}
'''

ROWS = '''/* rules_@NAME@.def: rules/default/@NAME@.yaml in test_rules_default.c. */
{"OT-FILLIN-001", {P(@NAME@), OP(fillin_read_something), .object = "fillin", .first = 7},
                {P(@NAME@), OP(fillin_read_something), .object = "fillin", .first = 8}},
'''

AGREEMENT = '''# FILLIN: agreement with Wireshark

Measured with `tests/agreement/agreement.py --protocols @NAME@` over FILLIN captures: FILLIN messages listed, FILLIN missing, FILLIN too many.
The captures that the project builds (`pcaps/@NAME@`, made by `pcaps/gen/@NAME@.py`): FILLIN.

`function` is FILLIN.

## Decisions that show in the records
- FILLIN
'''


def carriers(args):
    ports = {"tcp": [], "udp": [], "eth": []}
    for a in args:
        m = re.fullmatch(r"(tcp|udp|eth)/(0x[0-9a-fA-F]{4}|\d+)", a)
        if not m or not 0 < int(m[2], 0) < 65536:
            sys.exit(f"{a}: expected tcp/PORT, udp/PORT or eth/0xTYPE")
        ports[m[1]].append(m[2])
    return ports


def fill(text, words):
    for key, value in words.items():
        text = text.replace(f"@{key}@", value)
    return text


def words_of(name, ports):
    kinds = {"tcp": "tcp_ports", "udp": "udp_ports", "eth": "ethertypes"}
    used = [k for k in kinds if ports[k]]
    kind, port = used[0], ports[used[0]][0]
    send = {"tcp": f't.tcp("10.0.0.5", 50000, "10.0.0.9", {port}).to_server(b"\\1\\0\\7")',
            "udp": f't.udp("10.0.0.5", 50000, "10.0.0.9", {port}, b"\\1\\0\\7")',
            "eth": f't.eth("02:00:00:00:00:02", "02:00:00:00:00:01", {port}, b"\\1\\0\\7")'}[kind]
    arrays = "".join(f"static const uint16_t {kinds[k]}[] = {{{', '.join(ports[k])}, 0}};\n" for k in used)
    return {
        "NAME": name, "PORTS": arrays, "TRANSPORTS": " | ".join("DIS_" + k.upper() for k in used),
        "FIELDS": "".join(f"    .{kinds[k]} = {kinds[k]},\n" for k in used), "PORT": port if kind != "eth" else "0",
        "FRAME": fill(FRAME, {"NAME": name}) if ports["tcp"] else "", "FRAMEFIELD": f"    .frame = {name}_frame,\n" if ports["tcp"] else "",
        "LAYER2": ", on layer 2 about every frame of the EtherType" if ports["eth"] else "", "DIS": "DIS_" + kind.upper(),
        "FEED": "feed" if kind == "tcp" else "feed_datagram", "SEND": send, "OTHER": send.replace("\\1\\0\\7", "GET / HTTP/1.0"), "SID": next_sid(),
    }


def next_sid():
    """Of the block behind the highest one in use: a thousand numbers a protocol."""
    top, folder = 0, os.path.join(ROOT, "rules/default")
    for f in os.listdir(folder):
        with open(os.path.join(folder, f), encoding="utf-8") as rules:
            top = max([top, *(int(n) for n in re.findall(r"^\s*sid:\s*(\d+)", rules.read(), re.M))])
    return str(top // 1000 * 1000 + 1001)


def readme_row(name, ports):
    where = ", ".join(f"{k} {' '.join(v)}" if k != "eth" else f"EtherType {' '.join(v)}" for k, v in ports.items() if v)
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        lines = f.read().split("\n")
    end = next(i for i, line in enumerate(lines) if line.startswith("`tyto protocols NAME`"))
    at = max(i for i in range(end) if lines[i].startswith("| `"))
    lines.insert(at + 1, f"| `{name}` | FILLIN | {where} | FILLIN | FILLIN | FILLIN |")
    return "\n".join(lines)


def main():
    if len(sys.argv) < 3 or not re.fullmatch(r"[a-z][a-z0-9_]*", sys.argv[1]):
        sys.exit(__doc__)
    name, ports = sys.argv[1], carriers(sys.argv[2:])
    words = words_of(name, ports)
    new = {f"dissectors/{name}.c": DISSECTOR, f"pcaps/gen/{name}.py": GENERATOR, f"pcaps/{name}/SOURCES.md": SOURCES,
           f"tests/unit/test_{name}.c": TEST, f"tests/unit/{name}.list": f"test_{name}\n", f"tests/unit/rules_{name}.def": ROWS,
           f"rules/default/{name}.yaml": RULES, f"docs/agreement/{name}.md": AGREEMENT}
    there = [f for f in new if os.path.exists(os.path.join(ROOT, f))]
    if there:
        sys.exit(f"{there[0]}: is there already; nothing was written")
    for path, text in new.items():
        path = os.path.join(ROOT, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(fill(text, words))
    os.chmod(os.path.join(ROOT, f"pcaps/gen/{name}.py"), 0o755)
    with open(os.path.join(ROOT, "dissectors/list.def"), "a", encoding="utf-8") as f:
        f.write(f"DISSECTOR({name})\n")
    text = readme_row(name, ports)
    with open(os.path.join(ROOT, "README.md"), "w", encoding="utf-8") as f:
        f.write(text)
    print(f"{name}: {len(new)} files, a line in dissectors/list.def, a row in README.md. Now the steps of CONTRIBUTING.md; "
          f"`git grep -n FILLIN -- '*{name}*' README.md` is what is left.")


if __name__ == "__main__":
    main()
