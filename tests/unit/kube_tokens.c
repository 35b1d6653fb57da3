/* tests/unit/kube_tokens.c: the plain reader finds what libfyaml finds. */
#include <stdlib.h>

#include "check.h"
#include "core/choice.h"
#include "core/file.h"
#include "kube/plain.h"
#include "tokens_same.h"

static bool accepts(const char *text)
{
	const char *stop;
	int line;
	return plain_accepts(text, text + strlen(text), 1, &stop, &line);
}

static void agree(const char *text, size_t length, const char *place)
{
	char why[256] = "";
	check_note(tokens_same(text, length, why), place, 0, "%s\n  in: %.*s", why,
		   (int)(length < 400 ? length : 400), text);
}

static void files(void)
{
	static const char *const paths[] = {
		"tests/golden/manifest/tutorials.yaml", "tests/golden/kube-proxy/five/cluster.yaml",
		"tests/golden/kube-proxy/rules/101/cluster.yaml",
		"tests/golden/kube-proxy/rules/125/cluster.yaml", "tests/golden/dns/ci.yaml",
		"tests/golden/print/strings.yaml", "tests/golden/jsonpath/object.yaml",
	};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct strbuf text = { 0 };
		struct err err = { "" };
		if (file_read(paths[i], &text, &err))
			check_note(false, paths[i], 0, "%s", err.text);
		agree(strbuf_text(&text), text.length, paths[i]);
		strbuf_free(&text);
	}
}

static const char *const texts[] = {
	"a: b\n",
	"a: b",
	"a:\n",
	"a:\nb: c\n",
	"a:\n  b: c\n",
	"a:\n- b\n- c\nd: e\n",
	"- a\n- b\n",
	"-\n  a: b\n-\n- c\n",
	"- - a\n  - b\n- c\n",
	"- a: b\n  c: d\n-   e: f\n",
	"a:   b  \n",
	"a: b # c\n",
	"a: b#c\n",
	"# x\n\na: b\n  # y\nc: d\n",
	"a: 'b c'\n",
	"a: \"b: c\" # d\n",
	"\"a b\": c\n'd': e\n",
	"a: [b, c, 'd']\n",
	"a: {b: c, d: [e, {f: g}]}\n",
	"a: []\nb: {}\n",
	"a: http://x/y:80\n",
	"a: 1.2.3.4:80\n",
	"a: -1\n",
	"a: --b\n",
	"---\na: b\n---\nc: d\n...\n---\n",
	"a: b\n---\n",
	"--- # x\na: b\n",
	"a:\n- b:\n  - c\n  d: e\n",
	"  a: b\n  c: d\n",
	"a: b:c\n",
	"[a, b]\n",
	"{a: b}\n",
	"a: {b: 10:20, c: 'x y'}\n",
	"80: x\n",
	"a.b/c-d: e\n",
	"a: b\n\n\n",
};

static void small_texts(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		agree(texts[i], strlen(texts[i]), "a small text");
}

/* What is not plain, or no YAML, is left to libfyaml. */
static void left_alone(void)
{
	static const char *const others[] = {
		"a: &b c\n",	"a: *b\n",	  "a: |\n  b\n",      "a: !!str b\n",
		"a: b\n  c\n",	"a: b: c\n",	  "a: 'b\n  c'\n",    "a: \"b\\n\"\n",
		"a: 'it''s'\n", "a:\tb\n",	  "a: caf\xc3\xa9\n", "a:\n b: c\n  d: e\n",
		"? a\n: b\n",	"a: [b,\n  c]\n", "a: b\n- c\n",      "a\n",
		"<<: *x\n",	"a: {b}\n",	  "a: [b: c]\n",      "a: @b\n",
		"a: {b: c,}\n", "a: 'b' c\n",	  "- a\nb: c\n",      "a: b\r\n",
		"a: - b\n",	"%YAML 1.1\n",
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		check_note(!accepts(others[i]), "plain", 0, "accepts %s", others[i]);
		agree(others[i], strlen(others[i]), "another text");
	}
}

/* Random changes of the small texts, glued together: thousands of nearly plain ones. */
static void random_texts(void)
{
	static const char bytes[] = "ab: \n-#[]{},'\"&*|0.\t>?!%";
	struct choice *c = choice_new(17);
	unsigned plain = 0;
	for (int i = 0; i < 20000; i++) {
		struct strbuf text = { 0 };
		uint64_t pieces = 1 + choice_uniform(c, "pieces", 3),
			 changes = choice_uniform(c, "changes", 4);
		while (pieces--)
			strbuf_puts(&text,
				    texts[choice_uniform(c, "text", sizeof texts / sizeof *texts)]);
		while (changes-- && text.length) {
			size_t at = (size_t)choice_uniform(c, "at", text.length);
			text.data[at] = bytes[choice_uniform(c, "byte", sizeof bytes - 1)];
		}
		plain += accepts(text.data);
		agree(text.data, text.length, "a random text");
		strbuf_free(&text);
		if (check_failed)
			break;
	}
	CHECK(plain > 2000);
	choice_free(c);
}

static const struct check tests[] = {
	{ "manifests have the same tokens for both readers", files },
	{ "small texts have the same tokens for both readers", small_texts },
	{ "what is not plain is left to libfyaml", left_alone },
	{ "20,000 random texts have the same tokens, or an error, for both readers", random_texts },
};

CHECK_MAIN(tests)
