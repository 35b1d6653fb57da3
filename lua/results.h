/* lua/results.h: results kept until all are known, since TAP's plan comes first. */
#ifndef LUA_RESULTS_H
#define LUA_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

struct results;

struct results *results_new(void);
void results_free(struct results *r);
/* `todo` is a reason or NULL; `said` lines of diagnostics. Texts are copied. */
void results_add(struct results *r, bool ok, const char *name, const char *todo, const char *said);
void results_skip(struct results *r, const char *name, const char *reason);
/* A comment line before the next result. */
void results_note(struct results *r, const char *line);
/* How many tests there are by now, and how many of them failed or were skipped. */
struct results_tally { unsigned tests, failed, skipped; };
struct results_tally results_tally(const struct results *r);
/* Appends what another one holds. */
void results_move(struct results *r, const struct results *from);
/* Prints all as one TAP stream; `bail` ends it early. Whether all passed. */
bool results_print(struct results *r, FILE *out, const char *bail);

#endif
