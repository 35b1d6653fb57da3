/* kube/control/names.c: suffixes and hashes in the alphabet without vowels, so that no
 * word comes out by accident. */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"

static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
#define LETTERS (sizeof alphabet - 1)
#define NAME_LIMIT 63u

const char *name_generate(struct control *c, struct kube_object *o, const char *prefix)
{
	char text[NAME_LIMIT + 1];
	size_t n = strlen(prefix);
	if (n > NAME_LIMIT - SUFFIX_LETTERS)
		n = NAME_LIMIT - SUFFIX_LETTERS;
	memcpy(text, prefix, n);
	for (int i = 0; i < SUFFIX_LETTERS; i++)
		text[n++] = alphabet[choice_uniform(c->choice, "name", LETTERS)];
	text[n] = '\0';
	return kube_string(o, text);
}

const char *template_name_hash(char out[16], uint64_t digest, int64_t collisions)
{
	uint32_t h = (uint32_t)(digest ^ digest >> 32);
	if (collisions)
		h = (h ^ (uint32_t)collisions) * 16777619u;
	snprintf(out, 16, "%u", h);
	for (char *p = out; *p; p++)
		*p = alphabet[(unsigned char)*p % LETTERS];
	return out;
}
