/* goose_schema.c: GOOSE as tables: functions, fields, kinds of objects, anomalies. */
#include <stdio.h>

#include "dissectors/goose_priv.h"

#define ANY OP_ANY_SELECTOR
#define C72 "IEC 61850-7-2 18.2.3"
#define C81 "IEC 61850-8-1 18.1, annex A"

/* clang-format off */
static const struct op_row ops[] = {
    {GOOSE_FN_PDU, ANY, "goose_message", ACT_REPORT, OP_NO_ANSWER, 0, 0, 0, 0},
    {GOOSE_FN_MANAGEMENT | 1, ANY, "get_go_reference", ACT_BROWSE, 0, 0, 0, 0, 0},
    {GOOSE_FN_MANAGEMENT | 2, ANY, "get_goose_element_number", ACT_BROWSE, 0, 0, 0, 0, 0},
    {GOOSE_FN_MANAGEMENT | 3, ANY, "get_gs_reference", ACT_BROWSE, 0, 0, 0, 0, 0},
    {GOOSE_FN_MANAGEMENT | 4, ANY, "get_gsse_data_offset", ACT_BROWSE, 0, 0, 0, 0, 0},
    {GOOSE_FN_RESPONSE | 0, ANY, "management_not_supported", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
    {GOOSE_FN_RESPONSE | 1, ANY, "get_go_reference_response", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
    {GOOSE_FN_RESPONSE | 2, ANY, "get_goose_element_number_response", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
    {GOOSE_FN_RESPONSE | 3, ANY, "get_gs_reference_response", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
    {GOOSE_FN_RESPONSE | 4, ANY, "get_gsse_data_offset_response", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
};

static const struct code_name changes[] = {
    {CHANGE_FIRST, "first_seen"}, {CHANGE_REPETITION, "repetition"}, {CHANGE_STATE, "state_change"},
    {CHANGE_RESTART, "restart"}, {CHANGE_COPY, "copy"}, {CHANGE_OLD, "old"}, {0, NULL},
};
/* IEC TR 61850-90-5 8.2.2.2.6, IEC 62351-9 */
static const struct code_name encryptions[] = {{0, "none"}, {1, "aes_128_gcm"}, {2, "aes_256_gcm"}, {0, NULL}};
static const struct code_name signatures[] = {
    {0, "none"}, {1, "hmac_sha256_80"}, {2, "hmac_sha256_128"}, {3, "hmac_sha256_256"}, {4, "aes_gmac_64"},
    {5, "aes_gmac_128"}, {6, "hmac_sha3_80"}, {0, NULL},
};

static const struct field_def fields[] = {
    [GF_APPID] = {"appid", FT_HEX, false, NULL, NULL, "APPID of the header"},
    [GF_GOCB_REF] = {"gocb_ref", FT_TEXT, false, NULL, NULL, "reference of the control block"},
    [GF_DAT_SET] = {"dat_set", FT_TEXT, false, NULL, NULL, "reference of the data set"},
    [GF_GO_ID] = {"go_id", FT_TEXT, false, NULL, NULL, "identifier given by the engineer"},
    [GF_CHANGE] = {"change", FT_NAME, false, NULL, changes, "what it is after the message before it"},
    [GF_ST_NUM] = {"st_num", FT_UINT, false, NULL, NULL, "state number: one more with each change of a value"},
    [GF_SQ_NUM] = {"sq_num", FT_UINT, false, NULL, NULL, "sequence number: one more with each repetition"},
    [GF_TIME] = {"time", FT_TIME, false, NULL, NULL, "when st_num went up, by the publisher's clock"},
    [GF_TIME_ACCURACY] = {"time_accuracy", FT_UINT, false, NULL, NULL, "bits of the fraction that hold; 31 unknown"},
    [GF_CLOCK_FAILURE] = {"clock_failure", FT_BOOL, false, NULL, NULL, "the publisher's clock has failed"},
    [GF_CLOCK_UNSYNC] = {"clock_not_synchronized", FT_BOOL, false, NULL, NULL, "its clock is not synchronised"},
    [GF_CONF_REV] = {"conf_rev", FT_UINT, false, NULL, NULL, "revision of the data set's configuration"},
    [GF_TTL] = {"time_allowed_to_live_ms", FT_UINT, false, NULL, NULL, "the next message comes within this"},
    [GF_SIMULATION] = {"simulation", FT_BOOL, false, NULL, NULL, "a simulated message (test in edition 1)"},
    [GF_NDS_COM] = {"nds_com", FT_BOOL, false, NULL, NULL, "the control block needs commissioning"},
    [GF_ENTRIES] = {"num_dat_set_entries", FT_UINT, false, NULL, NULL, "members of the data set"},
    [GF_INTERVAL] = {"interval_us", FT_UINT, false, NULL, NULL, "since the message before it"},
    [GF_LOST] = {"lost", FT_UINT, false, NULL, NULL, "messages that were not seen in between"},
    [GF_PREVIOUS_ST_NUM] = {"previous_st_num", FT_UINT, false, NULL, NULL, "where st_num is not one more"},
    [GF_PREVIOUS_CONF_REV] = {"previous_conf_rev", FT_UINT, false, NULL, NULL, "where conf_rev changed"},
    [GF_SECURITY] = {"security", FT_BOOL, false, NULL, NULL, "secured by IEC 62351-6 (not verified)"},
    [GF_SPDU_NUMBER] = {"spdu_number", FT_UINT, false, NULL, NULL, "routed: number of the session PDU"},
    [GF_SPDU_VERSION] = {"spdu_version", FT_UINT, false, NULL, NULL, "routed: version of the session protocol"},
    [GF_KEY_ID] = {"key_id", FT_HEX, false, NULL, NULL, "routed: the key in use"},
    [GF_KEY_TIME] = {"key_time", FT_TIME, false, NULL, NULL, "routed: since when it is used"},
    [GF_KEY_NEXT] = {"next_key_min", FT_UINT, false, NULL, NULL, "routed: minutes to the next key"},
    [GF_ENCRYPTION] = {"encryption", FT_NAME, false, NULL, encryptions, "routed: by what it is encrypted"},
    [GF_SIGNATURE] = {"signature", FT_NAME, false, NULL, signatures, "routed: by what it is signed"},
    [GF_SIGNED] = {"signed", FT_BOOL, false, NULL, NULL, "routed: there is a signature (not verified)"},
    [GF_COPIES] = {"copies", FT_UINT, false, NULL, NULL, "routed: the same APDU so many times in one session PDU"},
    [GF_STATE_ID] = {"state_id", FT_UINT, false, NULL, NULL, "management: pairs request and response"},
    [GF_REFERENCE] = {"reference", FT_TEXT, false, NULL, NULL, "management: what is asked about"},
};

static const struct kind_def kinds[] = {
    [GK_CONTROL_BLOCK] = {"control_block", KIND_NAME},
    [GK_DATA] = {"data", KIND_RANGE | KIND_BIT},
};

static const struct anomaly_def anomalies[] = {
    [GA_STATE_CHANGE] = {"state_change", 0, "not an error: stNum went up, a value of the data set changed; " C72},
    [GA_RESTART] = {"publisher_restarted", 1, "stNum begins anew: the publisher was restarted; " C72},
    [GA_ST_GAP] = {"state_changes_missed", 1, "stNum went up by more than one; " C72},
    [GA_ST_JUMP] = {"st_num_jump", 3, "stNum went up by more than 1000: subscribers take what is lower for old; " C72},
    [GA_ST_BACK] = {"st_num_back", 3, "stNum went back: a replay, or a second publisher of the control block; " C72},
    [GA_SQ_GAP] = {"messages_missed", 1, "sqNum went up by more than one; " C72},
    [GA_SQ_BACK] = {"sq_num_back", 2, "sqNum went back: a replay, or a second publisher of the control block; " C72},
    [GA_SQ_REPEATED] = {"sq_num_repeated", 1, "stNum and sqNum of the message before it; " C72},
    [GA_TTL_EXPIRED] = {"time_allowed_to_live_expired", 2, "came later than the message before it allowed; " C81},
    [GA_CONF_REV] = {"conf_rev_changed", 0, "the configuration of the control block is another one; " C72},
    [GA_DAT_SET] = {"dat_set_changed", 0, "the control block publishes another data set; " C72},
    [GA_ENTRIES_CHANGED] = {"entries_changed", 0, "another number of members under the same confRev; " C72},
    [GA_SIMULATION_END] = {"simulation_ended", 1, "after simulated messages real ones come again; " C72},
    [GA_DATA_CHANGED] = {"data_changed_in_state", 3, "other values under the same stNum; " C72},
    [GA_TIME_CHANGED] = {"time_changed_in_state", 1, "another t under the same stNum; " C72},
    [GA_TIME_BACK] = {"time_not_advanced", 1, "stNum went up, t did not; " C72},
    [GA_SIMULATION] = {"simulated", 0, "a simulated message: devices in simulation mode act on it; " C72},
    [GA_SIMULATION_FLAGS] = {"simulation_contradicts", 1, "simulated by the header or by the APDU alone; " C81},
    [GA_NDS_COM] = {"needs_commissioning", 0, "the publisher says that its control block is not configured; " C72},
    [GA_TEST] = {"test_quality", 1, "a value carries the quality test; IEC 61850-7-3 6.2"},
    [GA_CONF_REV_0] = {"conf_rev_zero", 1, "confRev 0 means that the data set is not configured; " C72},
    [GA_TTL_0] = {"time_allowed_to_live_zero", 1, "the message is out of date when it comes; " C81},
    [GA_ST_0] = {"st_num_zero", 1, "stNum begins with 1; " C72},
    [GA_ENTRIES] = {"entries_mismatch", 2, "numDatSetEntries is not the number of elements in allData; " C81},
    [GA_MISSING] = {"element_missing", 2, "an element that has to be there is not; " C81},
    [GA_ORDER] = {"element_unexpected", 2, "an element out of order, twice, or unknown; " C81},
    [GA_VALUE] = {"bad_element", 2, "the contents of an element do not fit its type; " C81},
    [GA_DATA_BROKEN] = {"bad_data", 2, "allData holds something that is no Data; " C81},
    [GA_DATA_VALUE] = {"bad_data_value", 1, "a value does not fit its type; " C81},
    [GA_TRAILING] = {"octets_behind_apdu", 1, "octets behind the APDU inside the length of the header; " C81},
    [GA_RESERVED] = {"reserved_bits", 1, "reserved bits of the header are set; IEC 61850-8-1 annex C"},
    [GA_LENGTH] = {"length_mismatch", 2, "the length of the header is not that of the frame; IEC 61850-8-1 annex C"},
    [GA_HEADER] = {"bad_header", 2, "too short for a header, or neither GOOSE nor management; IEC 61850-8-1 annex C"},
    [GA_BER] = {"bad_encoding", 2, "elements run over their end; ITU-T X.690 8"},
    [GA_SESSION] = {"bad_session_header", 2, "routed: lengths of the session layer; IEC TR 61850-90-5 8.2"},
};
/* clang-format on */

/* One name for all messages: what a message is stands in `change`, and repetition is no function. */
static void fn_text(uint32_t fn, char *out)
{
    if (fn == GOOSE_FN_PDU)
        snprintf(out, FN_TEXT, "goose");
    else
        snprintf(out, FN_TEXT, "management:%u", fn & 0xff);
}

const struct proto_schema goose_schema = {
    .name = "goose",
    .title = "IEC 61850 GOOSE and R-GOOSE",
    .spec = "IEC 61850-8-1:2011+A1:2020; IEC 61850-7-2; IEC TR 61850-90-5",
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = GF_COUNT,
    .kinds = kinds,
    .n_kinds = GK_COUNT,
    .anomalies = anomalies,
    .n_anomalies = GA_COUNT,
    .qualities = iec61850_qualities,
    .fn_text = fn_text,
    .unit_is = "APPID",
};
_Static_assert(ARRAY_LEN(fields) == GF_COUNT && ARRAY_LEN(anomalies) == GA_COUNT, "tables are complete");
