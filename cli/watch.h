/* cli/watch.h: svclab run --watch.
 *
 * Runs the scenarios, waits until a file that the run read (scripts, manifests, golden
 * texts) has changed, appeared or gone, and runs them again. Files are looked at by their
 * time stamps, four times a second, so it works on every file system. What an editor does in
 * several steps is one change: the files must have rested for one look. Ctrl-C ends it; the
 * exit code is the last run's.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "lua/scenario.h"

int watch_run(struct scenario_options *options, const char *const *files, uint32_t count);

#endif
