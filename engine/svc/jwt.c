/* SPDX-License-Identifier: Apache-2.0
 * The algorithm comes from the key, never from the token: what the token says is only compared with it. */
#include "jwt.h"

#include "engine/base/hash.h"
#include "engine/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_FILE_MAX = 64 * 1024, SIGNATURE_MAX = 1100 };

struct named_key {
    struct cg_verify_key *key;
    char *name; /* of the file, without folders; or its kid in the issuer's set */
    bool is_kid;
};

struct cg_jwt_keys {
    char *secret; /* or keys */
    struct named_key keys[CG_JWT_KEYS_MAX];
    size_t n;
};

/* Keys. */

static int read_file(const char *path, struct cg_buf *out, struct cg_err *err)
{
    char piece[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return cg_err_set(err, COGENT_NOT_FOUND, "auth: keys: %s: %s", path, strerror(errno));
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0 && out->len <= KEY_FILE_MAX)
        cg_buf_add(out, piece, n);
    int failed = ferror(file), why = errno;
    fclose(file);
    if (failed)
        return cg_err_set(err, COGENT_INVALID, "auth: keys: %s: %s", path, strerror(why));
    if (out->len > KEY_FILE_MAX)
        return cg_err_set(err, COGENT_INVALID, "auth: keys: %s: too large for a key", path);
    return out->failed ? cg_err_set(err, COGENT_NO_MEMORY, "out of memory") : 0;
}

static int add_key(struct cg_jwt_keys *keys, const json_t *file, struct cg_err *err)
{
    cg_auto_buf pem = { 0 };
    char where[200];
    const char *path = json_string_value(file);
    if (!path || !*path)
        return cg_err_set(err, COGENT_INVALID, "auth: keys must be a list of files: { \"issuer.pem\" }");
    if (keys->n == CG_JWT_KEYS_MAX)
        return cg_err_set(err, COGENT_INVALID, "auth: keys: at most %d", CG_JWT_KEYS_MAX);
    struct named_key *k = &keys->keys[keys->n];
    const char *slash = strrchr(path, '/');
    snprintf(where, sizeof where, "auth: keys: %.180s", path);
    int rc = read_file(path, &pem, err);
    if (rc == 0)
        rc = cg_verify_key_read(cg_buf_view(&pem), where, &k->key, err);
    if (rc < 0)
        return rc;
    k->name = cg_str_dup(cogent_str(slash ? slash + 1 : path));
    keys->n++;
    return k->name ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
}

static int fill_keys(struct cg_jwt_keys *keys, const char *secret, const json_t *files, struct cg_err *err)
{
    size_t i;
    json_t *file;
    if (secret) {
        keys->secret = cg_str_dup(cogent_str(secret));
        return keys->secret ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    if (!json_is_array(files) || json_array_size(files) == 0)
        return cg_err_set(err, COGENT_INVALID, "auth: keys must be a list of files: { \"issuer.pem\" }");
    json_array_foreach (files, i, file) {
        int rc = add_key(keys, file, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int cg_jwt_keys_create(const char *secret, const json_t *files, struct cg_jwt_keys **out, struct cg_err *err)
{
    *out = NULL;
    if (secret && files)
        return cg_err_set(err, COGENT_INVALID,
                          "auth: secret and keys stand side by side; tokens are of one kind: take one away");
    if (!files && (!secret || strlen(secret) < CG_JWT_SECRET_MIN))
        return cg_err_set(
            err, COGENT_INVALID,
            "auth: secret must be a file of at least %d bytes (secret = file \"PATH\"; make one with: "
            "head -c 32 /dev/urandom | base64 > PATH), or name the issuer's public keys (keys = { \"PATH\" })",
            CG_JWT_SECRET_MIN);
    struct cg_jwt_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = fill_keys(keys, secret, files, err);
    if (rc < 0)
        cg_jwt_keys_destroy(keys);
    else
        *out = keys;
    return rc;
}

static bool has_kid(const struct cg_jwt_keys *keys, const char *kid)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (strcmp(keys->keys[i].name, kid) == 0)
            return true;
    }
    return false;
}

/* 1: added; 0: it is for something else, or broken. */
static int add_jwk(struct cg_jwt_keys *keys, size_t i, const json_t *jwk, struct cg_err *err)
{
    char where[64];
    struct cg_verify_key *key;
    snprintf(where, sizeof where, "keys/%zu", i);
    int rc = cg_verify_key_read_jwk(jwk, where, &key, err);
    if (rc == COGENT_DENIED || rc == COGENT_INVALID) /* the others are not to suffer for it */
        return 0;
    if (rc < 0)
        return rc;
    const char *kid = cg_json_str(jwk, "kid", cg_verify_key_thumbprint(key));
    if (has_kid(keys, kid))
        rc = cg_err_set(err, COGENT_INVALID, "%s: another key has its kid", where);
    else if (keys->n == CG_JWT_KEYS_MAX)
        rc = cg_err_set(err, COGENT_INVALID, "more than %d keys", CG_JWT_KEYS_MAX);
    char *name = rc == 0 ? cg_str_dup(cogent_str(kid)) : NULL;
    if (!name) {
        cg_verify_key_destroy(key);
        return rc < 0 ? rc : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    keys->keys[keys->n++] = (struct named_key){ key, name, true };
    return 1;
}

int cg_jwt_keys_read_set(const json_t *set, struct cg_jwt_keys **out, struct cg_err *err)
{
    size_t i;
    json_t *jwk;
    const json_t *list = json_object_get(set, "keys");
    *out = NULL;
    if (!json_is_array(list))
        return cg_err_set(err, COGENT_INVALID, "it is no JSON Web Key Set: {\"keys\": [...]}");
    struct cg_jwt_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    int rc = 0;
    json_array_foreach (list, i, jwk) {
        rc = add_jwk(keys, i, jwk, err);
        if (rc < 0)
            break;
    }
    if (rc >= 0 && keys->n == 0)
        rc = cg_err_set(err, COGENT_INVALID, "it has no key that verifies RS256, ES256 or EdDSA signatures");
    if (rc < 0) {
        cg_jwt_keys_destroy(keys);
        return rc;
    }
    *out = keys;
    return 0;
}

size_t cg_jwt_keys_count(const struct cg_jwt_keys *keys)
{
    return keys->n;
}

void cg_jwt_keys_destroy(struct cg_jwt_keys *keys)
{
    if (!keys)
        return;
    if (keys->secret)
        cg_wipe(keys->secret, strlen(keys->secret));
    free(keys->secret);
    for (size_t i = 0; i < CG_JWT_KEYS_MAX; i++) {
        cg_verify_key_destroy(keys->keys[i].key);
        free(keys->keys[i].name);
    }
    free(keys);
}

void cg_jwt_keys_describe(const struct cg_jwt_keys *keys, struct cg_buf *out)
{
    if (keys->secret)
        cg_buf_text(out, "HS256 with a secret");
    for (size_t i = 0; i < keys->n; i++)
        cg_buf_printf(out, "%s%s (%s, %s)", i ? ", " : "", keys->keys[i].name,
                      cg_verify_key_alg(keys->keys[i].key), cg_verify_key_thumbprint(keys->keys[i].key));
}

/* Tokens. */

struct parts {
    struct cogent_str header, payload, signature, signed_part;
};

static bool split(struct cogent_str text, struct parts *t)
{
    const char *end = text.ptr + text.len;
    const char *dot1 = memchr(text.ptr, '.', text.len);
    const char *dot2 = dot1 ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;
    if (!dot2 || memchr(dot2 + 1, '.', (size_t)(end - dot2 - 1)))
        return false;
    t->header = (struct cogent_str){ text.ptr, (size_t)(dot1 - text.ptr) };
    t->payload = (struct cogent_str){ dot1 + 1, (size_t)(dot2 - dot1 - 1) };
    t->signature = (struct cogent_str){ dot2 + 1, (size_t)(end - dot2 - 1) };
    t->signed_part = (struct cogent_str){ text.ptr, (size_t)(dot2 - text.ptr) };
    return true;
}

static json_t *decode_json(struct cogent_str part)
{
    cg_auto_free char *text = malloc(part.len + 1);
    int n = text ? cg_base64url_decode(part, text, part.len) : COGENT_NO_MEMORY;
    if (!text)
        cg_memory_failed();
    if (n < 0)
        return NULL;
    json_t *value = cg_json_parse((struct cogent_str){ text, (size_t)n }, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static bool mac_right(const char *secret, struct cogent_str data, struct cogent_str signature)
{
    unsigned char want[CG_SHA256_SIZE];
    return signature.len == CG_SHA256_SIZE && cg_hmac_sha256(cogent_str(secret), data, want) == 0 &&
           cg_bytes_equal(want, signature.ptr, CG_SHA256_SIZE);
}

/* With or without its ending: issuer.pem is "issuer" too. */
static bool name_is(const char *name, const char *kid)
{
    const char *dot = strrchr(name, '.');
    return strcmp(name, kid) == 0 ||
           (dot && dot != name && strlen(kid) == (size_t)(dot - name) && memcmp(name, kid, strlen(kid)) == 0);
}

static bool key_meant(const struct named_key *k, const char *alg, const char *kid)
{
    return strcmp(cg_verify_key_alg(k->key), alg) == 0 &&
           (!kid || strcmp(cg_verify_key_thumbprint(k->key), kid) == 0 ||
            (k->is_kid ? strcmp(k->name, kid) == 0 : name_is(k->name, kid)));
}

static const char no_such_key[] = "This server has no key of the token's kid and algorithm.";

/* NULL, or what is wrong with the signature. */
static const char *check_signature(const struct cg_jwt_keys *keys, const struct parts *t, const char *alg,
                                   const char *kid)
{
    unsigned char bytes[SIGNATURE_MAX];
    int n = cg_base64url_decode(t->signature, bytes, sizeof bytes);
    const struct cogent_str signature = { (const char *)bytes, n > 0 ? (size_t)n : 0 };
    size_t meant = 0;
    if (keys->secret && strcmp(alg, "HS256") != 0)
        return "The token's algorithm is not the one this server's key is for (HS256).";
    if (keys->secret)
        return mac_right(keys->secret, t->signed_part, signature)
                   ? NULL
                   : "The token's signature is wrong: it was made with another secret, or changed.";
    for (size_t i = 0; i < keys->n; i++) {
        if (!key_meant(&keys->keys[i], alg, kid))
            continue;
        meant++;
        if (cg_verify(keys->keys[i].key, t->signed_part, signature))
            return NULL;
    }
    return meant ? "The token's signature is wrong: it was made with another key, or changed."
           : kid ? no_such_key
                 : "The token's algorithm is not one that this server has a key for.";
}

int cg_jwt_open(const struct cg_jwt_keys *keys, struct cogent_str token, json_t **claims, struct cg_err *err)
{
    struct parts t;
    *claims = NULL;
    if (token.len > CG_JWT_MAX || !split(token, &t))
        return cg_err_set(err, COGENT_AUTH, "The token is not a JSON Web Token behind \"Bearer \".");
    cg_auto_json head = decode_json(t.header);
    const json_t *kid = head ? json_object_get(head, "kid") : NULL;
    if (!head || json_object_get(head, "crit") || (kid && !json_is_string(kid)))
        return cg_err_set(err, COGENT_AUTH,
                          "The token's header is no JSON object, has crit, or a kid that is no text.");
    const char *why = check_signature(keys, &t, cg_json_str(head, "alg", ""), json_string_value(kid));
    if (why)
        return cg_err_set(err, why == no_such_key ? COGENT_NOT_FOUND : COGENT_AUTH, "%s", why);
    *claims = decode_json(t.payload);
    return *claims ? 0
                   : cg_err_set(err, COGENT_AUTH, "The token was refused: its claims are no JSON object.");
}

/* Signing. */

static struct cogent_str begin_token(const char *head, const json_t *claims, struct cg_buf *out)
{
    cg_auto_buf body = { 0 };
    size_t from = out->len;
    cg_json_add(&body, claims);
    cg_base64url_encode(head, strlen(head), out);
    cg_buf_char(out, '.');
    cg_base64url_encode(cg_buf_view(&body).ptr, cg_buf_view(&body).len, out);
    out->failed = out->failed || body.failed;
    return out->failed ? (struct cogent_str){ NULL, 0 }
                       : (struct cogent_str){ out->ptr + from, out->len - from };
}

int cg_jwt_sign_secret(const char *secret, const json_t *claims, struct cg_buf *out)
{
    unsigned char mac[CG_SHA256_SIZE];
    struct cogent_str part = begin_token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims, out);
    int rc = part.ptr ? cg_hmac_sha256(cogent_str(secret), part, mac) : COGENT_NO_MEMORY;
    if (rc < 0)
        return rc;
    cg_buf_char(out, '.');
    cg_base64url_encode(mac, sizeof mac, out);
    return out->failed ? COGENT_NO_MEMORY : 0;
}

int cg_jwt_sign_key(const struct cg_sign_key *key, const json_t *claims, struct cg_buf *out)
{
    char head[120];
    cg_auto_buf signature = { 0 };
    snprintf(head, sizeof head, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", cg_sign_key_alg(key),
             cg_sign_key_thumbprint(key));
    struct cogent_str part = begin_token(head, claims, out);
    int rc = part.ptr ? cg_sign(key, part, &signature) : COGENT_NO_MEMORY;
    if (rc < 0)
        return rc;
    cg_buf_char(out, '.');
    cg_base64url_encode(signature.ptr, signature.len, out);
    return out->failed ? COGENT_NO_MEMORY : 0;
}
