/* evtext.h: what a message did, in words for people: alerts and their reasons. */
#pragma once

#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/event.h"

/* A bounded sentence under construction: what does not fit is left out, and never half a character. */
struct words {
    char *p;
    size_t n, cap;
};
static inline struct words words_in(char *p, size_t cap)
{
    p[0] = '\0';
    return (struct words){p, 0, cap};
}
void words_add(struct words *w, const char *fmt, ...) PRINTF(2, 3);

/* "1500", "true", "\"Motor\"", "0a0b"; false when there is no such value. */
bool words_value(struct words *w, const struct vals *v, uint32_t k);
/* "holding_register:40 = 1500, 1501, ... (10 values)" */
void words_item(struct words *w, const struct proto_schema *s, const struct item *it);
/* "write_single_register (write) of unit id 1: holding_register:40 = 1500, refused: illegal_data_value" */
void words_event(struct words *w, const struct event *e);
/* The name of its function, else "function 7:4:1"; "unreadable function". */
void words_function(struct words *w, const struct proto_schema *s, const struct op_row *op, uint32_t function);
