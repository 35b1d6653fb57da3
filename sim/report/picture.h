/* report/picture.h: the way of a packet as a picture.
 *
 * One SVG, drawn from a trace: a panel for each node that the packet crosses, in order;
 * in it a band for each hook; in a band a chip for each chain that was entered, with the
 * numbers of the rules that matched, and under the chips what they changed. Between two
 * panels stands the packet as it was on the wire; the last strip is the verdict. The
 * rules themselves are the chips' tooltips.
 *
 * The SVG is self-contained (no script, no font, no address), follows the reader's choice of
 * light or dark, and is the same bytes for the same trace. Whatever a trace's texts hold,
 * it is well-formed: bytes that are not UTF-8 become U+FFFD. Every class begins with "svp-",
 * so that pages may hold several pictures.
 */
#ifndef REPORT_PICTURE_H
#define REPORT_PICTURE_H

#include "core/strbuf.h"
#include "net/trace.h"

enum { PICTURE_NARROWEST = 240, PICTURE_WIDTH = 760, PICTURE_WIDEST = 4000 };

/* `title` stands on top, `summary` (NULL or "": none) below the verdict; `width` in pixels,
 * PICTURE_NARROWEST to PICTURE_WIDEST; texts too long for it are shortened in the middle. */
void picture_packet(const struct trace *t, const char *title, const char *summary, int width,
		    struct strbuf *out);
/* Appends text as XML character data, safe in attributes, too. */
void picture_xml(const char *text, size_t length, struct strbuf *out);

#endif
