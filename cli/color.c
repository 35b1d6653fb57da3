/* cli/color.c: see color.h. */
#include "cli/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kept in the environment, where programs that svclab starts see it, too. */
#define SETTING "SVCLAB_COLOR"

bool color_choose(const char *when)
{
	if (strcmp(when, "auto") != 0 && strcmp(when, "always") != 0 && strcmp(when, "never") != 0)
		return false;
	setenv(SETTING, when, 1);
	return true;
}

bool color_wanted(void)
{
	const char *when = getenv(SETTING), *no = getenv("NO_COLOR");
	if (when && strcmp(when, "always") == 0)
		return true;
	if (when && strcmp(when, "never") == 0)
		return false;
	return isatty(STDOUT_FILENO) && !(no && *no);
}
