/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include "hash.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POINT_UNCOMPRESSED = 4,
    RSA_MIN_BITS = 2048,
    RSA_MAX_BITS = 8192,
    P256_BYTES = 32,
    ED25519_BYTES = 32,
    PARAM_MAX = 1100
};

/* What a key can be, and what is signed with it. */
enum kind { RSA_KEY, P256_KEY, ED25519_KEY };

static const char *const algs[] = { "RS256", "ES256", "EdDSA" };

struct key {
    EVP_PKEY *pkey;
    enum kind kind;
    char thumbprint[CG_THUMBPRINT_SIZE];
};

struct cg_verify_key {
    struct key key;
};

struct cg_sign_key {
    struct key key;
};

static int kind_of(const EVP_PKEY *pkey, enum kind *out, const char *where, struct cg_err *err)
{
    char group[32] = "";
    size_t len = 0;
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        *out = RSA_KEY;
        if (EVP_PKEY_get_bits(pkey) < RSA_MIN_BITS || EVP_PKEY_get_bits(pkey) > RSA_MAX_BITS)
            return cg_err_set(err, COGENT_INVALID, "%s: an RSA key of %d bits: %d to %d are taken", where,
                              EVP_PKEY_get_bits(pkey), RSA_MIN_BITS, RSA_MAX_BITS);
        return 0;
    case EVP_PKEY_EC:
        *out = P256_KEY;
        if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) != 1 || strcmp(group, "prime256v1") != 0)
            return cg_err_set(err, COGENT_INVALID, "%s: a key of another curve than P-256", where);
        return 0;
    case EVP_PKEY_ED25519:
        *out = ED25519_KEY;
        return 0;
    default:
        return cg_err_set(err, COGENT_INVALID,
                          "%s: no key of a kind that signs tokens here: RSA (RS256), P-256 (ES256), Ed25519 "
                          "(EdDSA)",
                          where);
    }
}

/* A number of the key as base64url: of its own length, or padded to `width`. */
static bool add_number(const EVP_PKEY *pkey, const char *name, int width, struct cg_buf *out)
{
    unsigned char bytes[PARAM_MAX];
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &n) == 1;
    int len = ok ? (width ? width : BN_num_bytes(n)) : 0;
    ok = ok && len > 0 && len <= PARAM_MAX && BN_bn2binpad(n, bytes, len) == len;
    if (ok)
        cg_base64url_encode(bytes, (size_t)len, out);
    BN_free(n);
    return ok;
}

/* RFC 7638: the members that are needed, in order, without white space. */
static bool add_jwk(const struct key *key, struct cg_buf *out)
{
    unsigned char point[ED25519_BYTES];
    size_t len = sizeof point;
    bool ok = false;
    if (key->kind == RSA_KEY) {
        cg_buf_text(out, "{\"e\":\"");
        ok = add_number(key->pkey, OSSL_PKEY_PARAM_RSA_E, 0, out);
        cg_buf_text(out, "\",\"kty\":\"RSA\",\"n\":\"");
        ok = ok && add_number(key->pkey, OSSL_PKEY_PARAM_RSA_N, 0, out);
    } else if (key->kind == P256_KEY) {
        cg_buf_text(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
        ok = add_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES, out);
        cg_buf_text(out, "\",\"y\":\"");
        ok = ok && add_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES, out);
    } else {
        cg_buf_text(out, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
        ok = EVP_PKEY_get_raw_public_key(key->pkey, point, &len) == 1;
        if (ok)
            cg_base64url_encode(point, len, out);
    }
    cg_buf_text(out, "\"}");
    return ok && !out->failed;
}

static int fill_thumbprint(struct key *key)
{
    unsigned char hash[CG_SHA256_SIZE];
    cg_auto_buf jwk = { 0 }, text = { 0 };
    if (!add_jwk(key, &jwk) || cg_sha256(cg_buf_view(&jwk), hash) < 0)
        return COGENT_NO_MEMORY;
    cg_base64url_encode(hash, sizeof hash, &text);
    cg_str_copy(key->thumbprint, sizeof key->thumbprint, cg_buf_view(&text));
    return text.failed ? COGENT_NO_MEMORY : 0;
}

/* A point off its curve, an exponent of 1: a key that any signature would fit. */
static bool key_sound(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool ok = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Takes pkey. */
static int settle(struct key *key, EVP_PKEY *pkey, const char *where, struct cg_err *err)
{
    key->pkey = pkey;
    int rc = kind_of(pkey, &key->kind, where, err);
    if (rc == 0 && !key_sound(pkey))
        rc = cg_err_set(err, COGENT_INVALID, "%s: the key is not sound", where);
    if (rc == 0 && fill_thumbprint(key) < 0)
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    ERR_clear_error();
    return rc;
}

static bool holds(struct cogent_str pem, const char *word)
{
    return memmem(pem.ptr, pem.len, word, strlen(word)) != NULL;
}

static bool holds_several(struct cogent_str pem)
{
    static const char begin[] = "-----BEGIN ";
    const char *first = memmem(pem.ptr, pem.len, begin, sizeof begin - 1);
    size_t left = first ? pem.len - (size_t)(first + 1 - pem.ptr) : 0;
    return first && memmem(first + 1, left, begin, sizeof begin - 1);
}

static EVP_PKEY *read_public(struct cogent_str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = NULL;
    if (bio && holds(pem, "-----BEGIN CERTIFICATE-----")) {
        X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        pkey = x509 ? X509_get_pubkey(x509) : NULL;
        X509_free(x509);
    } else if (bio) {
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    return pkey;
}

/* Takes pkey. */
static int verify_key_of(EVP_PKEY *pkey, const char *where, struct cg_verify_key **out, struct cg_err *err)
{
    *out = NULL;
    struct cg_verify_key *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    int rc = settle(&key->key, pkey, where, err);
    if (rc < 0)
        cg_verify_key_destroy(key);
    else
        *out = key;
    return rc;
}

int cg_verify_key_read(struct cogent_str pem, const char *where, struct cg_verify_key **out,
                       struct cg_err *err)
{
    *out = NULL;
    if (holds(pem, "PRIVATE KEY-----"))
        return cg_err_set(err, COGENT_INVALID,
                          "%s: holds a private key; give the public one: openssl pkey -in KEY -pubout",
                          where);
    if (holds_several(pem))
        return cg_err_set(err, COGENT_INVALID, "%s: holds several keys or certificates; one a file", where);
    EVP_PKEY *pkey = read_public(pem);
    ERR_clear_error();
    if (!pkey)
        return cg_err_set(err, COGENT_INVALID, "%s: holds no public key and no certificate in PEM", where);
    return verify_key_of(pkey, where, out, err);
}

/* JSON Web Keys. */

/* A member in base64url as bytes. Their number, or -1: missing, no text, too long. */
static int jwk_bytes(const json_t *jwk, const char *name, unsigned char *out, size_t size)
{
    const json_t *value = json_object_get(jwk, name);
    const struct cogent_str text = { json_string_value(value), json_string_length(value) };
    return text.ptr && text.len ? cg_base64url_decode(text, out, size) : -1;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* OpenSSL wants numbers in the machine's order of bytes. */
static bool native(unsigned char *bytes, int len)
{
    BIGNUM *n = len > 0 ? BN_bin2bn(bytes, len, NULL) : NULL;
    bool ok = n && BN_bn2nativepad(n, bytes, len) == len;
    BN_free(n);
    return ok;
}

static EVP_PKEY *jwk_rsa(const json_t *jwk)
{
    unsigned char n[PARAM_MAX], e[16];
    int n_len = jwk_bytes(jwk, "n", n, sizeof n), e_len = jwk_bytes(jwk, "e", e, sizeof e);
    if (!native(n, n_len) || !native(e, e_len))
        return NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, (size_t)n_len),
                            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, (size_t)e_len),
                            OSSL_PARAM_construct_end() };
    return from_params("RSA", params);
}

static EVP_PKEY *jwk_p256(const json_t *jwk)
{
    unsigned char point[1 + 2 * P256_BYTES] = { POINT_UNCOMPRESSED };
    char group[] = "prime256v1";
    if (jwk_bytes(jwk, "x", point + 1, P256_BYTES) != P256_BYTES ||
        jwk_bytes(jwk, "y", point + 1 + P256_BYTES, P256_BYTES) != P256_BYTES)
        return NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
                            OSSL_PARAM_construct_end() };
    return from_params("EC", params);
}

static EVP_PKEY *jwk_ed25519(const json_t *jwk)
{
    unsigned char point[ED25519_BYTES];
    return jwk_bytes(jwk, "x", point, sizeof point) == ED25519_BYTES
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, sizeof point)
               : NULL;
}

/* What a key of a list is for: one that encrypts, or signs in another way, is none of ours and no mistake. */
static bool jwk_verifies(const json_t *jwk, enum kind kind)
{
    size_t i;
    json_t *op;
    const char *use = cg_json_str(jwk, "use", "sig"), *alg = cg_json_str(jwk, "alg", algs[kind]);
    const json_t *ops = json_object_get(jwk, "key_ops");
    bool verifies = !ops;
    json_array_foreach (ops, i, op)
        verifies |= json_is_string(op) && strcmp(json_string_value(op), "verify") == 0;
    return verifies && strcmp(use, "sig") == 0 && strcmp(alg, algs[kind]) == 0;
}

int cg_verify_key_read_jwk(const json_t *jwk, const char *where, struct cg_verify_key **out,
                           struct cg_err *err)
{
    static const struct {
        const char *kty, *crv; /* crv NULL: it has none */
        EVP_PKEY *(*read)(const json_t *jwk);
    } kinds[] = { [RSA_KEY] = { "RSA", NULL, jwk_rsa },
                  [P256_KEY] = { "EC", "P-256", jwk_p256 },
                  [ED25519_KEY] = { "OKP", "Ed25519", jwk_ed25519 } };
    const char *kty = cg_json_str(jwk, "kty", ""), *crv = cg_json_str(jwk, "crv", "");
    *out = NULL;
    for (enum kind kind = RSA_KEY; kind <= ED25519_KEY; kind++) {
        if (strcmp(kty, kinds[kind].kty) != 0 || (kinds[kind].crv && strcmp(crv, kinds[kind].crv) != 0) ||
            !jwk_verifies(jwk, kind))
            continue;
        EVP_PKEY *pkey = kinds[kind].read(jwk);
        ERR_clear_error();
        if (!pkey)
            return cg_err_set(err, COGENT_INVALID, "%s: its numbers are no key of kty %s", where, kty);
        return verify_key_of(pkey, where, out, err);
    }
    return cg_err_set(err, COGENT_DENIED,
                      "%s: no key that verifies RS256, ES256 or EdDSA signatures of tokens", where);
}

void cg_verify_key_destroy(struct cg_verify_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key.pkey);
    free(key);
}

const char *cg_verify_key_alg(const struct cg_verify_key *key)
{
    return algs[key->key.kind];
}

const char *cg_verify_key_thumbprint(const struct cg_verify_key *key)
{
    return key->key.thumbprint;
}

/* r and s of 32 bytes each, as OpenSSL wants them: a DER sequence. Its length, or 0. */
static size_t der_of(struct cogent_str raw, unsigned char *out, size_t size)
{
    const unsigned char *at = (const unsigned char *)raw.ptr;
    ECDSA_SIG *sig = raw.len == (size_t)2 * P256_BYTES ? ECDSA_SIG_new() : NULL;
    BIGNUM *r = sig ? BN_bin2bn(at, P256_BYTES, NULL) : NULL;
    BIGNUM *s = r ? BN_bin2bn(at + P256_BYTES, P256_BYTES, NULL) : NULL;
    int len = 0;
    if (s && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(sig, r, s) == 1) {
        len = i2d_ECDSA_SIG(sig, NULL);
        unsigned char *end = out;
        len = len > 0 && (size_t)len <= size ? i2d_ECDSA_SIG(sig, &end) : 0;
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

bool cg_verify(const struct cg_verify_key *key, struct cogent_str data, struct cogent_str signature)
{
    unsigned char der[80];
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    size_t len = signature.len;
    if (key->key.kind == P256_KEY) {
        len = der_of(signature, der, sizeof der);
        bytes = der;
    }
    if (key->key.kind == RSA_KEY && len != (size_t)EVP_PKEY_get_size(key->key.pkey))
        len = 0; /* one signature, one spelling */
    EVP_MD_CTX *ctx = len ? EVP_MD_CTX_new() : NULL;
    const EVP_MD *md = key->key.kind == ED25519_KEY ? NULL : EVP_sha256();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->key.pkey) == 1 &&
              EVP_DigestVerify(ctx, bytes, len, (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* Never asks at the terminal. */
static int no_phrase(char *buf, int size, int rw, void *arg)
{
    (void)buf, (void)size, (void)rw, (void)arg;
    return -1;
}

int cg_sign_key_read(struct cogent_str pem, const char *where, struct cg_sign_key **out, struct cg_err *err)
{
    *out = NULL;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!pkey)
        return cg_err_set(err, COGENT_INVALID, "%s: holds no private key in PEM without a pass phrase",
                          where);
    struct cg_sign_key *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    int rc = settle(&key->key, pkey, where, err);
    if (rc < 0)
        cg_sign_key_destroy(key);
    else
        *out = key;
    return rc;
}

void cg_sign_key_destroy(struct cg_sign_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key.pkey);
    free(key);
}

const char *cg_sign_key_alg(const struct cg_sign_key *key)
{
    return algs[key->key.kind];
}

const char *cg_sign_key_thumbprint(const struct cg_sign_key *key)
{
    return key->key.thumbprint;
}

static bool add_raw(const unsigned char *der, size_t len, struct cg_buf *out)
{
    unsigned char raw[2 * P256_BYTES];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, P256_BYTES) == P256_BYTES &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + P256_BYTES, P256_BYTES) == P256_BYTES;
    if (ok)
        cg_buf_add(out, raw, sizeof raw);
    ECDSA_SIG_free(sig);
    return ok;
}

int cg_sign(const struct cg_sign_key *key, struct cogent_str data, struct cg_buf *out)
{
    unsigned char bytes[PARAM_MAX];
    size_t len = sizeof bytes;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = key->key.kind == ED25519_KEY ? NULL : EVP_sha256();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key->key.pkey) == 1 &&
              EVP_DigestSign(ctx, bytes, &len, (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (ok && key->key.kind == P256_KEY)
        ok = add_raw(bytes, len, out);
    else if (ok)
        cg_buf_add(out, bytes, len);
    return ok && !out->failed ? 0 : COGENT_NO_MEMORY;
}
