/* linux/xtables/tos.c: names of TOS values and DSCP classes. */
#include <string.h>

#include "linux/xtables/match.h"

struct named_byte {
	const char *name;
	uint8_t value;
};

static const struct named_byte tos_names[] = {
	{ "Minimize-Delay", 0x10 }, { "Maximize-Throughput", 0x08 },
	{ "Maximize-Reliability", 0x04 }, { "Minimize-Cost", 0x02 }, { "Normal-Service", 0x00 },
};

static const struct named_byte classes[] = {
	{ "CS0", 0x00 }, { "CS1", 0x08 }, { "CS2", 0x10 }, { "CS3", 0x18 }, { "CS4", 0x20 },
	{ "CS5", 0x28 }, { "CS6", 0x30 }, { "CS7", 0x38 }, { "BE", 0x00 }, { "AF11", 0x0a },
	{ "AF12", 0x0c }, { "AF13", 0x0e }, { "AF21", 0x12 }, { "AF22", 0x14 }, { "AF23", 0x16 },
	{ "AF31", 0x1a }, { "AF32", 0x1c }, { "AF33", 0x1e }, { "AF41", 0x22 }, { "AF42", 0x24 },
	{ "AF43", 0x26 }, { "EF", 0x2e },
};

bool parse_tos(const char *text, struct xt_tos_value *out)
{
	for (unsigned i = 0; i < sizeof tos_names / sizeof *tos_names; i++) {
		if (strcasecmp(text, tos_names[i].name) == 0) {
			*out = (struct xt_tos_value){ tos_names[i].value, 0x3f };
			return true;
		}
	}
	uint32_t value, mask;
	if (!parse_mark(text, &value, &mask) || value > 255)
		return false;
	*out = (struct xt_tos_value){ (uint8_t)value, (uint8_t)(mask > 255 ? 255 : mask) };
	return true;
}

bool parse_dscp(const char *text, uint8_t *code)
{
	uint64_t v;
	if (!parse_u32(text, 63, &v))
		return false;
	*code = (uint8_t)v;
	return true;
}

bool parse_dscp_class(const char *text, uint8_t *code)
{
	for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strcasecmp(text, classes[i].name) == 0) {
			*code = classes[i].value;
			return true;
		}
	}
	return false;
}
