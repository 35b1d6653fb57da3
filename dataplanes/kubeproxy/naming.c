/* kubeproxy/naming.c: see naming.h. */
#include "dataplanes/kubeproxy/naming.h"

#include <assert.h>
#include <sha2.h>
#include <stdint.h>
#include <string.h>

void name_hash(const char *const strings[], unsigned letters, char out[NAME_HASH_LONGEST + 1])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;
	assert(letters % 8 == 0 && letters <= NAME_HASH_LONGEST);
	SHA256Init(&context);
	for (; *strings; strings++)
		SHA256Update(&context, (const uint8_t *)*strings, strlen(*strings));
	SHA256Final(digest, &context);
	const uint8_t *in = digest;
	for (unsigned i = 0; i < letters; i += 8, in += 5) {
		uint64_t group = 0;
		for (unsigned k = 0; k < 5; k++)
			group = group << 8 | in[k];
		for (unsigned k = 0; k < 8; k++)
			out[i + k] = alphabet[group >> (35 - 5 * k) & 31];
	}
	out[letters] = '\0';
}
