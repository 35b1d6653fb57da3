/* kubeproxy/naming.h: the hashes in names of chains.
 *
 * Chain names carry a prefix of the base32 text (RFC 4648, upper case) of a SHA-256
 * over strings that name a service port or an endpoint: sixteen letters in iptables
 * mode, eight in nftables mode. Only a prefix is kept, so padding never shows.
 */
#ifndef KUBEPROXY_NAMING_H
#define KUBEPROXY_NAMING_H

#define NAME_HASH_LONGEST 16

/* The first `letters` (a multiple of 8, at most 16) of the hash of the strings put one
 * after another; the list ends with NULL. NUL-terminated. */
void name_hash(const char *const strings[], unsigned letters, char out[NAME_HASH_LONGEST + 1]);

#endif
