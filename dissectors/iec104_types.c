/* iec104_types.c: the type identifications of IEC 60870-5-101/104 (101 7.2.1, 7.3; 62351-5 for 41 and 81-95). */
#include "dissectors/iec104_priv.h"

#define MON T_MONITOR
#define CMD (T_COMMAND | T_TERM)
#define T24 T_TIME24
#define T56 T_TIME56
#define ONE T_SINGLE
#define SYS1 (T_SINGLE | T_NO_IOA)

/* clang-format off */
static const struct iec_type types[128] = {
    /*       symbol       len flags      form       lazy       mask  q   qmask se  read */
    [1]  = {"M_SP_NA_1",  1, MON, 0,          VE_BOOL8,  0x01,  0, 0xf0, -1, el_siq},
    [2]  = {"M_SP_TA_1",  4, MON, T24,        VE_NONE,   0,     0, 0xf0, -1, el_siq},
    [3]  = {"M_DP_NA_1",  1, MON, 0,          VE_U8,     0x03,  0, 0xf0, -1, el_diq},
    [4]  = {"M_DP_TA_1",  4, MON, T24,        VE_NONE,   0,     0, 0xf0, -1, el_diq},
    [5]  = {"M_ST_NA_1",  2, MON, 0,          VE_NONE,   0,     1, 0xf1, -1, el_vti},
    [6]  = {"M_ST_TA_1",  5, MON, T24,        VE_NONE,   0,     1, 0xf1, -1, el_vti},
    [7]  = {"M_BO_NA_1",  5, MON, 0,          VE_U32LE,  0,     4, 0xf1, -1, el_bsi_qds},
    [8]  = {"M_BO_TA_1",  8, MON, T24,        VE_NONE,   0,     4, 0xf1, -1, el_bsi_qds},
    [9]  = {"M_ME_NA_1",  3, MON, 0,          VE_NONE,   0,     2, 0xf1, -1, el_nva_qds},
    [10] = {"M_ME_TA_1",  6, MON, T24,        VE_NONE,   0,     2, 0xf1, -1, el_nva_qds},
    [11] = {"M_ME_NB_1",  3, MON, 0,          VE_I16LE,  0,     2, 0xf1, -1, el_sva_qds},
    [12] = {"M_ME_TB_1",  6, MON, T24,        VE_NONE,   0,     2, 0xf1, -1, el_sva_qds},
    [13] = {"M_ME_NC_1",  5, MON, 0,          VE_F32LE,  0,     4, 0xf1, -1, el_r32_qds},
    [14] = {"M_ME_TC_1",  8, MON, T24,        VE_NONE,   0,     4, 0xf1, -1, el_r32_qds},
    [15] = {"M_IT_NA_1",  5, MON, 0,          VE_NONE,   0,    -1, 0,    -1, el_bcr},
    [16] = {"M_IT_TA_1",  8, MON, T24,        VE_NONE,   0,    -1, 0,    -1, el_bcr},
    [17] = {"M_EP_TA_1",  6, MON, T24,        VE_NONE,   0,     0, 0xf8, -1, el_sep},
    [18] = {"M_EP_TB_1",  7, MON, T24,        VE_NONE,   0,     1, 0xf8, -1, el_spe},
    [19] = {"M_EP_TC_1",  7, MON, T24,        VE_NONE,   0,     1, 0xf8, -1, el_oci},
    [20] = {"M_PS_NA_1",  5, MON, 0,          VE_NONE,   0,     4, 0xf1, -1, el_scd},
    [21] = {"M_ME_ND_1",  2, MON, 0,          VE_NONE,   0,    -1, 0,    -1, el_nva},
    [30] = {"M_SP_TB_1",  8, MON, T56,        VE_NONE,   0,     0, 0xf0, -1, el_siq},
    [31] = {"M_DP_TB_1",  8, MON, T56,        VE_NONE,   0,     0, 0xf0, -1, el_diq},
    [32] = {"M_ST_TB_1",  9, MON, T56,        VE_NONE,   0,     1, 0xf1, -1, el_vti},
    [33] = {"M_BO_TB_1", 12, MON, T56,        VE_NONE,   0,     4, 0xf1, -1, el_bsi_qds},
    [34] = {"M_ME_TD_1", 10, MON, T56,        VE_NONE,   0,     2, 0xf1, -1, el_nva_qds},
    [35] = {"M_ME_TE_1", 10, MON, T56,        VE_NONE,   0,     2, 0xf1, -1, el_sva_qds},
    [36] = {"M_ME_TF_1", 12, MON, T56,        VE_NONE,   0,     4, 0xf1, -1, el_r32_qds},
    [37] = {"M_IT_TB_1", 12, MON, T56,        VE_NONE,   0,    -1, 0,    -1, el_bcr},
    [38] = {"M_EP_TD_1", 10, MON, T56,        VE_NONE,   0,     0, 0xf8, -1, el_sep},
    [39] = {"M_EP_TE_1", 11, MON, T56,        VE_NONE,   0,     1, 0xf8, -1, el_spe},
    [40] = {"M_EP_TF_1", 11, MON, T56,        VE_NONE,   0,     1, 0xf8, -1, el_oci},
    [41] = {"S_IT_TC_1", 14, MON, T56,        VE_NONE,   0,    -1, 0,    -1, el_secure_counter},
    [45] = {"C_SC_NA_1",  1, CMD, ONE,        VE_NONE,   0,    -1, 0,     0, el_sco},
    [46] = {"C_DC_NA_1",  1, CMD, ONE,        VE_NONE,   0,    -1, 0,     0, el_dco},
    [47] = {"C_RC_NA_1",  1, CMD, ONE,        VE_NONE,   0,    -1, 0,     0, el_rco},
    [48] = {"C_SE_NA_1",  3, CMD, ONE,        VE_NONE,   0,    -1, 0,     2, el_nva_qos},
    [49] = {"C_SE_NB_1",  3, CMD, ONE,        VE_NONE,   0,    -1, 0,     2, el_sva_qos},
    [50] = {"C_SE_NC_1",  5, CMD, ONE,        VE_NONE,   0,    -1, 0,     4, el_r32_qos},
    [51] = {"C_BO_NA_1",  4, CMD, ONE,        VE_NONE,   0,    -1, 0,    -1, el_bsi},
    [58] = {"C_SC_TA_1",  8, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     0, el_sco},
    [59] = {"C_DC_TA_1",  8, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     0, el_dco},
    [60] = {"C_RC_TA_1",  8, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     0, el_rco},
    [61] = {"C_SE_TA_1", 10, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     2, el_nva_qos},
    [62] = {"C_SE_TB_1", 10, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     2, el_sva_qos},
    [63] = {"C_SE_TC_1", 12, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,     4, el_r32_qos},
    [64] = {"C_BO_TA_1", 11, CMD, ONE | T56,  VE_NONE,   0,    -1, 0,    -1, el_bsi},
    [70] = {"M_EI_NA_1",  1, MON, SYS1,       VE_NONE,   0,    -1, 0,    -1, el_coi},
    [81] = {"S_CH_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [82] = {"S_RP_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [83] = {"S_AR_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [84] = {"S_KR_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [85] = {"S_KS_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [86] = {"S_KC_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [87] = {"S_ER_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [90] = {"S_US_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [91] = {"S_UQ_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [92] = {"S_UR_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [93] = {"S_UK_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [94] = {"S_UA_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [95] = {"S_UC_NA_1",  0, T_SECURE | T_VARIABLE, T_SINGLE, VE_NONE, 0, -1, 0, -1, el_opaque},
    [100] = {"C_IC_NA_1", 1, T_SYSTEM | T_TERM, SYS1, VE_NONE, 0, -1, 0, -1, el_qoi},
    [101] = {"C_CI_NA_1", 1, T_SYSTEM | T_TERM, SYS1, VE_NONE, 0, -1, 0, -1, el_qcc},
    [102] = {"C_RD_NA_1", 0, T_SYSTEM, ONE,   VE_NONE,   0,    -1, 0,    -1, el_none},
    [103] = {"C_CS_NA_1", 7, T_SYSTEM, SYS1,  VE_NONE,   0,    -1, 0,    -1, el_clock},
    [104] = {"C_TS_NA_1", 2, T_SYSTEM, SYS1,  VE_NONE,   0,    -1, 0,    -1, el_fbp},
    [105] = {"C_RP_NA_1", 1, T_SYSTEM, SYS1,  VE_NONE,   0,    -1, 0,    -1, el_qrp},
    [106] = {"C_CD_NA_1", 2, T_SYSTEM, SYS1,  VE_NONE,   0,    -1, 0,    -1, el_delay},
    [107] = {"C_TS_TA_1", 9, T_SYSTEM, SYS1 | T56, VE_NONE, 0, -1, 0,    -1, el_tsc},
    [110] = {"P_ME_NA_1", 3, T_PARAM, ONE,    VE_NONE,   0,    -1, 0,    -1, el_nva_qpm},
    [111] = {"P_ME_NB_1", 3, T_PARAM, ONE,    VE_NONE,   0,    -1, 0,    -1, el_sva_qpm},
    [112] = {"P_ME_NC_1", 5, T_PARAM, ONE,    VE_NONE,   0,    -1, 0,    -1, el_r32_qpm},
    [113] = {"P_AC_NA_1", 1, T_PARAM, ONE,    VE_NONE,   0,    -1, 0,    -1, el_qpa},
    [120] = {"F_FR_NA_1", 6, T_FILE, ONE,     VE_NONE,   0,    -1, 0,    -1, el_file_ready},
    [121] = {"F_SR_NA_1", 7, T_FILE, ONE,     VE_NONE,   0,    -1, 0,    -1, el_section_ready},
    [122] = {"F_SC_NA_1", 4, T_FILE, ONE,     VE_NONE,   0,    -1, 0,    -1, el_file_call},
    [123] = {"F_LS_NA_1", 5, T_FILE, ONE,     VE_NONE,   0,    -1, 0,    -1, el_last_section},
    [124] = {"F_AF_NA_1", 4, T_FILE, ONE,     VE_NONE,   0,    -1, 0,    -1, el_file_ack},
    [125] = {"F_SG_NA_1", 4, T_FILE | T_VARIABLE, ONE, VE_NONE, 0, -1, 0, -1, el_segment},
    [126] = {"F_DR_TA_1", 13, T_FILE, 0,      VE_NONE,   0,    -1, 0,    -1, el_directory},
    [127] = {"F_SC_NB_1", 16, T_FILE, ONE,    VE_NONE,   0,    -1, 0,    -1, el_query_log},
};
/* clang-format on */

const struct iec_type *iec_type_get(uint8_t type)
{
    return type < 128 && types[type].symbol ? &types[type] : NULL;
}

uint32_t iec_objects_len(const struct iec_type *t, bool sq, unsigned n, unsigned ioa_len)
{
    return sq ? (n ? ioa_len + n * (uint32_t)t->len : 0) : n * (ioa_len + (uint32_t)t->len);
}
