/* decode_dump.c: what the reader and the decoder make of capture files, a line a packet, for comparison with others.
 *
 *   decode_dump FILE...      file, frame, time, caplen, wirelen, VLANs, addresses, protocol, ports, payload lengths,
 * what decode_dump -c FILE...   a line a file: packets read alone, and the fault if there is one */
#include <stdio.h>
#include <string.h>

#include "capture/source.h"
#include "engine/decode.h"

static void dump(const struct source *s, const struct pkt *p, const struct layers *l)
{
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    addr_text(&l->src, src);
    addr_text(&l->dst, dst);
    printf("%s\t%u\t%llu.%09llu\t%u\t%u\t%u,%u\t%04x\t%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%x\n",
           source_file(s, p->file), p->frame, (unsigned long long)(p->ts_ns / 1000000000),
           (unsigned long long)(p->ts_ns % 1000000000), p->caplen, p->wirelen, l->vlan[0], l->vlan[1], l->ethertype,
           src, dst, l->ip_ver, l->ip_proto, l->sport, l->dport, l->payload_len, l->payload_wire, l->reached, l->what);
}

static int read_all(const char *const *paths, unsigned n, bool count)
{
    static const struct decode_limits lim = {.frag_datagrams = 256, .frag_bytes = 1 << 20, .batch = 1};
    struct err e;
    struct source *s;
    struct pkt p[64];
    struct layers l;
    struct decoder *d = decoder_new(&lim);
    int got;
    if (!d || source_open_files(paths, n, &e, &s) < 0)
        return 1;
    uint64_t packets = 0;
    while ((got = source_poll(s, p, 64)) >= 0) {
        for (int i = 0; i < got && !count; i++) {
            decode(d, &p[i], &l);
            dump(s, &p[i], &l);
        }
        packets += (unsigned)got;
    }
    const struct source_fault *f;
    if (count) {
        f = source_fault(s, 0);
        printf("%s\t%llu\t%s\n", paths[0], (unsigned long long)packets, f ? f->text : "");
    }
    for (unsigned i = 0; !count && (f = source_fault(s, i)); i++)
        fprintf(stderr, "%s: %s\n", f->cls == SOURCE_WARNING ? "warning" : "error", f->text);
    source_close(s);
    decoder_free(d);
    return 0;
}

int main(int argc, char **argv)
{
    bool count = argc > 1 && strcmp(argv[1], "-c") == 0;
    if (argc < 2 + count) {
        fprintf(stderr, "usage: decode_dump [-c] FILE...\n");
        return 2;
    }
    const char *const *paths = (const char *const *)argv;
    if (!count)
        return read_all(paths + 1, (unsigned)argc - 1, false);
    int rc = 0;
    for (int i = 2; i < argc; i++)
        rc |= read_all(paths + i, 1, true);
    return rc;
}
