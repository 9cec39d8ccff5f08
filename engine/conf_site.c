/* conf_site.c: networks, zones, assets, engineering stations, redundancy: the site model. */
#include <stdlib.h>
#include <string.h>

#include "engine/conf_int.h"

/* ---- lists of addresses and subnets ----------------------------------------------------------------------------- */

static uint32_t count(const struct yaml_node *n)
{
    uint32_t k = 0;
    YAML_EACH(it, n)
    k++;
    return k;
}

static int read_subnets(struct load *l, const struct yaml_node *n, const struct subnet **ret, uint32_t *n_ret)
{
    struct subnet *out = conf_alloc(l, count(n), sizeof *out);
    uint32_t k = 0;
    if (!out)
        return -ENOMEM;
    YAML_EACH(it, n)
    {
        const char *s;
        int r = yaml_str(it, &s, l->e);
        if (r < 0)
            return r;
        if (!subnet_parse(s, &out[k++]))
            return yaml_expected(it, l->e, "a subnet such as 10.0.0.0/8 or fd00::/8, without bits behind the prefix");
    }
    *ret = out;
    *n_ret = k;
    return 0;
}

static int read_addrs(struct load *l, const struct yaml_node *n, const struct addr **ret, uint32_t *n_ret)
{
    struct addr *out = conf_alloc(l, count(n), sizeof *out);
    uint32_t k = 0;
    if (!out)
        return -ENOMEM;
    YAML_EACH(it, n)
    {
        const char *s;
        int r = yaml_str(it, &s, l->e);
        if (r < 0)
            return r;
        if (!addr_parse(s, &out[k]) || addr_is_group(&out[k]))
            return yaml_expected(it, l->e, "the IP or MAC address of a device");
        k++;
    }
    *ret = out;
    *n_ret = k;
    return 0;
}

/* A list section: its members counted and bounded, memory for them and their names. */
static int begin(struct load *l, const struct yaml_node *list, const char *what, uint32_t most, size_t size, void **ret,
                 struct named **names)
{
    uint32_t n = 0;
    if (list && !yaml_is_null(list)) {
        if (list->type != YAML_LIST)
            return yaml_expected(list, l->e, "a list of %s", what);
        n = list->n;
    }
    if (n > most)
        return yaml_err(list, l->e, "found %u %s, expected at most %u", n, what, most);
    *ret = conf_alloc(l, n, size);
    *names = conf_alloc(l, n, sizeof **names);
    return *ret && *names ? 0 : -ENOMEM;
}

static int read_name(struct load *l, const struct yaml_node *n, const char **ret, struct named *name, uint32_t idx)
{
    const struct yaml_node *v;
    const char *s;
    int r = yaml_need(n, "name", &v, l->e);
    if (r == 0)
        r = yaml_str(v, &s, l->e);
    if (r < 0)
        return r;
    if (!(*ret = conf_strdup(l, s)))
        return -ENOMEM;
    *name = (struct named){.name = *ret, .node = v, .idx = idx};
    return 0;
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

/* 7 or 10-20 */
static int read_vlan(struct load *l, const struct yaml_node *n, struct site_network *w)
{
    const char *s;
    char *end;
    int r = yaml_str(n, &s, l->e);
    if (r < 0)
        return r;
    unsigned long lo = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0, hi = lo;
    if (lo && *end == '-' && end[1] >= '0' && end[1] <= '9')
        hi = strtoul(end + 1, &end, 10);
    if (!lo || *end || hi < lo || hi > 4094)
        return yaml_expected(n, l->e, "a VLAN id (1 to 4094) or a range such as 10-20");
    w->vlan_lo = (uint16_t)lo;
    w->vlan_hi = (uint16_t)hi;
    return 0;
}

static int read_network(struct load *l, const struct yaml_node *n, struct site_network *w, struct named *name,
                        uint32_t idx)
{
    const struct yaml_node *vlan = yaml_get(n, "vlan");
    const char *iface = NULL;
    int r = conf_only_keys(l, n, "networks[]");
    if (r == 0)
        r = read_name(l, n, &w->name, name, idx);
    if (r == 0 && (strcmp(w->name, "default") == 0 || strchr(w->name, '/') || strlen(w->name) > 60))
        return yaml_expected(name->node, l->e, "a name of at most 60 characters, without '/', other than 'default'");
    if (r == 0)
        r = yaml_opt_str(n, "interface", &iface, l->e);
    if (r == 0 && iface && !(w->interface = conf_strdup(l, iface)))
        r = -ENOMEM;
    if (r == 0 && vlan)
        r = read_vlan(l, vlan, w);
    if (r == 0)
        r = read_subnets(l, yaml_get(n, "subnets"), &w->subnets, &w->n_subnets);
    return r < 0 ? r : yaml_opt_bool(n, "vlan_separates", &w->vlan_separates, l->e);
}

static int read_networks(struct load *l, const struct yaml_node *list)
{
    struct site_network *out;
    struct named *names;
    unsigned sep = 0;
    int r = begin(l, list, "networks", SITE_MAX_NETWORKS, sizeof *out, (void **)&out, &names);
    if (r < 0)
        return r;
    l->c->site.networks = out;
    YAML_EACH(it, list)
    {
        uint32_t i = l->c->site.n_networks;
        if ((r = read_network(l, it, &out[i], &names[i], i)) < 0)
            return r;
        sep += out[i].vlan_separates;
        if (sep > SITE_MAX_SEPARATED)
            return yaml_err(it, l->e, "found more than %d networks with vlan_separates", SITE_MAX_SEPARATED);
        l->c->site.n_networks++;
    }
    return conf_unique(l, names, l->c->site.n_networks, "network");
}

static int read_net_ref(struct load *l, const struct yaml_node *n, uint16_t *ret)
{
    const char *s;
    int r = yaml_str(n, &s, l->e);
    if (r < 0)
        return r;
    int net = site_network_by_name(&l->c->site, s);
    if (net < 0)
        return yaml_expected(n, l->e, "the name of a configured network, or default");
    *ret = (uint16_t)net;
    return 0;
}

/* ---- assets ----------------------------------------------------------------------------------------------------- */

static const char *const criticalities[] = {"low", "medium", "high", "critical", NULL};

static int read_asset(struct load *l, const struct yaml_node *n, struct site_asset *a, struct named *name, uint32_t idx)
{
    const struct yaml_node *addr, *net = yaml_get(n, "network");
    const char *type = NULL, *owner = NULL;
    unsigned crit = 4;
    int r = conf_only_keys(l, n, "assets[]");
    if (r == 0)
        r = read_name(l, n, &a->name, name, idx);
    if (r == 0)
        r = yaml_need(n, "address", &addr, l->e);
    if (r == 0)
        r = read_addrs(l, addr, &a->addrs, &a->n_addrs);
    if (r == 0 && !a->n_addrs)
        r = yaml_expected(addr, l->e, "at least one IP or MAC address");
    a->net = SITE_ANY_NET;
    if (r == 0 && net)
        r = read_net_ref(l, net, &a->net);
    if (r == 0)
        r = yaml_opt_str(n, "type", &type, l->e);
    if (r == 0)
        r = yaml_opt_str(n, "owner", &owner, l->e);
    if (r == 0)
        r = yaml_opt_enum(n, "criticality", criticalities, &crit, l->e);
    if (r == 0)
        r = conf_texts(l, yaml_get(n, "tags"), &a->tags, &a->n_tags);
    a->criticality = criticalities[crit];
    if (r == 0 && ((type && !(a->type = conf_strdup(l, type))) || (owner && !(a->owner = conf_strdup(l, owner)))))
        r = -ENOMEM;
    return r;
}

struct owned { /* an address and whose it is */
    struct addr addr;
    const struct yaml_node *node;
    uint32_t asset;
    uint16_t net;
};

static int by_addr(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    int c = memcmp(&x->addr, &y->addr, sizeof x->addr);
    if (!c)
        c = (x->net > y->net) - (x->net < y->net);
    return c ? c : (x->asset > y->asset) - (x->asset < y->asset);
}

static int check_addresses(struct load *l, const struct yaml_node *list)
{
    const struct site *s = &l->c->site;
    uint32_t n = 0, i = 0;
    for (uint32_t k = 0; k < s->n_assets; k++)
        n += s->assets[k].n_addrs;
    struct owned *v = conf_alloc(l, n, sizeof *v);
    if (!v)
        return -ENOMEM;
    n = 0;
    YAML_EACH(it, list)
    {
        uint32_t k = 0;
        YAML_EACH(a, yaml_get(it, "address"))
        v[n++] = (struct owned){.addr = s->assets[i].addrs[k++], .node = a, .asset = i, .net = s->assets[i].net};
        i++;
    }
    if (n)
        qsort(v, n, sizeof *v, by_addr);
    for (uint32_t k = 1; k < n; k++)
        if (addr_eq(&v[k].addr, &v[k - 1].addr) && v[k].net == v[k - 1].net)
            return yaml_err(v[k].node, l->e, "address '%s' is already that of asset '%s' in line %u", v[k].node->text,
                            s->assets[v[k - 1].asset].name, v[k - 1].node->line);
    return 0;
}

static int read_assets(struct load *l, const struct yaml_node *list, struct named **names)
{
    struct site_asset *out;
    int r = begin(l, list, "assets", SITE_MAX_ASSETS, sizeof *out, (void **)&out, names);
    if (r < 0)
        return r;
    l->c->site.assets = out;
    YAML_EACH(it, list)
    {
        uint32_t i = l->c->site.n_assets;
        if ((r = read_asset(l, it, &out[i], &(*names)[i], i)) < 0)
            return r;
        l->c->site.n_assets++;
    }
    r = conf_unique(l, *names, l->c->site.n_assets, "asset");
    return r < 0 ? r : check_addresses(l, list);
}

int conf_ref(struct load *l, const struct yaml_node *n, const struct named *assets, struct site_ref *ret)
{
    const char *s;
    int r = yaml_str(n, &s, l->e);
    if (r < 0)
        return r;
    const struct named *a = conf_find(assets, l->c->site.n_assets, s);
    struct site_ref out = {.asset = a ? a->idx : SITE_NO_ASSET};
    if (!a && !subnet_parse(s, &out.subnet))
        return yaml_expected(n, l->e, "the name of a configured asset, an address or a subnet");
    *ret = out;
    return 0;
}

/* ---- zones ------------------------------------------------------------------------------------------------------ */

static int read_zone_assets(struct load *l, const struct yaml_node *n, const struct named *assets, struct site_zone *z)
{
    uint32_t *out = conf_alloc(l, count(n), sizeof *out);
    struct addr *addrs = conf_alloc(l, count(n), sizeof *addrs);
    if (!out || !addrs)
        return -ENOMEM;
    z->assets = out;
    z->addrs = addrs;
    YAML_EACH(it, n)
    {
        struct site_ref ref;
        int r = conf_ref(l, it, assets, &ref);
        if (r < 0)
            return r;
        if (ref.asset != SITE_NO_ASSET)
            out[z->n_assets++] = ref.asset;
        else if (ref.subnet.bits == 128)
            addrs[z->n_addrs++] = ref.subnet.base;
        else
            return yaml_expected(it, l->e, "a configured asset or an address (subnets are told under 'subnets')");
    }
    return 0;
}

static int read_zone(struct load *l, const struct yaml_node *n, const struct named *assets, struct site_zone *z,
                     struct named *name, uint32_t idx)
{
    static const char *const levels[] = {"0", "1", "2", "3", "3.5", "4", "5", NULL};
    static const int numbers[] = {0, 1, 2, 3, 35, 4, 5, -1};
    const struct yaml_node *nets = yaml_get(n, "networks");
    unsigned level = 7;
    int r = conf_only_keys(l, n, "zones[]");
    if (r == 0)
        r = read_name(l, n, &z->name, name, idx);
    if (r == 0)
        r = yaml_opt_enum(n, "purdue", levels, &level, l->e);
    z->purdue = numbers[level];
    if (r == 0)
        r = read_subnets(l, yaml_get(n, "subnets"), &z->subnets, &z->n_subnets);
    uint16_t *out = r < 0 ? NULL : conf_alloc(l, count(nets), sizeof *out);
    if (!out)
        return r < 0 ? r : -ENOMEM;
    z->networks = out;
    YAML_EACH(it, nets)
    {
        if ((r = read_net_ref(l, it, &out[z->n_networks])) < 0)
            return r;
        z->n_networks++;
    }
    return read_zone_assets(l, yaml_get(n, "assets"), assets, z);
}

static int read_zones(struct load *l, const struct yaml_node *list, const struct named *assets, struct named **names)
{
    struct site_zone *out;
    int r = begin(l, list, "zones", SITE_MAX_ZONES, sizeof *out, (void **)&out, names);
    if (r < 0)
        return r;
    l->c->site.zones = out;
    YAML_EACH(it, list)
    {
        uint32_t i = l->c->site.n_zones;
        if ((r = read_zone(l, it, assets, &out[i], &(*names)[i], i)) < 0)
            return r;
        if (!out[i].n_subnets && !out[i].n_networks && !out[i].n_assets && !out[i].n_addrs)
            return yaml_err(it, l->e, "zone '%s' is empty, expected networks, subnets or assets", out[i].name);
        l->c->site.n_zones++;
    }
    return conf_unique(l, *names, l->c->site.n_zones, "zone");
}

/* ---- stations, redundancy --------------------------------------------------------------------------------------- */

static int read_stations(struct load *l, const struct yaml_node *list, const struct named *assets)
{
    uint32_t n = count(list);
    struct site_ref *out = conf_alloc(l, n, sizeof *out);
    if (!out)
        return -ENOMEM;
    if (n > SITE_MAX_STATIONS)
        return yaml_err(list, l->e, "found %u engineering stations, expected at most %d", n, SITE_MAX_STATIONS);
    l->c->site.stations = out;
    YAML_EACH(it, list)
    {
        int r = conf_ref(l, it, assets, &out[l->c->site.n_stations]);
        if (r < 0)
            return r;
        l->c->site.n_stations++;
    }
    return 0;
}

static int read_roles(struct load *l, const struct yaml_node *list)
{
    struct site_role *out;
    struct named *unused;
    int r = begin(l, list, "lists of addresses", SITE_MAX_ROLES, sizeof *out, (void **)&out, &unused);
    if (r < 0)
        return r;
    l->c->site.roles = out;
    YAML_EACH(it, list)
    {
        struct site_role *o = &out[l->c->site.n_roles];
        if ((r = read_addrs(l, it, &o->addrs, &o->n_addrs)) < 0)
            return r;
        if (o->n_addrs < 2)
            return yaml_expected(it, l->e, "a list of two or more addresses that stand for one role");
        if (o->n_addrs > SITE_MAX_ROLE_ADDRS)
            return yaml_err(it, l->e, "found %u addresses, expected at most %d that stand for one role", o->n_addrs,
                            SITE_MAX_ROLE_ADDRS);
        for (uint32_t k = 0; k < o->n_addrs; k++)
            for (uint32_t p = 0; p < l->c->site.n_roles; p++)
                for (uint32_t q = 0; q < out[p].n_addrs; q++)
                    if (addr_eq(&out[p].addrs[q], &o->addrs[k]))
                        return yaml_err(it, l->e, "an address of this list already stands for another role");
        l->c->site.n_roles++;
    }
    return 0;
}

int conf_site(struct load *l, const struct yaml_node *root)
{
    struct named *assets, *zones;
    int r = read_networks(l, yaml_get(root, "networks"));
    if (r == 0)
        r = read_assets(l, yaml_get(root, "assets"), &assets);
    if (r == 0)
        r = read_zones(l, yaml_get(root, "zones"), assets, &zones);
    if (r == 0)
        r = read_stations(l, yaml_get(root, "engineering_stations"), assets);
    if (r == 0)
        r = conf_windows(l, root, zones, assets);
    return r < 0 ? r : read_roles(l, yaml_get(root, "redundancy"));
}
