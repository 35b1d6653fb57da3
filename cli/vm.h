/* cli/vm.h: a command's scenarios in the VM.
 *
 * The same program runs inside, on network namespaces; vm/run.sh boots, carries files in
 * and what was printed and captured out. All files of a call share one boot.
 */
#ifndef CLI_VM_H
#define CLI_VM_H

#include <stdio.h>

#include "lua/scenario.h"

/* Runs `svclab run` on the files in the VM, replacing this process; returns only when that
 * failed, with the exit code. */
int vm_run(const struct scenario_options *options, const char *const *files, uint32_t count);

/* The same for `svclab capture`; the files land in `out`. */
int vm_capture(const struct scenario_options *options, const char *out, const char *const *files,
	       uint32_t count);

/* Where a run in the VM says how far it is ($SVCLAB_PROGRESS, the guest's console), for the
 * caller to close; NULL elsewhere. */
FILE *vm_progress(void);

/* The folder that holds vm/ and scenarios/: $SVCLAB_DATA, the checkout that the program
 * was built in, or the installed one. In `out`. */
const char *data_folder(char *out, size_t size);

#endif
