/* alert.c: folding, limiting, numbering, sending. */
#include "alerts/alert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alert_int.h"
#include "engine/base/hash.h"

enum { NUMBERS = 256, STRINGS = 3 * ALERT_TEXT };

struct rate_slot {
    uint64_t window; /* + 1 */
    uint32_t n;
};

enum { ENDED_SETS = 4096, ENDED_WAYS = 4 };

struct ended { /* a uid that ended in this run, and what was told of it last */
    uint64_t uid, count, base;
    uint32_t update;
};

struct alerts {
    uint64_t last_fold;
    struct alert_conf c;
    struct alert_table t;
    struct alert_stats s;
    struct rate_slot rate[RATE_SLOTS];          /* by type; two types that share a slot share the rate */
    struct ended ended[ENDED_SETS][ENDED_WAYS]; /* the last ones of each set; older: see go_on() */
    uint64_t now_ns, window;
    uint64_t host_key;
    bool started;
    char line[ALERT_LINE + NUMBERS];  /* what is sent */
    char draft[ALERT_LINE + STRINGS]; /* what is rendered */
};

int alerts_new(struct alerts **ret, const struct alert_conf *c, struct err *e)
{
    struct alerts *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(e, -ENOMEM, "out of memory");
    a->c = *c;
    if (!a->c.window_ns)
        a->c.window_ns = UINT64_C(600000000000);
    if (!a->c.rate)
        a->c.rate = 1000;
    if (!a->c.max_open)
        a->c.max_open = 4096;
    if (!a->c.bytes)
        a->c.bytes = 16 << 20;
    if (!a->c.host)
        a->c.host = "";
    a->host_key = hash_bytes(HASH_ID_KEY, a->c.host, strlen(a->c.host));
    if (table_init(&a->t, a->c.max_open, a->c.bytes, c->hash_key) < 0) {
        free(a);
        return err_set(e, -ENOMEM, "out of memory for %u open alerts", c->max_open);
    }
    *ret = a;
    return 0;
}

void alerts_free(struct alerts *a)
{
    if (a)
        table_done(&a->t);
    free(a);
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static void send_update(struct alerts *a, struct open_alert *o)
{
    struct jw w;
    const char *text = (const char *)o->buf.p;
    o->update++;
    o->due = 0;
    memcpy(a->line, text, o->head_len);
    jw_init(&w, a->line, sizeof a->line);
    w.n = o->head_len;
    w.comma = true;
    alert_render_numbers(&w, o);
    memcpy(a->line + w.n, text + o->head_len, o->line_len - o->head_len);
    struct alert_out out = {
        .uid = o->uid,
        .update = o->update,
        .sid = o->sid,
        .severity = o->severity,
        .engine = o->engine,
        .has_src = o->has_src,
        .has_dst = o->has_dst,
        .first_ns = o->first_ns,
        .last_ns = o->last_ns,
        .count = o->count,
        .src_asset = o->src_asset,
        .dst_asset = o->dst_asset,
        .src = o->src,
        .dst = o->dst,
        .id = o->id,
        .title = text + o->title_off,
        .why = text + o->why_off,
        .accept = o->accept_off ? text + o->accept_off : NULL,
        .line = a->line,
        .line_len = w.n + o->line_len - o->head_len,
    };
    for (uint32_t i = 0; i < a->c.n_sinks; i++)
        a->s.sink_errors += a->c.sinks[i].put(a->c.sinks[i].ctx, &out) < 0;
}

static void remember(struct alerts *a, const struct open_alert *o)
{
    struct ended *set = a->ended[o->uid % ENDED_SETS];
    memmove(set + 1, set, (ENDED_WAYS - 1) * sizeof *set);
    set[0] = (struct ended){.uid = o->uid, .count = o->count, .base = o->base, .update = o->update};
}

static void close_alert(struct alerts *a, struct open_alert *o)
{
    if (o->due) {
        a->s.updates++;
        send_update(a, o);
    }
    remember(a, o);
    table_del(&a->t, o);
}

static bool evict(struct alerts *a, uint32_t bytes, const struct open_alert *keep)
{
    struct open_alert *o = table_oldest(&a->t, bytes, keep);
    if (!o)
        return false;
    a->s.evicted++;
    close_alert(a, o);
    return true;
}

/* ---- rendering -------------------------------------------------------------------------------------------------- */

static uint32_t put_string(char *buf, uint32_t *n, const char *s)
{
    uint32_t len = (uint32_t)strnlen(s, ALERT_TEXT - 1), at = *n;
    memcpy(buf + at, s, len);
    buf[at + len] = '\0';
    *n += len + 1;
    return at;
}

/* Put the strings behind the record in the draft, and both into the alert's buffer. */
static bool keep(struct alerts *a, struct open_alert *o, const struct alert_text *t, const char *title, const char *why,
                 const char *accept)
{
    uint32_t n = t->line_len;
    o->title_off = put_string(a->draft, &n, title);
    o->why_off = put_string(a->draft, &n, why);
    o->accept_off = accept ? put_string(a->draft, &n, accept) : 0;
    if (o->buf.p && o->buf.cap < n)
        buf_put(&a->t.pool, &o->buf);
    while (!o->buf.p) {
        o->buf = buf_get(&a->t.pool, n);
        if (!o->buf.p && !evict(a, n, o))
            return false; /* never: every class that is large enough has a buffer, and all others can be evicted */
    }
    memcpy(o->buf.p, a->draft, n);
    o->head_len = t->head_len;
    o->line_len = t->line_len;
    o->severity_at = t->severity_at;
    o->why_at = t->why_at;
    o->why_len = t->why_len;
    return true;
}

/* (Re)write the record of an open alert. */
static bool render(struct alerts *a, struct open_alert *o, const struct alert_in *in)
{
    struct jw w;
    struct alert_text t;
    jw_init(&w, a->draft, ALERT_LINE);
    o->has_event = in->event && alert_render(&w, &a->c, in, o->uid, o->severity, true, &t);
    if (!o->has_event) {
        a->s.shortened += in->event != NULL;
        jw_init(&w, a->draft, ALERT_LINE);
        if (!alert_render(&w, &a->c, in, o->uid, o->severity, false, &t))
            return false;
    }
    return keep(a, o, &t, in->title ? in->title : in->type->title, in->why ? in->why : "", in->accept);
}

/* More is known of an alert whose message is told already: only what is said of it changes, the evidence stays. */
static bool retell(struct alerts *a, struct open_alert *o, const struct alert_in *in)
{
    struct alert_text t = {.head_len = o->head_len, .severity_at = o->severity_at, .why_at = o->why_at};
    const char *old = (const char *)o->buf.p;
    char title[ALERT_TEXT], accept[ALERT_TEXT];
    struct jw w;
    snprintf(title, sizeof title, "%s", old + o->title_off);
    snprintf(accept, sizeof accept, "%s", o->accept_off ? old + o->accept_off : "");
    jw_init(&w, a->draft, ALERT_LINE);
    memcpy(a->draft, old, o->why_at);
    a->draft[o->severity_at] = (char)('0' + o->severity);
    w.n = o->why_at;
    jw_str(&w, in->why);
    t.why_len = w.n - o->why_at;
    uint32_t rest = o->line_len - o->why_at - o->why_len;
    if (!jw_ok(&w) || w.n + rest > ALERT_LINE)
        return true; /* as it was told */
    memcpy(a->draft + w.n, old + o->why_at + o->why_len, rest);
    t.line_len = w.n + rest;
    return keep(a, o, &t, title, in->why ? in->why : "", o->accept_off ? accept : NULL);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void advance(struct alerts *a, uint64_t ts_ns)
{
    if (!a->started) {
        a->started = true;
        a->now_ns = ts_ns;
        a->window = ts_ns / a->c.window_ns;
    }
    if (ts_ns <= a->now_ns)
        return;
    a->now_ns = ts_ns;
    uint64_t window = ts_ns / a->c.window_ns;
    if (window == a->window)
        return;
    a->window = window;
    for (struct open_alert *o = table_at(&a->t, a->t.used.oldest), *next; o; o = next) {
        next = table_newer(&a->t, o);
        if (o->last_ns / a->c.window_ns + 1 < window) {
            close_alert(a, o);
        } else if (o->due) {
            a->s.updates++;
            send_update(a, o);
        }
    }
}

/* True when the type has opened more alerts in this window than are told one by one. */
static bool over_rate(struct alerts *a, uint64_t type_hash)
{
    struct rate_slot *r = &a->rate[type_hash % RATE_SLOTS];
    if (r->window != a->window + 1)
        *r = (struct rate_slot){.window = a->window + 1};
    if (r->n >= a->c.rate)
        return true;
    r->n++;
    return false;
}

/* ---- raising ---------------------------------------------------------------------------------------------------- */

static uint64_t hash_str(uint64_t key, const char *s)
{
    return s ? hash_bytes(key, s, strlen(s)) : hash_u64(key, 1);
}

static void fill(struct open_alert *o, const struct alert_in *in)
{
    o->sid = in->type->sid;
    o->engine = in->type->engine;
    strncpy(o->id, in->type->id, sizeof o->id - 1);
    o->src_asset = in->src ? in->src->id : 0;
    o->dst_asset = in->dst ? in->dst->id : 0;
    o->has_src = in->event ? 1 : in->flow.has_src;
    o->has_dst = in->event ? 1 : in->flow.has_dst;
    o->src = in->event ? in->event->src : in->flow.src;
    o->dst = in->event ? in->event->dst : in->flow.dst;
}

/* A uid that opens (again) goes on from what was told of it last, in this run or an earlier one: the update counts on
 * (or from what it may have been), and so does the count. What is absolute is so within one run. */
static void go_on(struct alerts *a, struct open_alert *o, const struct alert_in *in)
{
    const struct ended *set = a->ended[o->uid % ENDED_SETS];
    struct alert_past past = {0};
    for (unsigned i = 0; i < ENDED_WAYS; i++)
        if (set[i].uid == o->uid && set[i].update) {
            uint64_t here = o->count + (in->absolute ? set[i].base : set[i].count);
            o->update = set[i].update;
            o->base = set[i].base;
            o->count = here > set[i].count ? here : set[i].count;
            return;
        }
    if (a->c.past)
        (void)a->c.past(a->c.ctx, o->uid, &past);
    o->base = past.count;
    o->count += past.count;
    o->update = past.update;
    if (set[ENDED_WAYS - 1].update && in->absolute && in->first_ns && in->first_ns < in->ts_ns) {
        /* Perhaps told and forgotten. A window tells at most a few updates, so this number was not used. */
        uint64_t windows = in->ts_ns / a->c.window_ns - in->first_ns / a->c.window_ns;
        uint32_t least = windows > UINT32_MAX / 32 ? UINT32_MAX / 2 : (uint32_t)windows * 16;
        o->update = past.update > least ? past.update : least;
    }
}

static void open_new(struct alerts *a, uint64_t fold, const struct alert_in *in, uint8_t severity)
{
    struct open_alert *o;
    while (!(o = table_add(&a->t, fold)))
        evict(a, 0, NULL);
    fill(o, in);
    o->severity = severity;
    o->count = in->count ? in->count : 1;
    o->first_ns = in->first_ns ? in->first_ns : in->ts_ns;
    o->last_ns = in->ts_ns > o->first_ns ? in->ts_ns : o->first_ns;
    o->uid = hash_u64(hash_u64(a->host_key, fold), o->first_ns);
    go_on(a, o, in);
    a->s.opened++;
    a->s.by_severity[severity]++;
    a->s.by_engine[in->type->engine]++;
    if (render(a, o, in))
        send_update(a, o);
    else
        table_del(&a->t, o);
}

static void fold_in(struct alerts *a, struct open_alert *o, const struct alert_in *in, uint8_t severity)
{
    uint64_t n = in->count ? in->count : 1;
    bool worse = severity < o->severity;
    a->s.folded++;
    o->count = in->absolute ? (o->base + n > o->count ? o->base + n : o->count) : o->count + n;
    if (in->ts_ns > o->last_ns)
        o->last_ns = in->ts_ns;
    o->due = 1;
    table_touch(&a->t, o);
    if (worse)
        o->severity = severity;
    bool again = in->absolute && !in->event && o->has_event;
    worse |= in->news;
    if ((worse || in->absolute) && !(again ? retell(a, o, in) : render(a, o, in))) {
        table_del(&a->t, o);
        return;
    }
    if (worse) { /* what is worse than told is not kept back until the window ends */
        a->s.updates++;
        send_update(a, o);
    }
}

/* Beyond the rate of its type: counted in one alert of that type. */
static void limit(struct alerts *a, uint64_t type_hash, const struct alert_in *in, uint8_t severity)
{
    uint64_t fold = hash_u64(type_hash, UINT64_C(0x6c696d6974));
    struct open_alert *o = table_find(&a->t, fold);
    struct alert_in sum = *in;
    char why[ALERT_TEXT];
    a->s.limited++;
    sum.count = in->absolute ? 1 : in->count;
    sum.absolute = false;
    sum.first_ns = 0;
    if (o && severity >= o->severity) {
        fold_in(a, o, &sum, severity);
        return;
    }
    snprintf(why, sizeof why,
             "more than %u alerts of this type in one window: further ones are counted here; one of them: %s",
             a->c.rate, in->why ? in->why : "");
    sum.why = why;
    if (o)
        fold_in(a, o, &sum, severity);
    else
        open_new(a, fold, &sum, severity);
}

static const struct alert_change *change_of(const struct alerts *a, const char *id)
{
    for (uint32_t i = 0; i < a->c.n_changes; i++)
        if (strcmp(a->c.changes[i].id, id) == 0)
            return &a->c.changes[i];
    return NULL;
}

bool alert_off(const struct alerts *a, const char *id)
{
    const struct alert_change *ch = change_of(a, id);
    return ch && !ch->severity;
}

void alert_raise(struct alerts *a, const struct alert_in *in)
{
    const struct alert_change *ch = change_of(a, in->type->id);
    uint8_t severity = in->severity ? in->severity : in->type->severity;
    a->s.raised++;
    a->last_fold = 0;
    if (ch && !ch->severity) {
        a->s.muted++;
        return;
    }
    if (ch)
        severity = ch->severity;
    if (severity > AS_WARNING)
        severity = AS_WARNING;
    advance(a, in->ts_ns);
    uint64_t type = hash_str(HASH_ID_KEY, in->type->id);
    uint64_t fold = in->fold ? hash_u64(type, in->fold) : alert_key(in->type->id, in->subject, in->object);
    struct open_alert *o = table_find(&a->t, fold);
    if (!o && over_rate(a, type)) {
        limit(a, type, in, severity);
        return;
    }
    if (o)
        fold_in(a, o, in, severity);
    else
        open_new(a, fold, in, severity);
    a->last_fold = fold;
}

bool alert_amend(struct alerts *a, uint64_t fold, uint64_t ts_ns, uint64_t count, uint8_t severity, uint32_t keep,
                 const char *more)
{
    advance(a, ts_ns);
    struct open_alert *o = table_find(&a->t, fold);
    const struct alert_change *ch = o ? change_of(a, o->id) : NULL;
    char why[ALERT_TEXT];
    if (!o)
        return false;
    a->s.raised++;
    a->s.folded++;
    snprintf(why, sizeof why, "%.*s%s", (int)keep, (const char *)o->buf.p + o->why_off, more);
    o->count = o->base + count > o->count ? o->base + count : o->count;
    if (ts_ns > o->last_ns)
        o->last_ns = ts_ns;
    o->due = 1;
    table_touch(&a->t, o);
    bool worse = !ch && severity && severity < o->severity;
    if (worse)
        o->severity = severity;
    const struct alert_in in = {.why = why};
    if (retell(a, o, &in) && worse) {
        a->s.updates++;
        send_update(a, o);
    }
    return true;
}

uint64_t alert_key(const char *type, const char *subject, const char *object)
{
    return hash_str(hash_str(hash_str(HASH_ID_KEY, type), subject), object);
}

uint64_t alert_last_fold(const struct alerts *a)
{
    return a->last_fold;
}

bool alert_repeat(struct alerts *a, uint64_t fold, uint64_t ts_ns, uint64_t count, uint8_t severity)
{
    advance(a, ts_ns);
    struct open_alert *o = table_find(&a->t, fold);
    if (!o || (severity && severity < o->severity && !change_of(a, o->id)))
        return false;
    a->s.raised++;
    a->s.folded++;
    o->count += count ? count : 1;
    if (ts_ns > o->last_ns)
        o->last_ns = ts_ns;
    o->due = 1;
    table_touch(&a->t, o);
    return true;
}

void alerts_tick(struct alerts *a, uint64_t ts_ns)
{
    advance(a, ts_ns);
}

void alerts_finish(struct alerts *a)
{
    while (a->t.n)
        close_alert(a, table_at(&a->t, a->t.used.oldest));
}

void alerts_stats(const struct alerts *a, struct alert_stats *ret)
{
    *ret = a->s;
}

uint64_t alerts_memory(const struct alerts *a)
{
    return sizeof *a + table_memory(&a->t);
}
