/* core/choice.h: the only source of randomness.
 *
 * A draw has a site, a short constant name that says what is chosen, and
 * integer weights; it returns the index chosen. Sites in use:
 *
 *   "backend"    which endpoint: xtables statistic, nft numgen, scheduler start
 *   "isn"        SCTP verification tags             "sport"  ephemeral ports
 *   "masq-port"  --random-fully                     "name"   pod name suffixes
 *   "address"    allocation of IPs and node ports   "start"  container start delays
 *   "schedule"   ties in the scheduler              "dns-id" query identifiers
 *   "hash"       the seed of an nft jhash that names none
 *   "loss"       frames that a faulty link loses    "jitter" its further delay
 *   "dns-order"  CoreDNS's loadbalance              "reload" its look at the Corefile
 *   "kubelet-sync" when a kubelet looks after a pod
 *
 * Three modes. Seeded: each site has its own stream, made of seed and site
 * name, so that one more draw at one site moves no other. Scripted: a queue of
 * answers per site (read off a capture), then seeded. Exhaustive: the named
 * sites run through all their outcomes, one complete run per combination, like
 * an odometer; all other sites stay pinned by the seed.
 *
 * Probabilities are exact rationals of the weights, as the kernel has them.
 */
#ifndef CORE_CHOICE_H
#define CORE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

struct choice;

struct choice *choice_new(uint64_t seed);
void choice_free(struct choice *c);
uint64_t choice_seed(const struct choice *c);

/* Index in 0..count-1 with probability weights[i]/sum. A zero weight is never
 * drawn; the sum must be positive and below 2^63. `site` is a constant. */
uint32_t choice_draw(struct choice *c, const char *site, const uint64_t *weights,
		     uint32_t count);
/* 0..count-1, equal weights. Not enumerated above 4096 outcomes. */
uint64_t choice_uniform(struct choice *c, const char *site, uint64_t count);

/* Appends an answer to the queue of a site. An answer that the draw does not
 * allow (index too large, weight 0) is taken as a mismatch: see choice_mismatch. */
void choice_script(struct choice *c, const char *site, uint64_t answer);
/* Forgets the answers of a site that were not used yet. */
void choice_script_clear(struct choice *c, const char *site);

/* From now on keeps what is drawn at this site, in order. */
struct choice_drawn { uint64_t count, answer; };
void choice_record(struct choice *c, const char *site);
uint32_t choice_recorded(const struct choice *c, const char *site, const struct choice_drawn **out);

/* First site whose scripted answer could not be used, or NULL. */
const char *choice_mismatch(const struct choice *c);

/* Exhaustive mode over one site (call again for more). Before each run call
 * choice_restart (streams go back to where they were when it began); after it
 * choice_advance: false when all outcomes were seen or `limit` runs were made
 * (choice_truncated tells). choice_exhaust_end: draws go on as if there had been no run. */
void choice_exhaust(struct choice *c, const char *site, uint32_t limit);
void choice_restart(struct choice *c);
bool choice_advance(struct choice *c);
void choice_exhaust_end(struct choice *c);
bool choice_truncated(const struct choice *c);
/* Product of the probabilities of the enumerated draws of the current run. */
double choice_probability(const struct choice *c);

#endif
