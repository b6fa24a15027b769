/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"
#include "import.h"
#include "options.h"
#include "server.h"

#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool secret_read(struct site *site, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        fprintf(stderr, "erp-demo: %s: %s\n", path, strerror(errno));
        return false;
    }
    site->secret_length = fread(site->secret, 1, sizeof(site->secret), file);
    fclose(file);
    while (site->secret_length > 0 && isspace((unsigned char)site->secret[site->secret_length - 1]))
        site->secret_length--;
    if (site->secret_length > 0 && site->secret_length < sizeof(site->secret))
        return true;
    fprintf(stderr, "erp-demo: %s: the secret is empty or too long\n", path);
    return false;
}

static bool tenants_open(struct site *site, const struct options *options)
{
    if (mkdir(options->ledger_dir, 0755) != 0 && errno != EEXIST) {
        fprintf(stderr, "erp-demo: %s: %s\n", options->ledger_dir, strerror(errno));
        return false;
    }
    for (int i = 0; i < options->tenant_count; i++) {
        const struct option_tenant *tenant = &options->tenants[i];
        struct ledger *ledger = &site->tenants[site->tenant_count++];
        bool fresh = false;
        bool founded;
        if (!ledger_open(ledger, options->ledger_dir, tenant->name, &fresh))
            return false;
        if (!fresh)
            continue;
        founded = tenant->data != NULL ? import_books(ledger, tenant->data) : generate_books(ledger);
        if (!founded)
            return false;
    }
    return true;
}

static void tenants_close(struct site *site)
{
    for (int i = 0; i < site->tenant_count; i++)
        ledger_close(&site->tenants[i]);
}

static bool port_tell(const struct options *options, int port)
{
    FILE *file = options->port_file == NULL ? NULL : fopen(options->port_file, "w");

    if (options->port_file != NULL &&
        (file == NULL || fprintf(file, "%d\n", port) < 0 || fclose(file) != 0)) {
        fprintf(stderr, "erp-demo: %s: %s\n", options->port_file, strerror(errno));
        return false;
    }
    printf("listening on %s:%d\n", options->address, port);
    return fflush(stdout) == 0;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static bool serve(struct event_base *base, struct site *site, const struct options *options)
{
    int port = options->port;
    struct server *server = server_create(base, site, options->address, &port, options->delay_ms);
    struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
    struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
    bool served = false;

    signal(SIGPIPE, SIG_IGN);
    if (server != NULL && term != NULL && interrupt != NULL && event_add(term, NULL) == 0 &&
        event_add(interrupt, NULL) == 0 && port_tell(options, port))
        served = event_base_dispatch(base) == 0;
    if (interrupt != NULL)
        event_free(interrupt);
    if (term != NULL)
        event_free(term);
    server_destroy(server);
    return served;
}

int main(int argc, char **argv)
{
    static struct site site;
    struct options options;
    struct event_base *base = NULL;
    bool served = false;
    int status;

    if (!options_read(&options, argc, argv, &status))
        return status;
    site.faults = options.faults;
    site.today = options.today;
    if (secret_read(&site, options.secret_file) && tenants_open(&site, &options))
        base = event_base_new();
    if (base != NULL) {
        served = serve(base, &site, &options);
        event_base_free(base);
    }
    tenants_close(&site);
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
