/* registry.c: the table of dissectors, made from list.def, and its start-up check. */
#include <string.h>

#include "dissectors/dissector.h"

#define DISSECTOR(name) extern const struct dissector dissector_##name;
#include "dissectors/list.def"
#undef DISSECTOR

const struct dissector *const dissectors[] = {
#define DISSECTOR(name) &dissector_##name,
#include "dissectors/list.def"
#undef DISSECTOR
    NULL,
};

unsigned n_dissectors(void)
{
    return (unsigned)ARRAY_LEN(dissectors) - 1;
}

const struct proto_schema *schema_at(unsigned i)
{
    for (unsigned d = 0; dissectors[d]; d++)
        for (const struct proto_schema *const *s = dissectors[d]->schemas; *s; s++)
            if (i-- == 0)
                return *s;
    return NULL;
}

unsigned schema_index(const struct proto_schema *s)
{
    unsigned i = 0;
    for (unsigned d = 0; dissectors[d]; d++)
        for (const struct proto_schema *const *at = dissectors[d]->schemas; *at; at++, i++)
            if (*at == s)
                return i;
    return i;
}

const struct proto_schema *schema_by_name(const char *name)
{
    const struct proto_schema *s;
    for (unsigned i = 0; (s = schema_at(i)); i++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static int check_ops(const struct proto_schema *s, struct err *e)
{
    for (uint32_t i = 0; i < s->n_ops; i++) {
        const struct op_row *a = &s->ops[i], *b = a + 1;
        if (!a->name || !*a->name || a->action >= ACT_COUNT)
            return err_set(e, -EINVAL, "%s: operation row %u has no name or a wrong action", s->name, i);
        if (i + 1 < s->n_ops && (a->fn > b->fn || (a->fn == b->fn && a->sel >= b->sel)))
            return err_set(e, -EINVAL, "%s: operation rows %u and %u are not in order (%s, %s)", s->name, i, i + 1,
                           a->name, b->name);
    }
    return 0;
}

static int check_schema(const struct proto_schema *s, struct err *e)
{
    if (s->n_fields > SCHEMA_MAX_FIELDS || s->n_anomalies > SCHEMA_MAX_ANOMALIES || s->n_kinds > 250)
        return err_set(e, -EINVAL, "%s: too many fields, kinds or anomalies", s->name);
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (!s->fields[i].key || !s->fields[i].doc)
            return err_set(e, -EINVAL, "%s: field %u has no key or no doc", s->name, i);
        if (schema_field(s, s->fields[i].group, s->fields[i].key) != (int)i)
            return err_set(e, -EINVAL, "%s: field %s stands twice", s->name, s->fields[i].key);
    }
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (!s->kinds[i].name || schema_kind(s, s->kinds[i].name) != (int)i)
            return err_set(e, -EINVAL, "%s: kind %u has no name or stands twice", s->name, i);
    for (uint32_t i = 0; i < s->n_anomalies; i++)
        if (!s->anomalies[i].name || !s->anomalies[i].doc)
            return err_set(e, -EINVAL, "%s: anomaly %u has no name or no doc", s->name, i);
    return check_ops(s, e);
}

int dissectors_check(struct err *e)
{
    for (unsigned i = 0; dissectors[i]; i++) {
        const struct dissector *d = dissectors[i];
        if (d->max_pdu > LIM_PDU || d->flow_size > DIS_FLOW_STATE || !d->parse || !d->probe)
            return err_set(e, -EINVAL, "%s: max_pdu, flow_size or a function is out of bounds", d->name);
        if ((d->transports & DIS_TCP) && !d->frame)
            return err_set(e, -EINVAL, "%s: runs on TCP and has no frame()", d->name);
        for (const struct proto_schema *const *s = d->schemas; *s; s++) {
            int r = check_schema(*s, e);
            if (r)
                return r;
            if (schema_by_name((*s)->name) != *s)
                return err_set(e, -EINVAL, "%s: this schema name stands twice", (*s)->name);
        }
    }
    return 0;
}
