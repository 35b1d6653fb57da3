/* lua/story.h: what a test showed, for reports.
 *
 * A line of JSON a test: "file", "dataplane", "test" (its sentence), "golden" (the texts of
 * tests/golden that it was compared with) and, when it sent a packet that the Linux model
 * traced, "about" (from and to), "trace" (as a failure shows it) and "picture" (SVG) of the
 * way of the last one's first packet. The same run gives the same bytes.
 */
#ifndef LUA_STORY_H
#define LUA_STORY_H

#include "lua/internal.h"

/* Nothing is written when options->story is NULL. */
void story_add(const struct script *s, const char *sentence);

#endif
