/* dns/zone_parse.c: a cluster name taken apart (CoreDNS plugin/kubernetes/parse.go). */
#include "dns/zone_internal.h"

#include <stdio.h>
#include <string.h>

/* Lower case; octets that the presentation form escapes are written so that they match
 * nothing. Others stay: a pod's name may spell an address with colons. */
static void label_text(const uint8_t *label, char out[ZONE_LABEL])
{
	size_t at = 0;
	for (unsigned i = 1; i <= label[0]; i++) {
		uint8_t c = label[i];
		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c | 0x20);
		if (c > ' ' && c < 127 && !strchr(".'@;()\"\\", c))
			out[at++] = (char)c;
		else
			at += (size_t)snprintf(out + at, 5, "\\%03u", c);
	}
	out[at] = 0;
}

static const char *without_underscore(const char *s)
{
	return s[0] == '_' ? s + 1 : s;
}

/* "ZONE.pin|prefer._zone" left of the service; labels[0..count-3] are the zone's. */
static bool parse_zonal(const struct dns_name *name, const unsigned *labels, unsigned count,
			struct zone_request *out)
{
	char directive[ZONE_LABEL], anchor[ZONE_LABEL], label[ZONE_LABEL];
	label_text(name->bytes + labels[count - 1], anchor);
	label_text(name->bytes + labels[count - 2], directive);
	if (strcmp(anchor, "_zone") != 0 || !out->svc)
		return false;
	out->prefer = strcmp(directive, "prefer") == 0;
	if (!out->prefer && strcmp(directive, "pin") != 0)
		return false;
	size_t at = 0;
	for (unsigned i = 0; i + 2 < count; i++) {
		label_text(name->bytes + labels[i], label);
		if (at + strlen(label) + 2 > sizeof out->topology_zone)
			return false;
		at += (size_t)snprintf(out->topology_zone + at, sizeof out->topology_zone - at,
				       i ? ".%s" : "%s", label);
	}
	return true;
}

bool zone_parse(const struct dns_name *name, unsigned zone_labels, bool zonal,
		struct zone_request *out)
{
	unsigned labels[128], count = 0, total = dns_name_labels(name);
	char text[ZONE_LABEL];
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; count + zone_labels < total; i += name->bytes[i] + 1u)
		labels[count++] = i;
	if (!count)
		return true;
	label_text(name->bytes + labels[--count], text);
	out->pod = strcmp(text, "pod") == 0;
	out->svc = strcmp(text, "svc") == 0;
	if (!out->pod && !out->svc)
		return false;
	if (!count) {
		out->pod = out->svc = false;
		return true;
	}
	label_text(name->bytes + labels[--count], out->namespace);
	if (!count)
		return true;
	label_text(name->bytes + labels[--count], out->service);
	switch (count) {
	case 0:
		return true;
	case 1:
		label_text(name->bytes + labels[0], out->endpoint);
		return true;
	case 2:
		label_text(name->bytes + labels[1], text);
		strcpy(out->protocol, without_underscore(text));
		label_text(name->bytes + labels[0], text);
		strcpy(out->port, without_underscore(text));
		return true;
	default:
		return zonal && parse_zonal(name, labels, count, out);
	}
}
