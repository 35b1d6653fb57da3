/* net/wire.h: numbers in network byte order, Internet checksums, CRC-32C.
 *
 * A checksum field is handled as it lies in memory: the ones' complement sum does
 * not depend on byte order (RFC 1071), so sums are made of native words and stored
 * back as they are. All pieces that are summed begin at an even offset.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Adds the bytes to a running sum; an odd last byte is padded with zero. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t length);
/* The checksum of a sum, in memory order: what a field must hold. */
uint16_t checksum_fold(uint64_t sum);
/* RFC 1624, equation 3: the field after `length` (even) bytes changed. */
void checksum_replace(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length);
/* CRC-32C (RFC 9260, appendix A), final inversion included; continue with the last result. */
uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t length);

#endif
