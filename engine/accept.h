/* accept.h: what an alert told is taken for normal: by `tyto baseline accept` itself, or by the sensor that it asks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct baseline;
struct query;
struct store;

enum { ACCEPT_KEYS = 512 }; /* bytes of the keys of one alert */

/* The keys of the alert whose uid begins so, into out. -ENOENT: there is none, or it cannot be accepted. */
int accept_of_alert(struct query *q, const char *begin, char out[ACCEPT_KEYS], struct err *e) MUST_USE;
/* All keys of one text, as an alert shows them: "alert:... function:...". q: the database with these alerts. */
int accept_keys(struct query *q, struct baseline *b, const char *keys, uint64_t now_ns, struct err *e) MUST_USE;
/* What people asked this sensor for since wish `last` is done and told to the store; returns the last one. */
uint64_t accept_wishes(struct query *q, struct baseline *b, struct store *s, uint64_t now_ns, uint64_t last);
