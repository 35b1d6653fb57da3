/* apps/http.c: see http.h. */
#include "apps/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool first_line(struct http_message *m)
{
	const char *line = m->bytes.data;
	const char *end = strstr(line, "\r\n");
	size_t length = (size_t)(end - line);
	if (length >= 9 && memcmp(line, "HTTP/1.", 7) == 0) {
		m->status = atoi(line + 9);
		m->close = line[7] == '0';
		return m->status >= 100 && m->status <= 599;
	}
	const char *space = memchr(line, ' ', length);
	const char *last = space ? memchr(space + 1, ' ', length - (size_t)(space + 1 - line)) : NULL;
	if (!last || (size_t)(space - line) >= sizeof m->method ||
	    (size_t)(last - space - 1) >= sizeof m->path || strncmp(last + 1, "HTTP/1.", 7) != 0)
		return false;
	snprintf(m->method, sizeof m->method, "%.*s", (int)(space - line), line);
	snprintf(m->path, sizeof m->path, "%.*s", (int)(last - space - 1), space + 1);
	m->close = last[8] == '0';
	return true;
}

static bool parse_head(struct http_message *m)
{
	char value[64];
	m->status = 0;
	if (!first_line(m))
		return false;
	if (!m->head_only && *http_header(m, "Content-Length", value, sizeof value)) {
		char *rest;
		unsigned long n = strtoul(value, &rest, 10);
		if (*rest || n > HTTP_BODY_LIMIT)
			return false;
		m->body_length = n;
	} else {
		m->body_length = 0;
	}
	http_header(m, "Connection", value, sizeof value);
	if (strcasecmp(value, "close") == 0)
		m->close = true;
	if (strcasecmp(value, "keep-alive") == 0)
		m->close = false;
	return true;
}

enum http_state http_feed(struct http_message *m, const void *bytes, size_t length)
{
	if (length)
		strbuf_add(&m->bytes, bytes, length);
	if (!m->bytes.length)
		return HTTP_MORE;
	if (!m->head_length) {
		const char *end = strstr(m->bytes.data, "\r\n\r\n");
		if (!end)
			return m->bytes.length > HTTP_HEAD_LIMIT || strlen(m->bytes.data) < m->bytes.length
				       ? HTTP_BAD : HTTP_MORE;
		m->head_length = (size_t)(end - m->bytes.data) + 4;
		if (m->head_length > HTTP_HEAD_LIMIT || !parse_head(m))
			return HTTP_BAD;
	}
	return m->bytes.length >= m->head_length + m->body_length ? HTTP_COMPLETE : HTTP_MORE;
}

const char *http_header(const struct http_message *m, const char *name, char *out, size_t size)
{
	size_t name_length = strlen(name);
	const char *end = m->bytes.data + m->head_length;
	out[0] = '\0';
	for (const char *line = m->bytes.data; line && line < end;) {
		const char *stop = strstr(line, "\r\n");
		if (!stop)
			break;
		if (strncasecmp(line, name, name_length) == 0 && line[name_length] == ':') {
			const char *value = line + name_length + 1;
			while (*value == ' ')
				value++;
			snprintf(out, size, "%.*s", (int)(stop - value), value);
			return out;
		}
		line = stop + 2;
	}
	return out;
}

const char *http_body(const struct http_message *m)
{
	return m->bytes.data + m->head_length;
}

void http_take(struct http_message *m)
{
	size_t used = m->head_length + m->body_length;
	memmove(m->bytes.data, m->bytes.data + used, m->bytes.length - used + 1);
	m->bytes.length -= used;
	m->head_length = m->body_length = 0;
	m->status = 0;
}

void http_free(struct http_message *m)
{
	strbuf_free(&m->bytes);
}

const char *http_reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 301: return "Moved Permanently";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	default: return "Status";
	}
}
