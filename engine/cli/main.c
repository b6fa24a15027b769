/* SPDX-License-Identifier: Apache-2.0
 * cogent: the command line. It finds the command; the rest is the command's. */
#include "command.h"

#include "engine/base/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CG_VERSION "0.1.0"

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    cg_log_setup(CG_ERROR, "cogent");
    if (argc < 2) {
        cg_cli_help(1, argv);
        return CG_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("cogent %s\n", CG_VERSION);
        return CG_EXIT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cg_cli_help(1, argv);
    const struct cg_command *command = cg_command_find(argv[1]);
    if (!command)
        return cg_cli_help(2, argv);
    for (int i = 2; i < argc; i++) {
        char *help[] = { argv[0], argv[1] };
        if (strcmp(argv[i], "--help") == 0)
            return cg_cli_help(2, help);
    }
    int status = command->run(argc - 1, argv + 1);
    if (fflush(stdout) != 0 && status == CG_EXIT_OK)
        status = CG_EXIT_FAILED; /* the reader has gone, or the disk is full */
    return status;
}
