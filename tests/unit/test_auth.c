/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/svc/auth.h"
#include "engine/svc/jwt.h"
#include "engine/svc/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const struct cg_auth_config config = { .issuer = "erp",
                                              .audience = "cogent",
                                              .secret = secret,
                                              .tenant = "/tenant_id",
                                              .user = "/sub",
                                              .permissions = "/permissions",
                                              .roles = "/roles" };
static char folder[64], path[96];
static struct cg_loop *loop;
static struct cg_db *db;
static struct cg_tenants *tenants;
static struct cg_auth *auth;

static void ready(void *arg, int err)
{
    assert_int_equal(err, 0);
    *(int *)arg = 1;
    cg_loop_stop(loop);
}

/* Tenants come with their uuid from a database of their own. */
static int setup(void **state)
{
    struct cg_err err = { 0 };
    int synced = 0;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cogent-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/db", folder);
    cg_auto_json given = cg_json_parse(cogent_str("{\"acme\":{\"locale\":\"de\"},\"globex\":{}}"), &err);
    loop = cg_loop_create();
    assert_int_equal(cg_db_open_sqlite(loop, path, NULL, cg_migrations, &db, &err), 0);
    assert_int_equal(cg_tenants_create(given, NULL, &tenants, &err), 0);
    assert_null(cg_tenants_find(tenants, "acme"));
    cg_tenants_sync(tenants, db, (struct cogent_op){ 0, 0 }, ready, &synced);
    cg_loop_run(loop);
    assert_int_equal(synced, 1);
    return cg_auth_create(&config, tenants, &auth, &err);
}

static int teardown(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    (void)state;
    cg_auth_destroy(auth);
    cg_tenants_destroy(tenants);
    cg_db_close(db);
    cg_loop_destroy(loop);
    for (size_t i = 0; i < 3; i++) {
        char name[112];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return rmdir(folder);
}

/* A token with these parts, signed with our secret. */
static char *token(const char *head, const char *claims)
{
    struct cg_buf out = { 0 };
    unsigned char mac[CG_SHA256_SIZE];
    cg_buf_text(&out, "Bearer ");
    cg_base64url_encode(head, strlen(head), &out);
    cg_buf_char(&out, '.');
    cg_base64url_encode(claims, strlen(claims), &out);
    assert_int_equal(cg_hmac_sha256(cogent_str(secret), (struct cogent_str){ out.ptr + 7, out.len - 7 }, mac),
                     0);
    cg_buf_char(&out, '.');
    cg_base64url_encode(mac, sizeof mac, &out);
    return cg_buf_steal(&out);
}

static int present(const char *header, struct cg_caller **caller, const char **code)
{
    struct cg_err err = { 0 };
    int rc = cg_auth_bearer(auth, cogent_str(header), caller, code, &err);
    assert_true((rc == 0) == (*caller != NULL));
    assert_true(rc == 0 || strlen(err.message) > 10);
    return rc;
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD  "\"sub\":\"u1\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000"

static void accepts(void **state)
{
    (void)state;
    static const char *const claims[] = {
        "{" GOOD
        ",\"permissions\":[\"finance.read\",\"-finance.secret\",7],\"roles\":\"clerk boss\",\"name\":\"Ann\"}",
        "{\"sub\":\"u1\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":[\"x\",\"cogent\"],\"exp\":4000000000.5,"
        "\"nbf\":1,\"iat\":1,\"scope\":\" finance.read  -finance.secret\",\"roles\":[\"clerk\",\"boss\"],\"name\":\"Ann\"}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct cg_caller *caller;
        const char *code;
        cg_auto_free char *header = token(HS256, claims[i]);
        assert_int_equal(present(header, &caller, &code), 0);
        assert_string_equal(cg_tenant_name(caller->tenant), "acme");
        assert_string_equal(cg_tenant_id(caller->tenant), cg_tenants_find(tenants, "acme")->uuid);
        assert_string_equal(caller->user, "u1");
        assert_string_equal(caller->name, "Ann");
        assert_string_equal(caller->locale, "de");
        assert_string_equal(caller->authorization, header);
        assert_true(caller->expires_us >= INT64_C(4000000000000000));
        assert_true(cg_caller_may(caller, "finance.read"));
        assert_false(cg_caller_may(caller, "finance.secret"));
        assert_false(cg_caller_may(caller, "sales.read"));
        assert_int_equal(json_array_size(caller->roles), 2);
        cg_auto_json more = json_pack("[s]", "sales.*");
        cg_caller_grant(caller, more);
        assert_true(cg_caller_may(caller, "sales.read"));
        cg_caller_unref(cg_caller_ref(caller));
        cg_caller_unref(caller);
    }
    cg_caller_unref(NULL);
    /* What our own signer makes. */
    cg_auto_json own = cg_json_parse(cogent_str("{" GOOD "}"), NULL);
    cg_auto_buf out = { 0 };
    struct cg_caller *caller;
    const char *code;
    cg_buf_text(&out, "bearer ");
    assert_int_equal(cg_jwt_sign_secret(secret, own, &out), 0);
    /* The signed part begins where the caller's text ends. */
    assert_int_equal(present(out.ptr, &caller, &code), 0);
    cg_caller_unref(caller);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *head, *claims, *code;
    } rows[] = {
        { "{\"alg\":\"none\"}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":\"HS384\"}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":\"RS256\"}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":\"hs256\"}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":[\"HS256\"]}", "{" GOOD "}", "token_invalid" },
        { "{\"typ\":\"JWT\"}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{" GOOD "}", "token_invalid" },
        { "{\"alg\":\"none\",\"alg\":\"HS256\"}", "{" GOOD "}", "token_invalid" },
        { "[]", "{" GOOD "}", "token_invalid" },
        { HS256, "[]", "token_invalid" },
        { HS256, "x", "token_invalid" },
        { HS256, "{" GOOD ",\"sub\":\"u2\"}", "token_invalid" },
        { HS256, "{" GOOD ",\"tenant_id\":\"globex\"}", "token_invalid" },
        { HS256, "{" GOOD ",\"nbf\":3999999999}", "token_invalid" },
        { HS256, "{" GOOD ",\"nbf\":\"1\"}", "token_invalid" },
        { HS256, "{" GOOD ",\"iat\":3999999999}", "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\"}",
          "token_invalid" },
        { HS256,
          "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":\"4000000000\"}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":1e300}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":-1}",
          "token_invalid" },
        { HS256,
          "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":1000000000}",
          "token_expired" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"x\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":[\"x\"],\"exp\":4000000000}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256,
          "{\"sub\":\"\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256, "{\"sub\":7,\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}", "token_invalid" },
        { HS256, "{\"sub\":\"u\",\"tenant_id\":{},\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256,
          "{\"sub\":\"u\",\"tenant_id\":\"acme\\u0000x\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "token_invalid" },
        { HS256,
          "{\"sub\":\"u\",\"tenant_id\":\"ACME\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":4000000000}",
          "tenant_unknown" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_caller *caller;
        const char *code = "";
        cg_auto_free char *header = token(rows[i].head, rows[i].claims);
        int rc = present(header, &caller, &code);
        int want = strcmp(rows[i].code, "tenant_unknown") == 0 ? COGENT_DENIED : COGENT_AUTH;
        if (rc != want || strcmp(code, rows[i].code) != 0)
            fail_msg("%s %s: %d %s", rows[i].head, rows[i].claims, rc, code);
        cg_caller_unref(caller);
    }
}

/* A clock that is a minute off is forgiven, no more. */
static void skew(void **state)
{
    (void)state;
    static const struct {
        int exp, nbf, rc;
    } rows[] = {
        { 10, -10, 0 }, { -50, -100, 0 }, { -70, -100, COGENT_AUTH }, { 100, 50, 0 }, { 100, 70, COGENT_AUTH }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char claims[200];
        long long now = (long long)(cg_now_us() / 1000000);
        struct cg_caller *caller;
        const char *code;
        snprintf(
            claims, sizeof claims,
            "{\"sub\":\"u\",\"tenant_id\":\"acme\",\"iss\":\"erp\",\"aud\":\"cogent\",\"exp\":%lld,\"nbf\":%lld}",
            now + rows[i].exp, now + rows[i].nbf);
        cg_auto_free char *header = token(HS256, claims);
        assert_int_equal(present(header, &caller, &code), rows[i].rc);
        cg_caller_unref(caller);
    }
}

static void refuses_every_change(void **state)
{
    (void)state;
    struct cg_caller *caller;
    const char *code;
    cg_auto_free char *header = token(HS256, "{" GOOD "}");
    size_t len = strlen(header);
    for (size_t i = 7; i < len; i++) {
        char kept = header[i];
        static const char others[] = "A=+/. \n\x80";
        for (size_t k = 0; k < sizeof others - 1; k++) {
            header[i] = others[k];
            if (others[k] != kept)
                assert_int_equal(present(header, &caller, &code), COGENT_AUTH);
        }
        header[i] = '\0'; /* cut */
        assert_int_equal(present(header, &caller, &code), COGENT_AUTH);
        header[i] = kept;
    }
    static const char *const odd[] = { "",          "Bearer",        "Bearer ",
                                       "Basic abc", "Bearer a.b",    "Bearer a.b.c.d",
                                       "Bearer ..", "Bearer  a.b.c", "Bearer e30.e30." };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(present(odd[i], &caller, &code), COGENT_AUTH);
    struct cg_err err;
    assert_int_equal(cg_auth_bearer(auth, (struct cogent_str){ NULL, 0 }, &caller, &code, &err), COGENT_AUTH);
    assert_string_equal(code, "token_missing");
    cg_auto_buf padded = { 0 };
    cg_buf_printf(&padded, "%s==", header);
    assert_int_equal(present(padded.ptr, &caller, &code), COGENT_AUTH);
    cg_buf_clear(&padded);
    for (int i = 0; i < 20000; i++)
        cg_buf_char(&padded, 'a');
    assert_int_equal(present(padded.ptr, &caller, &code), COGENT_AUTH);
}

static void short_secrets_are_refused(void **state)
{
    (void)state;
    struct cg_auth_config weak = config;
    struct cg_auth *none;
    struct cg_err err;
    weak.secret = "short";
    assert_int_equal(cg_auth_create(&weak, tenants, &none, &err), COGENT_INVALID);
    weak.secret = NULL;
    assert_int_equal(cg_auth_create(&weak, tenants, &none, &err), COGENT_INVALID);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { T(accepts), T(refuses), T(skew), T(refuses_every_change),
                                        T(short_secrets_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
