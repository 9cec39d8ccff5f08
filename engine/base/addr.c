#include "engine/base/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

bool addr_is_nobody(const struct addr *a)
{
    static const uint8_t zero[16];
    if (addr_is_group(a))
        return true;
    if (addr_is_link_local(a))
        return true;
    if (addr_is_v4(a))
        return a->b[12] == 0;
    if (addr_is_mac(a))
        return memcmp(a->b + 10, zero, 6) == 0;
    return memcmp(a->b, zero, 16) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
    if (addr_is_v4(a))
        return a->b[12] == 169 && a->b[13] == 254;
    return !addr_is_mac(a) && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return addr_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, one, sizeof one) == 0;
}

bool mac_is_virtual_router(const uint8_t mac[6])
{
    return memcmp(mac, "\x00\x00\x5e\x00\x01", 5) == 0 || memcmp(mac, "\x00\x00\x5e\x00\x02", 5) == 0 ||
           memcmp(mac, "\x00\x00\x0c\x07\xac", 5) == 0 ||
           (memcmp(mac, "\x00\x00\x0c\x9f", 4) == 0 && mac[4] >> 4 == 0xf) || memcmp(mac, "\x00\x05\x73\xa0", 4) == 0;
}

static const char hex[] = "0123456789abcdef";

static char *dec8(char *p, uint8_t v)
{
    if (v >= 100)
        *p++ = (char)('0' + v / 100);
    if (v >= 10)
        *p++ = (char)('0' + v / 10 % 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

static char *dec16(char *p, uint16_t v)
{
    char d[5];
    unsigned n = 0;
    do
        d[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = d[--n];
    return p;
}

static char *hex8(char *p, uint8_t v)
{
    *p++ = hex[v >> 4];
    *p++ = hex[v & 15];
    return p;
}

unsigned mac_text(const uint8_t mac[6], char out[MAC_TEXT])
{
    char *p = out;
    for (int i = 0; i < 6; i++) {
        if (i)
            *p++ = ':';
        p = hex8(p, mac[i]);
    }
    *p = 0;
    return (unsigned)(p - out);
}

static unsigned station_text(const struct addr *a, char out[ADDR_TEXT])
{
    unsigned n = a->b[8];
    char *p = dec16(out, (uint16_t)(a->b[6] << 8 | a->b[7]));
    *p++ = ':';
    if (n == 1) {
        p = dec8(p, a->b[9]);
    } else {
        *p++ = '0';
        *p++ = 'x';
        for (unsigned i = 0; i < n; i++)
            p = hex8(p, a->b[9 + i]);
    }
    *p = 0;
    return (unsigned)(p - out);
}

/* "network:decimal" of one byte, "network:0x..." of more. */
static bool station_parse(const char *s, struct addr *ret)
{
    char *end;
    uint8_t mac[7];
    unsigned n = 0, v;
    unsigned long net = strtoul(s, &end, 10);
    if (*s < '0' || *s > '9' || *end != ':' || net > 65535)
        return false;
    s = end + 1;
    if (s[0] != '0' || s[1] != 'x') {
        unsigned long one = strtoul(s, &end, 10);
        mac[0] = (uint8_t)one;
        n = *s >= '0' && *s <= '9' && !*end && one <= 255;
    } else {
        for (s += 2; n < sizeof mac && isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]); s += 2)
            mac[n++] = (uint8_t)(sscanf(s, "%2x", &v) == 1 ? v : 0);
        n = *s || n == 1 ? 0 : n;
    }
    if (n)
        *ret = addr_station((uint16_t)net, mac, n);
    return n != 0;
}

unsigned addr_text(const struct addr *a, char out[ADDR_TEXT])
{
    if (addr_is_v4(a)) {
        char *p = out;
        for (int i = 12; i < 16; i++) {
            if (i > 12)
                *p++ = '.';
            p = dec8(p, a->b[i]);
        }
        *p = 0;
        return (unsigned)(p - out);
    }
    if (addr_is_mac(a))
        return mac_text(a->b + 10, out);
    if (addr_is_station(a))
        return station_text(a, out);
    if (!inet_ntop(AF_INET6, a->b, out, ADDR_TEXT))
        out[0] = 0;
    return (unsigned)strlen(out);
}

bool addr_parse(const char *s, struct addr *ret)
{
    uint8_t b[16];
    unsigned m[6];
    char end;
    if (inet_pton(AF_INET, s, b) == 1) {
        *ret = addr_v4(b);
        return true;
    }
    if (strlen(s) == 17 &&
        sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &end) == 6) {
        for (int i = 0; i < 6; i++)
            b[i] = (uint8_t)m[i];
        *ret = addr_mac(b);
        return true;
    }
    if (inet_pton(AF_INET6, s, b) == 1) {
        memcpy(ret->b, b, 16);
        return true;
    }
    return station_parse(s, ret);
}
