/* conf_protocols.c: the section `protocols`: further ports, and what is switched off. */
#include <stdlib.h>
#include <string.h>

#include "dissectors/dissector.h"
#include "engine/conf_int.h"

enum { MAX_SCHEMAS = 256 };
_Static_assert((int)CONF_SETTINGS == (int)DIS_SETTINGS, "room for the settings of any protocol");

/* The dissector that carries a schema, and so its ports. */
static const struct dissector *dissector_of(const char *schema)
{
    for (const struct dissector *const *d = dissectors; *d; d++)
        for (const struct proto_schema *const *s = (*d)->schemas; *s; s++)
            if (strcmp((*s)->name, schema) == 0)
                return *d;
    return NULL;
}

static int add_port(struct load *l, const struct yaml_node *n, uint16_t *list, uint32_t *count, unsigned port)
{
    for (uint32_t i = 0; i < *count; i++)
        if (list[i] == port)
            return yaml_err(n, l->e, "port %u is there twice", port);
    if (*count == CONF_PROTO_PORTS)
        return yaml_err(n, l->e, "found more than %d ports of one protocol", CONF_PROTO_PORTS);
    list[(*count)++] = (uint16_t)port;
    return 0;
}

static int read_port(struct load *l, const struct yaml_node *n, struct conf_proto *p)
{
    const struct dissector *d = dissector_of(p->name);
    unsigned on = d ? d->transports : DIS_TCP | DIS_UDP;
    const char *s;
    char *end;
    int r = yaml_str(n, &s, l->e);
    if (r < 0)
        return r;
    if (strncmp(s, "tcp/", 4) == 0 || strncmp(s, "udp/", 4) == 0) {
        unsigned want = *s == 't' ? DIS_TCP : DIS_UDP;
        if (!(on & want))
            return yaml_err(n, l->e, "%s does not run over %.3s", p->name, s);
        on = want;
        s += 4;
    }
    if (!(on & (DIS_TCP | DIS_UDP)))
        return yaml_err(n, l->e, "%s has no ports", p->name);
    unsigned long v = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;
    if (!v || *end || v > 65535)
        return yaml_expected(n, l->e, "a port (1 to 65535), tcp/port or udp/port");
    if (on & DIS_TCP)
        r = add_port(l, n, p->tcp, &p->n_tcp, (unsigned)v);
    if (r == 0 && on & DIS_UDP)
        r = add_port(l, n, p->udp, &p->n_udp, (unsigned)v);
    return r;
}

static bool share(const uint16_t *a, uint32_t n_a, const uint16_t *b, uint32_t n_b, unsigned *port)
{
    for (uint32_t i = 0; i < n_a; i++)
        for (uint32_t k = 0; k < n_b; k++)
            if ((*port = a[i]) == b[k])
                return true;
    return false;
}

/* A port has one owner. */
static int check_shared(struct load *l, const struct yaml_node *n, const struct conf_proto *all, uint32_t i)
{
    unsigned port;
    for (uint32_t k = 0; k < i; k++)
        if (share(all[k].tcp, all[k].n_tcp, all[i].tcp, all[i].n_tcp, &port) ||
            share(all[k].udp, all[k].n_udp, all[i].udp, all[i].n_udp, &port))
            return yaml_err(n, l->e, "port %u is already given to %s", port, all[k].name);
    return 0;
}

const struct dis_setting *conf_setting(const char *schema, unsigned n)
{
    const struct dissector *d = dissector_of(schema);
    return d && d->settings && strcmp(d->schemas[0]->name, schema) == 0 ? &d->settings[n] : NULL;
}

static int read_settings(struct load *l, const struct yaml_node *n, struct conf_proto *p)
{
    const struct dis_setting *s = conf_setting(p->name, 0);
    const char *allowed[DIS_SETTINGS + 3] = {"ports", "off"};
    for (unsigned i = 0; s && s[i].key; i++)
        allowed[2 + i] = s[i].key;
    int r = yaml_only_keys(n, allowed, l->e);
    for (unsigned i = 0; r >= 0 && s && s[i].key; i++) {
        uint64_t v = 0;
        r = yaml_opt_u64(n, s[i].key, s[i].least, s[i].most, &v, l->e);
        p->setting[i] = (uint8_t)v;
    }
    return r;
}

int conf_protocols(struct load *l, const struct yaml_node *n)
{
    const char *names[MAX_SCHEMAS + 1];
    unsigned k = 0;
    for (const struct proto_schema *s; k < MAX_SCHEMAS && (s = schema_at(k)); k++)
        names[k] = s->name;
    names[k] = NULL;
    int r = yaml_only_keys(n, names, l->e);
    struct conf_proto *out = r < 0 ? NULL : conf_alloc(l, n->n, sizeof *out);
    if (!out)
        return r < 0 ? r : -ENOMEM;
    l->c->protocols = out;
    YAML_EACH(it, n)
    {
        struct conf_proto *p = &out[l->c->n_protocols];
        p->name = schema_by_name(it->key->text)->name;
        r = read_settings(l, it, p);
        if (r >= 0)
            r = yaml_opt_bool(it, "off", &p->off, l->e);
        YAML_EACH(port, r >= 0 ? yaml_get(it, "ports") : NULL)
        if ((r = read_port(l, port, p)) < 0)
            return r;
        if (r < 0 || (r = check_shared(l, it, out, l->c->n_protocols)) < 0)
            return r;
        l->c->n_protocols++;
    }
    return 0;
}

const struct conf_proto *conf_proto(const struct conf *c, const char *schema)
{
    for (uint32_t i = 0; i < c->n_protocols; i++)
        if (strcmp(c->protocols[i].name, schema) == 0)
            return &c->protocols[i];
    return NULL;
}
