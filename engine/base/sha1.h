/* sha1.h: SHA-1 (FIPS 180-4), for the Community ID of flows only: not for security. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* n <= 55: one block, which is all that a Community ID needs. */
void sha1_short(const uint8_t *p, size_t n, uint8_t out[20]);
