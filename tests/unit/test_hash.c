/* test_hash.c: hashes tell apart what differs, also where somebody wants them not to; ids stay what they are. */
#include "engine/base/hash.h"

#include "tests/unit/suite.h"

/* Ids in databases and alerts come from these: they hold for good. */
START_TEST(ids_stay)
{
    ck_assert_uint_eq(hash_bytes(HASH_ID_KEY, "", 0), UINT64_C(0x97f15f1dc15c52f6));
    ck_assert_uint_eq(hash_bytes(HASH_ID_KEY, "abc", 3), UINT64_C(0x2ac7d5ede1cf0ee8));
    ck_assert_uint_eq(hash_bytes(HASH_ID_KEY, "holding_register:0-9", 20), UINT64_C(0xc9dd24df3db43635));
}
END_TEST

/* Eight bytes that the multiplication would turn into a constant, in front of the same end. */
START_TEST(nothing_makes_it_forget)
{
    static const uint64_t factor = UINT64_C(0xd6e8feb86659fd93);
    for (unsigned k = 0; k < 4; k++) {
        uint64_t v = k & 1 ? ~factor : factor, words[2][4] = {{1, v, 7, v}, {2, v, 7, v}};
        if (k & 2)
            words[0][3] = words[1][3] = 9;
        ck_assert_uint_ne(hash_bytes(1, words[0], sizeof words[0]), hash_bytes(1, words[1], sizeof words[1]));
        ck_assert_uint_ne(hash_same(1, words[0], sizeof words[0]), hash_same(1, words[1], sizeof words[1]));
        ck_assert_uint_ne(hash_bytes(1, words[0], 32), hash_bytes(2, words[0], 32));
        ck_assert_uint_ne(hash_16(1, words[0]), hash_16(1, words[1])); /* an address that ends so */
        ck_assert_uint_ne(hash_16(1, words[0]), hash_16(2, words[0]));
    }
}
END_TEST

/* Every bit and every length counts, up to where the loops meet. */
START_TEST(every_bit_counts)
{
    uint8_t b[70];
    for (unsigned i = 0; i < sizeof b; i++)
        b[i] = (uint8_t)(i * 37);
    for (unsigned n = 0; n < sizeof b; n++) {
        uint64_t h = hash_same(42, b, n);
        ck_assert_uint_ne(h, hash_same(42, b, n + 1));
        ck_assert_uint_ne(h, hash_same(43, b, n));
        for (unsigned bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_msg(hash_same(42, b, n) != h, "bit %u of %u bytes", bit, n);
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        ck_assert_uint_eq(h, hash_same(42, b, n));
    }
}
END_TEST

SUITE("hash", 60, ids_stay, nothing_makes_it_forget, every_bit_counts)
