/* service.h: what makes a program a service: the supervisor is told, the database is ours alone, privileges are
 * given up. */
#pragma once

#include <stdbool.h>

#include "engine/base/err.h"

/* "READY=1", ...: to systemd, where it started us (NOTIFY_SOCKET). Failure changes nothing. */
void service_notify(const char *state);

/* One writer a database: a lock file beside it, which says who it is (`what`: the command). -EBUSY when another has it.
 * :memory: needs none, and where no such file can be the database cannot be written either, which its opening says
 * better: *ret is -1. */
int service_lock(const char *db, const char *what, int *ret, struct err *e) MUST_USE;
void service_unlock(const char *db, int lock);
/* A sensor has it: `tyto run`. */
bool service_runs(const char *db);

/* After the sources are open: becomes the user (NULL: stays who it is), keeps no capability but the one that opens an
 * interface again (root: also to write files of others), gets no new ones, and leaves no core dump: it would hold
 * traffic. Call it before threads are started. */
int service_drop(const char *user, struct err *e) MUST_USE;
