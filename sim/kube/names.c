/* kube/names.c: see names.h. */
#include "kube/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "net/addr.h"

#define LABEL_MOST 63
#define SUBDOMAIN_MOST 253
#define PORT_NAME_MOST 15

#define LABEL_1123 "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define TEXT_LABEL_1123                                                                        \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " \
	"and must start and end with an alphanumeric character (e.g. 'my-name',  or "            \
	"'123-abc', regex used for validation is '" LABEL_1123 "')"
#define TEXT_SUBDOMAIN_1123                                                                    \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "    \
	"'-' or '.', and must start and end with an alphanumeric character (e.g. "              \
	"'example.com', regex used for validation is '" LABEL_1123 "(\\." LABEL_1123 ")*')"
#define TEXT_LABEL_1035                                                                        \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "    \
	"with an alphabetic character, and end with an alphanumeric character (e.g. "           \
	"'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
#define TEXT_WILDCARD                                                                          \
	"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "          \
	"subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "  \
	"end with an alphanumeric character (e.g. '*.example.com', regex used for validation "  \
	"is '\\*\\." LABEL_1123 "(\\." LABEL_1123 ")*')"
#define TEXT_QUALIFIED                                                                         \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with " \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "   \
	"for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define TEXT_LABEL_VALUE                                                                       \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', "    \
	"'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "  \
	"or 'my_value',  or '12345', regex used for validation is "                             \
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define TEXT_NO_DOTS "must not contain dots"

static void complain(struct complaints *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void complain(struct complaints *c, const char *fmt, ...)
{
	va_list ap;
	if (c->count == RULE_MOST)
		return;
	va_start(ap, fmt);
	vsnprintf(c->text[c->count++], sizeof c->text[0], fmt, ap);
	va_end(ap);
}

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool letter_or_digit(char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* One label of lower case letters, digits and inner dashes. */
static bool is_label(const char *s, size_t length)
{
	if (!length || !lower_or_digit(s[0]) || !lower_or_digit(s[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!lower_or_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ".");
		if (!is_label(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

void rule_label_1123(const char *value, struct complaints *out)
{
	if (strlen(value) > LABEL_MOST)
		complain(out, "must be no more than %d characters", LABEL_MOST);
	if (!is_label(value, strlen(value)))
		complain(out, "%s", is_subdomain(value) ? TEXT_NO_DOTS : TEXT_LABEL_1123);
}

void rule_subdomain_1123(const char *value, struct complaints *out)
{
	if (strlen(value) > SUBDOMAIN_MOST)
		complain(out, "must be no more than %d characters", SUBDOMAIN_MOST);
	if (!is_subdomain(value))
		complain(out, "%s", TEXT_SUBDOMAIN_1123);
}

void rule_label_1035(const char *value, struct complaints *out)
{
	if (strlen(value) > LABEL_MOST)
		complain(out, "must be no more than %d characters", LABEL_MOST);
	if (!is_label(value, strlen(value)) || (value[0] >= '0' && value[0] <= '9'))
		complain(out, "%s", TEXT_LABEL_1035);
}

void rule_wildcard_subdomain(const char *value, struct complaints *out)
{
	if (strlen(value) > SUBDOMAIN_MOST)
		complain(out, "must be no more than %d characters", SUBDOMAIN_MOST);
	if (strncmp(value, "*.", 2) != 0 || !is_subdomain(value + 2))
		complain(out, "%s", TEXT_WILDCARD);
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool is_name_part(const char *s)
{
	size_t length = strlen(s);
	if (!length || !letter_or_digit(s[0]) || !letter_or_digit(s[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!letter_or_digit(s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

void rule_qualified_name(const char *value, struct complaints *out)
{
	const char *slash = strchr(value, '/'), *name = value;
	if (slash && strchr(slash + 1, '/')) {
		complain(out, "a qualified name %s with an optional DNS subdomain prefix and '/' "
			 "(e.g. 'example.com/MyName')", TEXT_QUALIFIED);
		return;
	}
	if (slash) {
		char prefix[SUBDOMAIN_MOST + 2] = "";
		size_t length = (size_t)(slash - value);
		name = slash + 1;
		snprintf(prefix, sizeof prefix, "%.*s", (int)length, value);
		if (!length)
			complain(out, "prefix part must be non-empty");
		else if (length > SUBDOMAIN_MOST)
			complain(out, "prefix part must be no more than %d characters",
				 SUBDOMAIN_MOST);
		else if (!is_subdomain(prefix))
			complain(out, "prefix part %s", TEXT_SUBDOMAIN_1123);
	}
	if (!*name)
		complain(out, "name part must be non-empty");
	else if (strlen(name) > LABEL_MOST)
		complain(out, "name part must be no more than %d characters", LABEL_MOST);
	if (!is_name_part(name))
		complain(out, "name part %s", TEXT_QUALIFIED);
}

void rule_label_value(const char *value, struct complaints *out)
{
	if (strlen(value) > LABEL_MOST)
		complain(out, "must be no more than %d characters", LABEL_MOST);
	if (*value && !is_name_part(value))
		complain(out, "%s", TEXT_LABEL_VALUE);
}

void rule_port_name(const char *value, struct complaints *out)
{
	bool letter = false, other = false;
	size_t length = strlen(value);
	for (const char *p = value; *p; p++) {
		letter |= *p >= 'a' && *p <= 'z';
		other |= !lower_or_digit(*p) && *p != '-';
	}
	if (length > PORT_NAME_MOST)
		complain(out, "must be no more than %d characters", PORT_NAME_MOST);
	if (other || !length)
		complain(out,
			 "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!letter)
		complain(out, "must contain at least one letter (a-z)");
	if (strstr(value, "--"))
		complain(out, "must not contain consecutive hyphens");
	if (length && (value[0] == '-' || value[length - 1] == '-'))
		complain(out, "must not begin or end with a hyphen");
}

/* ---- checks of fields ------------------------------------------------------------------ */

void field_check(struct strbuf *errors, const struct field_path *at, const char *value,
		 name_rule *rule)
{
	struct complaints c = { 0 };
	rule(value ? value : "", &c);
	for (uint32_t i = 0; i < c.count; i++)
		field_invalid(errors, at, value, "%s", c.text[i]);
}

void field_check_labels(struct strbuf *errors, const struct field_path *at,
			const struct kube_map *labels)
{
	for (uint32_t i = 0; i < labels->count; i++) {
		field_check(errors, at, labels->items[i].key, rule_qualified_name);
		field_check(errors, at, labels->items[i].value, rule_label_value);
	}
}

void field_check_port(struct strbuf *errors, const struct field_path *at, int64_t port)
{
	if (port < 1 || port > 65535)
		field_invalid_int(errors, at, port, "%s", TEXT_PORT);
}

void field_check_port_or_name(struct strbuf *errors, const struct field_path *at,
			      const struct int_or_string *port)
{
	if (port->kind == 's')
		field_check(errors, at, port->string, rule_port_name);
	else
		field_check_port(errors, at, port->kind == 'i' ? port->number : 0);
}

void field_check_not_negative(struct strbuf *errors, const struct field_path *at, int64_t value)
{
	if (value < 0)
		field_invalid_int(errors, at, value, "%s", TEXT_NOT_NEGATIVE);
}

bool field_check_ip(struct strbuf *errors, const struct field_path *at, const char *value)
{
	struct net_addr ip;
	if (value && net_addr_parse(value, &ip))
		return true;
	field_invalid(errors, at, value, "%s", TEXT_IP);
	return false;
}

void field_check_special_ip(struct strbuf *errors, const struct field_path *at,
			    const char *value)
{
	struct net_addr ip;
	if (!value || !net_addr_parse(value, &ip)) {
		field_invalid(errors, at, value, "must be a valid IP address");
		return;
	}
	bool local_group = ip.family == NET_V4 ? memcmp(ip.bytes, "\xe0\0\0", 3) == 0 :
						 memcmp(ip.bytes, "\xff\x02", 2) == 0;
	if (net_addr_is_unspecified(&ip))
		field_invalid(errors, at, value, "may not be unspecified (%s)", value);
	if (net_addr_is_loopback(&ip))
		field_invalid(errors, at, value,
			      "may not be in the loopback range (127.0.0.0/8, ::1/128)");
	if (net_addr_is_link_local(&ip))
		field_invalid(errors, at, value,
			      "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
	if (local_group)
		field_invalid(
		    errors, at, value,
		    "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void field_check_cidr(struct strbuf *errors, const struct field_path *at, const char *value)
{
	struct net_prefix prefix;
	if (!value || !strchr(value, '/') || !net_prefix_parse(value, &prefix))
		field_invalid(errors, at, value, "%s", TEXT_CIDR);
}
