/* cmd_rules.c: tyto rules: hands rules/cmd_rules.c what it may not know itself: the protocols. */
#include "dissectors/dissector.h"
#include "engine/cmd.h"
#include "rules/rules.h"

int cmd_rules(int argc, char **argv)
{
    const struct proto_schema *schemas[RULES_SCHEMAS];
    unsigned n = 0;
    while (n < RULES_SCHEMAS && (schemas[n] = schema_at(n)))
        n++;
    return rules_main(argc, argv, &(struct ruleset_opts){.schemas = schemas, .n_schemas = n});
}
