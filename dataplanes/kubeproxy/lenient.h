/* kubeproxy/lenient.h: addresses and ranges as kube-proxy reads them, see lenient.c. */
#ifndef KUBEPROXY_LENIENT_H
#define KUBEPROXY_LENIENT_H

#include "net/addr.h"

/* An address; IPv4 numbers may have leading zeros. */
bool lenient_addr(const char *text, struct net_addr *out);
/* "ADDRESS/LENGTH", both may have leading zeros; host bits stay. Not an address alone. */
bool lenient_prefix(const char *text, struct net_prefix *out);

#endif
