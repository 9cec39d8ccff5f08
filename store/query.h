/* query.h: everything that commands and reports ask of a database, in one place. Rows come one at a time; columns are
 * named by the enums below. Listings are sorted by stable keys, addresses by value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/row.h"

struct query;
struct rows;

/* Read-only. -errno with the reason in e, also for what is not ours, newer or still to be migrated. */
int query_open(const char *path, struct query **ret, struct err *e) MUST_USE;
void query_close(struct query *q);
/* All rows of the model into a sink (baseline_loader()). */
int query_load(struct query *q, const struct row_sink *into, struct err *e) MUST_USE;

enum query_id {
    Q_META,          /* -> QM_ ; by key */
    Q_ASSETS,        /* type, zone, vendor, who (id, address or name); each NULL: any -> QA_ */
    Q_ASSET_ADDRS,   /* asset id -> QAD_ */
    Q_ASSET_IDENTS,  /* asset id -> QI_ */
    Q_ASSET_SERVES,  /* asset id -> QS_ ; what it offers */
    Q_ASSET_USES,    /* asset id -> QS_ ; what it is client of */
    Q_LINKS,         /* who (asset id, address or name), protocol; each NULL: any -> QL_ */
    Q_LINK_OPS,      /* link id -> QO_ */
    Q_ALERTS,        /* state, engine, id, who (as links), least severity, since ns, both as text; NULL: any -> QX_ */
    Q_ALERT,         /* uid as 16 hex digits -> QX_ */
    Q_ALERT_OF_KEY,  /* "alert:0123456789abcdef", as in its accept -> QX_, the latest */
    Q_ALERTS_AFTER,  /* seq as text -> QX_ in the order of seq */
    Q_CURSORS,       /* -> output, seq */
    Q_COUNTS,        /* -> table name, rows */
    Q_NETS,          /* -> QN_ */
    Q_WISHES,        /* of people who wait for the sensor (wish.h) -> QW_ */
    Q_UNLEARNED,     /* facts that are not learned: acts that change something first, mere tries last -> QU_ */
    Q_HAS_TYPE,      /* type -> 1 where a device has it; so the following */
    Q_HAS_ZONE,
    Q_HAS_PROTOCOL,
    Q_HAS_ASSET,     /* who (id, address or name) */
    Q_HAS_ALERT_TYPE,
    Q_ZONES,         /* -> zones that devices are in */
    Q_IDS
};
enum { QM_KEY, QM_VALUE };
enum { QW_ID, QW_ACCEPT };
enum { QN_NAME, QN_LEARN, QN_NOVELTY, QN_FIRST, QN_ASSETS, QN_UNLEARNED };
enum { QU_KEY, QU_LEARNED, QU_WHAT, QU_CLIENT, QU_SERVER, QU_COUNT, QU_FIRST, QU_LAST,
       QU_NET, QU_L4, QU_PORT, QU_APPS };
enum {
    QA_ID,
    QA_NET,
    QA_KEY,
    QA_NAME,
    QA_TYPE,
    QA_TYPE_REASON,
    QA_VENDOR,
    QA_MODEL,
    QA_FIRMWARE,
    QA_SERIAL,
    QA_OS,
    QA_STATE,
    QA_ZONE,
    QA_CRITICALITY,
    QA_OWNER,
    QA_TAGS,
    QA_PARENT,
    QA_ROLES,
    QA_PURDUE,
    QA_AUTHORIZED,
    QA_FLAGS,
    QA_LEARNED,
    QA_FIRST,
    QA_LAST
};
enum { QAD_KIND, QAD_VALUE, QAD_LEARNED }; /* kind: 0 IP or station, 1 MAC, 2 VLAN */
enum { QI_KIND, QI_SUB, QI_SOURCE, QI_VALUE, QI_CONFIDENCE, QI_CURRENT, QI_FIRST, QI_LAST };
enum { QS_L4, QS_PORT, QS_APPS };
enum { QL_ID, QL_NET, QL_CLIENT, QL_SERVER, QL_L4, QL_PORT, QL_APPS, QL_PACKETS_C, QL_PACKETS_S, QL_BYTES_C, QL_BYTES_S,
       QL_ERRORS, QL_RESETS, QL_RETRANSMISSIONS, QL_GAPS, QL_FLAGS, QL_LEARNED, QL_FIRST, QL_LAST, QL_CLIENT_NAME,
       QL_SERVER_NAME, QL_OPS };
enum { QO_ID, QO_PROTO, QO_FUNCTION, QO_NAME, QO_UNIT, QO_SUB, QO_ACTION, QO_OBJECT, QO_COUNT, QO_ERRORS, QO_PERIOD_US,
       QO_STATUS, QO_LEARNED, QO_FIRST, QO_LAST };
enum {
    QX_UID,
    QX_SEQ,
    QX_UPDATE,
    QX_FIRST,
    QX_LAST,
    QX_COUNT,
    QX_SID,
    QX_SEVERITY,
    QX_ID,
    QX_ENGINE,
    QX_TITLE,
    QX_SRC,
    QX_DST,
    QX_STATE,
    QX_ACCEPT,
    QX_JSON
};

/* args: as many as the query has, NULL where it says so. Ids as 16 hex digits. NULL with the reason in e. */
struct rows *query_run(struct query *q, enum query_id id, const char *const *args, unsigned n, struct err *e) MUST_USE;
/* 1: a row; 0: the end; -errno. */
int rows_next(struct rows *r, struct err *e) MUST_USE;
const char *rows_text(struct rows *r, int col); /* NULL for null; until the next rows_next() */
int64_t rows_int(struct rows *r, int col);
static inline uint64_t rows_u64(struct rows *r, int col)
{
    return (uint64_t)rows_int(r, col);
}
bool rows_null(struct rows *r, int col);
void rows_done(struct rows *r);
