/* Capture files: every variant of the formats, every place where a file can end. */
#include "tests/unit/pcap_fixture.h"

static const struct packet three[] = {
    {UINT64_C(1700000000123456000), 60, 60},
    {UINT64_C(1700000001000001000), 61, 1500},
    {UINT64_C(1700000000500000000), 0, 0},
};

static void check_three(uint32_t link)
{
    ck_assert_uint_eq(got.n, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(got.k[i].ts_ns, three[i].ns);
        ck_assert_uint_eq(got.k[i].caplen, three[i].caplen);
        ck_assert_uint_eq(got.k[i].wirelen, three[i].wirelen);
        ck_assert_uint_eq(got.k[i].flags, i == 1 ? PKT_CUT : 0);
        ck_assert_uint_eq(got.k[i].linktype, link);
        ck_assert_uint_eq(got.k[i].frame, i + 1);
    }
    ck_assert_msg(got.worst == SOURCE_FINE, "%s", got.fault);
}

/* Which of the six pcap variants, 0..5; two pcapng ones, 6 and 7. */
enum { VARIANTS = 8 };
static struct out variant(unsigned v, uint32_t link)
{
    struct out o = {.be = v & 1};
    if (v < 6) {
        pcap_head(&o, pcap_magics[v / 2], link, 4);
        for (uint32_t i = 0; i < 3; i++)
            pcap_record(&o, pcap_magics[v / 2], &three[i], i);
        return o;
    }
    ng_section(&o, 1);
    ng_interface(&o, link, 0, "eth7", 9, 0);
    ng_other(&o, 0x0bad, 3);
    for (uint32_t i = 0; i < 3; i++)
        ng_packet(&o, 0, three[i].ns, three[i].caplen, three[i].wirelen, i);
    ng_other(&o, 5, 4);
    return o;
}

START_TEST(variants)
{
    struct out o = variant((unsigned)_i, 113), z = pack(&o);
    read_bytes(o.p, o.n);
    check_three(113);
    read_bytes(z.p, z.n);
    check_three(113);
    done(&o);
    done(&z);
}
END_TEST

/* Packets that a file holds whole when only its first n bytes are there. */
static unsigned whole_within(unsigned v, size_t n)
{
    unsigned k = 0;
    for (struct out o = {.be = v & 1}; k < 3; k++) {
        if (k == 0 && v < 6)
            pcap_head(&o, 0, 0, 4);
        if (k == 0 && v >= 6) {
            ng_section(&o, 1);
            ng_interface(&o, 1, 0, "eth7", 9, 0);
            ng_other(&o, 0x0bad, 3);
        }
        if (v < 6)
            pcap_record(&o, pcap_magics[v / 2], &three[k], k);
        else
            ng_packet(&o, 0, three[k].ns, three[k].caplen, three[k].wirelen, k);
        if (k == 2 || o.n > n) {
            k += o.n <= n;
            done(&o);
            return k;
        }
    }
    return k;
}

START_TEST(cut_anywhere)
{
    struct out o = variant((unsigned)_i, 1);
    size_t head = _i < 6 ? 24 : 28;
    for (size_t n = 0; n < o.n; n++) {
        read_bytes(o.p, n);
        unsigned want = whole_within((unsigned)_i, n);
        ck_assert_msg(got.n == want, "%zu bytes: %u packets, expected %u", n, got.n, want);
        if (n > 0 && n < head)
            ck_assert_msg(got.worst == SOURCE_ERROR, "%zu bytes: %s", n, got.fault);
        else
            ck_assert_msg(got.worst != SOURCE_ERROR, "%zu bytes: %s", n, got.fault);
    }
    done(&o);
}
END_TEST

START_TEST(cut_compressed)
{
    struct out o = variant((unsigned)_i, 1), z = pack(&o);
    for (size_t n = 0; n < z.n; n++) {
        read_bytes(z.p, n);
        ck_assert_uint_le(got.n, 3);
        ck_assert_msg(got.worst != SOURCE_FINE, "%zu of %zu bytes", n, z.n);
    }
    for (size_t i = 0; i < z.n; i++) { /* and damaged anywhere: no more than what is there, no crash */
        z.p[i] ^= 0x55;
        struct source *s = NULL;
        struct err e;
        struct pkt k[8];
        save(0, z.p, z.n);
        ck_assert_int_eq(source_open_files(path_list, 1, &e, &s), 0);
        while (source_poll(s, k, 8) >= 0)
            ;
        source_close(s);
        z.p[i] ^= 0x55;
    }
    done(&o);
    done(&z);
}
END_TEST

START_TEST(members_and_rubbish)
{
    struct out o = variant(0, 1), half = {.p = o.p, .n = 50}, rest = {.p = o.p + 50, .n = o.n - 50}, all = {0};
    struct out z[2] = {pack(&half), pack(&rest)}, nothing = {.p = o.p, .n = 0}, e = pack(&nothing);
    put(&all, e.p, e.n);
    put(&all, z[0].p, z[0].n);
    put(&all, e.p, e.n);
    put(&all, z[1].p, z[1].n);
    read_bytes(all.p, all.n);
    check_three(1);
    put(&all, "\0\0\0\0\0", 5);
    read_bytes(all.p, all.n);
    check_three(1);
    done(&o);
    done(&all);
    done(&z[0]);
    done(&z[1]);
    done(&e);
}
END_TEST

/* No bytes at all: an empty capture, not something else. */
START_TEST(empty_file)
{
    read_bytes("", 0);
    ck_assert_uint_eq(got.worst, SOURCE_WARNING);
    ck_assert_msg(strstr(got.fault, "empty file") != NULL, "%s", got.fault);
    ck_assert_uint_eq(got.n, 0);
}
END_TEST

START_TEST(not_captures)
{
    static const struct {
        const char *p, *say;
        unsigned n;
    } files[] = {
        {"\xd4", "found d4", 1},
        {"#!/bin/sh\n", "found 23 21 2f 62", 10},
        {"\xfd"
         "7zXZ",
         "xz data", 6},
        {"\x28\xb5\x2f\xfd....", "Zstandard", 8},
        {"\x1f\x8b rubbish rubbish", "gzip", 17},
        {"\xd4\xc3\xb2\xa1\x63\0\4\0aaaaaaaaaaaaaaaa", "version 99.4", 24},
    };
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) {
        read_bytes(files[i].p, files[i].n);
        ck_assert_uint_eq(got.worst, SOURCE_ERROR);
        ck_assert_msg(strstr(got.fault, files[i].say) != NULL, "%s", got.fault);
        ck_assert_msg(strncmp(got.fault, paths[0], strlen(paths[0])) == 0, "%s", got.fault);
        ck_assert_uint_eq(got.n, 0);
    }
    const char *missing[] = {"/nowhere/at/all.pcap", dir};
    for (unsigned i = 0; i < 2; i++) {
        struct err e;
        struct source *s = NULL;
        ck_assert_int_eq(source_open_files(&missing[i], 1, &e, &s), 0);
        read_source(s, 8);
        ck_assert_uint_eq(got.worst, SOURCE_ERROR);
        source_close(s);
    }
}
END_TEST

START_TEST(no_packets)
{
    struct out o = {0};
    pcap_head(&o, 0xa1b2c3d4, 1, 4);
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.worst, SOURCE_WARNING);
    done(&o);
    ng_section(&o, 1);
    ng_interface(&o, 1, 0, NULL, -1, 0);
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.worst, SOURCE_WARNING);
    done(&o);
}
END_TEST

START_TEST(absurd_lengths)
{
    struct out o = variant(0, 1);
    struct packet huge = {0, 0, 0};
    pcap_record(&o, 0xa1b2c3d4, &huge, 3);
    size_t at = o.n - 8;
    uint32_t v = 262145;
    memcpy(o.p + at, &v, 4); /* one more than there may be */
    put_bytes(&o, 3, 300000, 0);
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.n, 3);
    ck_assert_uint_eq(got.worst, SOURCE_ERROR);
    char want[64];
    snprintf(want, sizeof want, "byte %zu: found a captured length of 262145", at);
    ck_assert_msg(strstr(got.fault, want) != NULL, "%s", got.fault);
    v = 262144;
    memcpy(o.p + at, &v, 4);
    memcpy(o.p + at + 4, &v, 4);
    o.n = at + 8 + v;
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.n, 4);
    ck_assert_uint_eq(got.worst, SOURCE_FINE);
    done(&o);
}
END_TEST

START_TEST(old_versions)
{
    for (unsigned minor = 2; minor <= 4; minor++) {
        struct out o = {0};
        pcap_head(&o, 0xa1b2c3d4, 1, minor);
        struct packet k = {1000000, 40, 90};
        pcap_record(&o, 0xa1b2c3d4, &k, 0);
        for (unsigned i = 0; i < 4 && minor < 4; i++) { /* 2.2 and some of 2.3 wrote the lengths the other way round */
            uint8_t t = o.p[24 + 8 + i];
            o.p[24 + 8 + i] = o.p[24 + 12 + i];
            o.p[24 + 12 + i] = t;
        }
        read_bytes(o.p, o.n);
        ck_assert_uint_eq(got.n, 1);
        ck_assert_uint_eq(got.k[0].caplen, 40);
        ck_assert_uint_eq(got.k[0].wirelen, 90);
        done(&o);
    }
}
END_TEST

START_TEST(frame_check_sequence)
{
    struct out o = {0};
    pcap_head(&o, 0xa1b2c3d4, 0x24000001, 4); /* 2 times 2 bytes */
    struct packet k[] = {{0, 64, 64}, {0, 60, 100}, {0, 98, 100}};
    for (uint32_t i = 0; i < 3; i++)
        pcap_record(&o, 0xa1b2c3d4, &k[i], i);
    read_bytes(o.p, o.n);
    static const uint32_t want[][2] = {{60, 60}, {60, 96}, {96, 96}};
    ck_assert_uint_eq(got.n, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(got.k[i].linktype, 1);
        ck_assert_uint_eq(got.k[i].caplen, want[i][0]);
        ck_assert_uint_eq(got.k[i].wirelen, want[i][1]);
    }
    done(&o);
}
END_TEST

START_TEST(time_resolutions)
{
    static const struct {
        int tsresol;
        int64_t offset;
        uint64_t units, ns;
    } t[] = {
        {-1, 0, 1700000000123456, UINT64_C(1700000000123456000)},
        {6, 0, 1700000000123456, UINT64_C(1700000000123456000)},
        {9, 0, UINT64_C(1700000000123456789), UINT64_C(1700000000123456789)},
        {3, 0, 1700000000123, UINT64_C(1700000000123000000)},
        {0, 0, 1700000000, UINT64_C(1700000000000000000)},
        {12, 0, 1234567890123, 1234567890},
        {28, 0, UINT64_MAX, 1},
        {29, 0, UINT64_MAX, 0},
        {127, 0, UINT64_MAX, 0},
        {0x80 | 10, 0, 1024 * 3 + 512, 3500000000},
        {0x80 | 32, 0, (UINT64_C(1700000000) << 32) + (1u << 31), UINT64_C(1700000000500000000)},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {6, 1700000000, 123456, UINT64_C(1700000000123456000)},
        {6, -100, 99000000, 0},
        {6, -100, 101000000, 1000000000},
        {6, INT64_MAX, 0, INT64_MAX},
        {6, INT64_MIN, UINT64_MAX, 0},
        {6, 0, UINT64_MAX, INT64_MAX},
        {0, 0, UINT64_MAX, INT64_MAX},
        {0x80, 0, UINT64_MAX, INT64_MAX},
        {0x80, INT64_MAX, UINT64_MAX, INT64_MAX},
    };
    struct out o = {.be = _i};
    ng_section(&o, 1);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++)
        ng_interface(&o, 1, 0, NULL, t[i].tsresol, t[i].offset);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++)
        ng_packet(&o, i, t[i].units, 5, 5, i);
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.n, ARRAY_LEN(t));
    for (unsigned i = 0; i < ARRAY_LEN(t); i++)
        ck_assert_msg(got.k[i].ts_ns == t[i].ns, "%u: %llu, expected %llu", i, (unsigned long long)got.k[i].ts_ns,
                      (unsigned long long)t[i].ns);
    done(&o);
}
END_TEST

START_TEST(sections_and_interfaces)
{
    struct out o = {0};
    ng_section(&o, 1);
    ng_interface(&o, 1, 96, "eth0", -1, 0);
    ng_interface(&o, 113, 0, "any", 9, 0);
    ng_packet(&o, 1, 5000, 10, 10, 0);
    ng_packet(&o, 0, 7, 96, 200, 1);
    ng_simple(&o, 200, 96, 2);
    ng_simple(&o, 50, 96, 3);
    ng_old_packet(&o, 1, 9000, 13, 4);
    o.be = true;
    ng_section(&o, 1);
    ng_interface(&o, 101, 0, "eth0", -1, 0);
    for (int i = 0; i < 40; i++)
        ng_interface(&o, 1, 0, NULL, -1, 0);
    ng_packet(&o, 0, 8, 10, 10, 5);
    ng_packet(&o, 40, 9, 10, 10, 6);
    save(0, o.p, o.n);
    struct source *s = open_n(1);
    read_source(s, 1);
    ck_assert_msg(got.worst == SOURCE_FINE, "%s", got.fault);
    ck_assert_uint_eq(got.n, 7);
    static const struct {
        uint64_t ns;
        uint32_t link, caplen, wirelen;
        const char *iface;
    } want[] = {
        {5000, 113, 10, 10, "any"}, {7000, 1, 96, 200, "eth0"},  {7000, 1, 96, 200, ""}, {7000, 1, 50, 50, ""},
        {9000, 113, 13, 13, "any"}, {8000, 101, 10, 10, "eth0"}, {9000, 1, 10, 10, ""},
    };
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_uint_eq(got.k[i].ts_ns, want[i].ns);
        ck_assert_uint_eq(got.k[i].linktype, want[i].link);
        ck_assert_uint_eq(got.k[i].caplen, want[i].caplen);
        ck_assert_uint_eq(got.k[i].wirelen, want[i].wirelen);
        if (want[i].iface[0])
            ck_assert_str_eq(source_iface(s, got.k[i].iface), want[i].iface);
    }
    ck_assert_uint_eq(source_n_ifaces(s), 3);
    ck_assert_str_eq(source_iface(s, 0), "");
    source_close(s);
    done(&o);
}
END_TEST

/* A good packet, then one block that cannot be. */
static void ng_broken(void (*add)(struct out *o), const char *say)
{
    struct out o = {0};
    ng_section(&o, 1);
    ng_interface(&o, 1, 0, NULL, -1, 0);
    ng_packet(&o, 0, 1, 10, 10, 0);
    add(&o);
    ng_packet(&o, 0, 2, 10, 10, 1);
    read_bytes(o.p, o.n);
    ck_assert_uint_eq(got.n, 1);
    ck_assert_uint_eq(got.worst, SOURCE_ERROR);
    ck_assert_msg(strstr(got.fault, say) != NULL, "%s", got.fault);
    done(&o);
}

static void patch(struct out *o, size_t from_end, uint32_t v)
{
    memcpy(o->p + o->n - from_end, &v, 4);
}

static void no_such_iface(struct out *o)
{
    ng_packet(o, 7, 1, 10, 10, 1);
}
static void bad_trailer(struct out *o)
{
    ng_packet(o, 0, 1, 8, 8, 1);
    patch(o, 4, 1234);
}
static void long_capture(struct out *o)
{
    ng_packet(o, 0, 1, 8, 8, 1);
    patch(o, 32, 21);
}
static void odd_length(struct out *o)
{
    ng_other(o, 99, 1);
    patch(o, 12, 17);
}
static void short_length(struct out *o)
{
    ng_other(o, 99, 0);
    patch(o, 8, 8);
}
static void huge_length(struct out *o)
{
    ng_other(o, 99, 0);
    patch(o, 8, 0xfffffffc);
}
static void huge_packet(struct out *o)
{
    ng_other(o, 6, 5);
    patch(o, 28, 2 << 20);
}
static void short_packet(struct out *o)
{
    ng_other(o, 6, 4);
}
static void short_interface(struct out *o)
{
    ng_other(o, 1, 1);
}
static void next_version(struct out *o)
{
    ng_section(o, 2);
}
static void no_byte_order(struct out *o)
{
    ng_section(o, 1);
    patch(o, 20, 7);
}

START_TEST(broken_blocks)
{
    ng_broken(no_such_iface, "found interface 7 in packet 2");
    ng_broken(bad_trailer, "found a length of 1234 at the end");
    ng_broken(long_capture, "found a captured length of 21");
    ng_broken(odd_length, "a multiple of 4");
    ng_broken(short_length, "of 8 bytes");
    ng_broken(huge_length, "of 4294967292 bytes");
    ng_broken(huge_packet, "found a length of 2097152");
    ng_broken(short_packet, "expected at least 32");
    ng_broken(short_interface, "expected at least 20");
    ng_broken(next_version, "found pcapng version 2.0");
    ng_broken(no_byte_order, "byte-order magic");
}
END_TEST

START_TEST(by_uri)
{
    struct out o = variant(0, 1);
    save(0, o.p, o.n);
    char uri[128];
    snprintf(uri, sizeof uri, "file:%s", paths[0]);
    struct err e;
    struct source *s = NULL;
    ck_assert_int_eq(source_open(uri, NULL, &e, &s), 0);
    read_source(s, 64);
    check_three(1);
    source_close(s);
    ck_assert_int_eq(source_open_files(path_list, 0, &e, &s), -EINVAL);
    source_close(NULL);
    done(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pcapfile");
    TCase *t = tcase_create("pcapfile");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, variants, 0, VARIANTS);
    tcase_add_loop_test(t, cut_anywhere, 0, VARIANTS);
    tcase_add_loop_test(t, cut_compressed, 0, VARIANTS);
    tcase_add_test(t, members_and_rubbish);
    tcase_add_test(t, empty_file);
    tcase_add_test(t, not_captures);
    tcase_add_test(t, no_packets);
    tcase_add_test(t, absurd_lengths);
    tcase_add_test(t, old_versions);
    tcase_add_test(t, frame_check_sequence);
    tcase_add_loop_test(t, time_resolutions, 0, 2);
    tcase_add_test(t, sections_and_interfaces);
    tcase_add_test(t, broken_blocks);
    tcase_add_test(t, by_uri);
    suite_add_tcase(s, t);
    return run_suite(s);
}
