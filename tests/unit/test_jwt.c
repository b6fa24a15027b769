/* SPDX-License-Identifier: Apache-2.0
 * Tokens signed with keys: the vectors of the RFCs, and the ways in which one kind of key is taken for another. The
 * keys of the other tests are made when they begin. */
#include "check.h"

#include "engine/base/hash.h"
#include "engine/svc/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char rfc7515_a2[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
                                 "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
                                 "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
                                 "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
                                 "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
                                 "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
                                 "oQIDAQAB\n"
                                 "-----END PUBLIC KEY-----\n";

static const char rfc7515_a3[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                                 "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                                 "-----END PUBLIC KEY-----\n";

static const char rfc7638_3[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n"
                                "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n"
                                "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n"
                                "7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
                                "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n"
                                "M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
                                "gwIDAQAB\n"
                                "-----END PUBLIC KEY-----\n";

static const char rfc8037_a[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                "-----END PUBLIC KEY-----\n";

#define A2_SIGNED                                                                                            \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y"  \
    "b290Ijp0cnVlfQ"
#define A2_SIGNATURE                                                                                           \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb" \
    "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383" \
    "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy" \
    "wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define A3_SIGNED                                                                                            \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y"  \
    "b290Ijp0cnVlfQ"
#define A3_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ED_SIGNED    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define ED_SIGNATURE "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

enum { FIRST_RSA, P256, ED, OTHER_RSA, P384, SHORT_RSA, N_KEYS };

static const char *const file_names[N_KEYS] = { "issuer.pem", "point.pem", "ed.pem",
                                                "old.crt",    "p384.pem",  "short.pem" };
static char folder[64];
static EVP_PKEY *pkeys[N_KEYS];
static struct cg_sign_key *signers[N_KEYS];
static struct cg_jwt_keys *keys; /* FIRST_RSA, P256, ED and OTHER_RSA, the last as a certificate */

static char *path_of(const char *name)
{
    struct cg_buf out = { 0 };
    cg_buf_printf(&out, "%s/%s", folder, name);
    return cg_buf_steal(&out);
}

static struct cogent_str memory(BIO *bio)
{
    char *ptr;
    long n = BIO_get_mem_data(bio, &ptr);
    return (struct cogent_str){ ptr, (size_t)n };
}

static void write_file(const char *name, struct cogent_str text)
{
    cg_auto_free char *path = path_of(name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
}

static void add_certificate(BIO *bio, EVP_PKEY *pkey)
{
    X509 *x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 1000);
    X509_set_pubkey(x509, pkey);
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, x509);
    X509_free(x509);
}

static void write_public(int i)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (i == OTHER_RSA)
        add_certificate(bio, pkeys[i]);
    else
        PEM_write_bio_PUBKEY(bio, pkeys[i]);
    write_file(file_names[i], memory(bio));
    BIO_free(bio);
}

static int read_signer(int i, struct cg_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pkeys[i], NULL, NULL, 0, NULL, NULL);
    int rc = cg_sign_key_read(memory(bio), "key", &signers[i], err);
    BIO_free(bio);
    return rc;
}

static int load(struct cg_jwt_keys **out, const char *const *names, struct cg_err *err)
{
    cg_auto_json list = json_array();
    for (; *names; names++) {
        cg_auto_free char *path = path_of(*names);
        json_array_append_new(list, json_string(path));
    }
    return cg_jwt_keys_create(NULL, list, out, err);
}

static int setup(void **state)
{
    static const char *const all[] = { "issuer.pem", "point.pem", "ed.pem", "old.crt", NULL };
    struct cg_err err = { 0 };
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cogent-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    pkeys[FIRST_RSA] = EVP_RSA_gen(2048);
    pkeys[P256] = EVP_EC_gen("P-256");
    pkeys[ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    pkeys[OTHER_RSA] = EVP_RSA_gen(2048);
    pkeys[P384] = EVP_EC_gen("P-384");
    pkeys[SHORT_RSA] = EVP_RSA_gen(1024);
    for (int i = 0; i < N_KEYS; i++)
        write_public(i);
    for (int i = 0; i < P384; i++)
        assert_int_equal(read_signer(i, &err), 0);
    return load(&keys, all, &err);
}

static int teardown(void **state)
{
    static const char *const more[] = { "both.pem", "private.pem", "none.pem" };
    (void)state;
    cg_jwt_keys_destroy(keys);
    for (int i = 0; i < N_KEYS; i++) {
        cg_auto_free char *path = path_of(file_names[i]);
        cg_sign_key_destroy(signers[i]);
        EVP_PKEY_free(pkeys[i]);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        cg_auto_free char *path = path_of(more[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static int open_with(const struct cg_jwt_keys *with, const char *token)
{
    struct cg_err err = { 0 };
    json_t *claims;
    int rc = cg_jwt_open(with, cogent_str(token), &claims, &err);
    assert_true((rc == 0) == (claims != NULL));
    assert_true(rc == 0 || strlen(err.message) > 10);
    json_decref(claims);
    return rc;
}

static bool verify(const char *pem, const char *data, const char *signature)
{
    struct cg_verify_key *key;
    struct cg_err err;
    unsigned char bytes[600];
    int n = cg_base64url_decode(cogent_str(signature), bytes, sizeof bytes);
    assert_true(n > 0);
    assert_int_equal(cg_verify_key_read(cogent_str(pem), "key", &key, &err), 0);
    bool ok = cg_verify(key, cogent_str(data), (struct cogent_str){ (char *)bytes, (size_t)n });
    cg_verify_key_destroy(key);
    return ok;
}

static void vectors(void **state)
{
    (void)state;
    assert_true(verify(rfc7515_a2, A2_SIGNED, A2_SIGNATURE));
    assert_true(verify(rfc7515_a3, A3_SIGNED, A3_SIGNATURE));
    assert_true(verify(rfc8037_a, ED_SIGNED, ED_SIGNATURE));
    assert_false(verify(rfc7515_a2, A2_SIGNED "x", A2_SIGNATURE));
    assert_false(verify(rfc7515_a3, A3_SIGNED "x", A3_SIGNATURE));
    assert_false(verify(rfc8037_a, ED_SIGNED "x", ED_SIGNATURE));
    /* Of one kind, but of another key; and of another kind. */
    assert_false(verify(rfc7638_3, A2_SIGNED, A2_SIGNATURE));
    assert_false(verify(rfc8037_a, A3_SIGNED, A3_SIGNATURE));
    assert_false(verify(rfc7515_a3, ED_SIGNED, ED_SIGNATURE));
}

static void thumbprints(void **state)
{
    static const struct {
        const char *pem, *thumbprint, *alg;
    } rows[] = { { rfc7638_3, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RS256" },
                 { rfc8037_a, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "EdDSA" },
                 { rfc7515_a3, NULL, "ES256" } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_verify_key *key;
        struct cg_err err;
        assert_int_equal(cg_verify_key_read(cogent_str(rows[i].pem), "key", &key, &err), 0);
        assert_string_equal(cg_verify_key_alg(key), rows[i].alg);
        if (rows[i].thumbprint)
            assert_string_equal(cg_verify_key_thumbprint(key), rows[i].thumbprint);
        cg_verify_key_destroy(key);
    }
}

/* A token with this head, signed by a key whatever the head says; or by an HMAC, when mac is given. */
static char *token(const char *head, const struct cg_sign_key *key, struct cogent_str mac)
{
    static const char claims[] = "{\"sub\":\"u1\",\"exp\":4000000000}";
    struct cg_buf out = { 0 };
    cg_auto_buf signature = { 0 };
    unsigned char hash[CG_SHA256_SIZE];
    cg_base64url_encode(head, strlen(head), &out);
    cg_buf_char(&out, '.');
    cg_base64url_encode(claims, sizeof claims - 1, &out);
    if (key) {
        assert_int_equal(cg_sign(key, cg_buf_view(&out), &signature), 0);
    } else if (mac.ptr) {
        assert_int_equal(cg_hmac_sha256(mac, cg_buf_view(&out), hash), 0);
        cg_buf_add(&signature, hash, sizeof hash);
    }
    cg_buf_char(&out, '.');
    cg_base64url_encode(signature.ptr, signature.len, &out);
    return cg_buf_steal(&out);
}

static void heads(void **state)
{
    static const struct {
        int key, rc;
        const char *head;
    } rows[] = {
        { FIRST_RSA, 0, "{\"alg\":\"RS256\"}" },
        { P256, 0, "{\"alg\":\"ES256\"}" },
        { ED, 0, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}" },
        { OTHER_RSA, 0, "{\"alg\":\"RS256\"}" }, /* without kid all of the kind are tried */
        { FIRST_RSA, 0, "{\"alg\":\"RS256\",\"kid\":\"issuer\"}" },
        { FIRST_RSA, 0, "{\"alg\":\"RS256\",\"kid\":\"issuer.pem\"}" },
        { OTHER_RSA, 0, "{\"alg\":\"RS256\",\"kid\":\"old.crt\"}" },
        { FIRST_RSA, COGENT_AUTH,
          "{\"alg\":\"RS256\",\"kid\":\"old\"}" }, /* there, but not the one that signed */
        { FIRST_RSA, COGENT_NOT_FOUND, "{\"alg\":\"RS256\",\"kid\":\"ISSUER\"}" },
        { FIRST_RSA, COGENT_NOT_FOUND, "{\"alg\":\"RS256\",\"kid\":\"\"}" },
        { FIRST_RSA, COGENT_NOT_FOUND, "{\"alg\":\"RS256\",\"kid\":\"iss\"}" },
        { FIRST_RSA, COGENT_NOT_FOUND, "{\"alg\":\"RS256\",\"kid\":\"../issuer.pem\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"RS256\",\"kid\":\"issuer\\u0000\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"RS256\",\"kid\":7}" },
        { FIRST_RSA, COGENT_NOT_FOUND, "{\"alg\":\"RS256\",\"kid\":\"point\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"ES256\"}" },
        { P256, COGENT_AUTH, "{\"alg\":\"RS256\"}" },
        { ED, COGENT_AUTH, "{\"alg\":\"ES256\"}" },
        { ED, COGENT_AUTH, "{\"alg\":\"Ed25519\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"RS384\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"PS256\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"rs256\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"HS256\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"none\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":null}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":[\"RS256\"]}" },
        { FIRST_RSA, COGENT_AUTH, "{\"typ\":\"JWT\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"none\",\"alg\":\"RS256\"}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}" },
        { FIRST_RSA, COGENT_AUTH, "{\"alg\":\"RS256\",\"crit\":[]}" },
        /* What the token says of keys is not read: the signature is right, whoever jku names. */
        { FIRST_RSA, 0,
          "{\"alg\":\"RS256\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"http://127.0.0.1:1/\"}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cg_auto_free char *text = token(rows[i].head, signers[rows[i].key], (struct cogent_str){ NULL, 0 });
        int rc = open_with(keys, text);
        if (rc != rows[i].rc)
            fail_msg("%s: %d", rows[i].head, rc);
    }
    for (int i = 0; i < P384; i++) {
        cg_auto_json claims = json_pack("{s:s}", "sub", "u1");
        cg_auto_buf own = { 0 };
        assert_int_equal(cg_jwt_sign_key(signers[i], claims, &own), 0); /* its kid is the thumbprint */
        assert_int_equal(open_with(keys, own.ptr), 0);
    }
}

static void unsigned_tokens(void **state)
{
    static const char *const algs[] = {
        "none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA"
    };
    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        char head[60];
        snprintf(head, sizeof head, "{\"alg\":\"%s\"}", algs[i]);
        cg_auto_free char *text = token(head, NULL, (struct cogent_str){ NULL, 0 });
        assert_int_equal(open_with(keys, text), COGENT_AUTH);
    }
}

/* The public key, known to all, as the secret of an HMAC: in every form in which it may lie about. */
static void public_key_as_secret(void **state)
{
    static const char *const named[] = { "HS256", "RS256", "ES256", "none" };
    (void)state;
    for (int i = 0; i <= ED; i++) {
        unsigned char *der = NULL, *inner = NULL;
        int n = i2d_PUBKEY(pkeys[i], &der), m = i2d_PublicKey(pkeys[i], &inner);
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PUBKEY(bio, pkeys[i]);
        struct cogent_str pem = memory(bio), forms[] = { pem,
                                                         { pem.ptr, pem.len - 1 },
                                                         { (char *)der, (size_t)n },
                                                         { (char *)inner, m > 0 ? (size_t)m : 0 },
                                                         { "", 0 } };
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
            for (size_t a = 0; a < sizeof named / sizeof *named; a++) {
                char head[60];
                snprintf(head, sizeof head, "{\"alg\":\"%s\"}", named[a]);
                cg_auto_free char *text = token(head, NULL, forms[f]);
                assert_int_equal(open_with(keys, text), COGENT_AUTH);
            }
        }
        BIO_free(bio);
        OPENSSL_free(der);
        OPENSSL_free(inner);
    }
}

static int open_with_signature(const char *head, const void *bytes, size_t len)
{
    cg_auto_free char *text = token(head, NULL, (struct cogent_str){ NULL, 0 });
    cg_auto_buf out = { 0 };
    cg_buf_text(&out, text);
    cg_base64url_encode(bytes, len, &out);
    return open_with(keys, out.ptr);
}

static void points(void **state)
{
    static const unsigned char order[32] = { /* of the curve: 0 modulo itself */
                                             0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                             0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
    };
    static const char head[] = "{\"alg\":\"ES256\"}";
    unsigned char raw[64] = { 0 }, der[80];
    (void)state;
    assert_int_equal(open_with_signature(head, raw, 64), COGENT_AUTH); /* r = s = 0 */
    raw[31] = 1;
    assert_int_equal(open_with_signature(head, raw, 64), COGENT_AUTH); /* s = 0 */
    memcpy(raw, order, 32);
    memcpy(raw + 32, order, 32);
    assert_int_equal(open_with_signature(head, raw, 64), COGENT_AUTH);
    /* The right one, as a DER sequence, cut short and made longer. */
    cg_auto_free char *text = token(head, NULL, (struct cogent_str){ NULL, 0 });
    size_t n = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkeys[P256]);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, (unsigned char *)text, strlen(text) - 1), 1);
    EVP_MD_CTX_free(ctx);
    assert_int_equal(open_with_signature(head, der, n), COGENT_AUTH);
    cg_auto_buf good = { 0 };
    assert_int_equal(cg_sign(signers[P256], (struct cogent_str){ text, strlen(text) - 1 }, &good), 0);
    assert_int_equal(open_with_signature(head, good.ptr, 64), 0);
    assert_int_equal(open_with_signature(head, good.ptr, 63), COGENT_AUTH);
    cg_buf_char(&good, '\0');
    assert_int_equal(open_with_signature(head, good.ptr, 65), COGENT_AUTH);
}

static void cut_signatures(void **state)
{
    static const char *const rows[] = { "{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}", "{\"alg\":\"EdDSA\"}" };
    (void)state;
    for (int i = 0; i <= ED; i++) {
        cg_auto_free char *text = token(rows[i], signers[i], (struct cogent_str){ NULL, 0 });
        assert_int_equal(open_with(keys, text), 0);
        size_t len = strlen(text), from = (size_t)(strrchr(text, '.') - text);
        for (size_t n = len; n-- > from;) {
            text[n] = '\0';
            assert_int_equal(open_with(keys, text), COGENT_AUTH);
        }
    }
}

/* A key of another kind is none of ours, and says why. */
static void refused_files(void **state)
{
    static const struct {
        const char *names[3], *word;
    } rows[] = { { { "p384.pem" }, "P-256" },
                 { { "short.pem" }, "1024" },
                 { { "nosuch.pem" }, "nosuch.pem" },
                 { { "private.pem" }, "private" },
                 { { "none.pem" }, "no public key" },
                 { { "both.pem" }, "several" },
                 { { "issuer.pem", "p384.pem" }, "P-256" } };
    struct cg_err err;
    struct cg_jwt_keys *none;
    (void)state;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pkeys[FIRST_RSA], NULL, NULL, 0, NULL, NULL);
    write_file("private.pem", memory(bio));
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, pkeys[FIRST_RSA]);
    PEM_write_bio_PUBKEY(bio, pkeys[P256]);
    write_file("both.pem", memory(bio));
    BIO_free(bio);
    write_file("none.pem", cogent_str("0123456789abcdef0123456789abcdef\n"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *names[] = { rows[i].names[0], rows[i].names[1], NULL };
        assert_true(load(&none, names, &err) < 0);
        assert_null(none);
        if (!strstr(err.message, rows[i].word))
            fail_msg("%s: %s", rows[i].names[0], err.message);
    }
    cg_auto_json list = json_pack("[s]", "x.pem");
    cg_auto_json empty = json_array();
    assert_int_equal(cg_jwt_keys_create("0123456789abcdef0123456789abcdef", list, &none, &err),
                     COGENT_INVALID);
    assert_non_null(strstr(err.message, "side by side"));
    assert_int_equal(cg_jwt_keys_create(NULL, empty, &none, &err), COGENT_INVALID);
    assert_int_equal(cg_jwt_keys_create(NULL, NULL, &none, &err), COGENT_INVALID);
    struct cg_sign_key *key;
    assert_int_equal(cg_sign_key_read(cogent_str(rfc8037_a), "key", &key, &err), COGENT_INVALID);
}

static void described(void **state)
{
    cg_auto_buf out = { 0 };
    (void)state;
    cg_jwt_keys_describe(keys, &out);
    assert_non_null(strstr(out.ptr, "issuer.pem (RS256, "));
    assert_non_null(strstr(out.ptr, "point.pem (ES256, "));
    assert_non_null(strstr(out.ptr, "ed.pem (EdDSA, "));
    assert_non_null(strstr(out.ptr, cg_sign_key_thumbprint(signers[ED])));
}

/* A key set as issuers publish it, and as they had better not. */
static void sets(void **state)
{
#define ED_X "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define EC_XY                                                                                                \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
    static const struct {
        const char *set;
        int rc;
        size_t keys;
    } rows[] = {
        { "{\"keys\":[{" ED_X "}]}", 0, 1 },
        { "{\"keys\":[{" ED_X ",\"use\":\"sig\",\"alg\":\"EdDSA\",\"kid\":\"a\"},{" EC_XY
          ",\"key_ops\":[\"verify\"]}]}",
          0, 2 },
        /* What is for something else, or of a kind that nobody here verifies with, is passed over. */
        { "{\"keys\":[{" ED_X "},{" EC_XY ",\"use\":\"enc\"}]}", 0, 1 },
        { "{\"keys\":[{" ED_X "},{" EC_XY ",\"alg\":\"ECDH-ES\"}]}", 0, 1 },
        { "{\"keys\":[{" ED_X "},{" EC_XY ",\"key_ops\":[\"sign\"]}]}", 0, 1 },
        { "{\"keys\":[{" ED_X
          "},{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-384\"},7,{},null]}",
          0, 1 },
        /* So is one that is broken: the others are not to suffer for it. */
        { "{\"keys\":[{" ED_X "},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", 0, 1 },
        { "{\"keys\":[{" ED_X "},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}", 0, 1 },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
          "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}",
          COGENT_INVALID, 0 }, /* a point off the curve */
        { "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", COGENT_INVALID, 0 },
        { "{\"keys\":[{" ED_X ",\"kid\":\"a\"},{" EC_XY ",\"kid\":\"a\"}]}", COGENT_INVALID, 0 },
        { "{\"keys\":[]}", COGENT_INVALID, 0 },
        { "{\"keys\":{}}", COGENT_INVALID, 0 },
        { "[]", COGENT_INVALID, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_jwt_keys *set = NULL;
        struct cg_err err = { 0 };
        cg_auto_json json = cg_json_parse(cogent_str(rows[i].set), &err);
        int rc = cg_jwt_keys_read_set(json, &set, &err);
        if (rc != rows[i].rc || (set ? cg_jwt_keys_count(set) : 0) != rows[i].keys)
            fail_msg("%s: %d, %s", rows[i].set, rc, err.message);
        cg_jwt_keys_destroy(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),  cmocka_unit_test(thumbprints),     cmocka_unit_test(heads),
        cmocka_unit_test(sets),     cmocka_unit_test(unsigned_tokens), cmocka_unit_test(public_key_as_secret),
        cmocka_unit_test(points),   cmocka_unit_test(cut_signatures),  cmocka_unit_test(refused_files),
        cmocka_unit_test(described)
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
