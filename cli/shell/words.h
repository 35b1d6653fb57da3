/* cli/shell/words.h: between the files of the shell's language. */
#ifndef CLI_SHELL_WORDS_H
#define CLI_SHELL_WORDS_H

#include "cli/shell/lex.h"

void fields_add(struct fields *f, const char *text);
/* $((...)): the value; a mistake is said on io->err and counts as 0. */
int64_t shell_arithmetic(struct shell *s, const char *text, const struct io *io);

#endif
