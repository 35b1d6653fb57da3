/* kubeproxy/lenient.c: addresses as kube-proxy reads them.
 *
 * Old fields of the API take IPv4 numbers with leading zeros (they are decimal) and so do
 * ParseIPSloppy and ParseCIDRSloppy of k8s.io/utils/net; the length of a prefix may have
 * them, too.
 */
#include "dataplanes/kubeproxy/lenient.h"

#include <ctype.h>
#include <string.h>

/* The text without leading zeros of its decimal numbers; false: too long. */
static bool without_zeros(const char *text, size_t length, char out[NET_ADDR_TEXT])
{
	bool inside = false; /* of a number, behind its first digit that stays */
	size_t n = 0;
	for (size_t i = 0; i < length; i++) {
		bool digit = isdigit((unsigned char)text[i]);
		bool more = i + 1 < length && isdigit((unsigned char)text[i + 1]);
		if (digit && !inside && text[i] == '0' && more)
			continue;
		if (n + 1 == NET_ADDR_TEXT)
			return false;
		inside = digit;
		out[n++] = text[i];
	}
	out[n] = '\0';
	return true;
}

bool lenient_addr(const char *text, struct net_addr *out)
{
	char plain[NET_ADDR_TEXT];
	if (net_addr_parse(text, out))
		return true;
	return !strchr(text, ':') && without_zeros(text, strlen(text), plain) &&
	       net_addr_parse(plain, out);
}

bool lenient_prefix(const char *text, struct net_prefix *out)
{
	const char *slash = strchr(text, '/');
	char addr[NET_ADDR_TEXT], bits[NET_ADDR_TEXT], whole[2 * NET_ADDR_TEXT];
	size_t first = slash ? (size_t)(slash - text) : 0;
	if (!slash || first >= sizeof addr)
		return false;
	memcpy(addr, text, first);
	addr[first] = '\0';
	if ((!strchr(addr, ':') && !without_zeros(text, first, addr)) ||
	    !without_zeros(slash + 1, strlen(slash + 1), bits))
		return false;
	strcpy(stpcpy(stpcpy(whole, addr), "/"), bits);
	return net_prefix_parse(whole, out);
}
