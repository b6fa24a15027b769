/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "stamp.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "erp-demo: a small ERP to talk to\n\n"
    "  --listen ADDRESS:PORT   IPv4 address and port; port 0 takes a free one (127.0.0.1:0)\n"
    "  --ledger DIR            where the tenants' SQLite files are kept\n"
    "  --tenant NAME[=FILE]    a company, founded on a CSV of sales or, without one, generated; repeatable (demo)\n"
    "  --data FILE             the CSV of the first tenant\n"
    "  --jwt-secret-file FILE  the HS256 secret; white space at its end is left out\n"
    "  --port-file FILE        where to write the port\n"
    "  --today DATE            the date of new invoices, instead of the clock's\n"
    "  --delay-ms N            wait before each answer\n"
    "  --faults                honour X-Fault: close-before-commit, close-after-commit, delay=MS, status=NNN;\n"
    "                          answer /_ledger\n";

static const struct option names[] = {
    { "listen", required_argument, NULL, 'l' },
    { "ledger", required_argument, NULL, 'd' },
    { "tenant", required_argument, NULL, 't' },
    { "data", required_argument, NULL, 'f' },
    { "jwt-secret-file", required_argument, NULL, 's' },
    { "port-file", required_argument, NULL, 'p' },
    { "today", required_argument, NULL, 'y' },
    { "delay-ms", required_argument, NULL, 'w' },
    { "faults", no_argument, NULL, 'x' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool wrong(const char *what, const char *value)
{
    fprintf(stderr, "erp-demo: %s: %s (--help tells more)\n", what, value);
    return false;
}

static bool number(const char *text, int max, int *value)
{
    char *end;
    long parsed = strtol(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end != '\0' || parsed > max)
        return false;
    *value = (int)parsed;
    return true;
}

static bool listen_take(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL || (size_t)(colon - text) >= sizeof(options->address) ||
        !number(colon + 1, 65535, &options->port))
        return wrong("--listen wants ADDRESS:PORT", text);
    memcpy(options->address, text, (size_t)(colon - text));
    options->address[colon - text] = '\0';
    return true;
}

static bool tenant_take(struct options *options, char *text)
{
    char *equals = strchr(text, '=');

    if (equals != NULL)
        *equals = '\0';
    if (*text == '\0' ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] != '\0')
        return wrong("a tenant's name has letters, digits, - and _", text);
    if (options->tenant_count == SITE_TENANTS_MAX)
        return wrong("too many tenants", text);
    for (int i = 0; i < options->tenant_count; i++) {
        if (strcmp(options->tenants[i].name, text) == 0)
            return wrong("a tenant is named twice", text);
    }
    options->tenants[options->tenant_count++] =
        (struct option_tenant){ text, equals == NULL ? NULL : equals + 1 };
    return true;
}

static bool option_take(struct options *options, int letter, char *value, const char **data)
{
    switch (letter) {
    case 'l':
        return listen_take(options, value);
    case 'd':
        options->ledger_dir = value;
        return true;
    case 't':
        return tenant_take(options, value);
    case 'f':
        *data = value;
        return true;
    case 's':
        options->secret_file = value;
        return true;
    case 'p':
        options->port_file = value;
        return true;
    case 'y':
        options->today = value;
        return date_valid(value) || wrong("--today wants YYYY-MM-DD", value);
    case 'w':
        return number(value, 600000, &options->delay_ms) || wrong("--delay-ms wants a number", value);
    case 'x':
        options->faults = true;
        return true;
    default:
        return wrong("options", "not understood");
    }
}

bool options_read(struct options *options, int argc, char **argv, int *status)
{
    static char standard_tenant[] = "demo";
    const char *data = NULL;
    int letter;

    memset(options, 0, sizeof(*options));
    snprintf(options->address, sizeof(options->address), "127.0.0.1");
    *status = EXIT_FAILURE;
    while ((letter = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        if (letter == 'h') {
            fputs(help, stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (!option_take(options, letter, optarg, &data))
            return false;
    }
    if (optind < argc)
        return wrong("not an option", argv[optind]);
    if (options->ledger_dir == NULL)
        return wrong("--ledger", "missing");
    if (options->secret_file == NULL)
        return wrong("--jwt-secret-file", "missing");
    if (options->tenant_count == 0)
        tenant_take(options, standard_tenant);
    if (data != NULL)
        options->tenants[0].data = data;
    return true;
}
