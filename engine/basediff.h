/* basediff.h: what only one of two baselines has, databases or exports. */
#pragma once

#include <stdbool.h>

#include "engine/base/err.h"

/* Prints it, as lines for people or one JSON array. 0: nothing; 1: something; or -errno. */
int basediff(const char *old, const char *new, bool json, struct err *e) MUST_USE;
