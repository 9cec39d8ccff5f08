#include "engine/visibility.h"

#include <string.h>

#include "baseline/baseline.h"
#include "engine/base/evtext.h"
#include "engine/raise.h"

#define SECOND_NS UINT64_C(1000000000)
enum { COUNTS_S = 300, WINDOW_S = 60 }; /* counts of links come at whole multiples; ticks do */

void visibility_topology(struct visibility *v, const struct rec_topology *r)
{
    if (!v->changes++)
        v->first = *r;
}

static void word_topology(const struct visibility *v, struct words *w)
{
    static const char *const how[] = {"RSTP", "MRP", "DLR", "HSR or PRP"};
    static const char *const what[] = {"a change of the topology", "a ring that is open",
                                       "a ring that is closed again"};
    char from[ADDR_TEXT];
    addr_text(&v->first.from, from);
    words_add(w, "%s tells of %s (%s", how[v->first.how & 3], what[v->first.what % 3], from);
    if (v->changes > 1)
        words_add(w, ", and %u more such frames", v->changes - 1);
    words_add(w, ")");
}

static void word_links(const struct baseline_vanished *g, struct words *w)
{
    char client[ADDR_TEXT], server[ADDR_TEXT];
    words_add(w, "%s%u of %u links ", w->n ? "; " : "", g->gone, g->steady);
    if (g->vlan)
        words_add(w, "of VLAN %u ", g->vlan);
    words_add(w, "that were in use all the time were not heard in the last five minutes: ");
    for (unsigned i = 0; i < g->n_named; i++) {
        addr_text(&g->client[i], client);
        addr_text(&g->server[i], server);
        words_add(w, "%s%s > %s", i ? ", " : "", client, server);
    }
    if (g->gone > g->n_named)
        words_add(w, " and %u more", g->gone - g->n_named);
}

static void word_absent(const struct absent *a, struct words *w)
{
    enum { NAMED = 4 };
    char src[ADDR_TEXT];
    words_add(w, "%s%u publisher%s did not speak in time: ", w->n ? "; " : "", a->n, a->n == 1 ? "" : "s");
    for (unsigned i = 0; i < a->n && i < NAMED; i++) {
        addr_text(&a->held[i].r.src, src);
        words_add(w, "%s%s of %s", i ? ", " : "", a->held[i].r.name, src);
    }
    if (a->n > NAMED)
        words_add(w, " and %u more", a->n - NAMED);
}

/* Several devices' publishers at once, or any when the network has just found another way. */
static bool together(const struct visibility *v)
{
    enum { MANY = 4, DEVICES = 3 };
    const struct absent *a = &v->absent;
    unsigned devices = 0;
    for (unsigned i = 0; i < a->n; i++) {
        unsigned k = 0;
        while (k < i && !addr_eq(&a->held[k].r.src, &a->held[i].r.src))
            k++;
        devices += k == i;
    }
    return a->n && (v->changes || v->changed_before || (a->n >= MANY && devices >= DEVICES));
}

/* Links that were in use in each five minutes and are not any more. A time that was not seen, in part or at all, is no
 * measure: where packets were lost or an interface was silent the five minutes become longer, and after a time without
 * any packet all begins anew. */
static bool links_vanished(struct visibility *v, struct baseline *b, const struct raise *r, uint64_t ts_ns,
                           struct baseline_vanished *ret)
{
    uint64_t before = v->tick_ns;
    v->tick_ns = ts_ns;
    if (!before || ts_ns < before || ts_ns > before + 2 * WINDOW_S * SECOND_NS) {
        baseline_heard_anew(b);
        return false;
    }
    if (ts_ns / (COUNTS_S * SECOND_NS) == before / (COUNTS_S * SECOND_NS) || r->loss || r->blind)
        return false;
    return baseline_vanished(b, ret);
}

void visibility_tick(struct visibility *v, struct baseline *b, struct raise *r, const struct rec_tick *t)
{
    struct baseline_vanished gone;
    char text[800];
    struct words w = words_in(text, sizeof text);
    uint64_t n = v->changes;
    bool links = links_vanished(v, b, r, t->ts_ns, &gone), all = together(v) && !r->blind && !r->loss;
    if (v->changes)
        word_topology(v, &w);
    if (links) {
        word_links(&gone, &w);
        n += gone.gone;
    }
    if (all) {
        word_absent(&v->absent, &w);
        n += v->absent.n;
        v->absent.n = 0;
    }
    if (w.n)
        raise_operational(r, AT_OPS_VISIBILITY, t->ts_ns, "network", n, "%s", text);
    absent_tick(&v->absent, r, t->ts_ns, t->last);
    v->changed_before = v->changes != 0;
    v->changes = 0;
}
