/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *shown(const char *code)
{
    static int colour = -1;
    if (colour < 0)
        colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    return colour ? code : "";
}

const char *cg_out_dim(void)
{
    return shown("\033[2m");
}

const char *cg_out_bold(void)
{
    return shown("\033[1m");
}

const char *cg_out_plain(void)
{
    return shown("\033[0m");
}

void cg_out_json(const json_t *value)
{
    cg_auto_buf text = { 0 };
    cg_json_add(&text, value);
    cg_buf_char(&text, '\n');
    fwrite(cg_buf_view(&text).ptr, 1, text.len, stdout);
}

json_t *cg_out_sorted(const json_t *list, const char *member)
{
    json_t *sorted = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        size_t at = 0;
        while (at < json_array_size(sorted) && strcmp(cg_json_str(json_array_get(sorted, at), member, ""),
                                                      cg_json_str(entry, member, "")) <= 0)
            at++;
        json_array_insert(sorted, at, entry);
    }
    return sorted;
}

void cg_out_text(const char *text)
{
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == 0xc2 && ((unsigned char)at[1] & 0xe0) == 0x80) /* U+0080 to U+009F */
            at++;
        else if ((c >= ' ' && c != 0x7f) || c == '\n' || c == '\t')
            putchar(c);
    }
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void cg_table_begin(struct cg_table *table, size_t columns, const char *const *titles)
{
    table->columns = columns;
    table->rows = json_array();
    cg_table_row(table, titles);
}

void cg_table_row(struct cg_table *table, const char *const *cells)
{
    json_t *row = json_array();
    for (size_t i = 0; i < table->columns; i++)
        json_array_append_new(row, json_string(cells[i] ? cells[i] : ""));
    json_array_append_new(table->rows, row);
}

static size_t column_width(const struct cg_table *table, size_t column)
{
    size_t i, widest = 0;
    json_t *row;
    json_array_foreach (table->rows, i, row) {
        size_t n = width_of(json_string_value(json_array_get(row, column)));
        widest = n > widest ? n : widest;
    }
    return widest;
}

void cg_table_end(struct cg_table *table)
{
    size_t i;
    json_t *row;
    json_array_foreach (table->rows, i, row) {
        fputs(i == 0 ? cg_out_dim() : "", stdout);
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = json_string_value(json_array_get(row, c));
            cg_out_text(cell);
            size_t pad = c + 1 < table->columns ? column_width(table, c) - width_of(cell) + 2 : 0;
            printf("%*s", (int)pad, "");
        }
        printf("%s\n", i == 0 ? cg_out_plain() : "");
    }
    json_decref(table->rows);
}

static void take(int *argc, char **argv, int at, int n)
{
    memmove(argv + at, argv + at + n, sizeof *argv * (size_t)(*argc - at - n));
    *argc -= n;
}

bool cg_take_flag(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            take(argc, argv, i, 1);
            return true;
        }
    }
    return false;
}

const char *cg_take_option(int *argc, char **argv, const char *name, bool *missing)
{
    size_t n = strlen(name);
    for (int i = 1; i < *argc; i++) {
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
            const char *value = argv[i] + n + 1;
            take(argc, argv, i, 1);
            return value;
        }
        if (strcmp(argv[i], name) != 0)
            continue;
        if (i + 1 == *argc) {
            *missing = true;
            take(argc, argv, i, 1); /* else it would be told as a word that is not understood */
            return NULL;
        }
        const char *value = argv[i + 1];
        take(argc, argv, i, 2);
        return value;
    }
    return NULL;
}

const char *cg_unknown_option(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1])
            return argv[i];
    }
    return NULL;
}
