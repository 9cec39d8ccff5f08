/* bench_rules.c: what rules cost a worker per event: ordinary messages of each protocol against the shipped rules.
 * usage: bench_rules [ROUNDS]. Prints nanoseconds per event, the best of 200 rounds. Not a test. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dissectors/dissector.h"
#include "tests/unit/rules_fixture.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct {
    const char *proto, *op;
    bool error;
} mix[] = {
    {"modbus", "read_holding_registers", false}, {"modbus", "read_coils", false}, {"dnp3", "read", false},
    {"s7comm", "read_var", false}, {"cip", "read_tag", false}, {"iec104", "measured_float_cp56", false},
    {"modbus", "write_multiple_registers", false}, {"iec104", "single_command", false},
    {"modbus", "read_holding_registers", true},
};

static double measure(const struct ruleset *rs, struct event *e, unsigned rounds, unsigned *ret_hits)
{
    struct addr src, dst;
    uint16_t hits[REC_MAX_HITS];
    double best = 1e18;
    unsigned n = 0;
    addr_parse("10.0.0.5", &src);
    addr_parse("10.0.0.9", &dst);
    struct rule_input in = {.ev = e, .src = &src, .dst = &dst, .ts_ns = UINT64_C(1767571200000000000), .l4 = PROTO_TCP};
    for (unsigned k = 0; k < 200; k++) {
        double from = now();
        for (unsigned i = 0; i < rounds; i++) {
            __asm__ volatile("" : : "r"(&in) : "memory"); /* the event may have changed */
            n = rules_match(rs, &in, hits, REC_MAX_HITS);
        }
        double ns = (now() - from) / rounds;
        best = ns < best ? ns : best;
    }
    *ret_hits = n;
    return best;
}

int main(int argc, char **argv)
{
    static struct event e;
    const struct proto_schema *schemas[RULES_SCHEMAS];
    struct ruleset *rs = NULL;
    struct err err;
    unsigned n = 0, hits, rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
    while (n < RULES_SCHEMAS && (schemas[n] = schema_at(n)))
        n++;
    struct ruleset_opts o = {.schemas = schemas, .n_schemas = n};
    if (ruleset_load(&o, &rs, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%u rules, %u entries, %zu KiB\n", ruleset_n(rs), ruleset_n_entries(rs), ruleset_memory(rs) / 1024);
    for (unsigned i = 0; i < ARRAY_LEN(mix); i++) {
        const struct proto_schema *s = schema_by_name(mix[i].proto);
        const struct op_row *op = NULL;
        for (uint32_t k = 0; s && !op && k < s->n_ops; k++)
            if (strcmp(s->ops[k].name, mix[i].op) == 0)
                op = &s->ops[k];
        if (!op)
            continue;
        fx_begin(&e, s, op->fn, op->sel == OP_ANY_SELECTOR ? 0 : op->sel);
        e.error = mix[i].error;
        e.n_items = 0;
        fx_item(&e, 0, 0, 100, 109);
        double ns = measure(rs, &e, rounds, &hits);
        printf("%-8s %-26s%s %6.1f ns  %u hits\n", mix[i].proto, mix[i].op, mix[i].error ? " (error)" : "        ", ns,
               hits);
    }
    ruleset_free(rs);
    return 0;
}
