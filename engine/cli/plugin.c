/* SPDX-License-Identifier: Apache-2.0
 * cogent plugin: its words. */
#include "plugin.h"

#include "command.h"
#include "out.h"

#include <string.h>

static int take_new(int argc, char **argv, const char *folder)
{
    if (argc != 4 || strcmp(argv[2], "tool") != 0)
        return cg_usage("plugin", "new wants a kind and a name: cogent plugin new tool NAME");
    return cg_plugin_new(argv[3], folder ? folder : ".");
}

int cg_cli_plugin(int argc, char **argv)
{
    bool missing = false, json = cg_take_flag(&argc, argv, "--json");
    const char *folder = cg_take_option(&argc, argv, "--dir", &missing);
    if (missing)
        return cg_usage("plugin", "--dir wants a folder");
    const char *unknown = cg_unknown_option(argc, argv), *word = argc > 1 ? argv[1] : "";
    if (unknown)
        return cg_usage_word("plugin", unknown, "");
    if (strcmp(word, "new") == 0)
        return take_new(argc, argv, folder);
    if (folder)
        return cg_usage("plugin", "--dir belongs to new");
    if (strcmp(word, "check") == 0)
        return argc == 3 ? cg_plugin_check(argv[2], json) : cg_usage("plugin", "check wants one file");
    if (strcmp(word, "list") == 0)
        return argc == 2 ? cg_plugin_list(json) : cg_usage("plugin", "list takes nothing more");
    return cg_usage_word("plugin", argc > 1 ? word : NULL, "new, check or list?");
}
