/* kube/allocate.h: who has which virtual address and node port.
 *
 * Addresses come from the ServiceCIDRs (the store's objects, else the options of
 * kube_admit_new), node ports from one range. A range has two bands: the lower one
 * is left to those who ask for a certain value; dynamic picks start at a random
 * place of the upper band, scan it with wrap, then do the same in the lower one.
 * The lower band of addresses has min(max(16, size/16), 256), that of node ports
 * min(max(16, size/32), 128) members (KEP-3070, KEP-3668). Usable IPv4 addresses
 * leave out the first and the last of a range, IPv6 ones only the first. All draws
 * are at choice site "address".
 *
 * What is taken is learnt from the Services in the store, by a watch: deleting a
 * Service frees its values, and a snapshot needs no registration. A reservation
 * covers the time from allocation to the write.
 */
#ifndef KUBE_ALLOCATE_H
#define KUBE_ALLOCATE_H

#include "core/err.h"
#include "kube/store.h"
#include "net/addr.h"

struct kube_allocator;

struct kube_allocator *kube_allocator_new(struct kube_store *s, struct choice *choice,
					  const char *const service_cidrs[2],
					  uint16_t port_first, uint16_t port_last);
void kube_allocator_free(struct kube_allocator *a);

/* Families of the cluster's ranges in order; returns 1 or 2. */
uint32_t kube_allocator_families(const struct kube_allocator *a, uint8_t out[2]);

enum kube_allocation { ALLOCATED, ALLOCATION_FULL, ALLOCATION_TAKEN, ALLOCATION_OUTSIDE };

/* Reserves. A dynamic pick is ALLOCATED or ALLOCATION_FULL. */
enum kube_allocation kube_allocate_address(struct kube_allocator *a, uint8_t family,
					   struct net_addr *out);
enum kube_allocation kube_claim_address(struct kube_allocator *a, const struct net_addr *ip);
enum kube_allocation kube_allocate_port(struct kube_allocator *a, uint16_t *out);
enum kube_allocation kube_claim_port(struct kube_allocator *a, uint16_t port);
/* Drops all reservations: the write has happened, or never will. */
void kube_allocator_settle(struct kube_allocator *a);
void kube_allocator_port_range(const struct kube_allocator *a, uint16_t *first, uint16_t *last);

#endif
