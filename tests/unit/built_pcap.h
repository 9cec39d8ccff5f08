/* built_pcap.h: the payloads of a bundled capture, as the project's builder writes them: Ethernet, IPv4 without options. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packet {
    const uint8_t *p;
    uint32_t n;
    uint8_t tcp, from_server; /* from_server: from the lower port; of the same one, from the higher address */
};

/* pcaps/NAME.pcap; NULL where it is not there. The caller frees it. */
static inline uint8_t *built_load(const char *name, uint32_t *n)
{
    const char *root = getenv("MESON_SOURCE_ROOT");
    char path[512];
    snprintf(path, sizeof path, "%s/pcaps/%s.pcap", root ? root : "..", name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        snprintf(path, sizeof path, "pcaps/%s.pcap", name);
        f = fopen(path, "rb");
    }
    if (!f)
        return NULL;
    uint8_t *b = malloc(1 << 20);
    *n = (uint32_t)fread(b, 1, 1 << 20, f);
    fclose(f);
    return b;
}

/* The next packet with TCP or UDP payload; *at is 24 for the first. */
static inline bool built_next(const uint8_t *b, uint32_t n, uint32_t *at, struct packet *p)
{
    while (*at + 16 <= n) {
        uint32_t len;
        memcpy(&len, b + *at + 8, 4);
        const uint8_t *eth = b + *at + 16;
        *at += 16 + len;
        if (*at > n || len < 42 || eth[12] != 8 || eth[13] != 0)
            continue;
        p->tcp = eth[23] == 6;
        uint32_t head = 34 + (p->tcp ? 20 : 8), total = 14u + ((uint32_t)eth[16] << 8 | eth[17]);
        if ((!p->tcp && eth[23] != 17) || total > len || total <= head)
            continue;
        uint16_t sport = (uint16_t)(eth[34] << 8 | eth[35]), dport = (uint16_t)(eth[36] << 8 | eth[37]);
        bool from_server = sport < dport || (sport == dport && memcmp(eth + 26, eth + 30, 4) > 0);
        *p = (struct packet){eth + head, total - head, p->tcp, from_server};
        return true;
    }
    return false;
}
