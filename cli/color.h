/* cli/color.h: whether text for people has colours. */
#ifndef CLI_COLOR_H
#define CLI_COLOR_H

#include <stdbool.h>

/* "auto", "always", "never"; false: something else. */
bool color_choose(const char *when);
/* Auto: standard output is a terminal and NO_COLOR is not set. */
bool color_wanted(void);

#endif
