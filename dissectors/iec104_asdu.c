/* iec104_asdu.c: from an ASDU to its event: header, objects, and the dialogue it belongs to.
 *
 * A command is one transaction: select, its confirmation, execute, its confirmation, termination. It waits under (type,
 * common address, object address, what is awaited): an act that follows a confirmed select goes on with it, any other
 * starts anew. Process data are events of their own, except the answer to a read command (102). */
#include "dissectors/iec104_priv.h"

enum awaited { /* what a transaction waits for: part of its key */
               AW_CON,
               AW_SELECT_CON,
               AW_EXECUTE,
               AW_TERM,
               AW_DEACT_CON,
               AW_READ,
               AW_FILE_C2S,
               AW_FILE_S2C
};
enum { TERM_TIMEOUT_S = 30 /* a tap changer or a long interrogation ends later than it was confirmed */ };

static uint64_t key_of(uint8_t type, enum awaited what, uint16_t ca, uint32_t ioa, uint16_t value)
{
    return (uint64_t)(value & 0x7ff) << 52 | (uint64_t)what << 48 | (uint64_t)type << 40 | (uint64_t)ca << 24 | ioa;
}

static uint64_t own_key(const struct iec_asdu *a, enum awaited what)
{
    return key_of(a->type, what, a->ca, a->ioa, what == AW_EXECUTE ? 0 : a->value);
}

/* The key under which a confirmation finds its command. The command may have been sent to all stations; or with another
 * value, where the confirmation is no mirror of it: then its N(R) must say that this command was the last one received,
 * for commands may be missing in the capture. */
static bool find_key(const struct iec_asdu *a, enum awaited what, uint64_t *key)
{
    *key = own_key(a, what);
    if (ev_is_waited(a->x, *key))
        return true;
    uint64_t other = key_of(a->type, what, IEC_GLOBAL_CA, a->ioa, what == AW_EXECUTE ? 0 : a->value);
    bool found = ev_is_waited(a->x, other);
    for (unsigned i = 0; i < ARRAY_LEN(a->st->pending) && !found && what != AW_EXECUTE; i++) {
        const struct iec_pending *p = &a->st->pending[i];
        if (p->type != a->type || p->ca != a->ca || p->ioa != a->ioa || ((p->ns + 1) & 0x7fff) != a->nr)
            continue;
        other = key_of(p->type, what, p->ca, p->ioa, p->value);
        found = ev_is_waited(a->x, other);
    }
    if (found)
        *key = other;
    return found;
}

static void wait_as(struct iec_asdu *a, enum awaited what)
{
    struct iec_flow *st = a->st;
    if (a->value) {
        st->pending[st->pending_next] =
            (struct iec_pending){.ioa = a->ioa, .ca = a->ca, .value = a->value, .ns = a->ns, .type = a->type};
        st->pending_next = (uint8_t)((st->pending_next + 1) % ARRAY_LEN(st->pending));
    }
    ev_wait(a->x, a->e, own_key(a, what));
}

/* ---- header ---- */

static const struct iec_sizes all_sizes[IEC_N_SIZES] = {{2, 2, 3}, {1, 2, 3}, {1, 1, 2}, {1, 2, 2},
                                                        {2, 2, 2}, {2, 1, 2}, {1, 1, 3}, {2, 1, 3},
                                                        {1, 1, 1}, {1, 2, 1}, {2, 2, 1}, {2, 1, 1}};

/* The row of the configured sizes; what is not configured is as the standard has it. */
static unsigned configured(const struct dis_ctx *x)
{
    uint8_t cot = dis_setting(x, &iec104_schema, IEC_SET_COT), ca = dis_setting(x, &iec104_schema, IEC_SET_CA),
            ioa = dis_setting(x, &iec104_schema, IEC_SET_IOA);
    for (unsigned i = 1; (cot | ca | ioa) && i < IEC_N_SIZES; i++)
        if (all_sizes[i].cot == (cot ? cot : all_sizes[0].cot) && all_sizes[i].ca == (ca ? ca : all_sizes[0].ca) &&
            all_sizes[i].ioa == (ioa ? ioa : all_sizes[0].ioa))
            return i;
    return 0;
}

const struct iec_sizes *iec_sizes_at(const struct dis_ctx *x, unsigned i)
{
    unsigned first = configured(x);
    return &all_sizes[i == 0 || i >= IEC_N_SIZES ? first : i <= first ? i - 1 : i];
}

enum match iec_asdu_fits(struct cur c, const struct iec_sizes *z)
{
    uint32_t head = 2u + z->cot + z->ca, left = cur_left(&c);
    const struct iec_type *t = iec_type_get(cur_u8(&c));
    uint8_t vsq = cur_u8(&c);
    if (left < head)
        return MATCH_NO;
    if (!t || (t->flags & T_SECURE))
        return MATCH_MAYBE;
    uint32_t want = head + iec_objects_len(t, vsq >> 7, vsq & 127, z->ioa);
    if (t->flags & T_VARIABLE)
        return (vsq & 127) == 1 && left >= want ? MATCH_YES : MATCH_NO;
    return want == left ? MATCH_YES : MATCH_NO;
}

/* 9.4, 9.5 fix the sizes; equipment that keeps those of -101 is told by the configuration, or by three ASDUs in a row
 * that fit only otherwise. Cause and common address cannot be told apart by the length: of several, the first is
 * taken. */
static void settle_sizes(const struct dis_ctx *x, struct iec_flow *st, struct cur c)
{
    enum { ENOUGH = 3 };
    uint16_t fits = 0;
    if (iec_asdu_fits(c, iec_sizes_at(x, st->sizes)) != MATCH_NO) {
        st->n_misfit = 0;
        return;
    }
    for (unsigned i = 0; i < IEC_N_SIZES; i++)
        if (iec_asdu_fits(c, iec_sizes_at(x, i)) == MATCH_YES)
            fits |= (uint16_t)(1u << i);
    st->fits = st->n_misfit ? st->fits & fits : fits;
    st->n_misfit = st->fits ? st->n_misfit + 1 : 0;
    if (st->n_misfit < ENOUGH)
        return;
    st->sizes = (uint8_t)__builtin_ctz(st->fits);
    st->n_misfit = 0;
}

uint8_t iec_asdu_dir(uint8_t type, uint8_t cot)
{
    const struct iec_type *t = iec_type_get(type);
    if (!t)
        return DIR_UNKNOWN;
    if (t->flags & T_MONITOR)
        return DIR_S2C;
    if (t->flags & (T_COMMAND | T_SYSTEM | T_PARAM)) {
        if (cot == COT_ACT || cot == COT_DEACT || cot == COT_REQ)
            return DIR_C2S;
        if (cot == COT_ACTCON || cot == COT_DEACTCON || cot == COT_ACTTERM ||
            (cot >= COT_UNKNOWN_TYPE && cot <= COT_UNKNOWN_IOA))
            return DIR_S2C;
    }
    return DIR_UNKNOWN;
}

/* Causes that go with a type (101 7.3, tables 14-16), as masks of causes 0-63. */
static bool cause_allowed(const struct iec_type *t, uint8_t cot)
{
    static const uint64_t mirror = UINT64_C(15) << 44;
    static const uint64_t monitor = 0x0e | 1u << 5 | 3u << 11 | UINT64_C(0x3fffff) << 20; /* 1-3, 5, 11, 12, 20-41 */
    uint64_t ok = mirror;
    if (t->flags & T_MONITOR)
        ok |= monitor | 1u << COT_INIT;
    if (t->flags & (T_COMMAND | T_SYSTEM))
        ok |= 0x1fu << 6 | 1u << 5; /* 5-10 */
    if (t == iec_type_get(103) || t == iec_type_get(106))
        ok |= 1u << COT_SPONT; /* 7.3.4.4, 7.3.4.7 */
    if (t->flags & T_PARAM)
        ok |= 0x1fu << 6 | UINT64_C(0x1ffff) << 20;
    if (t->flags & T_FILE)
        ok |= 1u << 13 | 1u << 3 | 1u << 5;
    if (t->flags & T_SECURE)
        ok |= 7u << 14 | 1u << 5 | 1u << 6 | 1u << 7;
    return ok >> cot & 1;
}

static void judge(struct iec_asdu *a)
{
    const struct iec_type *t = a->t;
    a->e->anomalies |= a->found;
    if (!t)
        iec_anomaly(a, a->type >= 128 ? IA_PRIVATE_TYPE : IA_UNKNOWN_TYPE);
    if (a->cot == 0 || (a->cot >= 17 && a->cot <= 19) || a->cot == 42 || a->cot == 43 || (a->cot > 47 && a->type < 128))
        iec_anomaly(a, IA_UNKNOWN_COT);
    else if (t && !cause_allowed(t, a->cot))
        iec_anomaly(a, IA_COT_MISMATCH);
    if (a->ca == 0)
        iec_anomaly(a, IA_CA_ZERO);
    if (a->test)
        iec_anomaly(a, IA_TEST);
    if (a->st->sizes)
        iec_anomaly(a, IA_SIZES);
    if (!t || (t->flags & T_SECURE))
        return;
    if (a->n == 0)
        iec_anomaly(a, IA_ZERO_OBJECTS);
    else if ((t->form & T_SINGLE) && (a->sq || a->n != 1))
        iec_anomaly(a, IA_SQ);
    uint32_t want = iec_objects_len(t, a->sq, a->n, a->z.ioa), left = cur_left(&a->objects);
    if (t->flags & T_VARIABLE ? left < want : left != want)
        iec_anomaly(a, IA_BAD_LENGTH);
    uint8_t dir = a->x->dir == DIR_UNKNOWN ? DIR_C2S : a->x->dir, told = iec_asdu_dir(a->type, a->cot);
    if (told != DIR_UNKNOWN && told != dir)
        iec_anomaly(a, IA_DIRECTION);
}

static void header_fields(struct iec_asdu *a)
{
    ev_unit(a->e, a->ca);
    ev_u64(a->e, IF_TYPE, a->type);
    ev_u64(a->e, IF_COT, a->cot);
    if (a->oa)
        ev_u64(a->e, IF_ORIGINATOR, a->oa);
    if (a->test)
        ev_u64(a->e, IF_TEST, 1);
    ev_u64(a->e, IF_SEND_SEQ, a->ns);
    ev_u64(a->e, IF_RECV_SEQ, a->nr);
    if (a->n != 1)
        ev_u64(a->e, IF_OBJECTS, a->n);
    if (a->sq)
        ev_u64(a->e, IF_SEQUENCE, 1);
}

/* ---- dialogues ---- */

static uint32_t selector_of(const struct iec_asdu *a)
{
    struct cur c = a->objects;
    cur_skip(&c, a->z.ioa);
    if (a->type == 101)
        return cur_left(&c) ? cur_peek(&c, 0) >> 6 : OP_ANY_SELECTOR;
    if (a->type == 122) /* NOF(2), NOS(1), SCQ */
        return cur_left(&c) > 3 ? cur_peek(&c, 3) & 15 : OP_ANY_SELECTOR;
    return OP_ANY_SELECTOR;
}

static struct event *begin(struct iec_asdu *a)
{
    a->e = ev_begin(a->x, &iec104_schema, a->type, selector_of(a));
    header_fields(a);
    return a->e;
}

static void status_of(struct iec_asdu *a)
{
    enum { NEGATIVE = 64 };
    if (a->cot >= COT_UNKNOWN_TYPE && a->cot <= COT_UNKNOWN_IOA)
        ev_status(a->e, a->cot, true);
    else
        ev_status(a->e, a->negative ? NEGATIVE : 0, a->negative);
    if (a->negative)
        ev_u64(a->e, IF_NEGATIVE, 1);
}

static const struct again not_kept = {.digest = 0};

static void commit_new(struct iec_asdu *a, uint8_t kind, const struct again *again)
{
    begin(a);
    a->e->kind = kind;
    judge(a);
    iec_read_objects(a);
    if (a->negative || (a->cot >= COT_UNKNOWN_TYPE && a->cot <= COT_UNKNOWN_IOA))
        status_of(a);
    ev_commit_again(a->x, a->e, again);
}

/* The object addresses of the ASDU, one behind the other; of a sequence whose values say how many objects it is shown
 * as, all of it. False: it does not fit its length, or there is a time tag with more to tell than the time. */
static bool object_list(const struct iec_asdu *a, uint8_t room[IEC_IOAS], struct span *ret)
{
    const struct iec_type *t = a->t;
    struct cur c = a->objects;
    struct span all = cur_rest(&c);
    uint32_t k = 0, at = 0;
    if (all.n != iec_objects_len(t, a->sq, a->n, a->z.ioa))
        return false;
    for (unsigned i = 0; i < a->n; i++, at += t->len) {
        for (unsigned b = 0; b < a->z.ioa && (i == 0 || !a->sq); b++)
            room[k++] = all.p[at++];
        if (t->form && !iec_plain_time(t, (struct span){all.p + at, t->len}))
            return false;
    }
    *ret = a->sq && t->mask ? all : (struct span){room, k};
    return true;
}

/* Process data that tell the same objects as before, whatever their values, qualities and times: what fits its length
 * has no more than that. */
static bool told_again(const struct iec_asdu *a, struct again *again)
{
    const struct iec_type *t = a->t;
    uint8_t room[IEC_IOAS];
    struct span s;
    uint64_t context = (uint64_t)a->type << 56 | (uint64_t)a->sq << 55 | (uint64_t)a->n << 48 |
                       (uint64_t)a->st->sizes << 40 | (uint64_t)a->negative << 39 | (uint64_t)a->test << 38 |
                       (uint64_t)a->cot << 32 | (uint64_t)a->oa << 16 | a->ca;
    return !(t->form & ~(T_TIME24 | T_TIME56)) && !a->found && object_list(a, room, &s) &&
           ev_told_again(a->x, &iec104_schema, s, context, again);
}

/* What is executed counts, also where something else was selected. */
static void executed_value(struct iec_asdu *a)
{
    struct item it;
    if (!a->e->n_items || !iec_peek_value(a, &it) || it.v.enc < VE_NOW_UINT)
        return;
    a->e->items[0].v = it.v;
}

/* A later message of the client in a command that goes on. */
static void go_on(struct iec_asdu *a, uint64_t key)
{
    a->e = ev_answer(a->x, &iec104_schema, key, a->type, OP_ANY_SELECTOR);
    ev_u64(a->e, IF_COT, a->cot);
    judge(a);
    a->e->has_status = 0;
    a->e->kind = EV_REQUEST; /* not answered: only the select was */
}

/* 60870-5-5 6.8: what was selected is executed, or the selection is broken off. True when this was it. */
static bool on_selected(struct iec_asdu *a)
{
    uint64_t key;
    bool execute = a->cot == COT_ACT && !a->select;
    if ((!execute && a->cot != COT_DEACT) || a->t->se_at < 0 || !find_key(a, AW_EXECUTE, &key))
        return false;
    go_on(a, key);
    if (execute) {
        iec_compare_object(a, IA_EXECUTE_DIFFERS);
        executed_value(a);
        a->e->action = a->e->op ? a->e->op->action : ACT_CONTROL;
        for (unsigned i = 0; i < a->e->n_items; i++)
            a->e->items[i].action = a->e->action;
        a->e->phase = PHASE_EXECUTE;
    }
    wait_as(a, execute ? AW_CON : AW_DEACT_CON);
    return true;
}

/* The client asks: select, execute, activate, deactivate, read. */
static void on_command(struct iec_asdu *a)
{
    bool select = a->cot == COT_ACT && a->select, off = a->cot == COT_DEACT;
    if (a->cot != COT_ACT && !off && a->cot != COT_REQ) {
        commit_new(a, EV_MESSAGE, &not_kept);
        return;
    }
    if (on_selected(a))
        return;
    begin(a);
    if (a->t->flags & T_COMMAND) {
        a->e->phase = select || off ? PHASE_SELECT : PHASE_EXECUTE;
        if (select || off)
            a->e->action = ACT_SELECT; /* nothing moves yet, or any more */
    }
    if (select)
        ev_u64(a->e, IF_SELECT, 1);
    judge(a);
    iec_read_objects(a);
    enum awaited what = a->type == 102 ? AW_READ : select ? AW_SELECT_CON : off ? AW_DEACT_CON : AW_CON;
    wait_as(a, what);
}

static void learn(struct iec_asdu *a)
{
    if (a->negative || a->cot != COT_ACTCON)
        return;
    if (a->type == 105)
        obs_text(a->x, &iec104_schema, OBS_SERVER, OBS_SELF, OBS_STATE, (struct span){(const uint8_t *)"reset", 5}, 70);
}

/* The station confirms, ends or refuses. */
static void on_confirmation(struct iec_asdu *a)
{
    static const enum awaited order[][3] = {
        {AW_SELECT_CON, AW_CON, AW_TERM}, /* confirmation of a select */
        {AW_CON, AW_TERM, AW_SELECT_CON}, /* of an execute */
        {AW_TERM, AW_CON, AW_EXECUTE},    /* termination */
        {AW_DEACT_CON, AW_DEACT_CON, AW_DEACT_CON},
        {AW_CON, AW_SELECT_CON, AW_DEACT_CON}, /* refusals that name no phase */
    };
    bool unknown = a->cot >= COT_UNKNOWN_TYPE && a->cot <= COT_UNKNOWN_IOA;
    unsigned row = unknown ? 4 : a->cot == COT_DEACTCON ? 3 : a->cot == COT_ACTTERM ? 2 : a->select ? 0 : 1;
    uint64_t key = 0;
    unsigned tries = row == 2 || unknown ? 3 : 1, i = 0;
    while (i < tries && !find_key(a, order[row][i], &key))
        i++;
    if (i == tries && a->type == 102 && find_key(a, AW_READ, &key))
        i = 0;
    a->e = ev_answer(a->x, &iec104_schema, key, a->type, selector_of(a));
    if (a->e->kind == EV_RESPONSE)
        header_fields(a);
    else
        ev_u64(a->e, IF_COT, a->cot);
    judge(a);
    if (a->e->kind == EV_RESPONSE)
        iec_read_objects(a);
    else if (!unknown)
        iec_compare_object(a, IA_CON_DIFFERS);
    status_of(a);
    learn(a);
    bool alone = a->e->kind == EV_RESPONSE, good = !a->negative && !unknown;
    a->e->phase = row == 2                     ? PHASE_TERMINATE
                  : !(a->t->flags & T_COMMAND) ? PHASE_NONE
                  : row == 3                   ? PHASE_SELECT
                                               : PHASE_CONFIRM;
    if (!alone && good && row == 0) {
        a->e->phase = PHASE_SELECT;
        wait_as(a, AW_EXECUTE);
    } else if (!alone && good && row == 1 && (a->t->flags & T_TERM)) {
        a->e->outcome = OUT_ACCEPTED; /* executed when it terminates */
        ev_wait_for(a->x, a->e, own_key(a, AW_TERM), TERM_TIMEOUT_S * UINT64_C(1000000000));
    } else {
        if (row == 2 && good)
            a->e->outcome = OUT_UNKNOWN; /* ev_commit: executed */
        ev_commit(a->x, a->e);
    }
}

static void on_process_data(struct iec_asdu *a)
{
    uint64_t key;
    uint8_t own = a->type;
    a->type = 102;
    bool asked = a->cot == COT_REQ && a->x->dir == DIR_S2C && find_key(a, AW_READ, &key);
    a->type = own;
    if (asked) {
        a->e = ev_answer(a->x, &iec104_schema, key, a->type, OP_ANY_SELECTOR);
        ev_u64(a->e, IF_COT, a->cot);
        judge(a);
        ev_status(a->e, 0, false);
        iec_answer_object(a);
        ev_commit(a->x, a->e);
        return;
    }
    struct again again = {.digest = 0};
    if (told_again(a, &again))
        return;
    bool by_itself = a->cot <= COT_INIT || a->cot == 11 || a->cot == 12;
    commit_new(a, by_itself ? EV_UNSOLICITED : a->cot == COT_REQ ? EV_RESPONSE : EV_MESSAGE, &again);
    if (a->type != 70 || a->x->dir != DIR_S2C)
        return;
    obs_text(a->x, &iec104_schema, OBS_SERVER, OBS_SELF, OBS_STATE, (struct span){(const uint8_t *)"initialised", 11},
             70);
}

/* 101 7.4.11: a call is answered by what it calls for, a ready by a call, a last section by an acknowledgement; the
 * answer comes from the other side, which may be either station. */
static void on_file(struct iec_asdu *a)
{
    static const struct {
        uint8_t answer, asked[2];
    } pairs[] = {{120, {122, 0}}, {121, {122, 0}}, {126, {122, 127}}, {122, {120, 121}}, {124, {123, 0}}};
    bool from_client = a->x->dir != DIR_S2C;
    enum awaited mine = from_client ? AW_FILE_C2S : AW_FILE_S2C, other = from_client ? AW_FILE_S2C : AW_FILE_C2S;
    uint64_t key = 0;
    bool found = false;
    for (unsigned i = 0; i < ARRAY_LEN(pairs) && !found; i++)
        for (unsigned k = 0; k < 2 && pairs[i].answer == a->type && !found; k++) {
            key = key_of(pairs[i].asked[k], other, a->ca, a->ioa, 0);
            found = pairs[i].asked[k] && ev_is_waited(a->x, key);
        }
    if (!found) {
        begin(a);
        judge(a);
        iec_read_objects(a);
        if (a->type == 124 || a->type == 125 || a->type == 126)
            ev_commit(a->x, a->e);
        else
            ev_wait(a->x, a->e, own_key(a, mine));
        return;
    }
    a->e = ev_answer(a->x, &iec104_schema, key, a->type, OP_ANY_SELECTOR);
    ev_u64(a->e, IF_COT, a->cot);
    judge(a);
    status_of(a);
    iec_read_objects(a);
    ev_commit(a->x, a->e);
}

/* ---- entry ---- */

/* What of a command its confirmation mirrors: the element without S/E bit and time tag. Never 0. */
static uint16_t value_hash(const struct iec_type *t, struct cur element)
{
    uint32_t n = t->len - (t->form & T_TIME56 ? 7u : 0), h = 2166136261u;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ (cur_u8(&element) & ((int)i == t->se_at ? 0x7fu : 0xffu))) * 16777619u;
    h = (h ^ h >> 11 ^ h >> 22) & 0x7ff;
    return (uint16_t)(h ? h : 1);
}

static void report_address(struct iec_asdu *a)
{
    struct iec_flow *st = a->st;
    if (a->x->dir != DIR_S2C || a->ca == 0 || a->ca == IEC_GLOBAL_CA || a->cot == 46)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(st->told_ca); i++)
        if (st->told_ca[i] == a->ca)
            return;
    st->told_ca[st->told_next] = a->ca;
    st->told_next = (uint8_t)((st->told_next + 1) % ARRAY_LEN(st->told_ca));
    obs_fmt(a->x, &iec104_schema, OBS_SERVER, OBS_SELF, OBS_PROTO_ADDR, 95, "%u", a->ca);
}

static bool read_header(struct iec_asdu *a, struct cur c)
{
    a->type = cur_u8(&c);
    uint8_t vsq = cur_u8(&c), cause = cur_u8(&c);
    a->oa = a->z.cot == 2 ? cur_u8(&c) : 0;
    a->ca = a->z.ca == 2 ? cur_u16le(&c) : cur_u8(&c);
    if (a->z.ca == 1 && a->ca == 255)
        a->ca = IEC_GLOBAL_CA;
    a->n = vsq & 127;
    a->sq = vsq >> 7;
    a->cot = cause & 63;
    a->negative = cause >> 6 & 1;
    a->test = cause >> 7;
    a->t = iec_type_get(a->type);
    a->objects = c;
    struct cur o = c;
    a->ioa = iec_read_ioa(&o, a->z.ioa);
    a->has_ioa = cur_ok(&o);
    if (a->t && a->t->se_at >= 0)
        a->select = cur_peek(&o, (uint32_t)a->t->se_at) >> 7;
    if (a->t && (a->t->flags & (T_COMMAND | T_PARAM)))
        a->value = value_hash(a->t, o);
    return cur_ok(&c);
}

enum verdict iec_asdu_parse(struct cur c, struct dis_ctx *x, struct iec_flow *st, uint16_t ns, uint16_t nr,
                            uint64_t found)
{
    if (!x->cut)
        settle_sizes(x, st, c);
    struct iec_asdu a = {.x = x, .st = st, .z = *iec_sizes_at(x, st->sizes), .ns = ns, .nr = nr, .found = found};
    if (!read_header(&a, c)) {
        ev_malformed(x, &iec104_schema, IA_TRUNCATED);
        return DIS_MALFORMED;
    }
    report_address(&a);
    unsigned flags = a.t ? a.t->flags : 0;
    bool mirrored = a.cot == COT_ACTCON || a.cot == COT_DEACTCON || a.cot == COT_ACTTERM ||
                    (a.cot >= COT_UNKNOWN_TYPE && a.cot <= COT_UNKNOWN_IOA);
    if (!a.t || (flags & T_SECURE))
        commit_new(&a, EV_MESSAGE, &not_kept);
    else if (flags & T_MONITOR)
        on_process_data(&a);
    else if (flags & T_FILE)
        on_file(&a);
    else if (x->dir == DIR_S2C && mirrored)
        on_confirmation(&a);
    else if (x->dir == DIR_S2C)
        commit_new(&a, EV_MESSAGE, &not_kept);
    else
        on_command(&a);
    return a.e && a.e->anomalies >> IA_BAD_LENGTH & 1 ? DIS_MALFORMED : DIS_OK;
}
