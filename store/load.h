/* load.h: reading all rows of a connection. Inside store/ only. */
#pragma once

#include <sqlite3.h>

#include "engine/base/row.h"

int db_load(sqlite3 *db, const struct row_sink *into); /* SQLITE_ code */
