/* cli/color.c: see color.h. */
#include "cli/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one setting of the process, made before a command starts. */
static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } choice;

bool color_choose(const char *when)
{
	if (strcmp(when, "auto") == 0)
		choice = COLOR_AUTO;
	else if (strcmp(when, "always") == 0)
		choice = COLOR_ALWAYS;
	else if (strcmp(when, "never") == 0)
		choice = COLOR_NEVER;
	else
		return false;
	return true;
}

bool color_wanted(void)
{
	const char *no = getenv("NO_COLOR");
	if (choice == COLOR_AUTO)
		return isatty(STDOUT_FILENO) && !(no && *no);
	return choice == COLOR_ALWAYS;
}
