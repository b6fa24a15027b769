/* SPDX-License-Identifier: Apache-2.0
 * A host for tests of retrievers: its database is a real SQLite in memory that runs the plugin's statements by the
 * engine's rules: $n as ?n, $1 the tenant, values of the declared letters, the first column of every row compared
 * and taken off, a group all or nothing, the answer later and never inside run().
 */
#ifndef COGENT_TEST_DB_HOST_H
#define COGENT_TEST_DB_HOST_H

#include <cogent/plugin.h>
#include <cogent/retriever.h>

#include <sqlite3.h>

enum { DB_FOUND_MAX = 256 };

struct db_found {
    char type[64], id[128], title[256], text[2048], columns[1024], stamp[64];
    unsigned chunk;
    double score;
    int exact;
    int64_t as_of;
};

/* What the last request came to. */
struct db_answer {
    struct db_found found[DB_FOUND_MAX];
    size_t n;
    int completed; /* how often */
    int err;
    char message[256];
    size_t groups, writes, steps; /* of the database */
};

struct db_host {
    sqlite3 *file;
    void *plugin; /* dlopen */
    const struct cogent_retriever *api;
    void *self;
    const char *tenant; /* of the next request */
    int64_t now;
    const char *between; /* SQL run once before the next group that writes: somebody else was faster */
    struct db_answer answer;
};

/* Opens the plugin with its presets on an empty database made by the migration file. */
void db_host_open(struct db_host *host, const char *plugin, const char *sql_file);
void db_host_close(struct db_host *host);
/* Makes the tables in host->file. */
void db_host_migrate(struct db_host *host, const char *sql_file);
/* Runs a request to its end for host->tenant. */
void db_host_request(struct db_host *host, struct cogent_search *search);
/* Straight at the database: a number, or -1. */
int64_t db_host_number(struct db_host *host, const char *sql);

#endif
