/* mms_osi.c: the layers between COTP and MMS: session (ISO 8327-1), presentation (ISO 8823-1), ACSE (ISO 8650-1).
 *
 *   SPDU   SI, LI (ff: two more octets), parameters of LI octets: PI, LI, value; behind a DT its user information
 *          DT is 01 00 01 00 (give tokens, data transfer); CN 0d and AC 0e have their user data in c1 or c2
 *   CP     31 { a0 mode  a2 { 81 82 selectors  a4 contexts  61 user data } }      CPA alike, with 83 and a5
 *   data   61 { 30 { 02 context  a0 { one value } } ... }
 *   ACSE   60 AARQ 61 AARE 62 RLRQ 63 RLRE 64 ABRT; be { 28 { 02 context  a0 { MMS } } }
 *
 * Not decoded: session segments and synchronisation points (IEC 61850-8-1 uses neither), selectors, PDUs refused below
 * ACSE beyond that they were. */
#include "dissectors/mms.h"

enum { PI_ITEM = 5, PI_OPTIONS = 0x13, PI_VERSION = 0x16, PI_USER = 0xc1, PI_EXTENDED = 0xc2, MAX_ELEMENTS = 64 };

/* ---- session ---- */

static uint32_t session_len(struct cur *c)
{
    uint8_t n = cur_u8(c);
    return n == 0xff ? cur_u16be(c) : n;
}

static bool known_spdu(uint8_t si)
{
    return si == SPDU_DT || (si >= SPDU_NF && si <= SPDU_DN) || (si >= SPDU_RF && si <= SPDU_AC) || si == SPDU_AB ||
           si == SPDU_AA;
}

/* The parameter with user data. */
static struct cur session_user(struct cur params, struct osi *o)
{
    while (cur_left(&params)) {
        uint8_t pi = cur_u8(&params);
        struct cur v = cur_sub(&params, session_len(&params));
        if (!cur_ok(&v))
            break;
        if (pi == PI_USER || pi == PI_EXTENDED)
            return v;
    }
    if (!cur_ok(&params))
        o->faults |= OSI_SESSION;
    return (struct cur){0};
}

/* One SPDU, behind a give-tokens where there is one. Leaves the cursor at the presentation's bytes. */
static struct cur session(struct cur c, struct osi *o)
{
    o->spdu = cur_u8(&c);
    struct cur params = cur_sub(&c, session_len(&c));
    if (o->spdu == SPDU_DT && !cur_left(&params) && known_spdu(cur_peek(&c, 0))) {
        o->spdu = cur_u8(&c);
        params = cur_sub(&c, session_len(&c));
    }
    if (!cur_ok(&c) || !cur_ok(&params)) {
        o->faults |= OSI_SESSION;
        return (struct cur){0};
    }
    return o->spdu == SPDU_DT ? c : session_user(params, o);
}

/* ---- ACSE ---- */

static bool acse_entity(struct osi *o, struct cur body, uint32_t number)
{
    struct osi_entity *e[] = {&o->called, &o->called, &o->calling, &o->calling};
    struct ber t;
    bool aare = o->apdu == ACSE_AARE, qualifier;
    bool fits = aare ? number == 4 || number == 5 : number == 2 || number == 3 || number == 6 || number == 7;
    if (o->apdu > ACSE_AARE || !fits)
        return false;
    struct osi_entity *who = aare ? &o->responding : e[number == 2 ? 0 : number == 3 ? 1 : number - 4];
    qualifier = number & 1;
    if (!ber_next(&body, &t))
        return true;
    if (qualifier && t.id == BER_UNI(BER_INTEGER)) {
        who->has_qualifier = ber_i64(t.body, &who->qualifier);
    } else if (!qualifier && t.id == BER_UNI(BER_OID)) {
        who->title = t.body;
        who->has_title = true;
    }
    return true;
}

/* X.227 7.1: authentication-value, a charstring where it is a password (IEC 61850-8-1 annex, ISO 8650-1 annex B). */
static uint8_t auth_kind(struct cur body)
{
    struct ber t;
    if (!ber_next(&body, &t))
        return AUTH_OTHER;
    return t.id == BER_CTX(0) ? AUTH_PASSWORD : t.id == BER_CTX(1) ? AUTH_BITS : t.id == BER_CTX(2) ? AUTH_EXTERNAL
                                                                                                    : AUTH_OTHER;
}

/* EXTERNAL: what of it is in its encoding. */
static bool external(struct cur body, struct cur *ret)
{
    struct ber t;
    while (ber_next(&body, &t))
        if (t.id == BER_CTX(0) || t.id == BER_CTX(1) || t.id == BER_CTX(2)) {
            *ret = t.body;
            return true;
        }
    return false;
}

static void acse_user(struct osi *o, struct cur body)
{
    struct ber t;
    while (ber_next(&body, &t))
        if (t.id == BER_UNI(BER_EXTERNAL) && o->n < OSI_PDVS && external(t.body, &o->pdv[o->n]))
            o->n++;
    if (!cur_ok(&body))
        o->faults |= OSI_ACSE;
}

static void acse_result(struct osi *o, uint32_t number, struct cur body)
{
    struct ber t;
    if (!ber_next(&body, &t))
        return;
    if (number == 2) {
        o->has_result = ber_u32(t.body, &o->result);
    } else if (ber_number(&t) == 1 || ber_number(&t) == 2) {
        o->source = (uint8_t)ber_number(&t);
        struct ber v;
        if (ber_next(&t.body, &v))
            ber_u32(v.body, &o->diagnostic);
    }
}

static void acse(struct osi *o, const struct ber *apdu)
{
    struct cur c = apdu->body;
    struct ber t;
    o->apdu = (uint8_t)ber_number(apdu);
    if (o->apdu > ACSE_ABRT) {
        o->faults |= OSI_ACSE;
        return;
    }
    for (unsigned i = 0; i < MAX_ELEMENTS && ber_next(&c, &t); i++) {
        uint32_t number = ber_number(&t);
        struct ber v;
        if (t.id >> 30 != BER_CONTEXT || acse_entity(o, t.body, number))
            continue;
        if (number == 30)
            acse_user(o, t.body);
        else if (o->apdu == ACSE_AARE && (number == 2 || number == 3))
            acse_result(o, number, t.body);
        else if (o->apdu <= ACSE_AARE && number == 1 && ber_next(&t.body, &v))
            o->context = v.body;
        else if (number == (o->apdu == ACSE_AARQ ? 12u : 10u) && o->apdu <= ACSE_AARE)
            o->auth = auth_kind(t.body);
    }
    if (!cur_ok(&c))
        o->faults |= OSI_ACSE;
}

/* ---- presentation ---- */

static void pdv(struct osi *o, struct cur c)
{
    struct ber t, v;
    while (ber_next(&c, &t)) {
        if (t.id != BER_CTX(0) && t.id != BER_CTX(1) && t.id != BER_CTX(2))
            continue;
        if (ber_peek(t.body, &v) && v.id >> 30 == BER_APPLICATION)
            acse(o, &v);
        else if (o->n < OSI_PDVS)
            o->pdv[o->n++] = t.body;
    }
    if (!cur_ok(&c))
        o->faults |= OSI_PRESENTATION;
}

/* Fully encoded data (8.4.4.2); simply encoded data, 60, is the value itself. */
static void user_data(struct osi *o, const struct ber *u)
{
    struct cur c = u->body;
    struct ber t;
    if (u->id == BER_APP(0)) {
        if (o->n < OSI_PDVS)
            o->pdv[o->n++] = c;
        return;
    }
    while (ber_next(&c, &t))
        if (t.id == BER_UNI(BER_SEQUENCE))
            pdv(o, t.body);
    if (!cur_ok(&c))
        o->faults |= OSI_PRESENTATION;
}

/* CP, CPA, CPR, ARU: the user data in their normal-mode parameters. */
static void presentation(struct osi *o, struct cur c)
{
    struct ber t;
    if (!ber_next(&c, &t)) {
        o->faults |= OSI_PRESENTATION;
        return;
    }
    if (t.id == BER_APP(1) || t.id == BER_APP(0)) {
        user_data(o, &t);
        if (cur_left(&c))
            o->faults |= OSI_PRESENTATION;
        return;
    }
    struct cur in = t.body;
    struct ber v;
    if (t.id == BER_UNI(BER_SET) && ber_find(in, BER_CTX(2), &v))
        in = v.body;
    for (unsigned i = 0; i < MAX_ELEMENTS && ber_next(&in, &v); i++)
        if (v.id == BER_APP(1) || v.id == BER_APP(0))
            user_data(o, &v);
    if (!cur_ok(&in))
        o->faults |= OSI_PRESENTATION;
}

/* The object identifier that all of MMS begins with: iso standard 9506 part(2). */
static bool names_mms(struct cur c)
{
    static const uint8_t oid[] = {0x28, 0xca, 0x22, 0x02};
    for (; cur_left(&c) >= sizeof oid; cur_skip(&c, 1)) {
        struct cur at = c;
        struct span s = cur_bytes(&at, sizeof oid);
        if (memcmp(s.p, oid, sizeof oid) == 0)
            return true;
    }
    return false;
}

void osi_parse(struct cur c, struct osi *o)
{
    *o = (struct osi){.apdu = ACSE_NONE};
    uint8_t first = cur_peek(&c, 0);
    if (!known_spdu(first)) {
        o->spdu = SPDU_BARE;
        o->faults = mms_pdu_shape(c, true) == MATCH_YES ? 0 : OSI_FOREIGN;
        o->pdv[0] = c;
        o->n = o->faults ? 0 : 1;
        return;
    }
    struct cur user = session(c, o);
    if (o->spdu == SPDU_CN && !names_mms(user)) { /* X.400, X.500, FTAM, ... */
        o->faults |= OSI_FOREIGN;
        return;
    }
    if (cur_left(&user))
        presentation(o, user);
    else if (o->spdu == SPDU_DT || o->spdu == SPDU_CN || o->spdu == SPDU_AC)
        o->faults |= o->faults & OSI_SESSION ? 0 : OSI_PRESENTATION;
}

/* ---- recognition ---- */

/* 61 { 30 { 02 context a0 { MMS or ACSE, of which the end may be missing. */
static enum match data_shape(struct cur c, bool whole, uint8_t *dir)
{
    static const uint8_t heads[] = {0x61, 0x30};
    for (unsigned i = 0; i < sizeof heads; i++) {
        if (cur_left(&c) && cur_u8(&c) != heads[i])
            return MATCH_NO;
        uint8_t n = cur_u8(&c);
        cur_skip(&c, n & 0x80 ? n & 0x7f : 0);
        if (!cur_ok(&c))
            return whole ? MATCH_NO : MATCH_MORE;
    }
    uint8_t tag = cur_u8(&c), n = cur_u8(&c);
    if (cur_ok(&c) && (tag != 2 || n < 1 || n > 4))
        return MATCH_NO;
    cur_skip(&c, n);
    uint8_t value = cur_u8(&c);
    if (cur_ok(&c) && value != 0xa0 && value != 0x81)
        return MATCH_NO;
    n = cur_u8(&c);
    cur_skip(&c, n & 0x80 ? n & 0x7f : 0);
    uint8_t first = cur_peek(&c, 0);
    if (!cur_ok(&c) || !cur_left(&c))
        return whole ? MATCH_NO : MATCH_MORE;
    if (first >= 0x60 && first <= 0x64) /* ACSE: which application is told elsewhere */
        return MATCH_MAYBE;
    if (*dir == DIR_UNKNOWN && mms_pdu_shape(c, false) != MATCH_NO)
        *dir = mms_pdu_dir(first & 0x1f);
    return mms_pdu_shape(c, false);
}

enum match osi_probe(struct cur c, uint32_t whole, bool eot, bool on_port, uint8_t *dir)
{
    bool all = eot && cur_left(&c) == whole;
    uint8_t si = cur_peek(&c, 0);
    struct cur in = c;
    cur_skip(&in, 1);
    uint32_t len = session_len(&in);
    if (!cur_ok(&in))
        return all ? MATCH_NO : MATCH_MORE;
    if (si == SPDU_CN || si == SPDU_AC) {
        if (eot && len != whole - (cur_left(&c) - cur_left(&in)))
            return MATCH_NO;
        if (*dir == DIR_UNKNOWN)
            *dir = si == SPDU_CN ? DIR_C2S : DIR_S2C;
        if (names_mms(in) || all)
            return names_mms(in) ? MATCH_YES : MATCH_NO;
        static const uint8_t item[] = {PI_ITEM, 6, PI_OPTIONS, 1, 0, PI_VERSION, 1, 2}; /* 8.3.1.8, as all write it */
        struct span begin = cur_bytes(&in, sizeof item);
        if (!begin.n || memcmp(begin.p, item, sizeof item) != 0)
            return MATCH_MORE;
        return on_port ? MATCH_MAYBE : MATCH_YES; /* who owns the whole will tell; another's is given back */
    }
    if (si == SPDU_DT && len == 0) {
        if (cur_peek(&in, 0) == SPDU_DT && cur_peek(&in, 1) == 0)
            cur_skip(&in, 2);
        if (!cur_ok(&in) || !cur_left(&in))
            return all ? MATCH_NO : MATCH_MORE;
        return data_shape(in, all, dir);
    }
    if (known_spdu(si) && len <= whole)
        return MATCH_MAYBE;
    enum match m = mms_pdu_shape(c, all);
    if (m == MATCH_YES && *dir == DIR_UNKNOWN)
        *dir = mms_pdu_dir(si & 0x1f);
    return m == MATCH_YES && eot && !all ? MATCH_MORE : m;
}
