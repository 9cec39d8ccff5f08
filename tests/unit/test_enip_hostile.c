/* The built captures, mutilated: every prefix, every byte changed, both directions, every split. Run under ASan and
 * UBSan this shows that no byte sequence makes the dissector read or run on. */
#include "test_enip.h"
#include "built_pcap.h"
#include "suite.h"

static const char *const captures[] = {"enip/reset", "enip/mode",  "enip/files",       "enip/download", "enip/safety", "enip/pccc",
                                       "enip/tags",  "enip/route", "enip/connections", "enip/address",  "enip/odd"};

/* Parse n bytes as one PDU in an exact copy. */
static void parse(struct feed *f, const struct packet *p, const uint8_t *b, uint32_t n, int side)
{
    struct dis_ctx x;
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, b, n);
    f->frame++;
    f->now_ns += 1000;
    f->n_text = 0;
    f->transport = p->tcp ? DIS_TCP : DIS_UDP;
    feed_fill(f, &x, side);
    f->dis->probe(cur_make(copy, n), &x);
    if (p->tcp)
        f->dis->frame(cur_make(copy, n), &x);
    f->dis->parse(cur_make(copy, n), &x);
    free(copy);
}

static void mutilate(struct feed *f, const struct packet *p)
{
    static const uint8_t marks[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    uint8_t b[8192];
    if (p->n > sizeof b)
        return;
    memcpy(b, p->p, p->n);
    for (uint32_t n = 0; n <= p->n; n++)
        for (int side = 0; side < 2; side++)
            parse(f, p, b, n, side);
    uint32_t most = p->n < 160 ? p->n : 160; /* beyond lies bulk data */
    for (uint32_t at = 0; at < most; at++)
        for (unsigned k = 0; k < sizeof marks; k++) {
            b[at] = marks[k];
            parse(f, p, b, p->n, p->from_server);
            b[at] = p->p[at];
        }
}

START_TEST(mutilated)
{
    uint32_t n, at = 24, seen = 0;
    uint8_t *b = built_load(captures[_i], &n);
    struct packet p;
    if (!b) {
        printf("enip hostile: skipped (%s.pcap is not here)\n", captures[_i]);
        return;
    }
    struct feed *f = feed_new(&dissector_enip, 44818, 1, 1);
    while (built_next(b, n, &at, &p) && seen++ < 60)
        mutilate(f, &p);
    ck_assert_uint_gt(f->n_events, 0);
    feed_free(f);
    free(b);
}
END_TEST

/* A capture as a whole, delivered in pieces of every size up to 40: the same events. */
static char *in_pieces(const uint8_t *b, uint32_t n, uint32_t piece, bool one_side)
{
    struct feed *f = feed_new(&dissector_enip, 44818, 1, 1);
    struct packet p;
    for (uint32_t at = 24; built_next(b, n, &at, &p);) {
        if (!p.tcp || (one_side && p.from_server))
            continue;
        uint64_t now = f->now_ns + 1000000;
        uint32_t frame = f->frame + 1;
        for (uint32_t k = 0; k < p.n; k += piece) {
            f->now_ns = now - 1000000;
            f->frame = frame - 1;
            feed_bytes(f, p.from_server, p.p + k, p.n - k < piece ? p.n - k : piece);
        }
    }
    char *text = strdup(feed_end(f));
    feed_free(f);
    return text;
}

START_TEST(any_split)
{
    uint32_t n;
    uint8_t *b = built_load(captures[_i], &n);
    if (!b)
        return;
    for (int one_side = 0; one_side < 2; one_side++) {
        char *whole = in_pieces(b, n, 65536, one_side);
        for (uint32_t piece = 1; piece <= 40; piece++) {
            char *cut = in_pieces(b, n, piece, one_side);
            ck_assert_msg(strcmp(whole, cut) == 0, "%s in pieces of %u differs", captures[_i], piece);
            free(cut);
        }
        free(whole);
    }
    free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("enip_hostile");
    TCase *c = tcase_create("hostile");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, mutilated, 0, (int)ARRAY_LEN(captures));
    tcase_add_loop_test(c, any_split, 0, (int)ARRAY_LEN(captures));
    suite_add_tcase(s, c);
    return suite_end(s);
}
