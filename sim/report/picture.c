/* report/picture.c: see picture.h. */
#include "report/picture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MARGIN 8
#define INSIDE 10 /* from a panel's edge to what is in it */
#define LINE 18   /* height of a line of text */
#define CHIP 20   /* height of a chip */
#define GAP 16    /* between chips: room for an arrow */
/* No monospace font in use is wider: 0.62 of 12 pixels. Hundredths of a pixel. */
#define LETTER 744

struct sheet {
	struct strbuf body;
	int width, x, y; /* x: where the next chip goes, 0: none in this row */
};

/* ---- texts ----------------------------------------------------------------------- */

/* Length of the character at `p`; 0: not UTF-8, or not a character of XML. */
static size_t character(const char *p, size_t left)
{
	unsigned char c = (unsigned char)*p;
	if (c < 0x80)
		return c >= 0x20 || c == '\t' || c == '\n';
	size_t n = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
	if (!n || n > left)
		return 0;
	uint32_t point = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | ((unsigned char)p[i] & 0x3f);
	}
	bool overlong = (n == 3 && point < 0x800) || (n == 4 && point < 0x10000);
	bool outside = (point >= 0xd800 && point < 0xe000) || point > 0x10ffff || (point & 0xfffe) == 0xfffe;
	return overlong || outside ? 0 : n;
}

void picture_xml(const char *text, size_t length, struct strbuf *out)
{
	for (size_t i = 0; i < length;) {
		size_t n = character(text + i, length - i);
		if (!n)
			strbuf_puts(out, "\xef\xbf\xbd");
		else if (text[i] == '&')
			strbuf_puts(out, "&amp;");
		else if (text[i] == '<')
			strbuf_puts(out, "&lt;");
		else if (text[i] == '>')
			strbuf_puts(out, "&gt;");
		else if (text[i] == '"')
			strbuf_puts(out, "&quot;");
		else
			strbuf_add(out, text + i, n);
		i += n ? n : 1;
	}
}

/* Where the character after `count` ones begins. */
static size_t offset_of(const char *text, size_t length, size_t count)
{
	size_t i = 0;
	while (count-- && i < length) {
		size_t n = character(text + i, length - i);
		i += n ? n : 1;
	}
	return i;
}

static size_t characters(const char *text, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; count++)
		i += offset_of(text + i, length - i, 1);
	return count;
}

/* At most `room` characters: the middle goes, since names differ at both ends. */
static void shortened(const char *text, size_t length, size_t room, struct strbuf *out)
{
	size_t count = characters(text, length);
	if (count <= room) {
		picture_xml(text, length, out);
		return;
	}
	size_t head = (room - 1) / 2, tail = room - 1 - head;
	picture_xml(text, offset_of(text, length, head), out);
	strbuf_puts(out, "\xe2\x80\xa6");
	size_t from = offset_of(text, length, count - tail);
	picture_xml(text + from, length - from, out);
}

static size_t room_for(int pixels)
{
	return pixels < 4 * LETTER / 100 ? 4 : (size_t)(pixels * 100 / LETTER);
}

static void text_at(struct sheet *s, const char *class, int x, int y, const char *text, int pixels,
		    const char *tooltip)
{
	strbuf_printf(&s->body, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	if (tooltip && *tooltip) {
		strbuf_puts(&s->body, "<title>");
		picture_xml(tooltip, strlen(tooltip), &s->body);
		strbuf_puts(&s->body, "</title>");
	}
	shortened(text, strlen(text), room_for(pixels), &s->body);
	strbuf_puts(&s->body, "</text>\n");
}

/* ---- inside a panel -------------------------------------------------------------- */

static int left(void)
{
	return MARGIN + INSIDE;
}

static int across(const struct sheet *s)
{
	return s->width - 2 * left();
}

static void end_row(struct sheet *s)
{
	if (s->x)
		s->y += CHIP + 4;
	s->x = 0;
}

static void line(struct sheet *s, const char *class, const char *text, const char *tooltip)
{
	end_row(s);
	s->y += LINE;
	text_at(s, class, left(), s->y - 5, text, across(s), tooltip);
}

static void chip(struct sheet *s, const char *label, const char *tooltip)
{
	size_t letters = characters(label, strlen(label)), room = room_for(across(s) - 12);
	int wide = (int)(letters < room ? letters : room) * LETTER / 100 + 12;
	if (s->x && s->x + GAP + wide > left() + across(s))
		end_row(s);
	if (s->x) {
		strbuf_printf(&s->body, "<path class=\"svp-way\" d=\"M%d %dh%dm-4-3l4 3l-4 3\"/>\n", s->x + 3,
			      s->y + CHIP / 2, GAP - 6);
		s->x += GAP;
	} else {
		s->x = left();
	}
	strbuf_printf(&s->body, "<rect class=\"svp-chip\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n",
		      s->x, s->y, wide, CHIP);
	text_at(s, "svp-chain", s->x + 6, s->y + 14, label, wide - 12 + LETTER / 100, tooltip);
	s->x += wide;
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

static bool same(const char *a, const char *b)
{
	return strcmp(or_none(a), or_none(b)) == 0;
}

static bool in_chain(const struct trace_step *s)
{
	return *or_none(s->table) || *or_none(s->chain);
}

/* The next step that matched, of the same node and hook; NULL: none follows. */
static const struct trace_step *following(const struct trace *t, const struct trace_step *s)
{
	for (const struct trace_step *n = s + 1; n < t->steps + t->count; n++)
		if (!n->passed_over)
			return same(n->node, s->node) && same(n->hook, s->hook) ? n : NULL;
	return NULL;
}

/* A chain's steps that follow one another are one chip: the rules' numbers are told, each
 * rule is a line of the tooltip. Returns the last step of the chip. */
static const struct trace_step *chain_chip(struct sheet *sheet, const struct trace *t,
					   const struct trace_step *s)
{
	struct strbuf label = { 0 }, rules = { 0 }, notes = { 0 };
	strbuf_printf(&label, "%s%s%s", or_none(s->table), *or_none(s->table) && *or_none(s->chain) ? " " : "",
		      or_none(s->chain));
	for (uint32_t n = 0;; n++) {
		if (s->rule)
			strbuf_printf(&label, n ? ", %u" : " %u", s->rule);
		else if (strncmp(or_none(s->text), "policy", 6) == 0)
			strbuf_printf(&label, " %s", s->text);
		strbuf_printf(&rules, "%s%s", n ? "\n" : "", or_none(s->text));
		if (*or_none(s->note))
			strbuf_printf(&notes, "%s%s", notes.length ? "\n" : "", s->note);
		const struct trace_step *next = following(t, s);
		if (!next || !in_chain(next) || !same(next->table, s->table) || !same(next->chain, s->chain) ||
		    strncmp(or_none(s->text), "policy", 6) == 0)
			break;
		s = next;
	}
	chip(sheet, strbuf_text(&label), strbuf_text(&rules));
	for (const char *note = strbuf_text(&notes); *note;) {
		char one[512];
		size_t n = strcspn(note, "\n");
		snprintf(one, sizeof one, "\xe2\x86\xb3 %.*s", (int)n, note);
		line(sheet, "svp-change", one, one);
		note += n + (note[n] == '\n');
	}
	strbuf_free(&label);
	strbuf_free(&rules);
	strbuf_free(&notes);
	return s;
}

/* A translation is a step by itself, and then the rule says the same. */
static bool told_again(const struct trace_step *s, const struct trace_step *next)
{
	return !*or_none(s->chain) && *or_none(s->note) && next && in_chain(next) && same(next->note, s->note);
}

static const struct trace_step *hook(struct sheet *sheet, const struct trace *t, const struct trace_step *s)
{
	char text[640];
	if (!in_chain(s)) { /* route, socket: one line says it all */
		snprintf(text, sizeof text, "%s: %s%s%s", or_none(s->hook), or_none(s->text),
			 *or_none(s->note) ? " \xe2\x86\xb3 " : "", or_none(s->note));
		line(sheet, "svp-deed", text, text);
		return s;
	}
	line(sheet, "svp-hook", or_none(s->hook), NULL);
	for (;;) {
		const struct trace_step *next = following(t, s);
		if (!told_again(s, next))
			s = chain_chip(sheet, t, s);
		next = following(t, s);
		if (!next || !in_chain(next))
			break;
		s = next;
	}
	end_row(sheet);
	return s;
}

/* ---- panels ---------------------------------------------------------------------- */

/* "eth0: 192.0.2.7.1025 > 10.96.0.10.80: Flags [S], ..." without what follows the addresses. */
static void on_the_wire(struct sheet *s, const struct trace_step *in)
{
	char text[256];
	const char *end = strstr(in->text, ": Flags"), *first = strstr(in->text, ": ");
	const char *from = first ? first + 2 : in->text;
	if (!end && first)
		end = strstr(from, ": ");
	snprintf(text, sizeof text, "%.*s", end > from ? (int)(end - from) : (int)strlen(from), from);
	strbuf_printf(&s->body, "<path class=\"svp-way\" d=\"M%d %dv18m-4-5l4 5l4-5\"/>\n", left() + 6, s->y + 2);
	text_at(s, "svp-wire", left() + 18, s->y + 15, text, across(s) - 18, in->text);
	s->y += 22;
}

static const char *kind_of(const char *node)
{
	return strncmp(node, "pod/", 4) == 0 ? "pod" : strncmp(node, "outside/", 8) == 0 ? "outside" : "node";
}

/* One stay of the packet in one namespace; returns the step behind it. */
static uint32_t panel(struct sheet *s, const struct trace *t, uint32_t i)
{
	const char *node = or_none(t->steps[i].node);
	if (strcmp(or_none(t->steps[i].hook), "in") == 0)
		on_the_wire(s, &t->steps[i++]);
	else if (i)
		s->y += 8;
	struct strbuf before = s->body;
	int top = s->y;
	s->body = (struct strbuf){ 0 };
	s->y += 4;
	line(s, "svp-name", *node ? node : "?", NULL);
	while (i < t->count && same(t->steps[i].node, node) && !same(t->steps[i].hook, "in")) {
		if (t->steps[i].passed_over)
			i++;
		else
			i = (uint32_t)(hook(s, t, &t->steps[i]) - t->steps) + 1;
	}
	s->y += 6;
	strbuf_printf(&before, "<rect class=\"svp-%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n",
		      kind_of(node), MARGIN, top, s->width - 2 * MARGIN, s->y - top);
	strbuf_add(&before, strbuf_text(&s->body), s->body.length);
	strbuf_free(&s->body);
	s->body = before;
	return i;
}

static void verdict(struct sheet *s, const struct trace *t, const char *summary)
{
	static const char *const class[] = { [TRACE_NONE] = "some", [TRACE_DELIVERED] = "good",
					     [TRACE_REJECTED] = "bad", [TRACE_DROPPED] = "bad",
					     [TRACE_NO_ROUTE] = "bad", [TRACE_UNANSWERED] = "some" };
	char text[320];
	snprintf(text, sizeof text, "%s%s%s", trace_verdict_name(t->verdict), *t->reason ? ": " : "", t->reason);
	int lines = summary && *summary ? 2 : 1;
	s->y += 8;
	strbuf_printf(&s->body, "<rect class=\"svp-%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n",
		      class[t->verdict], MARGIN, s->y, s->width - 2 * MARGIN, lines * LINE + 8);
	s->y += 4;
	line(s, "svp-name", text, text);
	if (lines == 2)
		line(s, "svp-deed", summary, summary);
	s->y += 4 + MARGIN;
}

static const char style[] =
	"<style>"
	".svp text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1b1f24}"
	".svp .svp-name,.svp .svp-head{font-weight:bold}"
	".svp .svp-hook{fill:#57606a;font-size:11px}"
	".svp .svp-change{fill:#9a3412;font-weight:bold}"
	".svp .svp-wire{fill:#57606a}"
	".svp-paper{fill:#fff}.svp-chip{fill:#fff;stroke:#8c959f}"
	".svp-way{fill:none;stroke:#57606a;stroke-width:1.5}"
	".svp-node{fill:#e7f0fb;stroke:#6b9bd1}.svp-pod{fill:#f1e9fb;stroke:#a07fd0}"
	".svp-outside{fill:#f0f1f3;stroke:#9aa3ad}"
	".svp-good{fill:#dff3e3;stroke:#4c9a61}.svp-bad{fill:#fbe3e1;stroke:#c8564b}"
	".svp-some{fill:#fbf1d5;stroke:#b98c1f}"
	"@media(prefers-color-scheme:dark){"
	".svp text{fill:#e6e9ed}.svp .svp-hook,.svp .svp-wire{fill:#a4adb8}.svp .svp-change{fill:#fbad7d}"
	".svp-paper{fill:#15181c}.svp-chip{fill:#15181c}.svp-way{stroke:#a4adb8}"
	".svp-node{fill:#1b2b40}.svp-pod{fill:#2c2240}.svp-outside{fill:#272b30}"
	".svp-good{fill:#17341f}.svp-bad{fill:#45201d}.svp-some{fill:#3d3213}}"
	"</style>\n";

void picture_packet(const struct trace *t, const char *title, const char *summary, int width,
		    struct strbuf *out)
{
	assert(width >= PICTURE_NARROWEST && width <= PICTURE_WIDEST);
	struct sheet s = { .width = width, .y = MARGIN };
	line(&s, "svp-head", title, title);
	s.y += 6;
	for (uint32_t i = 0; i < t->count;) {
		if (t->steps[i].passed_over)
			i++;
		else
			i = panel(&s, t, i);
	}
	verdict(&s, t, summary);
	strbuf_printf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"svp\" role=\"img\" width=\"%d\" "
		      "height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>", width, s.y, width, s.y);
	picture_xml(title, strlen(title), out);
	strbuf_printf(out, "</title>\n%s<rect class=\"svp-paper\" width=\"%d\" height=\"%d\"/>\n", style, width,
		      s.y);
	strbuf_add(out, strbuf_text(&s.body), s.body.length);
	strbuf_puts(out, "</svg>\n");
	strbuf_free(&s.body);
}
