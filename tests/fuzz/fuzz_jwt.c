/* SPDX-License-Identifier: Apache-2.0
 * Tokens. Whatever comes in, only what the keys of the seeds signed is let in, and what is signed here is let in as it
 * was; a changed letter is not. The private halves of the keys are gone: nothing new can be signed with them. */
#include "fuzz.h"

#include "engine/svc/jwt.h"

static const char secret[] = "a secret that only this fuzz target knows";

/* What all seeds say. */
static const char seeds[] =
    "{\"sub\":\"fuzz\",\"tenant_id\":\"acme\",\"exp\":4102444800,\"permissions\":[\"sales.read\"]}";

static const char *const pems[] = {
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAog6r6SFFVYKtw8xMQ5vH\n"
    "fLIEa5ewyS7FK1Ud8oXXPqIoWBVE0WFYImW1Gr6EDaV0kLWxsWkFEwOAnSFs1jlX\n"
    "nNKU2fUcpubqQKyCLpj2MFuyuD7NMvWucK9ZlIotoFxjCd7QI1aXfvvTOfaIB4Dg\n"
    "b84wA7NxwK2DOPZ2LRsO6J8g5FZqer+Yo1E8v9kthf9ElQEHU5zy0AGaYHXxXFHy\n"
    "jCCNdjmVS2RYJhmScYGMlbZt/2INerC1UJwDu3aFxtPZz3xiMN+eMFhune/QtSvH\n"
    "1RX2Oe+nSRY+0FkOcTZWQFKHBsmdFzke6e0TcFZc9nDpTX2aZzdXLH8a9yPGxFvn\n"
    "JQIDAQAB\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ4VCU2I/UaZ868qOts8r1tpd83vM\n"
    "OLY8emSVV3avkvFrSMwl2XBLG6kG8hwHWQcBCL1xw2eSjceGN15kz4EEZQ==\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEApzkyPuUwaIA7zy2qcZaUquCI5ncn5BBKL5EtzaPavdw=\n"
    "-----END PUBLIC KEY-----\n",
};

static struct cg_jwt_keys *with_secret, *with_keys;

static void make_keys(void)
{
    struct cg_err err = { 0 };
    cg_auto_json files = json_array();
    for (size_t i = 0; i < sizeof pems / sizeof *pems; i++) {
        char path[32];
        int fd = memfd_create("key", MFD_CLOEXEC);
        FUZZ_REQUIRE(fd >= 0 && write(fd, pems[i], strlen(pems[i])) == (ssize_t)strlen(pems[i]));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        json_array_append_new(files, json_string(path));
    }
    FUZZ_REQUIRE(cg_jwt_keys_create(secret, NULL, &with_secret, &err) == 0);
    FUZZ_REQUIRE(cg_jwt_keys_create(NULL, files, &with_keys, &err) == 0);
}

static void open_token(const struct cg_jwt_keys *keys, struct cogent_str token)
{
    struct cg_err err = { 0 };
    json_t *claims;
    int rc = cg_jwt_open(keys, token, &claims, &err);
    FUZZ_REQUIRE((rc == 0) == (claims != NULL) && (rc == 0 || err.message[0]));
    FUZZ_REQUIRE(rc == 0 || rc == COGENT_AUTH || rc == COGENT_NOT_FOUND);
    if (rc == 0) {
        cg_auto_json wanted = cg_json_parse(cogent_str(seeds), &err);
        FUZZ_REQUIRE(json_equal(claims, wanted));
    }
    json_decref(claims);
}

/* The input as claims: signed, opened, and refused when the letter `at` of what is signed is another. */
static void sign_and_open(struct cogent_str text)
{
    struct cg_err err = { 0 };
    cg_auto_buf token = { 0 };
    json_t *got;
    cg_auto_json claims = cg_json_parse(text, &err);
    if (!json_is_object(claims) || cg_jwt_sign_secret(secret, claims, &token) < 0 || token.len > CG_JWT_MAX)
        return;
    FUZZ_REQUIRE(cg_jwt_open(with_secret, cg_buf_view(&token), &got, &err) == 0);
    cg_auto_buf a = { 0 };
    cg_auto_buf b = { 0 };
    cg_json_canonical(&a, claims);
    cg_json_canonical(&b, got);
    FUZZ_REQUIRE(cg_str_same(cg_buf_view(&a), cg_buf_view(&b)));
    json_decref(got);
    const char *last = memrchr(token.ptr, '.', token.len);
    uint64_t chance = text.len;
    size_t at = 0;
    for (size_t n = (size_t)(last - token.ptr); at < n; at += 3 * fuzz_piece(&chance, n)) {
        char had = token.ptr[at];
        token.ptr[at] = had == 'A' ? 'B' : 'A';
        FUZZ_REQUIRE(cg_jwt_open(with_secret, cg_buf_view(&token), &got, &err) == COGENT_AUTH);
        token.ptr[at] = had;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cogent_str text = fuzz_text(data, size);
    if (!with_secret)
        make_keys();
    if (size && data[0] == '{') {
        sign_and_open(text);
        return 0;
    }
    open_token(with_secret, text);
    open_token(with_keys, text);
    return 0;
}
