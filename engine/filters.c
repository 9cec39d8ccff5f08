#include "engine/filters.h"

#include <stdio.h>
#include <string.h>

#include "alerts/catalogue.h"
#include "baseline/baseline.h"
#include "dissectors/dissector.h"
#include "engine/base/text.h"
#include "engine/itapp.h"
#include "engine/listing.h"
#include "rules/rules.h"
#include "store/query.h"

enum { WRONG = 2, NONE_SUCH = 1 };

static bool has(struct query *q, int query, const char *value)
{
    struct rows *r = ask(q, query, &value, 1);
    bool found = next(r);
    rows_done(r);
    return found;
}

int filter_type(struct query *q, const char *type)
{
    const char *name;
    unsigned i = 0;
    if (!type || has(q, Q_HAS_TYPE, type)) /* the configuration may give types of its own */
        return 0;
    while ((name = asset_type_name(i)) && strcmp(name, type) != 0)
        i++;
    if (name)
        return 0;
    fprintf(stderr, "tyto assets: --type: found '%s', expected one of", type);
    for (i = 0; (name = asset_type_name(i)); i++)
        fprintf(stderr, "%s %s", i ? "," : "", name);
    fputs("\n", stderr);
    return WRONG;
}

int filter_zone(struct query *q, const char *zone)
{
    if (!zone || has(q, Q_HAS_ZONE, zone))
        return 0;
    fprintf(stderr, "tyto assets: --zone: no device is in a zone '%s', expected one of the database:", zone);
    struct rows *r = ask(q, Q_ZONES, NULL, 0);
    for (bool any = false; next(r); any = true)
        fprintf(stderr, "%s %s", any ? "," : "", rows_text(r, 0));
    rows_done(r);
    fputs("\n", stderr);
    return NONE_SUCH;
}

static bool knows_protocol(struct query *q, const char *name)
{
    if (has(q, Q_HAS_PROTOCOL, name))
        return true;
    for (unsigned i = 0; schema_at(i); i++)
        if (strcasecmp(schema_at(i)->name, name) == 0)
            return true;
    struct itapp *n = itapp_new();
    bool knows = n && itapp_knows(n, name);
    itapp_free(n);
    return knows;
}

int filter_protocol(struct query *q, const char *name)
{
    if (!name || knows_protocol(q, name))
        return 0;
    fprintf(stderr, "tyto links: --protocol: found '%s', expected", name);
    for (unsigned i = 0; schema_at(i); i++)
        fprintf(stderr, " %s,", schema_at(i)->name);
    fputs(" or another that `tyto links` shows\n", stderr);
    return WRONG;
}

int filter_asset(struct query *q, const char *place, const char *who)
{
    if (!who || has(q, Q_HAS_ASSET, who))
        return 0;
    fprintf(stderr, "tyto %s: no device has the id, address or name '%s'\n", place, who);
    return NONE_SUCH;
}

int filter_host(struct query *q, const char *who)
{
    struct addr a;
    return who && addr_parse(who, &a) ? 0 : filter_asset(q, "alerts: --host", who);
}

/* Of the rules that come with the program, switched off or not. */
static bool shipped_rule(const char *id)
{
    enum { MOST = 64 };
    const struct proto_schema *schemas[MOST];
    struct ruleset_opts o = {.schemas = schemas};
    struct ruleset *rs = NULL;
    struct err e;
    while (o.n_schemas < MOST && (schemas[o.n_schemas] = schema_at(o.n_schemas)))
        o.n_schemas++;
    bool found = ruleset_load(&o, &rs, &e) == 0 && ruleset_by_id(rs, id);
    ruleset_free(rs);
    return found;
}

int filter_alert_type(struct query *q, const char *id)
{
    if (!id || alert_type_by_id(id) || strncmp(id, "USR-", 4) == 0 || shipped_rule(id) || has(q, Q_HAS_ALERT_TYPE, id))
        return 0;
    fprintf(stderr, "tyto alerts: --type: found '%s', expected policy, protocol, malware, anomaly, "
                    "operational, or an id that `tyto alerts --types` or `tyto rules list` shows\n", id);
    return WRONG;
}
