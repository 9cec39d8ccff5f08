/* Learning, deviations, what folds into what. */
#include "tests/unit/baseline_fixture.h"

static struct fix f;

static void teardown(void)
{
    fix_done(&f);
}

#define READ(a, z) (struct msg_spec){.fn = F_READ, .first = (a), .last = (z), .unit = 1}
#define WRITE(a) (struct msg_spec){.fn = F_WRITE, .first = (a), .unit = 1}

START_TEST(known_is_silent)
{
    plant(&f, BASE_DETECT);
    asset(&f, HMI, M_HMI);
    link_made(&f, HMI, PLC, 502, false);
    message(&f, HMI, PLC, READ(0, 99));
    message(&f, HMI, PLC, READ(20, 40));  /* inside what is read */
    message(&f, HMI, PLC, READ(100, 110)); /* within the gap allowance */
    message(&f, HMI, PLC, WRITE(10));
    tick(&f);
    ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(new_write_says_what_it_contradicts)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, WRITE(400));
    const struct deviation *d = the(&f, DEV_NEW_OBJECT);
    ck_assert_uint_eq(f.n, 1);
    ck_assert_int_eq(d->severity, DEV_MAJOR);
    ck_assert_str_eq(d->object, "reg:400");
    ck_assert_msg(strstr(d->why, "first write to reg:400 of unit 1; learned 10 from 2023-11-14"), "%s", d->why);
    ck_assert_ptr_nonnull(strstr(d->accept, "object:"));
    message(&f, HMI, PLC, WRITE(11)); /* writes are exact: no gap */
    ck_assert_uint_eq(count_of(&f, DEV_NEW_OBJECT), 2);
}
END_TEST

START_TEST(new_read_is_minor)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, READ(500, 510));
    ck_assert_int_eq(the(&f, DEV_NEW_OBJECT)->severity, DEV_MINOR);
    ck_assert_msg(strstr(f.seen[0].why, "learned 0-99 from") && strstr(f.seen[0].why, "1000 times"), "%s",
                  f.seen[0].why);
}
END_TEST

START_TEST(detect_learns_nothing_and_folds)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, WRITE(400));
    f.now += 7200 * SEC;
    message(&f, HMI, PLC, WRITE(400));
    ck_assert_uint_eq(f.n, 1);
    fact_counts(&f, HMI, PLC, WRITE(400), 7);
    tick(&f);
    ck_assert_uint_eq(f.n_again, 1);
    ck_assert_uint_eq(f.last_again.count, 7); /* the first is one of them */
    ck_assert_uint_eq(f.last_again.fold, f.seen[0].fold);
    ck_assert_uint_eq(f.last_again.first_ns, f.seen[0].first_ns);
}
END_TEST

START_TEST(one_laptop_is_one_alert)
{
    plant(&f, BASE_DETECT);
    asset(&f, LAPTOP, "00:1b:1b:00:00:66");
    link_made(&f, LAPTOP, PLC, 502, false);
    for (uint32_t i = 0; i < 50; i++)
        message(&f, LAPTOP, PLC,
                (struct msg_spec){.fn = F_READ, .first = i * 100, .last = i * 100 + 9, .unit = 1 + i % 3});
    message(&f, LAPTOP, PLC, WRITE(5));
    tick(&f);
    const struct deviation *d = the(&f, DEV_NEW_ASSET);
    ck_assert_uint_eq(f.n, 1);
    ck_assert_uint_eq(d->fold, f.last_again.fold);
    ck_assert_uint_eq(f.last_again.follow.links, 1);
    ck_assert_uint_eq(f.last_again.follow.functions, 4); /* read of three units, write */
    ck_assert_uint_eq(f.last_again.follow.objects, 51);
    ck_assert_uint_eq(f.last_again.follow.writes, 2);    /* the function and its object */
    f.now += 1200 * SEC; /* the window is over: what changes something speaks for itself again */
    message(&f, LAPTOP, PLC, WRITE(6));
    ck_assert_uint_eq(f.n, 2);
    message(&f, LAPTOP, PLC, READ(60000, 60001)); /* more reads still belong to the open question */
    ck_assert_uint_eq(f.n, 2);
}
END_TEST

START_TEST(new_link_then_function)
{
    plant(&f, BASE_LEARN);
    asset(&f, LAPTOP, NULL);
    baseline_set_mode(f.b, BASE_DETECT);
    link_made(&f, LAPTOP, PLC, 502, false);
    message(&f, LAPTOP, PLC, READ(0, 9));
    const struct deviation *d = the(&f, DEV_NEW_LINK);
    ck_assert_uint_eq(f.n, 1);
    ck_assert_int_eq(d->severity, DEV_MAJOR);
    ck_assert_str_eq(d->app, "xbus");
    ck_assert_ptr_nonnull(strstr(d->accept, "link:"));
}
END_TEST

START_TEST(new_function_and_unit)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_BROWSE, .unit = 1});
    const struct deviation *d = the(&f, DEV_NEW_FUNCTION);
    ck_assert_int_eq(d->severity, DEV_MINOR);
    ck_assert_msg(strstr(d->why, "first identify (browse) of unit 1") && strstr(d->why, "read_registers"), "%s",
                  d->why);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .last = 9, .unit = 7});
    d = the(&f, DEV_NEW_UNIT);
    ck_assert_msg(strstr(d->why, "learned units 1"), "%s", d->why);
    ck_assert_uint_eq(f.n, 2);
}
END_TEST

START_TEST(state_command)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP});
    const struct deviation *d = the(&f, DEV_STATE_COMMAND);
    ck_assert_uint_eq(f.n, 1); /* takes the place of the new function */
    ck_assert_int_eq(d->severity, DEV_CRITICAL);
    ck_assert_int_eq(d->action, ACT_STOP);
    ck_assert_msg(strstr(d->why, "never sent a command of the kind stop before"), "%s", d->why);
    ck_assert_int_eq(strncmp(d->accept, "command:", 8), 0);
}
END_TEST

START_TEST(state_command_of_a_new_device_is_not_hidden)
{
    plant(&f, BASE_DETECT);
    asset(&f, LAPTOP, NULL);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_LOAD});
    the(&f, DEV_NEW_ASSET);
    ck_assert_int_eq(the(&f, DEV_STATE_COMMAND)->severity, DEV_CRITICAL);
    ck_assert_uint_eq(f.n, 2);
}
END_TEST

START_TEST(errors_per_object)
{
    plant(&f, BASE_LEARN);
    message(&f, HMI, PLC,
            (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1, .status = 4, .known = true});
    baseline_set_mode(f.b, BASE_DETECT);
    message(&f, HMI, PLC,
            (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1, .status = 4, .known = true});
    ck_assert_uint_eq(f.n, 0);
    message(&f, HMI, PLC,
            (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1, .status = 2, .known = true});
    const struct deviation *d = the(&f, DEV_NEW_ERROR);
    ck_assert_msg(strstr(d->why, "first error illegal_address") && strstr(d->why, "errors failure"), "%s", d->why);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_WRITE, .first = 10, .unit = 1, .status = 4, .known = true});
    ck_assert_uint_eq(count_of(&f, DEV_NEW_ERROR), 2); /* learned for the read, not for the write */
}
END_TEST

START_TEST(identity)
{
    plant(&f, BASE_LEARN);
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V4.1", 90);
    ident(&f, PLC, OBS_SERIAL, OBS_SELF, "S1", 90);
    baseline_set_mode(f.b, BASE_DETECT);
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V4.1", 90);
    ident(&f, PLC, OBS_MODEL, OBS_SELF, "M", 90); /* the first word is no change */
    ck_assert_uint_eq(f.n, 0);
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V4.2", 90);
    ident(&f, PLC, OBS_SERIAL, OBS_SELF, "S2", 90);
    ck_assert_str_eq(the(&f, DEV_FIRMWARE_CHANGED)->expected, "V4.1");
    ck_assert_str_eq(the(&f, DEV_IDENTITY_CHANGED)->seen, "S2");
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V4.1", 90); /* back to what is known */
    ck_assert_uint_eq(f.n, 2);
}
END_TEST

START_TEST(a_change_told_twice_is_one)
{
    plant(&f, BASE_LEARN);
    ident_by(&f, "xbus", PLC, OBS_STATE, OBS_SELF, "run", 80);
    ident_by(&f, "ybus", PLC, OBS_STATE, OBS_SELF, "run", 90);
    baseline_set_mode(f.b, BASE_DETECT);
    ident_by(&f, "xbus", PLC, OBS_STATE, OBS_SELF, "stop", 80);
    f.now += SEC;
    ident_by(&f, "ybus", PLC, OBS_STATE, OBS_SELF, "stop", 90);
    ck_assert_str_eq(the(&f, DEV_STATE_CHANGED)->seen, "stop");
    ident_by(&f, "xbus", PLC, OBS_STATE, OBS_SELF, "program", 80); /* less sure, but later */
    ck_assert_uint_eq(count_of(&f, DEV_STATE_CHANGED), 2);
}
END_TEST

/* A connection that was opened before the capture does not tell the unit that it was learned with, and the reverse. */
START_TEST(untold_unit_is_the_learned_one)
{
    plant(&f, BASE_DETECT);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .first = 0, .last = 99});
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_WRITE, .first = 10});
    ck_assert_uint_eq(f.n, 0);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_WRITE, .first = 400});
    the(&f, DEV_NEW_OBJECT);
}
END_TEST

START_TEST(met_before)
{
    struct rec_fact known = {.kind = K_REG, .action = ACT_WRITE, .bit = ITEM_BIT_NONE, .first = 10, .last = 10, .has_range = 1},
                    fresh = known;
    struct rec_event e = {.schema = &x_schema, .src = ip(HMI), .dst = ip(PLC), .dport = 502, .l4 = PROTO_TCP,
                          .function = F_WRITE, .unit = 1, .has_unit = 1, .action = ACT_WRITE};
    fresh.first = fresh.last = 500;
    plant(&f, BASE_DETECT);
    ck_assert(baseline_met(f.b, &e, &known)); /* by address: the digest is of another run */
    ck_assert(!baseline_met(f.b, &e, &fresh));
    e.dst = ip(LAPTOP);
    ck_assert(!baseline_met(f.b, &e, &known));
}
END_TEST

START_TEST(address_conflict)
{
    plant(&f, BASE_LEARN);
    asset_via(&f, PLC, M_PLC, ASSET_VIA_ARP);
    baseline_set_mode(f.b, BASE_DETECT);
    asset_via(&f, PLC, "00:1b:1b:00:00:77", ASSET_VIA_ARP);
    const struct deviation *d = the(&f, DEV_ADDRESS_CONFLICT);
    ck_assert_int_eq(d->severity, DEV_MAJOR);
    ck_assert_ptr_nonnull(strstr(d->seen, "00:1b:1b:00:00:77"));
    struct err e;
    ck_assert_int_eq(baseline_accept(f.b, d->accept, f.now, &e), 0);
    asset_via(&f, PLC, M_PLC, ASSET_VIA_ARP);
    asset_via(&f, PLC, "00:1b:1b:00:00:77", ASSET_VIA_ARP); /* a redundant pair, learned */
    ck_assert_uint_eq(f.n, 1);
}
END_TEST

START_TEST(condemned_is_not_learned)
{
    plant(&f, BASE_LEARN);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_WRITE, .first = 400, .unit = 1, .condemned = true});
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP, .condemned = true});
    ck_assert_uint_eq(f.n, 0);
    baseline_set_mode(f.b, BASE_DETECT);
    message(&f, HMI, PLC, WRITE(400));
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP});
    the(&f, DEV_NEW_OBJECT);
    the(&f, DEV_STATE_COMMAND);
}
END_TEST

START_TEST(a_condemned_message_does_not_condemn_the_link)
{
    plant(&f, BASE_LEARN);
    asset(&f, LAPTOP, NULL);
    link_made(&f, LAPTOP, PLC, 502, false);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_STOP, .condemned = true});
    message(&f, LAPTOP, PLC, READ(0, 9));
    baseline_set_mode(f.b, BASE_DETECT);
    message(&f, LAPTOP, PLC, READ(0, 9));
    ck_assert_uint_eq(f.n, 0);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_STOP});
    the(&f, DEV_STATE_COMMAND);
}
END_TEST

/* Something is seen every hour until then. */
static void watch_to(struct fix *x, uint64_t ns)
{
    for (; x->now < ns; x->now += DAY / 24)
        tick(x);
    x->now = ns;
}

START_TEST(learning_ends_by_itself)
{
    plant(&f, BASE_LIVE);
    watch_to(&f, T0 + 13 * DAY);
    message(&f, HMI, PLC, READ(1000, 1009)); /* still learning; the quiet day begins anew */
    watch_to(&f, T0 + 13 * DAY + DAY / 2);
    message(&f, HMI, PLC, READ(2000, 2009));
    ck_assert_uint_eq(f.n, 0);
    watch_to(&f, T0 + 14 * DAY + DAY / 4); /* the period is over, the last novelty 18 hours ago */
    message(&f, HMI, PLC, READ(3000, 3009));
    ck_assert_uint_eq(f.n, 0);
    watch_to(&f, T0 + 16 * DAY);
    message(&f, HMI, PLC, READ(4000, 4009));
    the(&f, DEV_NEW_OBJECT);
    asset(&f, LAPTOP, NULL); /* the network's learning is over too */
    the(&f, DEV_NEW_ASSET);
    message(&f, HMI, PLC, READ(4000, 4009)); /* an alert teaches nothing */
    ck_assert_uint_eq(f.n, 2);
}
END_TEST

/* Years without a packet are no time of learning: a day of each gap counts. */
START_TEST(learning_outlasts_a_jump)
{
    plant(&f, BASE_LIVE);
    watch_to(&f, T0 + 5 * DAY);
    for (unsigned year = 1; year <= 3; year++) { /* 8 days by now, the last one of the first visit */
        f.now += 365 * DAY;
        message(&f, HMI, PLC, READ(1000 * year, 1000 * year + 9));
    }
    ck_assert_uint_eq(f.n, 0);
    uint64_t third = f.now;
    watch_to(&f, third + 5 * DAY); /* 13 days */
    message(&f, HMI, PLC, READ(4000, 4009));
    ck_assert_uint_eq(f.n, 0);
    watch_to(&f, third + 7 * DAY); /* 15 */
    message(&f, HMI, PLC, READ(5000, 5009));
    the(&f, DEV_NEW_OBJECT);
}
END_TEST

/* One packet of the future, and the clock is set back: as if it had not been. */
START_TEST(learning_outlasts_a_step_of_the_clock)
{
    plant(&f, BASE_LIVE);
    watch_to(&f, T0 + 10 * DAY);
    f.now += 5 * 365 * DAY;
    message(&f, HMI, PLC, READ(1000, 1009));
    struct rec_tick r = {.ts_ns = f.now, .jump_from_ns = f.now, .jump_to_ns = T0 + 10 * DAY};
    baseline_tick(f.b, &r);
    f.now = T0 + 10 * DAY;
    watch_to(&f, T0 + 12 * DAY);
    message(&f, HMI, PLC, READ(2000, 2009));
    ck_assert_uint_eq(f.n, 0);
    watch_to(&f, T0 + 17 * DAY);
    message(&f, HMI, PLC, READ(3000, 3009));
    the(&f, DEV_NEW_OBJECT);
}
END_TEST

START_TEST(accept_brings_along_what_was_folded)
{
    struct err e;
    plant(&f, BASE_DETECT);
    asset(&f, LAPTOP, NULL);
    link_made(&f, LAPTOP, PLC, 502, false);
    message(&f, LAPTOP, PLC, READ(0, 9));
    ck_assert_int_eq(baseline_accept(f.b, the(&f, DEV_NEW_ASSET)->accept, f.now, &e), 0);
    f.now += 7200 * SEC;
    message(&f, LAPTOP, PLC, READ(0, 9));
    ck_assert_uint_eq(f.n, 1);
    message(&f, LAPTOP, PLC, WRITE(1)); /* but nothing more */
    ck_assert_uint_eq(f.n, 2);
    ck_assert_int_eq(baseline_accept(f.b, "object:0000000000000001", f.now, &e), -ENOENT);
    ck_assert_int_eq(baseline_accept(f.b, "nonsense", f.now, &e), -EINVAL);
    ck_assert_int_eq(baseline_accept(f.b, "object:12", f.now, &e), -EINVAL);
}
END_TEST

START_TEST(maintenance_and_engineering_lower)
{
    struct subnet laptop;
    ck_assert(subnet_parse(LAPTOP, &laptop));
    struct site_ref station = {.subnet = laptop, .asset = SITE_NO_ASSET};
    struct site_window w = {.name = "shutdown", .from_ns = T0, .to_ns = T0 + DAY, .zone = -1};
    struct site s = {.stations = &station, .n_stations = 1};
    struct err e;
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    plant(&f, BASE_DETECT);
    baseline_free(f.b);
    f.conf.site = &s;
    f.conf.mode = BASE_DETECT;
    fix_open(&f);
    asset(&f, LAPTOP, NULL);
    asset(&f, PLC, NULL);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_LOAD});
    const struct deviation *d = the(&f, DEV_STATE_COMMAND);
    ck_assert_int_eq(d->severity, DEV_MAJOR); /* critical, lowered by one */
    ck_assert(d->engineering && d->lowered);
    ck_assert_ptr_null(d->maintenance);
    site_done(&s);
    s = (struct site){.windows = &w, .n_windows = 1};
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    f.n = 0;
    asset(&f, HMI, NULL);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_LOAD});
    d = the(&f, DEV_STATE_COMMAND);
    ck_assert_str_eq(d->maintenance, "shutdown");
    ck_assert_int_eq(d->severity, DEV_MAJOR);
    ck_assert(d->lowered && !d->engineering);
    f.n = 0;
    f.now = T0 + 2 * DAY; /* the work is over */
    asset(&f, "10.0.0.7", NULL);
    message(&f, "10.0.0.7", PLC, (struct msg_spec){.fn = F_STOP});
    ck_assert_int_eq(the(&f, DEV_STATE_COMMAND)->severity, DEV_CRITICAL);
    site_done(&s);
}
END_TEST

START_TEST(ranges_merge)
{
    plant(&f, BASE_LEARN);
    message(&f, HMI, PLC, READ(110, 119)); /* gap of 10 to 0-99: one poll */
    message(&f, HMI, PLC, READ(300, 309)); /* too far */
    message(&f, HMI, PLC, WRITE(11));      /* touches 10 */
    message(&f, HMI, PLC, WRITE(13));      /* does not */
    char *t = exported(&f, false);
    ck_assert_msg(strstr(t, "object: \"reg:0-119\""), "%s", t);
    ck_assert_ptr_nonnull(strstr(t, "object: \"reg:300-309\""));
    ck_assert_ptr_nonnull(strstr(t, "object: \"reg:10-11\""));
    ck_assert_ptr_nonnull(strstr(t, "object: \"reg:13\""));
    free(t);
    fact_counts(&f, HMI, PLC, READ(0, 99), 5); /* the digests of what was merged still count */
    fact_counts(&f, HMI, PLC, READ(110, 119), 5);
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_eq(s.unattributed, 0);
}
END_TEST

START_TEST(names_are_objects)
{
    plant(&f, BASE_LEARN);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor.Speed", .unit = 1});
    baseline_set_mode(f.b, BASE_DETECT);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor.Speed", .unit = 1});
    ck_assert_uint_eq(f.n, 0);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor.Limit", .unit = 1});
    ck_assert_str_eq(the(&f, DEV_NEW_OBJECT)->object, "tag:Motor.Limit");
}
END_TEST

static void probe(const char *c, const char *s, uint16_t port)
{
    f.now += SEC / 10;
    link_made(&f, c, s, port, true);
    link_counts(&f, c, s, port, 1, 1); /* SYN, RST */
}

START_TEST(scans)
{
    char a[32];
    plant(&f, BASE_DETECT);
    asset(&f, LAPTOP, NULL);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(a, sizeof a, "10.0.5.%u", i + 1);
        probe(LAPTOP, a, 445);
    }
    tick(&f);
    const struct deviation *d = the(&f, DEV_ADDRESS_SCAN);
    ck_assert_int_eq(d->severity, DEV_CRITICAL);
    ck_assert_uint_eq(d->count, 60);
    ck_assert_uint_eq(count_of(&f, DEV_NEW_LINK), 0); /* counted in the scan */
    for (uint16_t p = 1; p <= 30; p++)
        probe(LAPTOP, PLC, p);
    for (unsigned i = 0; i < 12; i++) {
        snprintf(a, sizeof a, "10.0.6.%u", i + 1);
        probe(LAPTOP, a, 102);
    }
    tick(&f);
    d = the(&f, DEV_CONTROLLER_SCAN); /* one run of one tool is one alert */
    ck_assert_uint_eq(d->also[0], DEV_PORT_SCAN);
    ck_assert_uint_eq(d->also[1], DEV_NONE);
    ck_assert_msg(strstr(d->why, "12 controller ports, 30 ports of one device (10.0.0.9)"), "%s", d->why);
    ck_assert_uint_eq(count_of(&f, DEV_PORT_SCAN), 0);
}
END_TEST

START_TEST(a_poller_is_no_scanner)
{
    char a[32];
    plant(&f, BASE_LEARN);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(a, sizeof a, "10.0.5.%u", i + 1);
        asset(&f, a, NULL);
        link_made(&f, HMI, a, 502, true);
        message(&f, HMI, a, READ(0, 9));
    }
    tick(&f);
    ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(a_scan_is_never_learned)
{
    char a[32];
    plant(&f, BASE_LEARN);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(a, sizeof a, "10.0.5.%u", i + 1);
        probe(HMI, a, 445);
    }
    tick(&f);
    the(&f, DEV_ADDRESS_SCAN);
    char *t = exported(&f, false);
    ck_assert_ptr_null(strstr(t, "port: 445"));
    free(t);
}
END_TEST

START_TEST(operations_are_bounded)
{
    fix_init(&f, BASE_LEARN);
    f.conf.limits = (struct baseline_limits){.ops = 64,
                                             .funcs = 32,
                                             .links = 32,
                                             .digests = 64,
                                             .names = 32,
                                             .assets = 32,
                                             .idents = 16,
                                             .incidents = 16,
                                             .scanners = 16};
    fix_open(&f);
    for (uint32_t i = 0; i < 5000; i++) {
        char a[32], tag[32];
        snprintf(a, sizeof a, "10.1.%u.%u", i / 250 % 8, i % 250);
        snprintf(tag, sizeof tag, "tag%u", i);
        f.now += SEC;
        asset(&f, a, NULL);
        link_made(&f, a, PLC, (uint16_t)(i % 7), false);
        message(&f, a, PLC, (struct msg_spec){.fn = F_READ, .tag = tag, .unit = i % 5});
        message(&f, a, PLC, (struct msg_spec){.fn = F_WRITE, .first = i * 40, .unit = i % 5});
        ident(&f, a, OBS_NAME, OBS_SELF, tag, 80);
        if (i % 100 == 0)
            tick(&f);
    }
    baseline_set_mode(f.b, BASE_DETECT);
    for (uint32_t i = 0; i < 2000; i++) {
        char a[32];
        snprintf(a, sizeof a, "10.2.%u.%u", i / 250 % 8, i % 250);
        asset(&f, a, NULL);
        message(&f, a, PLC, WRITE(i * 40));
        if (i % 100 == 0)
            tick(&f);
    }
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_le(s.ops, 64);
    ck_assert_uint_le(s.links, 32);
    ck_assert_uint_le(s.assets, 32);
    ck_assert_uint_le(s.names, 32);
    ck_assert_uint_gt(s.evicted_links, 0);
}
END_TEST

START_TEST(memory_is_bounded)
{
    fix_init(&f, BASE_LEARN);
    fix_open(&f);
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_lt(s.memory, 100 << 20);
    printf("baseline: %.1f MiB at full tables\n", (double)s.memory / 1048576);
}
END_TEST

START_TEST(export_and_import)
{
    struct err e;
    plant(&f, BASE_LEARN);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "odd \"name\": {x}, y", .unit = 2});
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP});
    message(&f, HMI, PLC,
            (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1, .status = 4, .known = true});
    char *one = exported(&f, false);
    baseline_free(f.b);
    f.conf.mode = BASE_DETECT;
    fix_open(&f);
    FILE *m = fmemopen(one, strlen(one), "r");
    struct baseline_text got = {0};
    ck_assert_msg(baseline_import(f.b, m, "x.yaml", f.now, &got, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(got.assets, 2);
    ck_assert_uint_eq(got.links, 1);
    fclose(m);
    char *two = exported(&f, false);
    ck_assert_str_eq(one, two);
    asset(&f, HMI, M_HMI);
    asset(&f, PLC, M_PLC);
    link_made(&f, HMI, PLC, 502, false);
    message(&f, HMI, PLC, READ(0, 99));
    message(&f, HMI, PLC, WRITE(10));
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP});
    ck_assert_uint_eq(f.n, 0);
    message(&f, HMI, PLC, WRITE(12));
    ck_assert_uint_eq(f.n, 1);
    free(one);
    free(two);
}
END_TEST

static bool knows_ntp(void *ctx, const char *name)
{
    return ctx == &f && strcmp(name, "ntp") == 0;
}

#define V "tyto_baseline: 1\n"
#define L V "links:\n- link: {client: \"10.0.0.1\", server: \"10.0.0.2\", proto: "
#define F L "TCP, port: 5}\n  facts:\n  - {protocol: "
START_TEST(import_names_the_line)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        {V "assets:\n- {address: 10.0.0}\n", "x.yaml:3:4: address: found \"10.0.0\""},
        {V "assets:\n- {address: \"10.0.0.1\", colour: red}\n", "x.yaml:3:25: key"},
        {V "assets:\n- {address: \"10.0.0.1\", address: \"10.0.0.2\"}\n",
         "x.yaml:3:25: key: found \"address\", expected each key once"},
        {V "assets:\n- {network: default}\n", "x.yaml:3:1: found no key address"},
        {L "TCP, port: 70000}\n", "x.yaml:3:62: port: found \"70000\", expected a number up to 65535"},
        {L "SCTP, port: 5}\n",
         "x.yaml:3:50: proto: found \"SCTP\", expected TCP, UDP, ICMP, ICMPv6, ETH or a number up to 255"},
        {L "UDP, port: 123, protocols: [ntp, xbus, nix]}\n",
         "x.yaml:3:73: protocols: found \"nix\", expected a protocol that tyto knows"},
        {F "nobus, code: 1, action: read}\n", "x.yaml:5:6: protocol"},
        {F "xbus, code: 3, action: read, object: \"coil:1\"}\n", "x.yaml:5:45: object"},
        {F "xbus, code: 3}\n", "x.yaml:5:1: found no key action"},
        {F "xbus, function: read_registers, code: 6, action: write}\n",
         "x.yaml:5:22: function: found \"read_registers\", expected write_register, which is what code 6 of xbus is"},
        {F "xbus, function: nix, code: 3, action: read}\n", "x.yaml:5:22: function: found \"nix\", expected read_reg"},
        {F "xbus, function: read_registers, code: 99, action: read}\n",
         "x.yaml:5:22: function: found \"read_registers\", expected no name, for xbus has none"},
        {"hello\n", "x.yaml:1:1: found \"hello\", expected tyto_baseline: 1"},
        {"assets:\n", "x.yaml:1:1: found \"assets:\", expected tyto_baseline: 1"},
        {V "assets:\n- {address: \"10.0.0.1\"\n", "x.yaml:3:23: found the end of the line, expected , or }"},
        {V "assets:\n-\n", "x.yaml:3:1: found \"-\", expected assets:"},
        {V "assets:\n- {address: \"10.0.0.1\", macs: [\"00:00:00:00:00:01\"\n",
         "x.yaml:3:51: found the end of the line"},
        {"tyto_baseline: 9\n", "x.yaml:1:16: found \"9\", expected 1"},
        {"tyto_baseline: 1x\nassets:\n", "x.yaml:1:16: found \"1x\""},
        {V "assets:\nlinks:\n" V "assets:\n", "x.yaml:4:1: found \"tyto_baseline:\", expected each key once"},
        {V "assets:\nlinks:\nassets:\n", "x.yaml:4:1: found \"assets:\", expected each key once"},
        {V "accepted:\nlinks:\n# again\nlinks:\n", "x.yaml:5:1: found \"links:\", expected each key once"},
        {F "xbus, code: 3, action: read}\n  facts:\n", "x.yaml:6:3: found \"facts:\", expected each key once"},
        {V, "x.yaml:2:1: found the end, expected assets:"},
        {"", "x.yaml:1:1: found the end, expected tyto_baseline: 1"},
    };
    struct baseline_text got = {.knows_app = knows_ntp, .ctx = &f};
    struct err e;
    plant(&f, BASE_LEARN);
    char *before = exported(&f, true);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        FILE *m = tmpfile();
        fputs("", m);
        fputs(bad[i].text, m);
        rewind(m);
        ck_assert_int_eq(baseline_import(f.b, m, "x.yaml", f.now, &got, &e), -EINVAL);
        ck_assert_msg(strncmp(e.text, bad[i].where, strlen(bad[i].where)) == 0, "%u: %s", i, e.text);
        fclose(m);
    }
    char *after = exported(&f, true);
    ck_assert_str_eq(before, after); /* nothing was changed */
    free(before);
    free(after);
}
END_TEST

START_TEST(import_takes_what_it_may)
{
    static const char text[] =
        "\xef\xbb\xbf# by hand\r\ntyto_baseline: 1 # this one\r\nassets:\r\nlinks:\r\n"
        "- link: {client: \"10.0.0.1\", server: \"10.0.0.2\", proto: TCP, port: 5, protocols: [ntp, xbus]}\r\n"
        "  facts:\r\n"
        "  - {protocol: xbus, code: 3, action: read}\r\n"                               /* no name: the table's */
        "  - {protocol: xbus, code: 99, action: other}\r\n"                             /* of a vendor */
        "  - {protocol: xbus, code: 6, action: write, state: seen}\r\n";
    struct baseline_text got = {.knows_app = knows_ntp, .ctx = &f};
    struct err e;
    plant(&f, BASE_DETECT);
    FILE *m = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r");
    ck_assert_msg(baseline_import(f.b, m, "x.yaml", f.now, &got, &e) == 0, "%s", e.text);
    fclose(m);
    ck_assert_uint_eq(got.links, 1);
    ck_assert_uint_eq(got.facts, 2);
    ck_assert_uint_eq(got.skipped, 1);
    char *out = exported(&f, false);
    ck_assert_ptr_nonnull(strstr(out, "{protocol: xbus, function: read_registers, code: 3, action: read}"));
    ck_assert_ptr_nonnull(strstr(out, "{protocol: xbus, code: 99, action: other}"));
    ck_assert_ptr_nonnull(strstr(out, "protocols: [ntp, xbus]"));
    free(out);
}
END_TEST

START_TEST(reversed_guess_is_one_link)
{
    plant(&f, BASE_LEARN);
    struct rec_link g = {.ts_ns = f.now,
                         .digest = 1,
                         .client = ip(PLC),
                         .server = ip(LAPTOP),
                         .l4 = PROTO_TCP,
                         .port = 40000,
                         .client_port = 102};
    struct rec_link sure = {.ts_ns = f.now, .digest = 2, .client = ip(LAPTOP), .server = ip(PLC), .l4 = PROTO_TCP,
                            .port = 102, .client_port = 40000, .sure = 1};
    struct baseline_stats s0, s1;
    baseline_stats(f.b, &s0);
    baseline_link(f.b, &g);
    baseline_link(f.b, &sure);
    baseline_link(f.b, &g);
    baseline_stats(f.b, &s1);
    ck_assert_uint_eq(s1.links, s0.links + 1);
}
END_TEST

#define STANDBY "10.0.0.6"

/* Two that stand for one role: what the one was learned to do, the other may; commands and addresses that move. */
START_TEST(a_redundant_partner_is_known)
{
    const struct addr pair[] = {ip(HMI), ip(STANDBY)}, virtual[] = {ip("10.0.0.4"), ip(M_HMI), ip("02:00:00:00:00:06")};
    const struct site_role roles[] = {{.addrs = pair, .n_addrs = 2}, {.addrs = virtual, .n_addrs = 3}};
    struct site s = {.roles = roles, .n_roles = 2};
    struct err e;
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    plant(&f, BASE_LEARN);
    f.conf.site = &s;
    baseline_free(f.b);
    fix_open(&f);
    asset(&f, HMI, M_HMI);
    asset(&f, PLC, M_PLC);
    asset_via(&f, "10.0.0.4", M_HMI, ASSET_VIA_ARP);
    link_made(&f, HMI, PLC, 502, false);
    message(&f, HMI, PLC, READ(0, 99));
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_STOP});
    baseline_set_mode(f.b, BASE_DETECT);
    asset(&f, STANDBY, "02:00:00:00:00:06");
    link_made(&f, STANDBY, PLC, 502, false);
    message(&f, STANDBY, PLC, READ(20, 40));
    message(&f, STANDBY, PLC, (struct msg_spec){.fn = F_STOP});
    tick(&f);
    ck_assert_uint_eq(f.n, 0);
    asset_via(&f, "10.0.0.4", "02:00:00:00:00:06", ASSET_VIA_ARP);
    asset_via(&f, "10.0.0.4", M_HMI, ASSET_VIA_ARP);
    ck_assert_uint_eq(f.n, 0);
    message(&f, STANDBY, PLC, (struct msg_spec){.fn = F_LOAD});
    ck_assert_int_eq(the(&f, DEV_STATE_COMMAND)->severity, DEV_CRITICAL);
    asset_via(&f, "10.0.0.4", "02:00:00:00:00:07", ASSET_VIA_ARP);
    the(&f, DEV_ADDRESS_CONFLICT);
    link_made(&f, STANDBY, LAPTOP, 502, false);
    tick(&f);
    the(&f, DEV_NEW_LINK);
    site_done(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("baseline");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, known_is_silent);
    tcase_add_test(t, new_write_says_what_it_contradicts);
    tcase_add_test(t, new_read_is_minor);
    tcase_add_test(t, detect_learns_nothing_and_folds);
    tcase_add_test(t, one_laptop_is_one_alert);
    tcase_add_test(t, new_link_then_function);
    tcase_add_test(t, new_function_and_unit);
    tcase_add_test(t, state_command);
    tcase_add_test(t, state_command_of_a_new_device_is_not_hidden);
    tcase_add_test(t, errors_per_object);
    tcase_add_test(t, identity);
    tcase_add_test(t, a_change_told_twice_is_one);
    tcase_add_test(t, untold_unit_is_the_learned_one);
    tcase_add_test(t, met_before);
    tcase_add_test(t, address_conflict);
    tcase_add_test(t, condemned_is_not_learned);
    tcase_add_test(t, a_condemned_message_does_not_condemn_the_link);
    tcase_add_test(t, learning_ends_by_itself);
    tcase_add_test(t, learning_outlasts_a_jump);
    tcase_add_test(t, learning_outlasts_a_step_of_the_clock);
    tcase_add_test(t, accept_brings_along_what_was_folded);
    tcase_add_test(t, maintenance_and_engineering_lower);
    tcase_add_test(t, ranges_merge);
    tcase_add_test(t, names_are_objects);
    tcase_add_test(t, scans);
    tcase_add_test(t, a_poller_is_no_scanner);
    tcase_add_test(t, a_scan_is_never_learned);
    tcase_add_test(t, operations_are_bounded);
    tcase_add_test(t, memory_is_bounded);
    tcase_add_test(t, export_and_import);
    tcase_add_test(t, import_names_the_line);
    tcase_add_test(t, import_takes_what_it_may);
    tcase_add_test(t, reversed_guess_is_one_link);
    tcase_add_test(t, a_redundant_partner_is_known);
    suite_add_tcase(s, t);
    return run_suite(s);
}
