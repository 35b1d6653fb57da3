/* cli/shell/scope.c: what a subshell, a part of a pipe or a substitution changes and its
 * parent does not see: variables, arguments, options, the folder, `exit`. */
#include "cli/shell/shell.h"

#include <stdlib.h>
#include <string.h>

void shell_free_texts(struct table *t)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(t, &i, &key, &value);) {
		free(*(char **)value);
		free((void *)(uintptr_t)key);
	}
	table_free(t);
}

void scope_begin(struct shell *s, struct scope *kept)
{
	const void *key;
	void *value;
	*kept = (struct scope){ .variables = s->variables, .arguments = s->arguments,
				.argument_count = s->argument_count, .leaving = s->leaving,
				.errexit = s->errexit, .depth = s->depth, .loops = s->loops };
	memcpy(kept->cwd, shell_stand(s)->cwd, sizeof kept->cwd);
	table_init(&s->variables, TABLE_STRING_KEYS, sizeof(char *));
	for (uint32_t i = 0; table_next(&kept->variables, &i, &key, &value);)
		*(char **)table_put(&s->variables, mem_strdup(key), NULL) = mem_strdup(*(char **)value);
}

void scope_end(struct shell *s, struct scope *kept)
{
	shell_free_texts(&s->variables);
	s->variables = kept->variables;
	s->arguments = kept->arguments;
	s->argument_count = kept->argument_count;
	s->leaving = kept->leaving;
	s->errexit = kept->errexit;
	s->depth = kept->depth;
	s->loops = kept->loops;
	memcpy(shell_stand(s)->cwd, kept->cwd, sizeof kept->cwd);
}
