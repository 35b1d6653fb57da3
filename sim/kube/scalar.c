/* kube/scalar.c: see scalar.h. */
#include "kube/scalar.h"

#include <string.h>

static bool is_word(const char *text, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && memcmp(text, words[i], length) == 0)
			return true;
	return false;
}

/* Digits of a base with underscores between; false: not an integer. */
static bool digits(const char *p, const char *end, unsigned base, uint64_t *value, bool *overflow)
{
	bool any = false;
	*value = 0;
	*overflow = false;
	for (; p < end; p++) {
		unsigned digit;
		if (*p == '_' && any)
			continue;
		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else if (*p >= 'A' && *p <= 'F')
			digit = (unsigned)(*p - 'A') + 10;
		else
			return false;
		if (digit >= base)
			return false;
		if (*value > (UINT64_MAX - digit) / base)
			*overflow = true;
		*value = *value * base + digit;
		any = true;
	}
	return any;
}

static bool resolve_int(const char *p, const char *end, struct scalar *out)
{
	bool negative = *p == '-';
	uint64_t value;
	if (*p == '-' || *p == '+')
		p++;
	unsigned base = 10;
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'b' || p[1] == 'o')) {
		base = p[1] == 'x' ? 16 : p[1] == 'b' ? 2 : 8;
		p += 2;
	} else if (end - p > 1 && p[0] == '0') {
		base = 8;
	}
	if (!digits(p, end, base, &value, &out->overflow))
		return false;
	out->type = SCALAR_INT;
	if (value > (uint64_t)INT64_MAX)
		out->overflow = true;
	else
		out->number = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool is_float(const char *p, const char *end)
{
	bool whole = false, fraction = false;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (end - p == 4 &&
	    (!memcmp(p, ".inf", 4) || !memcmp(p, ".Inf", 4) || !memcmp(p, ".INF", 4)))
		return true;
	for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '_' && whole)); p++)
		whole = true;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++)
			fraction = true;
	if (!whole && !fraction)
		return false;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (p == end)
			return false;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
	}
	return p == end;
}

struct scalar scalar_resolve(const char *text, size_t length)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES",
					   "on", "On", "ON", "y", "Y" };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO",
					  "off", "Off", "OFF", "n", "N" };
	static const char *const nans[] = { ".nan", ".NaN", ".NAN" };
	struct scalar s = { .type = SCALAR_STRING };
	if (length == 0) {
		s.type = SCALAR_NULL;
		return s;
	}
	/* Most texts are names: their first letter settles it. */
	if (!memchr("~nNtTyYoOfF.+-0123456789", text[0], 24))
		return s;
	if (is_word(text, length, nulls, 5)) {
		s.type = SCALAR_NULL;
	} else if (is_word(text, length, yes, 11)) {
		s.type = SCALAR_BOOL;
		s.truth = true;
	} else if (is_word(text, length, no, 11)) {
		s.type = SCALAR_BOOL;
	} else if (memchr(".+-0123456789", text[0], 13)) {
		if (!resolve_int(text, text + length, &s) &&
		    (is_float(text, text + length) || is_word(text, length, nans, 3)))
			s.type = SCALAR_FLOAT;
	}
	return s;
}

const char *scalar_type_text(enum scalar_type type)
{
	static const char *const names[] = { "a string", "null", "a boolean", "an integer",
					     "a number" };
	return names[type];
}
