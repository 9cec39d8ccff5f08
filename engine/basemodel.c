#include "engine/basemodel.h"

#include <errno.h>

#include "dissectors/dissector.h"
#include "store/query.h"

void basemodel_done(struct basemodel *m)
{
    baseline_free(m->b);
    if (m->conf)
        conf_free(m->conf);
}

int basemodel_new(struct basemodel *m, const char *conf, struct err *e)
{
    struct baseline_conf c;
    *m = (struct basemodel){0};
    baseline_conf_default(&c);
    if (conf) {
        int r = conf_load(&m->conf, conf, e);
        if (r)
            return r;
        c.site = &m->conf->site;
    }
    c.mode = BASE_DETECT;
    c.schema = schema_by_name;
    m->b = baseline_new(&c, e);
    return m->b ? 0 : -ENOMEM;
}

int basemodel_of_db(struct basemodel *m, const char *path, struct err *e)
{
    struct query *q;
    int r = query_open(path, &q, e);
    if (r)
        return r;
    r = basemodel_new(m, NULL, e);
    if (!r) {
        struct row_sink into = baseline_loader(m->b);
        r = query_load(q, &into, e);
    }
    query_close(q);
    return r;
}
