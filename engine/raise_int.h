/* raise_int.h: what the files that make alerts of findings share. */
#pragma once

#include "baseline/deviation.h"
#include "engine/raise.h"

/* What all alerts of an event or flow have in common. */
struct draft {
    struct alert_in in;
    struct raise_asset src, dst;
    char community[32];
    char net[SITE_NET_NAME], subject[2 * ADDR_TEXT + SITE_NET_NAME + 4], object[EV_OBJECT + 64];
    char why[ALERT_TEXT], expected[DEV_TEXT], seen[ALERT_TEXT], title[256], accept[RAISE_ACCEPT];
};
void draft_begin(const struct raise *r, struct draft *d, const struct alert_type *type, uint64_t ts_ns, uint64_t link);
void draft_event(const struct raise *r, struct draft *d, const struct alert_type *type, struct rec_event *ev);
/* community_id of what has no event of its own, where both ports are known */
void draft_community(struct draft *d);
/* Who it is about, as text; then also what the inventory knows of them. src, dst: NULL nobody in particular. */
void draft_subject(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src,
                   const struct addr *dst);
void draft_sides(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst);
void draft_mark(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst,
                int action);
/* Fill the draft of a deviation, all but its marks. */
void draft_deviation(const struct raise *r, struct draft *dr, const struct deviation *d);
/* The command that accepts: the alert itself (alert_key() of type, subject and object), and the facts. */
void draft_accept(struct draft *d, bool itself, const char *facts);
/* Was an alert of that type, subject and object accepted for good? */
bool draft_accepted(const struct raise *r, const struct draft *d);

/* "2026-01-05T10:11:12..." */
void raise_date(uint64_t ns, char *to, uint32_t cap);
const struct alert_type *raise_type_of(const struct deviation *d);
uint8_t raise_severity_of(const struct deviation *d);
/* "; with it came, also for the first time: ..." */
void raise_follow(char *why, size_t cap, const struct dev_follow *f);
/* An anomaly's severity counts upwards from 1, an alert's downwards to 1. */
uint8_t raise_anomaly_severity(unsigned severity);
const char *raise_protocol_title(struct draft *d, const struct alert_type *type, const struct proto_schema *s);
