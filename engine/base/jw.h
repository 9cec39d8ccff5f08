/* jw.h: append-only JSON writer on a caller's buffer: no allocation, no tree. Overflow is sticky: nothing more is
 * written, and jw_ok() says so. Text is escaped; bytes that are not UTF-8 become U+FFFD. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/addr.h"
#include "engine/base/cur.h"

struct jw {
    char *p;
    uint32_t n, cap;
    bool comma, full;
};

void jw_init(struct jw *w, char *buf, uint32_t cap);
static inline bool jw_ok(const struct jw *w)
{
    return !w->full;
}
void jw_open(struct jw *w, char bracket);  /* '{' or '[' as a value (no key) */
void jw_close(struct jw *w, char bracket); /* '}' or ']' */
void jw_key_n(struct jw *w, const char *key, uint32_t n);
static inline void jw_key(struct jw *w, const char *key) /* "key": ; keys are ours and need no escaping */
{
    jw_key_n(w, key, (uint32_t)strlen(key));
}
void jw_key_open(struct jw *w, const char *key, char bracket);
/* Values, after jw_key() or inside an array */
void jw_u64(struct jw *w, uint64_t v);
void jw_i64(struct jw *w, int64_t v);
void jw_f64(struct jw *w, double v);       /* shortest that reads back; NaN and infinities: null */
void jw_f32(struct jw *w, float v);
void jw_u64_text(struct jw *w, uint64_t v); /* "42" */
void jw_hex_text(struct jw *w, uint64_t v); /* "0x2a" */
void jw_id(struct jw *w, uint64_t v);       /* 16 hex digits */
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_str(struct jw *w, const char *s);  /* NULL: null */
void jw_text(struct jw *w, struct span s); /* stops at a NUL run at the end (padding) */
void jw_hex(struct jw *w, struct span s);
void jw_addr(struct jw *w, const struct addr *a);
void jw_mac(struct jw *w, const uint8_t mac[6]);
void jw_time(struct jw *w, uint64_t ns);   /* "2026-01-05T10:11:12.123456+0000" */
void jw_raw(struct jw *w, const char *s, uint32_t n); /* ready JSON value */
/* key and value in one; inline so that the length of a literal key costs nothing */
static inline void jw_kv_u64(struct jw *w, const char *key, uint64_t v)
{
    jw_key(w, key);
    jw_u64(w, v);
}
static inline void jw_kv_i64(struct jw *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_i64(w, v);
}
static inline void jw_kv_bool(struct jw *w, const char *key, bool v)
{
    jw_key(w, key);
    jw_bool(w, v);
}
static inline void jw_kv_str(struct jw *w, const char *key, const char *v)
{
    jw_key(w, key);
    jw_str(w, v);
}
static inline void jw_kv_time(struct jw *w, const char *key, uint64_t v)
{
    jw_key(w, key);
    jw_time(w, v);
}
static inline void jw_kv_addr(struct jw *w, const char *key, const struct addr *v)
{
    jw_key(w, key);
    jw_addr(w, v);
}

/* Length of the UTF-8 sequence of several bytes at p, 0 when it is none (overlong, surrogate, cut, stray). */
unsigned jw_utf8_len(const uint8_t *p, uint32_t left);
/* What is no UTF-8 becomes '?', control characters go: databases and listings take texts as they are. Returns the
 * length. */
uint32_t jw_clean(struct span v, char *out, uint32_t cap);

/* "2026-01-05T10:11:12.123456+0000" (UTC), NUL-terminated; years beyond 9999 are clamped. */
enum { TIME_TEXT = 32 };
void time_text(uint64_t ns, char out[TIME_TEXT]);
