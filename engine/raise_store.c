/* raise_store.c: alerts on their way into the database. */
#include <stdio.h>
#include <string.h>

#include "engine/raise.h"
#include "store/query.h"
#include "store/store.h"

static int put(void *ctx, const struct alert_out *a)
{
    static const char command[] = "tyto baseline accept ";
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    const char *accept = a->accept;
    if (a->has_src)
        addr_text(&a->src, src);
    if (a->has_dst)
        addr_text(&a->dst, dst);
    if (accept && strncmp(accept, command, sizeof command - 1) == 0)
        accept += sizeof command - 1; /* the store keeps the argument alone */
    struct store_alert row = {
        .uid = a->uid,
        .update = a->update,
        .first_ns = a->first_ns,
        .last_ns = a->last_ns,
        .count = a->count,
        .sid = a->sid,
        .severity = (uint8_t)(AS_WARNING + 1 - a->severity),
        .id = a->id,
        .engine = alert_engine_name(a->engine),
        .title = a->title,
        .src = a->has_src ? src : NULL,
        .dst = a->has_dst ? dst : NULL,
        .src_asset = a->src_asset,
        .dst_asset = a->dst_asset,
        .accept = accept,
        .json = a->line,
        .json_len = a->line_len,
    };
    return store_alert(ctx, &row) ? 0 : -ENOBUFS;
}

struct alert_sink raise_store_sink(struct store *s)
{
    return (struct alert_sink){.ctx = s, .put = put};
}

bool raise_past(void *query, uint64_t uid, struct alert_past *ret)
{
    char hex[17];
    const char *arg = hex;
    struct err e;
    bool found = false;
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)uid);
    struct rows *r = query_run(query, Q_ALERT, &arg, 1, &e);
    if (!r)
        return false;
    if (rows_next(r, &e) > 0) {
        ret->update = (uint32_t)rows_int(r, QX_UPDATE);
        ret->count = (uint64_t)rows_int(r, QX_COUNT);
        found = true;
    }
    rows_done(r);
    return found;
}
