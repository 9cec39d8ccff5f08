/* accept.c: an alert's keys, and what the model or its list of accepted alerts makes of them. */
#include "engine/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline/baseline.h"
#include "engine/json.h"
#include "engine/listing.h"
#include "store/query.h"
#include "store/store.h"

int accept_of_alert(struct query *q, const char *begin, char out[ACCEPT_KEYS], struct err *e)
{
    char uid[17];
    const char *const args[] = {uid};
    int found = uid_complete(q, begin, uid, e);
    if (found <= 0)
        return found ? found : err_set(e, -ENOENT, "there is no alert %s", begin);
    struct rows *r = ask(q, Q_ALERT, args, 1);
    bool has = next(r) && rows_text(r, QX_ACCEPT);
    if (has)
        snprintf(out, ACCEPT_KEYS, "%s", rows_text(r, QX_ACCEPT));
    rows_done(r);
    return has ? 0
               : err_set(e, -ENOENT, "%s tells a fact of its own each time and cannot be accepted; alerts.types and "
                         "rules.disable of the configuration switch it off", begin);
}

/* An alert without a fact to learn is named by what it tells: "alert:0123456789abcdef", one that the database has. */
static int accept_alert(struct query *q, struct baseline *b, const char *text, uint64_t now, struct err *e)
{
    char what[120] = "", src[64] = "", dst[64] = "", id[24] = "", *end = NULL;
    struct row_accepted a = {.key = strtoull(text + 6, &end, 16), .since_ns = now, .type = id, .src = src, .dst = dst,
                             .what = what};
    if (end != text + 6 + 16 || *end)
        return err_set(e, -EINVAL, "%s: found no key of an alert; expected what an alert shows under \"accept\", as in "
                                   "alert:0123456789abcdef", text);
    const char *const args[] = {text};
    struct rows *r = ask(q, Q_ALERT_OF_KEY, args, 1);
    bool found = next(r);
    if (found) {
        const struct js *v = NULL;
        const char *json = rows_text(r, QX_JSON), *s;
        snprintf(id, sizeof id, "%s", rows_text(r, QX_ID));
        snprintf(src, sizeof src, "%s", rows_text(r, QX_SRC) ? rows_text(r, QX_SRC) : "");
        snprintf(dst, sizeof dst, "%s", rows_text(r, QX_DST) ? rows_text(r, QX_DST) : "");
        if (json && js_parse(&v, json, strlen(json), e) == 0 && (s = js_str(v, "tyto.seen")))
            snprintf(what, sizeof what, "%s", s);
        else if (rows_text(r, QX_TITLE))
            snprintf(what, sizeof what, "%s", rows_text(r, QX_TITLE));
        js_free(v);
    }
    rows_done(r);
    if (!found)
        return err_set(e, -ENOENT, "%s: the database has no such alert (any more)", text);
    return baseline_accept_alert(b, &a, e);
}

int accept_keys(struct query *q, struct baseline *b, const char *keys, uint64_t now_ns, struct err *e)
{
    char text[ACCEPT_KEYS], *save = NULL;
    int r = 0;
    if (snprintf(text, sizeof text, "%s", keys) >= (int)sizeof text)
        return err_set(e, -EINVAL, "%.40s...: found %zu bytes of keys, expected fewer than %d", keys, strlen(keys),
                       (int)ACCEPT_KEYS);
    for (char *k = strtok_r(text, " ", &save); k && !r; k = strtok_r(NULL, " ", &save))
        r = strncmp(k, "alert:", 6) == 0 ? accept_alert(q, b, k, now_ns, e) : baseline_accept(b, k, now_ns, e);
    return r;
}

uint64_t accept_wishes(struct query *q, struct baseline *b, struct store *s, uint64_t now_ns, uint64_t last)
{
    struct err e;
    struct rows *r = ask(q, Q_WISHES, NULL, 0);
    while (next(r)) {
        uint64_t id = rows_u64(r, QW_ID);
        if (id <= last) /* done; the store has not got so far */
            continue;
        int refused = accept_keys(q, b, rows_text(r, QW_ACCEPT), now_ns, &e);
        baseline_save(b, store_sink(s), false); /* it is in the database when the wish is not there any more */
        if (!store_wish_done(s, id, refused ? e.text : NULL))
            break; /* no room: once more in a second */
        last = id;
    }
    rows_done(r);
    return last;
}
