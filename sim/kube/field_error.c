/* kube/field_error.c: see field_error.h. */
#include "kube/field_error.h"

#include <string.h>

static void put_path(struct strbuf *out, const struct field_path *at)
{
	if (at->up) {
		put_path(out, at->up);
		strbuf_putc(out, '.');
	}
	strbuf_puts(out, at->name);
	if (at->index != NO_INDEX)
		strbuf_printf(out, "[%u]", at->index);
}

/* As Go's strconv.Quote; text beyond ASCII is taken to be printable. */
void field_quote(struct strbuf *out, const char *value)
{
	strbuf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)(value ? value : ""); *p; p++) {
		static const char special[] = "\a\b\f\n\r\t\v\"\\", names[] = "abfnrtv\"\\";
		const char *at = strchr(special, *p);
		if (at)
			strbuf_printf(out, "\\%c", names[at - special]);
		else if (*p < 0x20 || *p == 0x7f)
			strbuf_printf(out, "\\x%02x", *p);
		else
			strbuf_putc(out, (char)*p);
	}
	strbuf_putc(out, '"');
}

static void put_json(struct strbuf *out, const char *value)
{
	strbuf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)(value ? value : ""); *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_printf(out, "\\%c", *p);
		else if (*p == '\n')
			strbuf_puts(out, "\\n");
		else if (*p == '\t')
			strbuf_puts(out, "\\t");
		else if (*p < 0x20 || *p == '<' || *p == '>' || *p == '&')
			strbuf_printf(out, "\\u%04x", *p);
		else
			strbuf_putc(out, (char)*p);
	}
	strbuf_putc(out, '"');
}

void field_json_strings(struct strbuf *out, const struct kube_strings *value)
{
	if (!value->items && !value->count) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_putc(out, '[');
	for (uint32_t i = 0; i < value->count; i++) {
		if (i)
			strbuf_putc(out, ',');
		put_json(out, value->items[i]);
	}
	strbuf_putc(out, ']');
}

void field_json_map(struct strbuf *out, const struct kube_map *value)
{
	if (!value->count) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_putc(out, '{');
	for (uint32_t i = 0; i < value->count; i++) {
		if (i)
			strbuf_putc(out, ',');
		put_json(out, value->items[i].key);
		strbuf_putc(out, ':');
		put_json(out, value->items[i].value);
	}
	strbuf_putc(out, '}');
}

static void begin(struct strbuf *errors, const struct field_path *at, const char *type)
{
	put_path(errors, at);
	strbuf_printf(errors, ": %s", type);
}

static void end(struct strbuf *errors, const char *detail)
{
	if (detail && *detail)
		strbuf_printf(errors, ": %s", detail);
	strbuf_putc(errors, '\n');
}

void field_required(struct strbuf *errors, const struct field_path *at, const char *detail)
{
	begin(errors, at, "Required value");
	end(errors, detail);
}

void field_forbidden(struct strbuf *errors, const struct field_path *at, const char *detail)
{
	begin(errors, at, "Forbidden");
	end(errors, detail);
}

void field_not_found(struct strbuf *errors, const struct field_path *at, const char *value)
{
	begin(errors, at, "Not found: ");
	field_quote(errors, value);
	end(errors, NULL);
}

void field_duplicate(struct strbuf *errors, const struct field_path *at, const char *value)
{
	begin(errors, at, "Duplicate value: ");
	field_quote(errors, value);
	end(errors, NULL);
}

void field_duplicate_raw(struct strbuf *errors, const struct field_path *at, const char *value)
{
	begin(errors, at, "Duplicate value: ");
	strbuf_printf(errors, "%s\n", value);
}

void field_too_many(struct strbuf *errors, const struct field_path *at, uint32_t count,
		    uint32_t most)
{
	begin(errors, at, "Too many");
	strbuf_printf(errors, ": %u: must have at most %u items\n", count, most);
}

void field_too_long(struct strbuf *errors, const struct field_path *at, uint32_t most)
{
	begin(errors, at, "Too long");
	strbuf_printf(errors, ": may not be more than %u byte%s\n", most, most == 1 ? "" : "s");
}

static void put_detail(struct strbuf *errors, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void put_detail(struct strbuf *errors, const char *fmt, va_list ap)
{
	strbuf_puts(errors, ": ");
	strbuf_vprintf(errors, fmt, ap);
	strbuf_putc(errors, '\n');
}

void field_invalid(struct strbuf *errors, const struct field_path *at, const char *value,
		   const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	field_quote(errors, value);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

void field_invalid_int(struct strbuf *errors, const struct field_path *at, int64_t value,
		       const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	strbuf_printf(errors, "%lld", (long long)value);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

void field_invalid_strings(struct strbuf *errors, const struct field_path *at,
			   const struct kube_strings *value, const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	field_json_strings(errors, value);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

void field_invalid_map(struct strbuf *errors, const struct field_path *at,
		       const struct kube_map *value, const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	field_json_map(errors, value);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

void field_invalid_raw(struct strbuf *errors, const struct field_path *at, const char *value,
		       const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	strbuf_puts(errors, value);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

void field_invalid_int_or_string(struct strbuf *errors, const struct field_path *at,
				 const struct int_or_string *value, const char *fmt, ...)
{
	va_list ap;
	begin(errors, at, "Invalid value: ");
	if (value->kind == 's')
		put_json(errors, value->string);
	else
		strbuf_printf(errors, "%d", value->number);
	va_start(ap, fmt);
	put_detail(errors, fmt, ap);
	va_end(ap);
}

bool field_is_one_of(const char *value, const char *const *supported)
{
	for (; *supported; supported++)
		if (kube_is(value, *supported))
			return true;
	return false;
}

void field_not_supported_raw(struct strbuf *errors, const struct field_path *at,
			     const char *value, const char *const *supported)
{
	begin(errors, at, "Unsupported value: ");
	strbuf_printf(errors, "%s: supported values: ", value);
	for (uint32_t i = 0; supported[i]; i++)
		strbuf_printf(errors, "%s\"%s\"", i ? ", " : "", supported[i]);
	strbuf_putc(errors, '\n');
}

void field_not_supported(struct strbuf *errors, const struct field_path *at, const char *value,
			 const char *const *supported)
{
	struct strbuf quoted = { 0 };
	field_quote(&quoted, value);
	field_not_supported_raw(errors, at, quoted.data, supported);
	strbuf_free(&quoted);
}
