/* service.h: what makes a program a service: the supervisor is told, the database is ours alone, privileges are
 * given up. */
#pragma once

#include "engine/base/err.h"

/* "READY=1", ...: to systemd, where it started us (NOTIFY_SOCKET). Failure changes nothing. */
void service_notify(const char *state);

/* One run a database: a lock file beside it. -EBUSY when another has it. :memory: needs none: *ret is -1. */
int service_lock(const char *db, int *ret, struct err *e) MUST_USE;
void service_unlock(const char *db, int lock);

/* After the sources are open: becomes the user (NULL: stays who it is), keeps no capability but the one that opens an
 * interface again (root: also to write files of others), gets no new ones, and leaves no core dump: it would hold
 * traffic. Call it before threads are started. */
int service_drop(const char *user, struct err *e) MUST_USE;
