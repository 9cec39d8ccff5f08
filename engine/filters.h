/* filters.h: does what a filter names exist at all? "none" must not hide an error in writing. Each returns 0, or the
 * exit status after telling on standard error what was found and what is known. NULL is fine: no filter. */
#pragma once

struct query;

int filter_type(struct query *q, const char *type);         /* of devices */
int filter_zone(struct query *q, const char *zone);
int filter_protocol(struct query *q, const char *name);
int filter_asset(struct query *q, const char *place, const char *who);  /* an id, an address or a name */
int filter_host(struct query *q, const char *who);          /* the same, or any address: it may have no alert */
int filter_alert_type(struct query *q, const char *id);     /* own rules (USR-) may not have raised any yet */
