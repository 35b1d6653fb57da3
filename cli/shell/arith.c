/* cli/shell/arith.c: $((...)) and `let`: integers as C has them, variables, assignments. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/words.h"

#define ARITH_DEPTH 50

struct arith {
	struct shell *s;
	const char *at;
	const char *wrong;       /* NULL: nothing */
	int depth;
};

static int64_t binary(struct arith *a, int level);

static void skip(struct arith *a)
{
	a->at += strspn(a->at, " \t\n");
}

static bool take(struct arith *a, const char *op)
{
	skip(a);
	size_t n = strlen(op);
	if (strncmp(a->at, op, n) != 0)
		return false;
	a->at += n;
	return true;
}

static int64_t value_of(const struct arith *a, const char *name)
{
	const char *text = shell_get(a->s, name);
	return text ? strtoll(text, NULL, 0) : 0;
}

static int64_t assign(struct arith *a, const char *name, int64_t value)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)value);
	shell_set(a->s, name, text);
	return value;
}

static int64_t variable(struct arith *a)
{
	char name[64];
	size_t n = 0;
	while (isalnum((unsigned char)a->at[n]) || a->at[n] == '_')
		n++;
	snprintf(name, sizeof name, "%.*s", (int)n, a->at);
	a->at += n;
	skip(a);
	int64_t old = value_of(a, name);
	if (take(a, "++"))
		assign(a, name, (int64_t)((uint64_t)old + 1));
	else if (take(a, "--"))
		assign(a, name, (int64_t)((uint64_t)old - 1));
	else if (take(a, "+="))
		return assign(a, name, (int64_t)((uint64_t)old + (uint64_t)binary(a, 0)));
	else if (take(a, "-="))
		return assign(a, name, (int64_t)((uint64_t)old - (uint64_t)binary(a, 0)));
	else if (*a->at == '=' && a->at[1] != '=' && take(a, "="))
		return assign(a, name, binary(a, 0));
	return old;
}

static int64_t unary(struct arith *a)
{
	int64_t v = 0;
	skip(a);
	if (++a->depth > ARITH_DEPTH) {
		a->wrong = "too deep";
	} else if (take(a, "(")) {
		v = binary(a, 0);
		if (!take(a, ")"))
			a->wrong = "missing `)'";
	} else if (*a->at == '!' && a->at[1] != '=' && take(a, "!")) {
		v = !unary(a);
	} else if (take(a, "-")) {
		v = (int64_t)(0 - (uint64_t)unary(a));
	} else if (take(a, "+")) {
		v = unary(a);
	} else if (take(a, "~")) {
		v = ~unary(a);
	} else if (isdigit((unsigned char)*a->at)) {
		char *end;
		v = strtoll(a->at, &end, 0);
		a->at = end;
	} else if (isalpha((unsigned char)*a->at) || *a->at == '_') {
		v = variable(a);
	} else {
		a->wrong = "operand expected";
	}
	a->depth--;
	return v;
}

static const struct operator { const char *text; int level; } operators[] = {
	{ "||", 1 }, { "&&", 2 }, { "|", 3 }, { "^", 4 }, { "&", 5 }, { "==", 6 }, { "!=", 6 },
	{ "<=", 7 }, { ">=", 7 }, { "<<", 8 }, { ">>", 8 }, { "<", 7 }, { ">", 7 }, { "+", 9 },
	{ "-", 9 }, { "*", 10 }, { "/", 10 }, { "%", 10 },
};

static const struct operator *operator_here(struct arith *a)
{
	skip(a);
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (strncmp(a->at, operators[i].text, strlen(operators[i].text)) == 0)
			return &operators[i];
	return NULL;
}

static int64_t divide(struct arith *a, char op, int64_t x, int64_t y)
{
	if (y == 0) {
		a->wrong = "division by 0";
		return 0;
	}
	if (y == -1)
		return op == '/' ? (int64_t)(0 - (uint64_t)x) : 0;
	return op == '/' ? x / y : x % y;
}

static int64_t apply(struct arith *a, const char *op, int64_t x, int64_t y)
{
	uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
	if (op[1] == '=')
		return *op == '=' ? x == y : *op == '!' ? x != y : *op == '<' ? x <= y : x >= y;
	if (op[1]) /* the same character twice */
		return *op == '|' ? x || y : *op == '&' ? x && y
		       : *op == '<' ? (int64_t)(ux << (uy & 63)) : x >> (uy & 63);
	switch (*op) {
	case '|':
		return x | y;
	case '^':
		return x ^ y;
	case '&':
		return x & y;
	case '<':
		return x < y;
	case '>':
		return x > y;
	case '+':
		return (int64_t)(ux + uy);
	case '-':
		return (int64_t)(ux - uy);
	case '*':
		return (int64_t)(ux * uy);
	default:
		return divide(a, *op, x, y);
	}
}

/* Operators of a level above `level`, from the left. */
static int64_t binary(struct arith *a, int level)
{
	int64_t v = unary(a);
	const struct operator *op;
	while (!a->wrong && (op = operator_here(a)) != NULL && op->level > level) {
		a->at += strlen(op->text);
		int64_t right = binary(a, op->level);
		v = apply(a, op->text, v, right);
	}
	return v;
}

int64_t shell_arithmetic(struct shell *s, const char *text, const struct io *io)
{
	struct arith a = { .s = s, .at = text };
	skip(&a);
	if (!*a.at)
		return 0;
	int64_t v = binary(&a, 0);
	skip(&a);
	if (!a.wrong && *a.at)
		a.wrong = "syntax error in expression";
	if (!a.wrong)
		return v;
	strbuf_printf(io->err, "sh: %s: %s\n", text, a.wrong);
	return 0;
}
