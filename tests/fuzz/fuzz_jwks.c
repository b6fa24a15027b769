/* SPDX-License-Identifier: Apache-2.0
 * JSON Web Key Sets. A set that is read has one to sixteen keys; with whatever keys, only what was signed is let in, and a
 * token signed with a secret never: no member of a key is a secret. That a set is read the same way twice is not asserted:
 * OpenSSL tells unsound moduli by chance. */
#include "fuzz.h"

#include "engine/svc/jwt.h"

/* The claims of corpus/jwt, signed with the keys of corpus/jwks/three. */
#define CLAIMS                                                                                               \
    ".eyJzdWIiOiJmdXp6IiwidGVuYW50X2lkIjoiYWNtZSIsImV4cCI6NDEwMjQ0NDgwMCwicGVybWlzc2lvbnMiOlsic2FsZXMucmVh"  \
    "ZCJdfQ."
static const char claims_text[] =
    "{\"sub\":\"fuzz\",\"tenant_id\":\"acme\",\"exp\":4102444800,\"permissions\":[\"sales.read\"]}";

static const char *const tokens[] = {
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9" CLAIMS
    "Q_BPIChe-kl9gHDMy8whGgIbD0_rPN3tZzHjKgHvVujnT90R20yuLj_siUf6WmYiPE4z9ZM2trFx2ffk_10RR8U7RIZ_rEGmev5qd2QcGr5K"
    "kriTAarPx1uLJxeB6xLZVQBI8GH3pCojW6cgrKzTTnBD4SjeHaFF4tce8hbfp_m5qip-x_ufhinp4tTLvCX44JvYYYNfzuggFM5vna-PmYOY"
    "dF6D3NW7VN3eVBBfa98eEoJj11--NEVKg8LPt4sMT8itEk594NPI992xvI7veSMF15q4kGVao2z8vcSiFt8RESsh0g4PR0BP8pMfP7TD0YXg"
    "fY0p7_5iDTVrYvU2yQ",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9" CLAIMS
    "sycNoNA-ngwAKSknQ1IpIdNTEqbbNY0VpAolhRtJkvXj3HiWjv9GmBu9s7nmmv4xYFgnkVpWPO8FzOI9pdpOpA",
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9" CLAIMS
    "aGrcjICKZE9N7e3viFtnyz1DewaJOveOnBBT0tJsTk2dqtABB8fVLQznysFMNEjCN5tshkLfH484-JWrPzbCCw",
};

/* A token whose secret is the text of a member of a key, as whoever knows the set would try. */
static void forge(const struct cg_jwt_keys *keys, const json_t *set)
{
    size_t i;
    json_t *jwk;
    json_array_foreach (json_object_get(set, "keys"), i, jwk) {
        const char *name;
        json_t *value;
        json_object_foreach ((json_t *)jwk, name, value) {
            struct cg_err err = { 0 };
            json_t *got;
            cg_auto_buf token = { 0 };
            cg_auto_json claims = cg_json_parse(cogent_str(claims_text), &err);
            if (!json_is_string(value) || json_string_length(value) < CG_JWT_SECRET_MIN ||
                cg_jwt_sign_secret(json_string_value(value), claims, &token) < 0)
                continue;
            FUZZ_REQUIRE(cg_jwt_open(keys, cg_buf_view(&token), &got, &err) == COGENT_AUTH && !got);
        }
    }
}

static void open_tokens(const struct cg_jwt_keys *keys)
{
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct cg_err err = { 0 };
        json_t *got;
        int rc = cg_jwt_open(keys, cogent_str(tokens[i]), &got, &err);
        FUZZ_REQUIRE((rc == 0) == (got != NULL));
        FUZZ_REQUIRE(rc == 0 || rc == COGENT_AUTH || rc == COGENT_NOT_FOUND);
        if (got) {
            cg_auto_json wanted = cg_json_parse(cogent_str(claims_text), &err);
            FUZZ_REQUIRE(json_equal(got, wanted));
        }
        json_decref(got);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_err err = { 0 };
    struct cg_jwt_keys *keys;
    cg_auto_json set = cg_json_parse(fuzz_text(data, size), &err);
    if (!set)
        return 0;
    int rc = cg_jwt_keys_read_set(set, &keys, &err);
    FUZZ_REQUIRE((rc == 0) == (keys != NULL) && (rc == 0 || (rc == COGENT_INVALID && err.message[0])));
    if (rc < 0)
        return 0;
    FUZZ_REQUIRE(cg_jwt_keys_count(keys) >= 1 && cg_jwt_keys_count(keys) <= CG_JWT_KEYS_MAX);
    cg_auto_buf words = { 0 };
    cg_jwt_keys_describe(keys, &words);
    FUZZ_REQUIRE(words.len);
    open_tokens(keys);
    forge(keys, set);
    cg_jwt_keys_destroy(keys);
    return 0;
}
