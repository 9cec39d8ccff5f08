/* test_waiting.c: what the runtime keeps between two messages: large requests, pieces of a message. */
#include "tests/unit/dis_feed.h"
#include "suite.h"

extern const struct dissector dissector_modbus;

static const struct kind_def kinds[] = {{"tag", KIND_NAME}};
static const struct proto_schema schema = {.name = "modbus", .kinds = kinds, .n_kinds = 1};

/* A request of n objects with names of 30 bytes, as it waits under key. */
static void wait_for(struct feed *f, uint64_t key, unsigned n)
{
    struct dis_ctx x;
    feed_fill(f, &x, 0);
    struct event *e = ev_begin(&x, &schema, 1, 0);
    for (unsigned i = 0; i < n; i++)
        ev_named(e, 0, ev_text_fmt(e, "object-%04u-of-a-longer-list__", i));
    ev_wait(&x, e, key);
}

static struct event *answer(struct feed *f, uint64_t key)
{
    struct dis_ctx x;
    feed_fill(f, &x, 1);
    return ev_answer(&x, &schema, key, 1, 0);
}

START_TEST(test_all_objects_wait)
{
    struct feed *f = feed_new(&dissector_modbus, 502, 1, 1);
    char text[EV_OBJECT];
    wait_for(f, 1, EV_MAX_ITEMS);
    struct event *e = answer(f, 1);
    ck_assert_int_eq(e->kind, EV_TRANSACTION);
    ck_assert_uint_eq(e->n_items, EV_MAX_ITEMS);
    ck_assert_uint_eq(e->truncated, 0);
    item_text(&schema, &e->items[EV_MAX_ITEMS - 1], text);
    ck_assert_str_eq(text, "tag:object-0127-of-a-longer-list__");
    feed_free(f);
}
END_TEST

/* What is beyond the bound is counted, and takes no kept object's place. */
START_TEST(test_more_objects_than_kept)
{
    struct feed *f = feed_new(&dissector_modbus, 502, 1, 1);
    char text[EV_OBJECT];
    wait_for(f, 1, EV_MAX_ITEMS + 2);
    struct event *e = answer(f, 1);
    ck_assert_uint_eq(e->n_items, EV_MAX_ITEMS);
    ck_assert_uint_eq(e->items_total, EV_MAX_ITEMS + 2);
    ck_assert_uint_eq(e->truncated, 1);
    item_text(&schema, &e->items[EV_MAX_ITEMS - 1], text);
    ck_assert_str_eq(text, "tag:object-0127-of-a-longer-list__");
    feed_free(f);
}
END_TEST

/* Room for a large request is made by ending large ones: the small ones go on waiting. */
START_TEST(test_large_evict_large)
{
    struct feed *f = feed_new(&dissector_modbus, 502, 1, 1);
    wait_for(f, 100, 1);
    for (unsigned i = 0; i < 6; i++)
        wait_for(f, i, EV_MAX_ITEMS);
    ck_assert_uint_eq(f->rt.stats.txn_evicted, 2);
    ck_assert_int_eq(answer(f, 100)->kind, EV_TRANSACTION);
    ck_assert_int_eq(answer(f, 1)->kind, EV_RESPONSE);
    ck_assert_int_eq(answer(f, 2)->kind, EV_TRANSACTION);
    feed_free(f);
}
END_TEST

START_TEST(test_pieces_kept)
{
    struct feed *f = feed_new(&dissector_modbus, 502, 1, 1);
    struct dis_ctx x, back;
    uint32_t n = 7;
    feed_fill(f, &x, 0);
    feed_fill(f, &back, 1);
    ck_assert(!asm_kept(&x, 5, &n));
    ck_assert_uint_eq(n, 0);
    asm_append(&x, 5, (struct span){(const uint8_t *)"abc", 3}, true, false);
    ck_assert(asm_kept(&x, 5, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert(!asm_kept(&back, 5, &n));
    ck_assert(!asm_kept(&x, 6, &n));
    struct cur c = asm_append(&x, 5, (struct span){(const uint8_t *)"de", 2}, false, true);
    ck_assert_uint_eq(cur_left(&c), 5);
    ck_assert(!asm_kept(&x, 5, &n));
    feed_free(f);
}
END_TEST

/* A message as long as can be kept takes further empty pieces. */
START_TEST(test_full_message)
{
    static const uint8_t piece[LIM_ASM / 2];
    struct feed *f = feed_new(&dissector_modbus, 502, 1, 1);
    struct dis_ctx x;
    feed_fill(f, &x, 0);
    asm_append(&x, 5, (struct span){piece, sizeof piece}, true, false);
    asm_append(&x, 5, (struct span){piece, sizeof piece}, false, false);
    asm_append(&x, 5, (struct span){0}, false, false);
    struct cur c = asm_append(&x, 5, (struct span){0}, false, true);
    ck_assert_uint_eq(cur_left(&c), LIM_ASM);
    feed_free(f);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("waiting");
    tcase_add_test(t, test_all_objects_wait);
    tcase_add_test(t, test_more_objects_than_kept);
    tcase_add_test(t, test_large_evict_large);
    tcase_add_test(t, test_pieces_kept);
    tcase_add_test(t, test_full_message);
    Suite *s = suite_create("waiting");
    suite_add_tcase(s, t);
    return suite_end(s);
}
