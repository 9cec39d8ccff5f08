/* explain.h: what the files that word an alert share. Inside rules/ only. */
#pragma once

#include "engine/base/evtext.h"
#include "engine/base/site.h"
#include "rules/cond.h"

/* The value of a field; false when it has none to show. */
bool explain_field(struct words *w, const struct field_def *d, const struct field *f);
