/* cli/commands.h: one function a subcommand, called by main with argv[0] its name.
 *
 * Each parses its own options with argp and returns the exit code of the contract:
 * 0 pass, 1 expectations failed or differences found, 2 usage or load error, 3
 * internal.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

enum exit_code { EXIT_PASS = 0, EXIT_DIFFERENT = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 3 };

int cmd_run(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_dns(int argc, char **argv);
int cmd_resolve(int argc, char **argv);
int cmd_shell(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_scale(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_new(int argc, char **argv);
int cmd_picture(int argc, char **argv);
int cmd_sweep(int argc, char **argv);

#endif
