/* linux/nft/lex.c: nft text to tokens.
 *
 * A word that begins with a letter may hold '/', '-', '_' and '.', as nft's own names do,
 * and one '*' at its end; a word that begins with a digit holds letters, digits and dots.
 * Hexadecimal digits with two or more colons are one token: an IPv6 address or a MAC.
 */
#include "linux/nft/parse.h"

#include <ctype.h>
#include <string.h>

void nft_lex_open(struct nft_lexer *l, const char *text, size_t length)
{
	*l = (struct nft_lexer){ .at = text, .end = text + length, .line_start = text, .line = 1 };
}

unsigned nft_token_column(const struct nft_token *t)
{
	return (unsigned)(t->text - t->line_start) + 1 - (t->kind == TK_STRING);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '/' || c == '.';
}

/* Length of an IPv6 address or MAC that begins here, 0: none. */
static uint32_t address_length(const char *at, const char *end)
{
	unsigned colons = 0;
	const char *p = at;
	char text[NET_ADDR_TEXT];
	struct net_addr a;
	while (p < end && (isxdigit((unsigned char)*p) || *p == ':' || *p == '.') && p - at < 46)
		colons += *p++ == ':';
	uint32_t length = (uint32_t)(p - at);
	if (colons < 2 || length >= sizeof text)
		return 0;
	memcpy(text, at, length);
	text[length] = '\0';
	if (net_addr_parse(text, &a))
		return length;
	return colons == 5 && length == 17 ? length : 0;
}

static bool may_be_address(const struct nft_lexer *l)
{
	const char *p = l->at;
	unsigned n = 0;
	while (p < l->end && n < 5 && isxdigit((unsigned char)*p)) {
		p++;
		n++;
	}
	return n < 5 && p < l->end && *p == ':' && (n || (p + 1 < l->end && p[1] == ':'));
}

static void skip_blank(struct nft_lexer *l)
{
	for (; l->at < l->end; l->at++) {
		if (*l->at == '#') {
			while (l->at + 1 < l->end && l->at[1] != '\n')
				l->at++;
		} else if (*l->at == '\\' && l->at + 1 < l->end && l->at[1] == '\n') {
			l->at++;
			l->line++;
			l->line_start = l->at + 1;
		} else if (*l->at != ' ' && *l->at != '\t' && *l->at != '\r') {
			return;
		}
	}
}

static void lex_string(struct nft_lexer *l, struct nft_token *t)
{
	const char *p = l->at + 1;
	while (p < l->end && *p != '"' && *p != '\n')
		p++;
	t->text = l->at + 1;
	t->length = (uint32_t)(p - t->text);
	t->kind = p < l->end && *p == '"' ? TK_STRING : TK_BAD;
	l->at = t->kind == TK_STRING ? p + 1 : p;
}

static void lex_word(struct nft_lexer *l, struct nft_token *t)
{
	const char *p = l->at;
	if (may_be_address(l)) {
		t->length = address_length(p, l->end);
		if (t->length) {
			t->kind = TK_ADDRESS;
			l->at += t->length;
			return;
		}
	}
	if (isdigit((unsigned char)*p)) {
		t->kind = TK_NUMBER;
		while (p < l->end && (isalnum((unsigned char)*p) || *p == '.' || *p == '_'))
			p++;
	} else {
		t->kind = TK_WORD;
		while (p < l->end && is_name(*p))
			p++;
		if (p < l->end && *p == '*')
			p++;
	}
	t->length = (uint32_t)(p - l->at);
	l->at = p;
}

static void lex_sign(struct nft_lexer *l, struct nft_token *t)
{
	static const struct {
		char text[3];
		uint16_t kind;
	} pairs[] = { { "==", TK_EQ }, { "!=", TK_NE }, { "<=", TK_LE }, { ">=", TK_GE },
		      { "<<", TK_LSHIFT }, { ">>", TK_RSHIFT } };
	t->kind =
	    strchr("{}(),;:.=<>&|^!/-+@$*[]%", *l->at) ? (uint16_t)(unsigned char)*l->at : TK_BAD;
	t->length = 1;
	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (l->end - l->at >= 2 && memcmp(l->at, pairs[i].text, 2) == 0) {
			t->kind = pairs[i].kind;
			t->length = 2;
		}
	}
	l->at += t->length;
}

void nft_lex(struct nft_lexer *l, struct nft_token *t)
{
	skip_blank(l);
	*t = (struct nft_token){ .text = l->at, .kind = TK_END, .line = l->line,
				 .line_start = l->line_start };
	if (l->at >= l->end)
		return;
	unsigned char c = (unsigned char)*l->at;
	if (c == '\n') {
		t->kind = '\n';
		t->length = 1;
		l->at++;
		l->line++;
		l->line_start = l->at;
	} else if (c == '"') {
		lex_string(l, t);
	} else if (isalnum(c) || c == '_' || (c == ':' && may_be_address(l))) {
		lex_word(l, t);
		if (!t->length)
			lex_sign(l, t);
	} else if (c) {
		lex_sign(l, t);
	} else {
		t->kind = TK_BAD;
		t->length = 1;
		l->at++;
	}
}
