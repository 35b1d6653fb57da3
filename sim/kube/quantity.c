/* kube/quantity.c: amounts of resources, as apimachinery's pkg/api/resource has them.
 *
 * A quantity is a decimal number with a suffix: binary (Ki, Mi, ...), decimal SI (n, u,
 * m, k, M, ...) or an exponent (e3). The canonical form keeps the family of the suffix
 * and has no fraction: 0.5 is 500m, 1024Mi is 1Gi, 1500k stays. */
#include <stdio.h>
#include <string.h>

#include "kube/types.h"

enum family { DECIMAL, BINARY, EXPONENT };

struct quantity {
	__int128 nano;        /* value times 10^9, exact below that */
	enum family family;
	bool negative;
};

/* Far above any amount of bytes; keeps all products below 2^127. */
#define LARGEST_NANO ((__int128)INT64_MAX * 1000000000)

static bool scale_decimal(__int128 *nano, int exponent)
{
	for (; exponent > 0; exponent--) {
		if (*nano > LARGEST_NANO / 10)
			return false;
		*nano *= 10;
	}
	for (; exponent < 0; exponent++)
		*nano = (*nano + 9) / 10; /* rounds up, as the API server does below nano */
	return true;
}

static bool scale_binary(__int128 *nano, int power)
{
	for (; power > 0; power--) {
		if (*nano > LARGEST_NANO / 1024)
			return false;
		*nano *= 1024;
	}
	return true;
}

static bool apply_exponent(const char *suffix, struct quantity *q)
{
	bool negative = suffix[1] == '-';
	const char *p = suffix + 1 + (suffix[1] == '-' || suffix[1] == '+');
	int exponent = 0;
	if (!*p)
		return false;
	for (; *p; p++) {
		if (*p < '0' || *p > '9' || exponent > 100)
			return false;
		exponent = exponent * 10 + (*p - '0');
	}
	q->family = EXPONENT;
	return scale_decimal(&q->nano, negative ? -exponent : exponent);
}

static bool apply_suffix(const char *suffix, struct quantity *q)
{
	static const char binary[] = "KMGTPE", decimal[] = "num kMGTPE";
	const char *at;
	if (!*suffix)
		return true;
	if (suffix[1] == 'i' && !suffix[2] && (at = strchr(binary, suffix[0]))) {
		q->family = BINARY;
		return scale_binary(&q->nano, (int)(at - binary) + 1);
	}
	if (!suffix[1] && suffix[0] != ' ' && (at = strchr(decimal, suffix[0])))
		return scale_decimal(&q->nano, ((int)(at - decimal) - 3) * 3);
	return (suffix[0] == 'e' || suffix[0] == 'E') && apply_exponent(suffix, q);
}

static bool quantity_read(const char *text, struct quantity *q)
{
	const char *p = text;
	__int128 scale = 1000000000;
	bool any = false;
	*q = (struct quantity){ .negative = *p == '-' };
	if (*p == '-' || *p == '+')
		p++;
	for (; *p >= '0' && *p <= '9'; p++, any = true) {
		if (q->nano > LARGEST_NANO / 10)
			return false;
		q->nano = q->nano * 10 + (*p - '0') * (__int128)1000000000;
	}
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, any = true) {
			scale /= 10;
			q->nano += (*p - '0') * scale;
		}
	return any && apply_suffix(p, q) && q->nano <= LARGEST_NANO;
}

bool kube_quantity_parse(const char *text, int64_t *out_milli)
{
	struct quantity q;
	if (!text || !quantity_read(text, &q))
		return false;
	__int128 milli = (q.nano + 999999) / 1000000;
	if (milli > INT64_MAX)
		milli = INT64_MAX;
	*out_milli = (int64_t)(q.negative ? -milli : milli);
	return true;
}

bool kube_quantity_text(const char *text, char out[32])
{
	static const char *const binary[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	static const char *const decimal[] = { "n", "u", "m", "", "k", "M", "G", "T", "P", "E" };
	static const char *const exponents[] = { "e-9", "e-6", "e-3", "", "e3", "e6", "e9", "e12",
						 "e15", "e18" };
	struct quantity q;
	int step = 0;
	if (!quantity_read(text, &q))
		return false;
	const char *sign = q.negative && q.nano ? "-" : "";
	__int128 unit = 1000000000, value = q.nano;
	/* Binary only for whole numbers of at least 1024, else decimal. */
	if (q.family == BINARY && value % unit == 0 && value >= 1024 * unit) {
		for (value /= unit; step < 6 && value % 1024 == 0; step++)
			value /= 1024;
		snprintf(out, 32, "%s%lld%s", sign, (long long)value, binary[step]);
		return true;
	}
	if (value == 0)
		step = 3;
	for (; step < 9 && value && value % 1000 == 0; step++)
		value /= 1000;
	snprintf(out, 32, "%s%lld%s", sign, (long long)value,
		 q.family == EXPONENT ? exponents[step] : decimal[step]);
	return true;
}
