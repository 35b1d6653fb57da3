/* kube/names.h: what names, keys and addresses must look like.
 *
 * Each rule gives the API server's complaints about a value, none for a good one.
 * Source of rules and texts: apimachinery's pkg/util/validation.
 */
#ifndef KUBE_NAMES_H
#define KUBE_NAMES_H

#include "kube/field_error.h"

#define RULE_MOST 6

struct complaints {
	uint32_t count;
	char text[RULE_MOST][512];
};

typedef void name_rule(const char *value, struct complaints *out);

name_rule rule_label_1123, rule_subdomain_1123, rule_label_1035, rule_wildcard_subdomain,
	rule_qualified_name, rule_label_value, rule_port_name;

/* An Invalid error for each complaint. */
void field_check(struct strbuf *errors, const struct field_path *at, const char *value,
		 name_rule *rule);
/* Label keys and values, all under the path of the map. */
void field_check_labels(struct strbuf *errors, const struct field_path *at,
			const struct kube_map *labels);

#define TEXT_PORT "must be between 1 and 65535, inclusive"
#define TEXT_NOT_NEGATIVE "must be greater than or equal to 0"
#define TEXT_IP "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define TEXT_CIDR "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
#define TEXT_IMMUTABLE "field is immutable"

void field_check_port(struct strbuf *errors, const struct field_path *at, int64_t port);
/* A number from 1 to 65535 or a port name. */
void field_check_port_or_name(struct strbuf *errors, const struct field_path *at,
			      const struct int_or_string *port);
void field_check_not_negative(struct strbuf *errors, const struct field_path *at, int64_t value);
/* False: no address (an error was appended). */
bool field_check_ip(struct strbuf *errors, const struct field_path *at, const char *value);
/* Unspecified, loopback, link-local and link-local multicast addresses. */
void field_check_special_ip(struct strbuf *errors, const struct field_path *at,
			    const char *value);
void field_check_cidr(struct strbuf *errors, const struct field_path *at, const char *value);

#endif
