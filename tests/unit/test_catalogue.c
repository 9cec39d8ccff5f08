/* test_catalogue.c: the catalogue is stable, complete and refers to techniques that exist. */
#include "alerts/catalogue.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/attack.h"
#include "suite.h"

/* What was shipped: an id keeps its number for ever. New rows are added at the end of this list, none is changed. */
static const struct {
    const char *id;
    uint32_t sid;
} shipped[] = {
    {"OT-POL-001", 9100001}, {"OT-POL-002", 9100002}, {"OT-POL-003", 9100003}, {"OT-POL-005", 9100005},
    {"OT-POL-010", 9100010}, {"OT-POL-016", 9100016}, {"OT-POL-017", 9100017}, {"OT-POL-020", 9100020},
    {"OT-POL-021", 9100021}, {"OT-POL-022", 9100022}, {"OT-POL-030", 9100030}, {"OT-POL-031", 9100031},
    {"OT-POL-032", 9100032}, {"OT-POL-033", 9100033}, {"OT-POL-034", 9100034}, {"OT-POL-035", 9100035},
    {"OT-POL-036", 9100036}, {"OT-ANO-001", 9400001}, {"OT-ANO-002", 9400002}, {"OT-ANO-003", 9400003},
    {"OT-ANO-004", 9400004}, {"OT-ANO-010", 9400010}, {"OT-PRO-001", 9200001}, {"OT-PRO-002", 9200002},
    {"OT-PRO-003", 9200003}, {"OT-PRO-010", 9200010}, {"OT-PRO-011", 9200011}, {"OT-PRO-012", 9200012},
    {"OT-PRO-013", 9200013}, {"OT-PRO-014", 9200014}, {"OT-PRO-015", 9200015}, {"OT-PRO-016", 9200016},
    {"OT-OPS-001", 9500001}, {"OT-OPS-002", 9500002}, {"OT-OPS-003", 9500003}, {"OT-OPS-004", 9500004},
    {"OT-OPS-005", 9500005}, {"OT-OPS-006", 9500006}, {"OT-OPS-007", 9500007}, {"OT-OPS-008", 9500008},
    {"OT-OPS-009", 9500009}, {"OT-OPS-010", 9500010}, {"OT-OPS-011", 9500011}, {"OT-OPS-012", 9500012},
    {"USR-000", 9900000},
    {"OT-POL-040", 9100040}, {"OT-ANO-005", 9400005}, {"OT-OPS-013", 9500013}, {"OT-OPS-014", 9500014},
};

START_TEST(test_stable)
{
    for (unsigned i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        const struct alert_type *t = alert_type_by_id(shipped[i].id);
        ck_assert_msg(t != NULL, "%s is gone", shipped[i].id);
        ck_assert_msg(t->sid == shipped[i].sid, "%s has another signature_id", shipped[i].id);
    }
    ck_assert_uint_eq(AT_COUNT, sizeof shipped / sizeof *shipped);
    ck_assert_ptr_null(alert_type_by_id("OT-POL-999"));
}
END_TEST

START_TEST(test_sane)
{
    static const char *const prefixes[] = {"OT-POL-", "OT-PRO-", "OT-MAL-", "OT-ANO-", "OT-OPS-"};
    for (unsigned i = 0; i < AT_COUNT; i++) {
        const struct alert_type *t = &alert_types[i];
        ck_assert(t->id && t->title && t->category && t->remedy && t->attack && t->refs && t->rev == 1);
        ck_assert(t->severity >= AS_CRITICAL && t->severity <= AS_WARNING);
        ck_assert(t->engine <= AE_OPERATIONAL && t->learn <= AL_YES);
        if (i != AT_RULE)
            ck_assert_msg(strncmp(t->id, prefixes[t->engine], 7) == 0, "%s", t->id);
        ck_assert_msg(t->engine == AE_OPERATIONAL || i == AT_RULE || *t->attack, "%s has no technique", t->id);
        for (const char *a = t->attack; *a; a += strcspn(a, " "), a += *a == ' ')
            ck_assert_msg(attack_by_id(a) && (a[5] == ' ' || !a[5]), "%s: %.5s is no technique", t->id, a);
        for (const char *r = t->refs; *r; r += strcspn(r, " "), r += *r == ' ')
            ck_assert_msg(*r == 'D' && strcspn(r, " ") == 4, "%s: refs", t->id);
        for (unsigned k = 0; k < i; k++)
            ck_assert(strcmp(t->id, alert_types[k].id) != 0 && t->sid != alert_types[k].sid);
    }
}
END_TEST

START_TEST(test_names)
{
    ck_assert_str_eq(alert_type_for_protocol("modbus")->id, "OT-PRO-010");
    ck_assert_str_eq(alert_type_for_protocol("something_new")->id, "OT-PRO-001");
    ck_assert_str_eq(alert_engine_name(AE_ANOMALY), "anomaly");
    ck_assert_str_eq(alert_severity_name(AS_CRITICAL), "critical");
    ck_assert_int_eq(alert_severity_by_name("warning"), 4);
    ck_assert_int_eq(alert_severity_by_name("none"), -1);
    ck_assert_str_eq(attack_by_id("T0836")->name, "Modify Parameter");
    ck_assert_str_eq(attack_by_id("T0800")->id, "T0800");
    ck_assert_str_eq(attack_by_id("T0895")->id, "T0895");
    ck_assert_ptr_null(attack_by_id("T0808"));
    ck_assert_ptr_null(attack_by_id(""));
}
END_TEST

/* The documents name every type. */
START_TEST(test_documented)
{
    const char *root = getenv("TYTO_SOURCE");
    char path[512], *doc = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/docs/ALERTS.md", root ? root : "..");
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    ck_assert(getdelim(&doc, &n, 0, f) > 0);
    fclose(f);
    for (unsigned i = 0; i < AT_COUNT; i++) {
        char row[256];
        snprintf(row, sizeof row, "| %s | %u | %s |", alert_types[i].id, alert_types[i].sid,
                 alert_severity_name(alert_types[i].severity));
        ck_assert_msg(strstr(doc, row) != NULL, "docs/ALERTS.md has no row: %s", row);
        ck_assert_msg(strstr(doc, alert_types[i].title) != NULL, "docs/ALERTS.md has not: %s", alert_types[i].title);
    }
    free(doc);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("catalogue");
    TCase *t = tcase_create("catalogue");
    tcase_add_test(t, test_stable);
    tcase_add_test(t, test_sane);
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_documented);
    suite_add_tcase(s, t);
    return suite_end(s);
}
