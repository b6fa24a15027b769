/* SPDX-License-Identifier: Apache-2.0
 * Prints every statement that runs for a tenant, as the program has it: "name TAB database TAB columns TAB text". The engine's own, and
 * those of the plugins named on the command line. */
#include "engine/svc/store.h"

#include <cogent/plugin.h>
#include <cogent/retriever.h>
#include <dlfcn.h>
#include <stdio.h>

static void print_text(const char *name, const char *kind, const char *columns, const char *text)
{
    printf("%s\t%s\t%s\t", name, kind, columns);
    for (; *text; text++)
        putchar(*text == '\n' || *text == '\t' ? ' ' : *text);
    putchar('\n');
}

static void print_statement(const struct cogent_statement *st)
{
    print_text(st->name, st->text_pg ? "sqlite" : "both", st->columns, st->text);
    if (st->text_pg)
        print_text(st->name, "postgres", st->columns, st->text_pg);
}

static int print_plugin(const char *path)
{
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cogent_plugin_entry_fn entry = NULL;
    if (file)
        *(void **)&entry = dlsym(file, "cogent_plugin_entry");
    const struct cogent_plugin *plugin = entry ? entry(0, COGENT_ABI) : NULL;
    if (!plugin) {
        fprintf(stderr, "%s: %s\n", path, file ? "no plugin" : dlerror());
        return 1;
    }
    for (size_t i = 0; plugin->retrievers && plugin->retrievers[i]; i++) {
        const struct cogent_statement *st = plugin->retrievers[i]->statements;
        for (; st && st->name; st++)
            print_statement(st);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (size_t i = 0; i < CG_ST_STATEMENTS; i++)
        print_statement(&cg_store[i]);
    for (int i = 1; i < argc; i++)
        failed |= print_plugin(argv[i]);
    return failed;
}
