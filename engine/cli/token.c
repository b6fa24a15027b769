/* SPDX-License-Identifier: Apache-2.0
 * cogent token: a JWT for tests, service accounts and the command line. */
#include "command.h"
#include "out.h"
#include "place.h"

#include "engine/base/clock.h"
#include "engine/svc/auth.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET_LEAST = 32 };

static json_t *list_of(int *argc, char **argv, const char *name, bool *missing)
{
    const char *value;
    json_t *list = json_array();
    while ((value = cg_take_option(argc, argv, name, missing)))
        json_array_append_new(list, json_string(value));
    return list;
}

int cg_cli_token(int argc, char **argv)
{
    bool missing = false;
    const char *sub = cg_take_option(&argc, argv, "--sub", &missing);
    const char *tenant = cg_take_option(&argc, argv, "--tenant", &missing);
    const char *secret_file = cg_take_option(&argc, argv, "--secret", &missing);
    const char *name = cg_take_option(&argc, argv, "--name", &missing);
    const char *hours = cg_take_option(&argc, argv, "--hours", &missing);
    cg_auto_json permissions = list_of(&argc, argv, "--permission", &missing);
    cg_auto_json roles = list_of(&argc, argv, "--role", &missing);
    char *end = NULL;
    long long n = hours ? strtoll(hours, &end, 10) : 12;
    if (missing || argc > 1)
        return cg_usage_word("token", argc > 1 ? argv[1] : NULL, "every option needs a value");
    if (!sub || !tenant || !secret_file)
        return cg_usage("token", "--sub, --tenant and --secret are needed");
    if (n < 1 || n > 87600 || (end && *end))
        return cg_usage("token", "--hours must be 1 to 87600");
    cg_auto_free char *secret = cg_place_read(NULL, secret_file);
    if (!secret || strlen(secret) < SECRET_LEAST) {
        fprintf(stderr, "cogent token: %s: %s\n", secret_file,
                secret ? "the secret is shorter than 32 bytes: make one with `openssl rand -hex 32`"
                       : "cannot be read");
        return CG_EXIT_FAILED;
    }
    int64_t now = cg_now_us() / 1000000;
    cg_auto_json claims = json_pack("{s:s, s:s, s:s*, s:O, s:O, s:I, s:I}", "sub", sub, "tenant_id", tenant,
                                    "name", name, "permissions", permissions, "roles", roles, "iat",
                                    (json_int_t)now, "exp", (json_int_t)(now + n * 3600));
    cg_auto_buf out = { 0 };
    if (!claims || cg_auth_sign(secret, claims, &out) < 0) {
        fprintf(stderr, "cogent token: the claims are not valid UTF-8\n");
        return CG_EXIT_FAILED;
    }
    printf("%s\n", out.ptr);
    return CG_EXIT_OK;
}
