/* SPDX-License-Identifier: Apache-2.0
 * cogent token: a JWT for tests, service accounts and the command line. */
#include "command.h"
#include "out.h"
#include "place.h"

#include "engine/base/clock.h"
#include "engine/svc/jwt.h"

#include <stdlib.h>
#include <string.h>

static json_t *list_of(int *argc, char **argv, const char *name, bool *missing)
{
    const char *value;
    json_t *list = json_array();
    while ((value = cg_take_option(argc, argv, name, missing)))
        json_array_append_new(list, json_string(value));
    return list;
}

static int sign_secret(const char *file, const json_t *claims, struct cg_buf *out)
{
    cg_auto_free char *secret = cg_place_read(NULL, file);
    if (!secret || strlen(secret) < CG_JWT_SECRET_MIN) {
        fprintf(stderr, "cogent token: %s: %s\n", file,
                secret ? "the secret is shorter than 32 bytes: make one with `openssl rand -hex 32`"
                       : "cannot be read");
        return COGENT_INVALID;
    }
    return cg_jwt_sign_secret(secret, claims, out);
}

static int sign_key(const char *file, const json_t *claims, struct cg_buf *out)
{
    struct cg_err err = { 0 };
    struct cg_sign_key *key = NULL;
    cg_auto_free char *pem = cg_place_read(NULL, file);
    int rc = pem ? cg_sign_key_read(cogent_str(pem), file, &key, &err)
                 : cg_err_set(&err, COGENT_NOT_FOUND, "%s: cannot be read", file);
    if (rc == 0)
        rc = cg_jwt_sign_key(key, claims, out);
    else
        fprintf(stderr, "cogent token: %s\n", err.message);
    cg_sign_key_destroy(key);
    return rc;
}

int cg_cli_token(int argc, char **argv)
{
    bool missing = false;
    const char *sub = cg_take_option(&argc, argv, "--sub", &missing);
    const char *tenant = cg_take_option(&argc, argv, "--tenant", &missing);
    const char *secret_file = cg_take_option(&argc, argv, "--secret", &missing);
    const char *key_file = cg_take_option(&argc, argv, "--key", &missing);
    const char *issuer = cg_take_option(&argc, argv, "--issuer", &missing);
    const char *audience = cg_take_option(&argc, argv, "--audience", &missing);
    const char *name = cg_take_option(&argc, argv, "--name", &missing);
    const char *hours = cg_take_option(&argc, argv, "--hours", &missing);
    cg_auto_json permissions = list_of(&argc, argv, "--permission", &missing);
    cg_auto_json roles = list_of(&argc, argv, "--role", &missing);
    char *end = NULL;
    long long n = hours ? strtoll(hours, &end, 10) : 12;
    if (missing || argc > 1)
        return cg_usage_word("token", argc > 1 ? argv[1] : NULL, "every option needs a value");
    if (!sub || !tenant || !secret_file == !key_file)
        return cg_usage("token", "--sub, --tenant and one of --secret and --key are needed");
    if (n < 1 || n > 87600 || (end && *end))
        return cg_usage("token", "--hours must be 1 to 87600");
    int64_t now = cg_now_us() / 1000000;
    cg_auto_json claims =
        json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:O, s:O, s:I, s:I}", "sub", sub, "tenant_id", tenant, "iss",
                  issuer, "aud", audience, "name", name, "permissions", permissions, "roles", roles, "iat",
                  (json_int_t)now, "exp", (json_int_t)(now + n * 3600));
    cg_auto_buf out = { 0 };
    if (!claims) {
        fprintf(stderr, "cogent token: the claims are not valid UTF-8\n");
        return CG_EXIT_FAILED;
    }
    if ((key_file ? sign_key(key_file, claims, &out) : sign_secret(secret_file, claims, &out)) < 0)
        return CG_EXIT_FAILED;
    printf("%s\n", out.ptr);
    return CG_EXIT_OK;
}
