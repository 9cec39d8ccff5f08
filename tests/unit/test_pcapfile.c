/* Capture files: every variant of the formats, every place where a file can end, merging. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "capture/source.h"

/* ---- files built in memory ------------------------------------------------------------------------------------ */

struct out {
    uint8_t *p;
    size_t n, max;
    bool be; /* byte order of the fields */
};

static void put(struct out *o, const void *p, size_t n)
{
    while (o->n + n > o->max) {
        o->max = o->max ? o->max * 2 : 4096;
        o->p = realloc(o->p, o->max);
    }
    if (n)
        memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_n(struct out *o, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t b = (uint8_t)(v >> 8 * (o->be ? n - 1 - i : i));
        put(o, &b, 1);
    }
}

static void done(struct out *o)
{
    free(o->p);
    *o = (struct out){0};
}

struct packet {
    uint64_t ns;
    uint32_t caplen, wirelen;
};

/* The bytes of the packet that was written i-th. */
static uint8_t byte_of(uint32_t i, uint32_t at)
{
    return (uint8_t)(i * 31 + at * 7);
}

static void put_bytes(struct out *o, uint32_t i, uint32_t n, uint32_t pad)
{
    for (uint32_t k = 0; k < n + pad; k++) {
        uint8_t v = k < n ? byte_of(i, k) : 0;
        put(o, &v, 1);
    }
}

static void pcap_head(struct out *o, uint32_t magic, uint32_t link, unsigned minor)
{
    put_n(o, magic, 4);
    put_n(o, 2, 2);
    put_n(o, minor, 2);
    put_n(o, 0, 8);
    put_n(o, 65535, 4);
    put_n(o, link, 4);
}

static void pcap_record(struct out *o, uint32_t magic, const struct packet *k, uint32_t i)
{
    put_n(o, k->ns / 1000000000, 4);
    put_n(o, k->ns % 1000000000 / (magic == 0xa1b23c4d ? 1 : 1000), 4);
    put_n(o, k->caplen, 4);
    put_n(o, k->wirelen, 4);
    if (magic == 0xa1b2cd34)
        put_n(o, 0x0102030405060708, 8);
    put_bytes(o, i, k->caplen, 0);
}

/* A block of pcapng around a body that is a multiple of 4. */
static void block(struct out *o, uint32_t type, const struct out *body)
{
    put_n(o, type, 4);
    put_n(o, body->n + 12, 4);
    put(o, body->p, body->n);
    put_n(o, body->n + 12, 4);
}

static void ng_section(struct out *o, unsigned major)
{
    struct out b = {.be = o->be};
    put_n(&b, 0x1a2b3c4d, 4);
    put_n(&b, major, 2);
    put_n(&b, 0, 2);
    put_n(&b, UINT64_MAX, 8);
    block(o, 0x0a0d0d0a, &b);
    done(&b);
}

static void option(struct out *b, unsigned code, const void *p, unsigned n)
{
    put_n(b, code, 2);
    put_n(b, n, 2);
    put(b, p, n);
    put(b, "\0\0\0", (4 - n % 4) % 4);
}

/* tsresol < 0: none. */
static void ng_interface(struct out *o, unsigned link, uint32_t snaplen, const char *name, int tsresol, int64_t tsoffset)
{
    struct out b = {.be = o->be};
    put_n(&b, link, 2);
    put_n(&b, 0, 2);
    put_n(&b, snaplen, 4);
    if (name)
        option(&b, 2, name, (unsigned)strlen(name));
    uint8_t r = (uint8_t)tsresol;
    if (tsresol >= 0)
        option(&b, 9, &r, 1);
    if (tsoffset) {
        put_n(&b, 14, 2);
        put_n(&b, 8, 2);
        put_n(&b, (uint64_t)tsoffset, 8);
    }
    put_n(&b, 0, 4);
    block(o, 1, &b);
    done(&b);
}

static void ng_packet(struct out *o, uint32_t iface, uint64_t units, uint32_t caplen, uint32_t wirelen, uint32_t i)
{
    struct out b = {.be = o->be};
    put_n(&b, iface, 4);
    put_n(&b, units >> 32, 4);
    put_n(&b, units & 0xffffffff, 4);
    put_n(&b, caplen, 4);
    put_n(&b, wirelen, 4);
    put_bytes(&b, i, caplen, (4 - caplen % 4) % 4);
    put_n(&b, 1, 2); /* a comment */
    put_n(&b, 4, 2);
    put(&b, "note", 4);
    put_n(&b, 0, 4);
    block(o, 6, &b);
    done(&b);
}

static void ng_old_packet(struct out *o, unsigned iface, uint64_t units, uint32_t caplen, uint32_t i)
{
    struct out b = {.be = o->be};
    put_n(&b, iface, 2);
    put_n(&b, 0xffff, 2);
    put_n(&b, units >> 32, 4);
    put_n(&b, units & 0xffffffff, 4);
    put_n(&b, caplen, 4);
    put_n(&b, caplen, 4);
    put_bytes(&b, i, caplen, (4 - caplen % 4) % 4);
    block(o, 2, &b);
    done(&b);
}

static void ng_simple(struct out *o, uint32_t wirelen, uint32_t snaplen, uint32_t i)
{
    uint32_t caplen = wirelen < snaplen ? wirelen : snaplen;
    struct out b = {.be = o->be};
    put_n(&b, wirelen, 4);
    put_bytes(&b, i, caplen, (4 - caplen % 4) % 4);
    block(o, 3, &b);
    done(&b);
}

static void ng_other(struct out *o, uint32_t type, uint32_t n)
{
    struct out b = {.be = o->be};
    for (uint32_t i = 0; i < n; i++)
        put_n(&b, 0xdeadbeef, 4);
    block(o, type, &b);
    done(&b);
}

static struct out pack(const struct out *o)
{
    struct out z = {.max = o->n + o->n / 8 + 1000};
    z.p = malloc(z.max);
    z_stream s = {.next_in = o->p, .avail_in = (unsigned)o->n, .next_out = z.p, .avail_out = (unsigned)z.max};
    ck_assert_int_eq(deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
    z.n = s.total_out;
    deflateEnd(&s);
    return z;
}

/* ---- reading them --------------------------------------------------------------------------------------------- */

enum { MAX_FILES = 64 };
static char dir[64];
static char paths[MAX_FILES][96];
static const char *path_list[MAX_FILES];

static void set_up(void)
{
    strcpy(dir, "/tmp/tyto-pcapfile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (unsigned i = 0; i < MAX_FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%u.pcap", dir, i);
        path_list[i] = paths[i];
    }
}

static void tear_down(void)
{
    for (unsigned i = 0; i < MAX_FILES; i++)
        unlink(paths[i]);
    rmdir(dir);
}

static void save(unsigned i, const void *p, size_t n)
{
    unlink(paths[i]); /* truncating instead makes ext4 wait for the disk */
    int fd = open(paths[i], O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static struct source *open_n(unsigned n)
{
    struct err e;
    struct source *s = NULL;
    ck_assert_int_eq(source_open_files(path_list, n, &e, &s), 0);
    return s;
}

/* All packets, a copy of each view; data is checked against the number of the packet in its file. */
struct got {
    struct pkt k[4096];
    unsigned n;
    enum source_class worst;
    char fault[512];
};
static struct got got;

static void check_bytes(const struct pkt *k)
{
    for (uint32_t i = 0; i < k->caplen; i++)
        if (k->data[i] != byte_of(k->frame - 1, i)) /* an assertion each would be a message to the runner each */
            ck_abort_msg("packet %u, byte %u", k->frame, i);
}

static void read_source(struct source *s, unsigned batch)
{
    int n;
    struct pkt k[256];
    got = (struct got){.n = 0};
    while ((n = source_poll(s, k, batch)) >= 0) {
        for (int i = 0; i < n; i++) {
            check_bytes(&k[i]);
            got.k[got.n++ % 4096] = k[i];
        }
    }
    ck_assert_int_eq(n, -ENODATA);
    ck_assert_int_eq(source_poll(s, k, batch), -ENODATA);
    const struct source_fault *f;
    for (unsigned i = 0; (f = source_fault(s, i)); i++) {
        got.worst = f->cls > got.worst ? f->cls : got.worst;
        strcpy(got.fault, f->text);
    }
    struct source_stats st;
    source_stats(s, &st);
    ck_assert_uint_eq(st.packets, got.n);
}

static void read_bytes(const void *p, size_t n)
{
    save(0, p, n);
    struct source *s = open_n(1);
    read_source(s, 64);
    source_close(s);
}

static const struct packet three[] = {
    {UINT64_C(1700000000123456000), 60, 60}, {UINT64_C(1700000001000001000), 61, 1500}, {UINT64_C(1700000000500000000), 0, 0},
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

static const uint32_t pcap_magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

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
        if (n < head)
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

START_TEST(not_captures)
{
    static const struct {
        const char *p, *say;
        unsigned n;
    } files[] = {
        {"", "empty file", 0},
        {"\xd4", "found d4", 1},
        {"#!/bin/sh\n", "found 23 21 2f 62", 10},
        {"\xfd" "7zXZ", "xz data", 6},
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
        {5000, 113, 10, 10, "any"}, {7000, 1, 96, 200, "eth0"}, {7000, 1, 96, 200, ""}, {7000, 1, 50, 50, ""},
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

static void no_such_iface(struct out *o) { ng_packet(o, 7, 1, 10, 10, 1); }
static void bad_trailer(struct out *o) { ng_packet(o, 0, 1, 8, 8, 1); patch(o, 4, 1234); }
static void long_capture(struct out *o) { ng_packet(o, 0, 1, 8, 8, 1); patch(o, 32, 21); }
static void odd_length(struct out *o) { ng_other(o, 99, 1); patch(o, 12, 17); }
static void short_length(struct out *o) { ng_other(o, 99, 0); patch(o, 8, 8); }
static void huge_length(struct out *o) { ng_other(o, 99, 0); patch(o, 8, 0xfffffffc); }
static void huge_packet(struct out *o) { ng_other(o, 6, 5); patch(o, 28, 2 << 20); }
static void short_packet(struct out *o) { ng_other(o, 6, 4); }
static void short_interface(struct out *o) { ng_other(o, 1, 1); }
static void next_version(struct out *o) { ng_section(o, 2); }
static void no_byte_order(struct out *o) { ng_section(o, 1); patch(o, 20, 7); }

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

/* ---- blocks of the reader ------------------------------------------------------------------------------------- */

enum { MANY = 3000 };

static uint32_t many_len(uint32_t i)
{
    if (i % 500 == 499)
        return 262144 - i;
    return i % 1700;
}

static struct out many(unsigned v)
{
    struct out o = {.be = v & 1};
    if (v >= 6) {
        ng_section(&o, 1);
        ng_interface(&o, 1, 0, NULL, -1, 0);
    } else {
        pcap_head(&o, pcap_magics[v / 2], 1, 4);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        struct packet k = {UINT64_C(1000000000) * i, many_len(i), many_len(i)};
        if (v < 6)
            pcap_record(&o, pcap_magics[v / 2], &k, i);
        else
            ng_packet(&o, 0, k.ns / 1000, k.caplen, k.wirelen, i);
        if (v >= 6 && i % 700 == 0)
            ng_other(&o, 4, 400000);
    }
    return o;
}

static void check_many(struct source *s)
{
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_uint_eq(got.n, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        if (got.k[i].ts_ns != UINT64_C(1000000000) * i || got.k[i].caplen != many_len(i))
            ck_abort_msg("packet %u", i);
    ck_assert_msg(got.worst == SOURCE_FINE, "%s", got.fault);
    if (p.total >= 0)
        ck_assert_int_eq((int64_t)p.done, p.total);
}

START_TEST(larger_than_a_block)
{
    static const unsigned which[] = {0, 3, 6, 7};
    struct out o = many(which[_i]), z = pack(&o);
    const struct out *form[] = {&o, &z};
    for (unsigned k = 0; k < 2; k++) {
        save(0, form[k]->p, form[k]->n);
        for (unsigned batch = 1; batch <= 256; batch = batch * 6 + 1) {
            struct source *s = open_n(1);
            read_source(s, batch);
            check_many(s);
            source_close(s);
        }
    }
    done(&o);
    done(&z);
}
END_TEST

/* Through a pipe, in pieces of any size: not seekable, no size. */
START_TEST(pipes)
{
    struct out o = many(_i ? 6 : 0), z = pack(&o);
    const struct out *form = _i & 2 ? &z : &o;
    int fd[2];
    ck_assert_int_eq(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fd[0]);
        for (size_t at = 0, n = 1; at < form->n; at += n, n = n * 5 % 40009 + 1) {
            n = n < form->n - at ? n : form->n - at;
            if (write(fd[1], form->p + at, n) != (ssize_t)n)
                _exit(1);
        }
        _exit(0);
    }
    close(fd[1]);
    int saved = dup(0);
    dup2(fd[0], 0);
    struct err e;
    struct source *s = NULL;
    ck_assert_int_eq(source_open("-", NULL, &e, &s), 0);
    ck_assert_str_eq(source_file(s, 0), "-");
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_int_eq(p.total, -1);
    read_source(s, 64);
    check_many(s);
    source_close(s);
    dup2(saved, 0);
    close(saved);
    close(fd[0]);
    done(&o);
    done(&z);
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

/* ---- merging -------------------------------------------------------------------------------------------------- */

/* n packets of one byte each at these times. */
static void save_times(unsigned file, const uint64_t *ns, unsigned n, unsigned v)
{
    struct out o = {.be = v & 1};
    uint32_t magic = 0xa1b23c4d;
    if (v >= 6) {
        ng_section(&o, 1);
        ng_interface(&o, 1, 0, "eth0", 9, 0);
    } else {
        pcap_head(&o, magic, 1, 4);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct packet k = {ns[i], 1, 1};
        if (v < 6)
            pcap_record(&o, magic, &k, i);
        else
            ng_packet(&o, 0, ns[i], 1, 1, i);
    }
    save(file, o.p, o.n);
    done(&o);
}

START_TEST(merge)
{
    static const uint64_t a[] = {10, 20, 30, 30, 90}, b[] = {15, 20, 5, 40}, c[] = {20, 21};
    save_times(0, a, 5, 0);
    save_times(1, b, 4, 6);
    save_times(2, c, 2, 7);
    /* file 1 goes back to 5 after 20: it comes right then, not before; ties by file */
    static const struct {
        uint16_t file;
        uint32_t frame;
    } want[] = {{0, 1}, {1, 1}, {0, 2}, {1, 2}, {1, 3}, {2, 1}, {2, 2}, {0, 3}, {0, 4}, {1, 4}, {0, 5}};
    for (unsigned batch = 1; batch <= 64; batch *= 2) {
        struct source *s = open_n(3);
        read_source(s, batch);
        ck_assert_uint_eq(got.n, 11);
        for (unsigned i = 0; i < 11; i++) {
            ck_assert_msg(got.k[i].file == want[i].file && got.k[i].frame == want[i].frame, "%u: file %u frame %u", i,
                          got.k[i].file, got.k[i].frame);
        }
        ck_assert_uint_eq(source_n_ifaces(s), 2); /* one name in two files is one interface */
        source_close(s);
    }
}
END_TEST

/* More files than are kept open; the times overlap, or follow each other; some cannot be read. */
START_TEST(merge_many)
{
    enum { N = 50, EACH = 40 };
    for (unsigned f = 0; f < N; f++) {
        uint64_t t[EACH];
        for (unsigned i = 0; i < EACH; i++)
            t[i] = _i ? 1000000 * f + i : (i * N + f) / 3;
        save_times(f, t, EACH, f % 2 ? 6 : 0);
    }
    save(7, "nonsense", 8);
    unlink(paths[8]);
    struct stat st;
    ck_assert_int_eq(stat(paths[9], &st), 0);
    ck_assert_int_eq(truncate(paths[9], st.st_size - 1), 0);
    struct source *s = open_n(N);
    read_source(s, 64);
    ck_assert_uint_eq(got.n, (N - 2) * EACH - 1);
    for (unsigned i = 1; i < got.n; i++) {
        const struct pkt *p = &got.k[i - 1], *k = &got.k[i];
        ck_assert_uint_le(p->ts_ns, k->ts_ns);
        if (p->ts_ns == k->ts_ns)
            ck_assert_uint_le(p->file, k->file);
        if (p->file == k->file)
            ck_assert_uint_eq(p->frame + 1, k->frame);
    }
    struct source_stats stats;
    source_stats(s, &stats);
    ck_assert_uint_eq(stats.errors, 2);
    ck_assert_uint_eq(stats.warnings, 1);
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_int_eq((int64_t)p.done, p.total);
    source_close(s);
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
    tcase_add_test(t, not_captures);
    tcase_add_test(t, no_packets);
    tcase_add_test(t, absurd_lengths);
    tcase_add_test(t, old_versions);
    tcase_add_test(t, frame_check_sequence);
    tcase_add_loop_test(t, time_resolutions, 0, 2);
    tcase_add_test(t, sections_and_interfaces);
    tcase_add_test(t, broken_blocks);
    tcase_add_loop_test(t, larger_than_a_block, 0, 4);
    tcase_add_loop_test(t, pipes, 0, 4);
    tcase_add_test(t, by_uri);
    tcase_add_test(t, merge);
    tcase_add_loop_test(t, merge_many, 0, 2);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
