/* net/wire.c: see wire.h. */
#include "net/wire.h"

#include <string.h>

uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t length)
{
	uint32_t word;
	uint16_t half = 0;
	for (; length >= 4; bytes += 4, length -= 4) {
		memcpy(&word, bytes, 4);
		sum += word;
	}
	if (length >= 2) {
		memcpy(&half, bytes, 2);
		sum += half;
		bytes += 2;
		length -= 2;
	}
	if (length) {
		half = 0;
		memcpy(&half, bytes, 1);
		sum += half;
	}
	return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void checksum_replace(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length)
{
	uint16_t old, new, sum16;
	memcpy(&sum16, field, 2);
	uint64_t sum = (uint16_t)~sum16;
	for (size_t i = 0; i < length; i += 2) {
		memcpy(&old, before + i, 2);
		memcpy(&new, after + i, 2);
		sum += (uint16_t)~old;
		sum += new;
	}
	sum16 = checksum_fold(sum);
	memcpy(field, &sum16, 2);
}

uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t length)
{
	crc = ~crc;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}
