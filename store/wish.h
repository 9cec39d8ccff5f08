/* wish.h: what people ask of a sensor that runs, by way of the database that only it may change: to take alerts for
 * normal. The sensor reads Q_WISHES once a second and says store_wish_done(). */
#pragma once

#include <stdint.h>

#include "engine/base/err.h"

struct wishes;
int wishes_open(const char *path, struct wishes **ret, struct err *e) MUST_USE;
void wishes_close(struct wishes *w);
/* accept: keys as an alert shows them. *ret_id: its number. */
int wishes_put(struct wishes *w, const char *accept, int64_t *ret_id, struct err *e) MUST_USE;
/* 1: done. 0: not yet. -EINVAL: the sensor refused, its reason in e; the wish is gone. */
int wishes_look(struct wishes *w, int64_t id, struct err *e) MUST_USE;
