/* apps/http.h: as much of HTTP/1.1 (RFC 9112) as the simulated programs speak.
 *
 * One message at a time, incremental, bounded: a head over HTTP_HEAD_LIMIT bytes or
 * a body over HTTP_BODY_LIMIT is an error. Chunked bodies are not spoken: our
 * servers always send Content-Length.
 */
#ifndef APPS_HTTP_H
#define APPS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strbuf.h"

#define HTTP_HEAD_LIMIT 16384u
#define HTTP_BODY_LIMIT (16u << 20)

enum http_state { HTTP_MORE, HTTP_COMPLETE, HTTP_BAD };

struct http_message {
	struct strbuf bytes;      /* what arrived and was not taken yet */
	size_t head_length;       /* with the empty line; 0 while it is not complete */
	size_t body_length;       /* Content-Length */
	char method[16], path[512]; /* requests */
	int status;               /* responses */
	bool close;               /* Connection: close, or HTTP/1.0 without keep-alive */
	bool head_only;           /* set by the reader: an answer to HEAD has no body */
};

/* Appends bytes and parses; call http_take after HTTP_COMPLETE, then again with no
 * bytes for a pipelined message. */
enum http_state http_feed(struct http_message *m, const void *bytes, size_t length);
/* A header's value of the complete head, or "" ; copied to `out`. */
const char *http_header(const struct http_message *m, const char *name, char *out, size_t size);
const char *http_body(const struct http_message *m);
/* Removes the complete message from the buffer. */
void http_take(struct http_message *m);
void http_free(struct http_message *m);

/* "OK", "Not Found", ... */
const char *http_reason(int status);

#endif
