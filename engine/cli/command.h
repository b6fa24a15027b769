/* SPDX-License-Identifier: Apache-2.0
 * The commands of `cogent`: one file a command, one table of all. */
#ifndef CG_CLI_COMMAND_H
#define CG_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* What a shell sees. */
enum { CG_EXIT_OK = 0, CG_EXIT_FAILED = 1, CG_EXIT_USAGE = 2 };

struct cg_command {
    const char *name;
    const char *usage; /* what stands behind the name; may be "" */
    const char *help;  /* the first line says what it does; the rest is shown by `help NAME` */
    int (*run)(int argc, char **argv); /* argv[0] is the name */
};

/* In the order of their names. */
extern const struct cg_command cg_commands[];
extern const size_t cg_command_count;

const struct cg_command *cg_command_find(const char *name);
/* Says what is wrong with the command line of `name` and how it is used; returns CG_EXIT_USAGE. */
int cg_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A word that is not understood; `otherwise` when there is none. */
int cg_usage_word(const char *name, const char *word, const char *otherwise);

int cg_cli_approvals(int argc, char **argv);
int cg_cli_ask(int argc, char **argv);
int cg_cli_doctor(int argc, char **argv);
int cg_cli_effects(int argc, char **argv);
int cg_cli_help(int argc, char **argv);
int cg_cli_import(int argc, char **argv);
int cg_cli_me(int argc, char **argv);
int cg_cli_plugin(int argc, char **argv);
int cg_cli_policy(int argc, char **argv);
int cg_cli_runs(int argc, char **argv);
int cg_cli_search(int argc, char **argv);
int cg_cli_token(int argc, char **argv);
int cg_cli_tools(int argc, char **argv);

#endif
