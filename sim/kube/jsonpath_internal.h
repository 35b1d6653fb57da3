/* kube/jsonpath_internal.h: a parsed template. */
#ifndef KUBE_JSONPATH_INTERNAL_H
#define KUBE_JSONPATH_INTERNAL_H

#include "kube/jsonpath.h"

enum node_kind {
	NODE_TEXT,      /* outside braces, or a quoted string: `text` */
	NODE_FIELD,     /* `text`; "" is the current value itself */
	NODE_SLICE,     /* from, to, step */
	NODE_WILDCARD,
	NODE_RECURSIVE,
	NODE_FILTER,    /* left op right; op "exists" has no right side */
	NODE_UNION,     /* children: paths */
	NODE_PATH,      /* children: steps that follow each other */
	NODE_RANGE,     /* children[0]: the path; the rest: what is printed for each */
	NODE_NUMBER, NODE_BOOL /* literals of filters, in number and truth */
};

struct node {
	enum node_kind kind;
	const char *text;        /* also a filter's operator */
	bool has_from, has_to;
	int64_t from, to, step;
	double number;
	bool truth, dollar;      /* dollar: the path starts at the root */
	struct node *left, *right;
	struct node **children;
	uint32_t count, capacity;
};

struct jsonpath {
	struct arena *arena;
	const char *text;
	struct node *root;       /* NODE_PATH whose children are actions and texts */
};

struct node *jsonpath_node(struct jsonpath *p, enum node_kind kind);
void jsonpath_add(struct jsonpath *p, struct node *parent, struct node *child);

#endif
