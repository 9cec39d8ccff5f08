/* dissector.h: what a protocol is to the engine, and what the engine offers a protocol.
 *
 * A dissector is const tables and four functions. It never allocates, keeps no pointer beyond a call, knows no socket,
 * no thread and no clock: bytes in, events out.
 *   probe  does this look like the protocol? Called on the first bytes of a direction that nobody owns yet; on layer 2
 *          on every frame of the EtherType, which several protocols may share.
 *   frame  how long is the PDU at the start of these bytes? TCP only. All buffering is the engine's.
 *   parse  exactly one PDU (or one datagram). "Need more bytes" does not exist here: running out means malformed.
 *   gap    bytes of a direction were lost; forget what depended on them. Optional.
 *   answers  is the second message the answer to the first, which the other side sent? The first is whole, as far as
 *          frame() tells; probe() said maybe or yes to both, off the port. It counts as a sign of each side. Sets dir
 *          and dir_sure (of the second) where the two say who asks. Optional. */
#pragma once

#include "engine/base/err.h"
#include "engine/base/event.h"
#include "engine/base/obs.h"
#include "engine/base/pkt.h"
#include "engine/base/schema.h"

struct dis_rt; /* the runtime of one shard: pending requests, reassembly, shared state (runtime.h) */

enum match { MATCH_NO, MATCH_MORE /* too short to tell */, MATCH_MAYBE, MATCH_YES };
enum verdict {
    DIS_OK,
    DIS_MALFORMED, /* breaks the standard; what could be read was committed with its anomaly */
    DIS_LOST,      /* not this protocol here: resynchronise by frame() and probe() */
    DIS_NOT_MINE,  /* this whole flow is not this protocol after all (S7 asked, MMS found): give it back */
};
enum frame_st { FRAME_OK, FRAME_MORE, FRAME_BAD };
struct frame {
    enum frame_st st;
    uint32_t len; /* FRAME_OK: of the whole PDU, header included (bytes may still be missing). FRAME_MORE: 0 */
};
enum { DIS_TCP = 1, DIS_UDP = 2, DIS_ETH = 4 };

/* What a dissector sees of its surroundings in one call. */
struct dis_ctx {
    uint64_t ts_ns;   /* of the packet that carried the last byte */
    uint32_t frame;   /* its number */
    uint16_t file;
    uint8_t transport;/* DIS_TCP, DIS_UDP or DIS_ETH */
    uint8_t on_port;  /* the flow uses one of the dissector's own ports (or is so configured) */
    uint8_t dir;      /* enum dir: who sends this. DIR_UNKNOWN: mid-stream on an unknown port; parse or probe then sets
                       * it, if the bytes tell, and the engine keeps it for the flow */
    uint8_t dir_sure; /* out: the protocol itself says who controls (DNP3's DIR bit): overrides SYN and port */
    uint8_t cut;      /* the snap length cut this PDU: short is not malformed */
    uint8_t copy;     /* layer 2: a frame once more (mirror ports, redundant networks), to a dissector that wants these
                       * (`copies`). Its event is logged and does nothing else; state must not move */
    uint16_t sport, dport;
    const struct flow_key *key;
    const struct layers *lay; /* the packet that completed the PDU */
    uint64_t flow_id;
    void *state;      /* flow_size bytes, zero at the start of a flow; NULL during probe */
    uint8_t side;     /* of the flow that sends: 0 lo, 1 hi. Tells two that ask each other apart */
    struct addr sender; /* has_sender: dis_sender() said who really sends this message, and through whom it came */
    struct addr through;
    uint8_t has_sender;
    /* The engine's and the runtime's; not a dissector's business */
    struct dis_rt *rt;
    struct flow_rt *fr;
    void *owner;
    const struct dissector *dis;
    uint64_t group;   /* what ev_wait() keeps belongs together under this: ev_take_of(); 0 nothing */
    uint32_t offset;  /* of the PDU in its packet */
    struct span pdu;  /* its bytes */
};

/* A publisher that did not speak in time, or (back) speaks again after that was told. */
struct dis_due {
    uint64_t due_ns, last_ns; /* by when it will speak, 0: any time; when it spoke last */
    uint32_t frame;           /* of its last message */
    uint16_t file;
};
struct dis_absent {
    const struct proto_schema *schema;
    struct dis_due due;
    uint64_t ts_ns;           /* when it was noticed */
    uint32_t unit;
    bool back;
    struct span name;         /* of what it publishes */
};

/* What a system's agreement leaves open and the bytes may not tell: `protocols.<name>.<key>` in the configuration. */
struct dis_setting {
    const char *key, *doc;
    uint8_t least, most; /* 0 is "not configured" */
};
enum { DIS_SETTINGS = 4 }; /* of one protocol */
enum { DIS_STARTS_END = 256 };

struct dissector {
    const char *name;                         /* file stem: "modbus" */
    const struct proto_schema *const *schemas; /* NULL-terminated; the first is the main one */
    uint8_t transports;                       /* DIS_ mask */
    const uint16_t *tcp_ports, *udp_ports;    /* registered ports, 0-terminated; may be NULL */
    uint16_t tls_port;                        /* registered for the same under TLS, of which no more is read; 0: none */
    const uint16_t *ethertypes;               /* 0-terminated; may be NULL. Below 0x600: the DSAP of a frame with LLC
                                               * without SNAP (payload from DSAP on), or a SNAP type of another OUI
                                               * than 0 (payload behind it; lay->snap_oui tells whose).
                                               * One that other dissectors have too: flow_size 0 */
    const uint16_t *tcp_starts;               /* octets, up to DIS_STARTS_END: in TCP probe() says no to all that begins
                                               * with another one, and is not asked; NULL: any may be */
    uint32_t starts_from;                     /* bytes at hand from which on that is so */
    uint32_t min_probe;                       /* bytes that probe needs at least */
    uint32_t max_pdu;                         /* bound of frame.len, <= LIM_PDU */
    uint32_t flow_size;                       /* bytes of per-flow state, <= DIS_FLOW_STATE */
    bool copies;                              /* DIS_ETH: copies are shown as well, x->copy says that they are */
    uint64_t timeout_ns;                      /* a request without an answer is closed after this; 0: 10 s */
    enum match (*probe)(struct cur c, struct dis_ctx *x);
    struct frame (*frame)(struct cur c, const struct dis_ctx *x);
    enum verdict (*parse)(struct cur pdu, struct dis_ctx *x);
    void (*gap)(struct dis_ctx *x, uint32_t missing);
    bool (*answers)(struct cur asked, struct cur answer, struct dis_ctx *x);
    void (*due)(const void *blob, struct dis_due *ret); /* of what dis_expect() was called with */
    const struct dis_setting *settings;       /* of the main schema, up to one without a key; may be NULL */
};
/* The configured value of the n-th setting of a schema's protocol; 0: none. */
uint8_t dis_setting(const struct dis_ctx *x, const struct proto_schema *s, unsigned n);
enum { DIS_FLOW_STATE = 256 };

/* ---- events (ev.c) ------------------------------------------------------------------------------------------- */

/* Start an event of this message. Never NULL; one is under construction at a time, the previous one is dropped if it
 * was neither committed nor kept. Sets op, name and action from the schema's table, adds the message. dir must be known
 * by now (x->dir; DIR_UNKNOWN counts as from the client). */
struct event *ev_begin(struct dis_ctx *x, const struct proto_schema *s, uint32_t function, uint32_t selector);
/* The selector became known later: look the row up again. */
void ev_select(struct event *e, uint32_t selector);
/* One more item; never NULL (beyond the bound a spare that is thrown away; items_total counts it). Zeroed, with
 * action = the event's, bit = ITEM_BIT_NONE, status = ITEM_STATUS_NONE, v.qual_off = -1. */
struct item *ev_item(struct event *e, uint8_t kind);
/* The same with an address range, inclusive. */
struct item *ev_range(struct event *e, uint8_t kind, uint32_t space, uint32_t first, uint32_t last);
struct item *ev_named(struct event *e, uint8_t kind, struct span name);
/* Fields of the protocol's own object. Text and bytes are borrowed from the packet. */
void ev_u64(struct event *e, uint8_t id, uint64_t v);  /* FT_UINT, FT_HEX, FT_BOOL, FT_IPV4, FT_TIME, FT_NAME */
void ev_i64(struct event *e, uint8_t id, int64_t v);
void ev_f64(struct event *e, uint8_t id, double v);
void ev_span(struct event *e, uint8_t id, struct span s); /* FT_TEXT, FT_BYTES */
/* Copy (or format) a string into the event's own text space, for names that are not on the wire as such. */
struct span ev_text_copy(struct event *e, const void *p, uint32_t n);
struct span ev_text_fmt(struct event *e, const char *fmt, ...) PRINTF(2, 3);
static inline void ev_anomaly(struct event *e, unsigned bit)
{
    e->anomalies |= UINT64_C(1) << bit;
}
static inline void ev_status(struct event *e, uint32_t status, bool is_error)
{
    e->status = status;
    e->has_status = 1;
    e->error = is_error;
}
static inline void ev_unit(struct event *e, uint32_t unit)
{
    e->unit = unit;
    e->has_unit = 1;
}
/* The client (0) or server (1) of this message is a device behind the one that the packets come from or go to. */
static inline void ev_far(struct event *e, unsigned end, const struct addr *a)
{
    e->far[end] = *a;
    e->has_far |= (uint8_t)(1u << end);
}
/* Hand the event to the engine. e->kind must be right (ev_begin: EV_MESSAGE; ev_answer: EV_TRANSACTION or
 * EV_RESPONSE). Outcome unknown and an error set: refused; a transaction without error: accepted or executed by class.
 */
void ev_commit(struct dis_ctx *x, struct event *e);

/* The same of an event that has its items, anomalies and status, but not its fields: rest() adds them, with
 * ev_u64(), ev_span() and the like, as soon as a rule, the log or an alert wants them, and before this returns. */
void ev_commit_brief(struct dis_ctx *x, struct event *e, void (*rest)(struct event *e, void *arg), void *arg);

/* ---- requests and answers (txn.c) ----------------------------------------------------------------------------- */

/* Keep the event as a request waiting for its answer under `key` (unique inside the flow: transaction id, unit,
 * function as the protocol needs). Same keys queue up first in, first out. Rows with OP_NO_ANSWER: commit instead. The
 * event is complete as it is if no answer comes: it is then committed as EV_REQUEST. */
void ev_wait(struct dis_ctx *x, struct event *e, uint64_t key);
/* The same with a time-out other than the dissector's. */
void ev_wait_for(struct dis_ctx *x, struct event *e, uint64_t key, uint64_t timeout_ns);
/* An answer came: the waiting event of that key with this message added (kind EV_TRANSACTION, latency set,
 * from_client from x->dir), or, when nobody waits, a fresh event of kind EV_RESPONSE. `function` is the answer's.
 * Its items and fields are the request's; the dissector adds values, status, fields. Spans of the request stay valid
 * until the next ev_ call that begins or takes an event. To wait on for a later phase, ev_wait() it again. */
struct event *ev_answer(struct dis_ctx *x, const struct proto_schema *s, uint64_t key, uint32_t function,
                        uint32_t selector);
/* The waiting event of that key as it is, without another message and so by whom it was, to be finished and committed:
 * what became of the request was said elsewhere. NULL when nobody waits. Kind and latency are those of an answer that
 * came now. */
struct event *ev_take(struct dis_ctx *x, uint64_t key);
/* The same of the oldest that was kept while x->group was `group`. */
struct event *ev_take_of(struct dis_ctx *x, uint64_t group);
/* Is a request of that key waiting? Lets a dissector choose between an answer and an unsolicited message. */
bool ev_is_waited(const struct dis_ctx *x, uint64_t key);
/* Commit everything that waits in this flow as EV_REQUEST (a reset, a new session). */
void ev_flush(struct dis_ctx *x);

/* ---- polls that come again (again.c) --------------------------------------------------------------------------- */

/* Most of what a plant says is the same few requests cycle after cycle, and often the same answers. Those that were
 * read once need not be read again: a dissector asks before it reads one, and hands the event over by the call that
 * keeps it. It promises that between the two it looks at nothing but the bytes, the context and, of an answer, its
 * request, and that it changes no state. What else it calls there (obs_ of something new, or in a request any,
 * dis_shared, asm_, a second event) is noticed, and the message not kept; nor is one with an anomaly. */
struct again {
    uint8_t field;   /* in: a field of the request whose value differs from time to time; AGAIN_NONE */
    uint32_t vary;   /* in: that value now */
    uint8_t n_group; /* in: ev_group_keep() will tell of so many; 0 */
    uint8_t own;     /* in, of a request: so many of its answer's last `data` bytes matter, AGAIN_ALL */
    uint32_t data;   /* in, of an answer: see there; 0 */
    uint32_t place;  /* out, where it is known: of what is kept */
    uint64_t digest; /* out; 0: is not to be kept */
    uint32_t acts, asked;
};
enum { AGAIN_NONE = 255, AGAIN_ALL = 255, AGAIN_GROUP = 64 };
/* s: a request without what differs from time to time and is no matter of its meaning, save for a->field. context: what
 * else its event depends on. True: one like it was kept; this one waits now under key. */
bool ev_again(struct dis_ctx *x, struct span s, uint64_t context, uint64_t key, struct again *a);
/* ev_wait(), and what ev_again() did not know is kept. */
void ev_wait_again(struct dis_ctx *x, struct event *e, uint64_t key, const struct again *a);
/* The request carries n others, whose places are these: all its bytes are the same only where theirs are. */
void ev_group_keep(struct dis_ctx *x, const struct again *a, const uint32_t *places, unsigned n);
/* After ev_again() knew it: so many of the n that it carries, from the first on, wait now under these keys. */
unsigned ev_group_again(struct dis_ctx *x, const struct again *a, const uint64_t *keys, unsigned n);
/* The same of the answer to a request that waits under key. True: it says what one before it said, and is counted.
 * s may leave out values and qualities of items on which nothing else of the event depends: one that somebody looks at
 * is not counted but read. Where its request tells how much that is: a->data, and a->own of the request. */
bool ev_answer_again(struct dis_ctx *x, struct span s, uint64_t context, uint64_t key, struct again *a);
/* Answers that come together. */
struct again_part {
    struct span s;   /* of each as ev_answer_again() takes it */
    uint64_t context, key;
    uint32_t data;
};
/* Their n requests wait before all others, in this order. True: together they say what as many before them said. */
bool ev_answers_again(struct dis_ctx *x, const struct again_part *parts, unsigned n, struct again *a);
/* False, and then each of them was known, in these places. */
void ev_answers_keep(struct dis_ctx *x, const struct again *a, const uint32_t *places, unsigned n);
/* The same of a message that waits for nothing and that nobody waits for: its event is committed as it begins. */
bool ev_told_again(struct dis_ctx *x, const struct proto_schema *schema, struct span s, uint64_t context,
                   struct again *a);
/* ev_commit(), and what neither of them knew is kept. */
void ev_commit_again(struct dis_ctx *x, struct event *e, const struct again *a);

/* What the sink says of the event that was committed last: it knows this one, and would only count the next like it. */
struct rt_seen {
    uint64_t digest, ends; /* digest 0: it is not like that */
};
/* Of the message whose event was committed just now. */
struct rt_seen ev_seen(const struct dis_ctx *x);
/* One more message without an answer whose event would be as the one that *seen is of, but for times and fields: it is
 * counted. False: it has to be committed. */
bool ev_message_again(struct dis_ctx *x, const struct proto_schema *s, const struct rt_seen *seen);

/* ---- messages that span PDUs (asm.c) -------------------------------------------------------------------------- */

/* Append a piece of a second-stage message (DNP3 transport, COTP, OPC UA chunk) kept under `key` inside the flow and
 * direction. s may lie in what the call before returned (a message inside a message); but that result dies with this
 * call, except for s in a message of one piece. With `first` whatever was there is dropped. With `last` the whole
 * message is returned, valid until the next call; a message of one piece is returned in place, without a copy.
 * Otherwise, and when the beginning is missing or a bound is hit, the cursor returned is bad (cur_ok() false). */
struct cur asm_append(struct dis_ctx *x, uint32_t key, struct span s, bool first, bool last);
/* Is a message being put together under `key`, and how many bytes of it are kept? For protocols that do not mark the
 * first piece, and for those whose messages may be longer than LIM_ASM: what fits can be handed on as a beginning. */
bool asm_kept(const struct dis_ctx *x, uint32_t key, uint32_t *ret_n);
/* Drop what is kept. True when there was something. */
bool asm_drop(struct dis_ctx *x, uint32_t key);

/* ---- state shared by the flows of one address pair (CIP connections: TCP 44818 opens, UDP 2222 talks) ---------- */

enum { DIS_SHARED = 96 };
/* A zeroed (when new) blob of DIS_SHARED bytes under (address pair, schema, key); the oldest of the shard is evicted.
 * create false: NULL when there is none. Valid until the next call. */
void *dis_shared(struct dis_ctx *x, const struct proto_schema *s, uint64_t key, bool create);

/* The publisher whose state this is (what dis_shared() returned) will speak again by due() of the dissector, or else
 * that is told, within a window, with the unit and the name (its end, where it is long) of what it publishes. Called
 * with each of its messages; costs nothing after the first. Nothing is told where packets were lost, nor of the time
 * after the input's end. */
void dis_expect(struct dis_ctx *x, const void *blob, uint32_t unit, struct span name);

/* ---- what is learned of devices (obs.c) ------------------------------------------------------------------------ */

/* This message is from another device than the packet: it came through a router (a station, addr_station()) or was
 * forwarded (an IP address). That device joins the inventory, and what is told of the sender is told of it. Before the
 * obs_ and ev_ calls of the message. through: the router, where it is not the packet's sender either; or NULL. */
void dis_sender(struct dis_ctx *x, const struct addr *who, const struct addr *through);

enum obs_side { OBS_CLIENT, OBS_SERVER };
/* A fact about the client or the server of this message, or, with sub (slot, unit, outstation), about a device behind
 * it. confidence: 0..100 (100 told by the device itself in a field made for it). Repetitions cost one look-up. */
void obs_text(struct dis_ctx *x, const struct proto_schema *s, enum obs_side side, uint32_t sub, enum obs_kind kind,
              struct span value, uint8_t confidence);
void obs_fmt(struct dis_ctx *x, const struct proto_schema *s, enum obs_side side, uint32_t sub, enum obs_kind kind,
             uint8_t confidence, const char *fmt, ...) PRINTF(7, 8);

/* A message whose bytes were read before. What it told of devices is known, and all obs_ calls of it would do nothing
 * again: none has told anything new in between. */
struct dis_note { /* what the dissector wants to know of it when it comes again */
    uint64_t v;
    struct rt_seen seen; /* ev_seen() */
};
/* NULL: this message has to be read; dis_keep() at its end spares that the next time. */
const struct dis_note *dis_known(struct dis_ctx *x);
void dis_keep(struct dis_ctx *x, const struct dis_note *n);

/* For telling whether bytes are the same as others were: keyed, so it goes into no field and no id. */
uint64_t dis_digest(const struct dis_ctx *x, struct span s);

/* Is the side that this message is for in the capture, too? Else nobody knows what it did not say. */
bool dis_heard(const struct dis_ctx *x);

/* A malformed PDU that makes no event: count it and report the anomaly for the flow. */
void ev_malformed(struct dis_ctx *x, const struct proto_schema *s, unsigned anomaly_bit);
/* n messages that this sender has sent before this one never came: its sequence numbers leave them out. Only where they
 * cannot mean anything else. */
void dis_lost(struct dis_ctx *x, uint32_t n);
/* A message that carries no application content (S frames, link-only frames): counted under the protocol's name. */
void ev_silent(struct dis_ctx *x, const struct proto_schema *s);

/* ---- registry.c ------------------------------------------------------------------------------------------------ */
extern const struct dissector *const dissectors[]; /* NULL-terminated, in the order of list.def */
unsigned n_dissectors(void);
/* All schemas of all dissectors; the index is the protocol's number inside one process. NULL past the end. */
const struct proto_schema *schema_at(unsigned i);
unsigned schema_index(const struct proto_schema *s);
const struct proto_schema *schema_by_name(const char *name);
/* Start-up check of every table: sorted, unique, bounds sane. 0 or -EINVAL with the reason. */
int dissectors_check(struct err *e) MUST_USE;
