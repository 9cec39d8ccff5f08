/* pcap_fixture.h: capture files built in memory, and one way to read them, for the tests of the reader. */
#pragma once

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

static inline void put(struct out *o, const void *p, size_t n)
{
    while (o->n + n > o->max) {
        o->max = o->max ? o->max * 2 : 4096;
        o->p = realloc(o->p, o->max);
    }
    if (n)
        memcpy(o->p + o->n, p, n);
    o->n += n;
}

static inline void put_n(struct out *o, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t b = (uint8_t)(v >> 8 * (o->be ? n - 1 - i : i));
        put(o, &b, 1);
    }
}

static inline void done(struct out *o)
{
    free(o->p);
    *o = (struct out){0};
}

struct packet {
    uint64_t ns;
    uint32_t caplen, wirelen;
};

/* The bytes of the packet that was written i-th. */
static inline uint8_t byte_of(uint32_t i, uint32_t at)
{
    return (uint8_t)(i * 31 + at * 7);
}

static inline void put_bytes(struct out *o, uint32_t i, uint32_t n, uint32_t pad)
{
    for (uint32_t k = 0; k < n + pad; k++) {
        uint8_t v = k < n ? byte_of(i, k) : 0;
        put(o, &v, 1);
    }
}

static inline void pcap_head(struct out *o, uint32_t magic, uint32_t link, unsigned minor)
{
    put_n(o, magic, 4);
    put_n(o, 2, 2);
    put_n(o, minor, 2);
    put_n(o, 0, 8);
    put_n(o, 65535, 4);
    put_n(o, link, 4);
}

static inline void pcap_record(struct out *o, uint32_t magic, const struct packet *k, uint32_t i)
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
static inline void block(struct out *o, uint32_t type, const struct out *body)
{
    put_n(o, type, 4);
    put_n(o, body->n + 12, 4);
    put(o, body->p, body->n);
    put_n(o, body->n + 12, 4);
}

static inline void ng_section(struct out *o, unsigned major)
{
    struct out b = {.be = o->be};
    put_n(&b, 0x1a2b3c4d, 4);
    put_n(&b, major, 2);
    put_n(&b, 0, 2);
    put_n(&b, UINT64_MAX, 8);
    block(o, 0x0a0d0d0a, &b);
    done(&b);
}

static inline void option(struct out *b, unsigned code, const void *p, unsigned n)
{
    put_n(b, code, 2);
    put_n(b, n, 2);
    put(b, p, n);
    put(b, "\0\0\0", (4 - n % 4) % 4);
}

/* tsresol < 0: none. */
static inline void ng_interface(struct out *o, unsigned link, uint32_t snaplen, const char *name, int tsresol,
                                int64_t tsoffset)
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

static inline void ng_packet(struct out *o, uint32_t iface, uint64_t units, uint32_t caplen, uint32_t wirelen,
                             uint32_t i)
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

static inline void ng_old_packet(struct out *o, unsigned iface, uint64_t units, uint32_t caplen, uint32_t i)
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

static inline void ng_simple(struct out *o, uint32_t wirelen, uint32_t snaplen, uint32_t i)
{
    uint32_t caplen = wirelen < snaplen ? wirelen : snaplen;
    struct out b = {.be = o->be};
    put_n(&b, wirelen, 4);
    put_bytes(&b, i, caplen, (4 - caplen % 4) % 4);
    block(o, 3, &b);
    done(&b);
}

static inline void ng_other(struct out *o, uint32_t type, uint32_t n)
{
    struct out b = {.be = o->be};
    for (uint32_t i = 0; i < n; i++)
        put_n(&b, 0xdeadbeef, 4);
    block(o, type, &b);
    done(&b);
}

static inline struct out pack(const struct out *o)
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

static inline void set_up(void)
{
    strcpy(dir, "/tmp/tyto-pcapfile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (unsigned i = 0; i < MAX_FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%u.pcap", dir, i);
        path_list[i] = paths[i];
    }
}

static inline void tear_down(void)
{
    for (unsigned i = 0; i < MAX_FILES; i++)
        unlink(paths[i]);
    rmdir(dir);
}

static inline void save(unsigned i, const void *p, size_t n)
{
    unlink(paths[i]); /* truncating instead makes ext4 wait for the disk */
    int fd = open(paths[i], O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static inline struct source *open_n(unsigned n)
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

static inline void check_bytes(const struct pkt *k)
{
    for (uint32_t i = 0; i < k->caplen; i++)
        if (k->data[i] != byte_of(k->frame - 1, i)) /* an assertion each would be a message to the runner each */
            ck_abort_msg("packet %u, byte %u", k->frame, i);
}

static inline void read_source(struct source *s, unsigned batch)
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

static inline void read_bytes(const void *p, size_t n)
{
    save(0, p, n);
    struct source *s = open_n(1);
    read_source(s, 64);
    source_close(s);
}

static const uint32_t pcap_magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

static inline int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
