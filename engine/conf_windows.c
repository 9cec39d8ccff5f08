/* conf_windows.c: the section `maintenance`: announced work, once or each week, in the configured zone. */
#include <stdio.h>
#include <string.h>

#include "engine/base/schema.h"
#include "engine/conf_int.h"

static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

/* "22:00", 24:00 included */
static bool parse_clock(const char *s, uint16_t *ret)
{
    unsigned h, m;
    int n = 0;
    if (sscanf(s, "%2u:%2u%n", &h, &m, &n) != 2 || s[n] || s[0] < '0' || s[0] > '9' || h > 24 || m > 59 ||
        (h == 24 && m))
        return false;
    *ret = (uint16_t)(h * 60 + m);
    return true;
}

static int read_weekly(struct load *l, const struct yaml_node *from, const struct yaml_node *to,
                       const struct yaml_node *list, struct site_window *w)
{
    w->weekly = true;
    if (!parse_clock(from->text, &w->from_min) || w->from_min == 1440)
        return yaml_expected(from, l->e, "a time of day such as 22:00");
    if (!parse_clock(to->text, &w->to_min))
        return yaml_expected(to, l->e, "a time of day such as 06:00");
    YAML_EACH(it, list)
    {
        unsigned day = 0;
        int r = yaml_enum(it, days, &day, l->e);
        if (r < 0)
            return r;
        if (w->days >> day & 1)
            return yaml_err(it, l->e, "day '%s' is there twice", days[day]);
        w->days |= (uint8_t)(1u << day);
    }
    return w->days ? 0 : yaml_expected(list, l->e, "at least one day");
}

static int read_window(struct load *l, const struct yaml_node *n, struct site_window *w)
{
    const struct yaml_node *from, *to, *list = yaml_get(n, "days");
    int r = conf_only_keys(l, n, "maintenance[].window");
    if (r == 0)
        r = yaml_need(n, "from", &from, l->e);
    if (r == 0)
        r = yaml_need(n, "to", &to, l->e);
    if (r < 0)
        return r;
    if (list)
        return read_weekly(l, from, to, list, w);
    uint16_t clock;
    if (parse_clock(from->text, &clock))
        return yaml_expected(from, l->e, "a date and time, or `days` beside it for a window of each week");
    if (!tz_parse_time(&l->c->site.tz, from->text, &w->from_ns))
        return yaml_expected(from, l->e, "a time such as 2026-05-01 06:00");
    if (!tz_parse_time(&l->c->site.tz, to->text, &w->to_ns))
        return yaml_expected(to, l->e, "a time such as 2026-05-01 18:00");
    return w->to_ns > w->from_ns ? 0 : yaml_expected(to, l->e, "a time after '%s'", from->text);
}

static int read_actions(struct load *l, const struct yaml_node *n, uint64_t *ret)
{
    const char *names[ACT_COUNT + 1];
    for (unsigned i = 0; i < ACT_COUNT; i++)
        names[i] = action_name(i);
    names[ACT_COUNT] = NULL;
    YAML_EACH(it, n)
    {
        unsigned act = 0;
        int r = yaml_enum(it, names, &act, l->e);
        if (r < 0)
            return r;
        *ret |= UINT64_C(1) << act;
    }
    return 0;
}

static int read_work(struct load *l, const struct yaml_node *n, const struct named *zones, const struct named *assets,
                     struct site_window *w)
{
    const struct yaml_node *name, *window, *zone = yaml_get(n, "zone"), *asset = yaml_get(n, "asset");
    const struct yaml_node *actor = yaml_get(n, "actor");
    const char *s = NULL;
    int r = conf_only_keys(l, n, "maintenance[]");
    if (r == 0)
        r = yaml_need(n, "name", &name, l->e);
    if (r == 0)
        r = yaml_str(name, &s, l->e);
    if (r == 0 && !(w->name = conf_strdup(l, s)))
        r = -ENOMEM;
    if (r == 0)
        r = yaml_need(n, "window", &window, l->e);
    if (r == 0)
        r = read_window(l, window, w);
    w->zone = -1;
    if (r == 0 && zone) {
        if ((r = yaml_str(zone, &s, l->e)) < 0)
            return r;
        const struct named *z = conf_find(zones, l->c->site.n_zones, s);
        if (!z)
            return yaml_expected(zone, l->e, "the name of a configured zone");
        w->zone = (int32_t)z->idx;
    }
    if (r == 0 && (w->has_asset = asset))
        r = conf_ref(l, asset, assets, &w->asset);
    if (r == 0 && (w->has_actor = actor))
        r = conf_ref(l, actor, assets, &w->actor);
    return r < 0 ? r : read_actions(l, yaml_get(n, "action"), &w->actions);
}

int conf_windows(struct load *l, const struct yaml_node *root, const struct named *zones, const struct named *assets)
{
    const struct yaml_node *list = yaml_get(root, "maintenance");
    if (!list || yaml_is_null(list))
        return 0;
    if (list->type != YAML_LIST)
        return yaml_expected(list, l->e, "a list of maintenance windows");
    if (list->n > SITE_MAX_WINDOWS)
        return yaml_err(list, l->e, "found %u maintenance windows, expected at most %d", list->n, SITE_MAX_WINDOWS);
    struct site_window *out = conf_alloc(l, list->n, sizeof *out);
    if (!out)
        return -ENOMEM;
    l->c->site.windows = out;
    YAML_EACH(it, list)
    {
        int r = read_work(l, it, zones, assets, &out[l->c->site.n_windows]);
        if (r < 0)
            return r;
        l->c->site.n_windows++;
    }
    return 0;
}
