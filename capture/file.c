/* file.c: starting and ending one capture file: its format by the first bytes, its faults as one line each. */
#include "capture/file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first n bytes, in file order. A row without a format is something that people take for a capture. */
static const struct magic {
    uint8_t n, b[4];
    const struct file_format *format;
    const char *name;
} magics[] = {
    {4, {0xd4, 0xc3, 0xb2, 0xa1}, &file_pcap, NULL},
    {4, {0xa1, 0xb2, 0xc3, 0xd4}, &file_pcap, NULL},
    {4, {0x4d, 0x3c, 0xb2, 0xa1}, &file_pcap, NULL},
    {4, {0xa1, 0xb2, 0x3c, 0x4d}, &file_pcap, NULL},
    {4, {0x34, 0xcd, 0xb2, 0xa1}, &file_pcap, NULL},
    {4, {0xa1, 0xb2, 0xcd, 0x34}, &file_pcap, NULL},
    {4, {0x0a, 0x0d, 0x0d, 0x0a}, &file_pcapng, NULL},
    {2, {0x1f, 0x8b}, NULL, "gzip inside gzip"},
    {4, {0x28, 0xb5, 0x2f, 0xfd}, NULL, "Zstandard data (decompress it first)"},
    {4, {0xfd, '7', 'z', 'X'}, NULL, "xz data (decompress it first)"},
    {4, {0x04, 0x22, 0x4d, 0x18}, NULL, "LZ4 data (decompress it first)"},
    {3, {'B', 'Z', 'h'}, NULL, "bzip2 data (decompress it first)"},
    {4, {'P', 'K', 3, 4}, NULL, "a zip archive (unpack it first)"},
    {4, {'s', 'n', 'o', 'o'}, NULL, "a snoop capture (convert it with editcap)"},
    {4, {'G', 'M', 'B', 'U'}, NULL, "a Network Monitor capture (convert it with editcap)"},
    {4, {'R', 'T', 'S', 'S'}, NULL, "a Network Monitor capture (convert it with editcap)"},
};

static void end(struct file *f)
{
    f->ended = true;
    f->format = NULL;
    file_park(f);
}

static int add_fault(struct file *f, enum source_class cls, const char *fmt, va_list ap)
{
    char text[400];
    vsnprintf(text, sizeof text, fmt, ap);
    source_add_fault(f->src, cls, f->index, "%.255s: %s", source_file(f->src, f->index), text);
    end(f);
    return -ENODATA;
}

static int PRINTF(3, 4) fault(struct file *f, enum source_class cls, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = add_fault(f, cls, fmt, ap);
    va_end(ap);
    return rc;
}

int file_fault(struct file *f, enum source_class cls, uint64_t at, const char *fmt, ...)
{
    char where[64], line[300];
    snprintf(where, sizeof where, "%sbyte %" PRIu64, f->in.packed ? "decompressed " : "", at);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    return fault(f, cls, "%s: %s", where, line);
}

int file_short(struct file *f, int rc, const char *what, uint32_t need)
{
    uint64_t at = input_offset(&f->in);
    uint32_t left = input_left(&f->in);
    if (rc == -EINTR)
        return rc;
    if (rc == -EBADMSG)
        return file_fault(f, SOURCE_ERROR, at, "found corrupt gzip data, expected a whole %s", what);
    if (rc < 0)
        return file_fault(f, SOURCE_ERROR, at, "found a failing read (%s), expected %s %s", strerror(-rc),
                          file_article(what), what);
    bool between = left == 0 && f->skip == 0;
    if (f->in.early_end)
        return file_fault(f, SOURCE_WARNING, at,
                          "found the end of the compressed data, expected its end mark; %" PRIu32 " packets were read",
                          f->frame);
    if (between && f->frame)
        return end(f), -ENODATA;
    if (between)
        return file_fault(f, SOURCE_WARNING, at, "found the end of the file, expected packets");
    if (f->skip)
        return file_fault(f, SOURCE_WARNING, at,
                          "found the end of the file, expected %" PRIu64 " more bytes of %s %s; %" PRIu32
                          " packets were read",
                          f->skip, file_article(what), what, f->frame);
    return file_fault(f, at ? SOURCE_WARNING : SOURCE_ERROR, at,
                      "found %" PRIu32 " bytes and the end of the file, expected"
                      " %s %s of %" PRIu32 "; %" PRIu32 " packets were read",
                      left, file_article(what), what, need, f->frame);
}

static int unreadable(struct file *f, int rc)
{
    if (rc == -EBADMSG)
        return fault(f, SOURCE_ERROR, "found corrupt gzip data, expected a compressed pcap or pcapng file");
    return fault(f, SOURCE_ERROR, "cannot read: %s", strerror(-rc));
}

static int not_a_capture(struct file *f)
{
    uint32_t left = input_left(&f->in);
    const uint8_t *p = input_at(&f->in);
    if (left == 0 && f->in.early_end)
        return fault(f, SOURCE_ERROR, "found the end of the compressed data, expected a pcap or pcapng file");
    if (left == 0)
        return fault(f, SOURCE_WARNING, "found an empty file, expected a pcap or pcapng file");
    for (unsigned i = 0; left >= 4 && i < ARRAY_LEN(magics); i++)
        if (magics[i].name && memcmp(p, magics[i].b, magics[i].n) == 0)
            return fault(f, SOURCE_ERROR, "found %s, expected a pcap or pcapng file", magics[i].name);
    char hex[16] = "";
    for (uint32_t i = 0; i < left && i < 4; i++)
        snprintf(hex + 3 * i, sizeof hex - 3 * i, " %02x", p[i]);
    return file_fault(f, SOURCE_ERROR, 0, "found%s, expected a pcap or pcapng file", hex);
}

static const struct file_format *find_format(const uint8_t *p)
{
    for (unsigned i = 0; i < ARRAY_LEN(magics); i++)
        if (magics[i].format && memcmp(p, magics[i].b, 4) == 0)
            return magics[i].format;
    return NULL;
}

bool source_is_capture(const uint8_t first[4])
{
    return find_format(first) != NULL;
}

int file_start(struct file *f, uint32_t block, bool transient)
{
    if (!f->in.buf) {
        int rc = input_open(&f->in, source_file(f->src, f->index), block, transient);
        if (rc < 0)
            return unreadable(f, rc), 0;
    }
    int rc = input_fill(&f->in, 4);
    if (rc == -EINTR)
        return rc;
    if (rc < 0)
        return unreadable(f, rc), 0;
    const struct file_format *format = rc == 1 ? find_format(input_at(&f->in)) : NULL;
    if (!format)
        return not_a_capture(f), 0;
    rc = format->start(f);
    if (rc == 1)
        f->format = format;
    return rc;
}

void file_park(struct file *f)
{
    uint64_t raw = f->in.raw;
    input_close(&f->in);
    free(f->ifaces);
    free(f->ahead);
    f->in = (struct input){.fd = -1, .raw = f->ended ? raw : 0};
    f->ifaces = NULL;
    f->ahead = NULL;
    f->format = NULL;
    f->n_ifaces = f->max_ifaces = 0;
    f->ahead_at = f->ahead_n = 0;
    f->frame = 0;
    f->skip = 0;
    f->last_ns = 0;
}
