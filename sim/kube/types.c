/* kube/types.c: see types.h. */
#include "kube/types.h"

#include <stdio.h>
#include <string.h>

bool kube_is(const char *value, const char *constant)
{
	return value && constant && strcmp(value, constant) == 0;
}

const char *kube_map_get(const struct kube_map *m, const char *key)
{
	uint32_t low = 0, high = m->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(m->items[middle].key, key);
		if (order == 0)
			return m->items[middle].value;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool has_all(const struct kube_map *wanted, const struct kube_map *labels)
{
	for (uint32_t i = 0; i < wanted->count; i++)
		if (!kube_is(kube_map_get(labels, wanted->items[i].key), wanted->items[i].value))
			return false;
	return true;
}

bool kube_map_selects(const struct kube_map *wanted, const struct kube_map *labels)
{
	return wanted->count && has_all(wanted, labels);
}

static bool has_value(const struct kube_strings *values, const char *value)
{
	for (uint32_t i = 0; i < values->count; i++)
		if (kube_is(value, values->items[i]))
			return true;
	return false;
}

static bool requirement_holds(const struct kube_selector_requirement *r,
			      const struct kube_map *labels)
{
	const char *value = kube_map_get(labels, r->key);
	if (kube_is(r->op, "In"))
		return value && has_value(&r->values, value);
	if (kube_is(r->op, "NotIn"))
		return !value || !has_value(&r->values, value);
	if (kube_is(r->op, "Exists"))
		return value;
	return kube_is(r->op, "DoesNotExist") && !value;
}

/* As metav1.LabelSelectorAsSelector: an absent selector matches nothing, an empty one
 * everything. */
bool kube_selector_matches(const struct kube_selector *s, const struct kube_map *labels)
{
	if (!s->set || !has_all(&s->match_labels, labels))
		return false;
	for (uint32_t i = 0; i < s->expressions.count; i++)
		if (!requirement_holds(&s->expressions.items[i], labels))
			return false;
	return true;
}

bool kube_condition_true(const struct kube_conditions *c, const char *type)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (kube_is(c->items[i].type, type))
			return kube_is(c->items[i].status, "True");
	return false;
}

/* ---- durations --------------------------------------------------------------- */

/* The unit at `p`; its length, 0 when there is none. */
static size_t duration_unit(const char *p, int64_t *ns)
{
	static const struct { const char *name; int64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 },
		{ "ms", 1000000 }, { "s", 1000000000 }, { "m", INT64_C(60000000000) },
		{ "h", INT64_C(3600000000000) },
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t length = strlen(units[i].name);
		if (strncmp(p, units[i].name, length) == 0) {
			*ns = units[i].ns;
			return length;
		}
	}
	return 0;
}

bool kube_duration_parse(const char *text, int64_t *out_ns)
{
	const char *p = text;
	bool negative = *p == '-', any = false;
	__int128 total = 0;
	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, "0") == 0) {
		*out_ns = 0;
		return true;
	}
	while (*p) {
		__int128 whole = 0, fraction = 0, scale = 1;
		int64_t unit;
		int digits = 0;
		for (; *p >= '0' && *p <= '9'; p++, digits++)
			if (whole <= INT64_MAX)
				whole = whole * 10 + (*p - '0');
		if (*p == '.')
			for (p++; *p >= '0' && *p <= '9'; p++, digits++)
				if (scale < INT64_C(1000000000000)) {
					fraction = fraction * 10 + (*p - '0');
					scale *= 10;
				}
		size_t length = duration_unit(p, &unit);
		if (!digits || !length)
			return false;
		p += length;
		total += whole * unit + fraction * unit / scale;
		if (total > INT64_MAX)
			return false;
		any = true;
	}
	*out_ns = (int64_t)(negative ? -total : total);
	return any;
}

/* ---- dates ------------------------------------------------------------------- */

/* Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant's algorithm). */
static int64_t days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t of = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * of + of / 4 - of / 100);
	int64_t part = (5 * of_year + 2) / 153;
	*day = (int)(of_year - (153 * part + 2) / 5 + 1);
	*month = (int)(part < 10 ? part + 3 : part - 9);
	*year = of + era * 400 + (*month <= 2);
}

const char *kube_time_text(int64_t ns, char out[KUBE_TIME_TEXT])
{
	int64_t s = ns / 1000000000 - (ns % 1000000000 < 0) + KUBE_EPOCH_S, year;
	int64_t days = s / 86400 - (s % 86400 < 0), rest = s - days * 86400;
	int month, day;
	date_from_days(days, &year, &month, &day);
	snprintf(out, KUBE_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, month, day,
		 (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
	return out;
}

/* Decimal digits of exactly this width. */
static bool take_number(const char **p, int width, int low, int high, int *out)
{
	*out = 0;
	for (int i = 0; i < width; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return *out >= low && *out <= high;
}

static bool take_char(const char **p, char c)
{
	return *(*p)++ == c;
}

bool kube_time_parse(const char *text, int64_t *out_ns)
{
	int year, month, day, hour, minute, second, zone_hour = 0, zone_minute = 0;
	int64_t fraction = 0, scale = 100000000;
	const char *p = text;
	if (strnlen(text, 20) < 20 || !take_number(&p, 4, 1750, 2250, &year) ||
	    !take_char(&p, '-') || !take_number(&p, 2, 1, 12, &month) || !take_char(&p, '-') ||
	    !take_number(&p, 2, 1, 31, &day) || !take_char(&p, 'T') ||
	    !take_number(&p, 2, 0, 23, &hour) || !take_char(&p, ':') ||
	    !take_number(&p, 2, 0, 59, &minute) || !take_char(&p, ':') ||
	    !take_number(&p, 2, 0, 60, &second))
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			fraction += (*p - '0') * scale;
	int sign = *p == '-' ? 1 : -1; /* east of Greenwich is earlier in UTC */
	if (*p == '+' || *p == '-') {
		p++;
		if (!take_number(&p, 2, 0, 23, &zone_hour) || !take_char(&p, ':') ||
		    !take_number(&p, 2, 0, 59, &zone_minute))
			return false;
	} else if (!take_char(&p, 'Z')) {
		return false;
	}
	if (*p)
		return false;
	int64_t s = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second +
		    sign * (zone_hour * 3600 + zone_minute * 60);
	*out_ns = (s - KUBE_EPOCH_S) * 1000000000 + fraction;
	return true;
}
