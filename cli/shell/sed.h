/* cli/shell/sed.h: sed on a text, for the command and for kubectl's editor. */
#ifndef CLI_SHELL_SED_H
#define CLI_SHELL_SED_H

#include "core/strbuf.h"

/* argv as typed after "sed" at argv[0]; files are left out. 0, or 1 with a line in `err`. */
int sed_text(int argc, char **argv, const char *text, struct strbuf *out, struct strbuf *err);

#endif
