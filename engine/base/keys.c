/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "clock.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_SIZE = 32, KEY_ID_SIZE = 9, RING_MAX = 16, NONCE_SIZE = 12, TAG_SIZE = 16 };

struct key {
    char id[KEY_ID_SIZE];
    unsigned char bytes[KEY_SIZE];
};

struct cg_keys {
    struct key ring[RING_MAX]; /* oldest first */
    size_t n;
    char fingerprint[CG_KEYS_PRINT_SIZE];
};

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_line(const char *line, struct key *key)
{
    char hex[2 * KEY_SIZE + 1];
    if (sscanf(line, "%8[0-9a-f] %64[0-9a-f]", key->id, hex) != 2 || strlen(hex) != 2 * KEY_SIZE)
        return false;
    for (size_t i = 0; i < KEY_SIZE; i++)
        key->bytes[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    OPENSSL_cleanse(hex, sizeof hex);
    return true;
}

static int read_ring(FILE *file, const char *path, struct cg_keys *keys, struct cg_err *err)
{
    char line[256];
    for (unsigned no = 1; fgets(line, sizeof line, file); no++) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (keys->n == RING_MAX)
            return cg_err_set(err, COGENT_INVALID, "%s:%u: more than %d keys; take old ones out", path, no,
                              RING_MAX);
        if (!parse_line(line, &keys->ring[keys->n++]))
            return cg_err_set(err, COGENT_INVALID, "%s:%u: not a key line (ID, 64 hex digits, time)", path,
                              no);
    }
    if (keys->n == 0)
        return cg_err_set(err, COGENT_INVALID, "%s: holds no key; remove it and a new ring is made", path);
    return 0;
}

int cg_keys_load(const char *path, struct cg_keys **out, struct cg_err *err)
{
    struct stat st;
    *out = NULL;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &st) != 0) {
        if (file)
            fclose(file);
        return cg_err_set(err, COGENT_NOT_FOUND, "key ring %s: %s", path, strerror(errno));
    }
    if (st.st_mode & 07) {
        fclose(file);
        return cg_err_set(err, COGENT_DENIED, "key ring %s is open to everybody; chmod 600 it", path);
    }
    struct cg_keys *keys = calloc(1, sizeof *keys);
    int rc = keys ? read_ring(file, path, keys, err) : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    fclose(file);
    if (rc < 0) {
        cg_keys_destroy(keys);
        return rc;
    }
    unsigned char sum[CG_SHA256_SIZE];
    cg_sha256((struct cogent_str){ (const char *)keys->ring, keys->n * sizeof keys->ring[0] }, sum);
    cg_hex(sum, 8, keys->fingerprint);
    *out = keys;
    return 0;
}

int cg_keys_make(const char *path, struct cg_err *err)
{
    unsigned char bytes[KEY_SIZE + 4];
    char hex[2 * KEY_SIZE + 1], id[KEY_ID_SIZE], time[CG_TIME_SIZE], tmp[4096];
    if (access(path, F_OK) == 0)
        return 0;
    cg_random(bytes, sizeof bytes);
    cg_hex(bytes, KEY_SIZE, hex);
    cg_hex(bytes + KEY_SIZE, 4, id);
    snprintf(tmp, sizeof tmp, "%s.%d", path, (int)getpid());
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return cg_err_set(err, COGENT_UNAVAILABLE, "cannot write the key ring %s: %s", path, strerror(errno));
    fprintf(file,
            "# Cogent's key ring. Whoever has it can forge approvals: keep it like a password.\n%s %s %s\n",
            id, hex, cg_time_format(cg_now_us(), time));
    bool ok = fflush(file) == 0 && fsync(fd) == 0;
    ok = fclose(file) == 0 && ok;
    /* link, not rename: of two that start at once one ring wins. */
    if (ok && link(tmp, path) != 0 && errno != EEXIST)
        ok = false;
    int why = errno;
    unlink(tmp);
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse(hex, sizeof hex);
    return ok ? 0
              : cg_err_set(err, COGENT_UNAVAILABLE, "cannot write the key ring %s: %s", path, strerror(why));
}

void cg_keys_destroy(struct cg_keys *keys)
{
    if (keys)
        OPENSSL_cleanse(keys, sizeof *keys);
    free(keys);
}

const char *cg_keys_fingerprint(const struct cg_keys *keys)
{
    return keys->fingerprint;
}

static int mac_with(const struct key *key, const char *purpose, const struct cogent_str *fields, size_t n,
                    unsigned char out[CG_MAC_SIZE])
{
    cg_auto_buf text = { 0 };
    cg_buf_printf(&text, "%zu:%s", strlen(purpose), purpose);
    for (size_t i = 0; i < n; i++) {
        cg_buf_printf(&text, "%zu:", fields[i].len);
        cg_buf_str(&text, fields[i]);
    }
    if (text.failed)
        return COGENT_NO_MEMORY;
    struct cogent_str secret = { (const char *)key->bytes, KEY_SIZE };
    return cg_hmac_sha256(secret, cg_buf_view(&text), out);
}

int cg_keys_sign(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                 struct cg_buf *out)
{
    const struct key *key = &keys->ring[keys->n - 1];
    unsigned char mac[CG_MAC_SIZE];
    char hex[2 * CG_MAC_SIZE + 1];
    int rc = mac_with(key, purpose, fields, n, mac);
    if (rc < 0)
        return rc;
    cg_hex(mac, sizeof mac, hex);
    cg_buf_printf(out, "%s.%s", key->id, hex);
    return out->failed ? COGENT_NO_MEMORY : 0;
}

static const struct key *find_key(const struct cg_keys *keys, struct cogent_str id)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (cg_str_eq(id, keys->ring[i].id))
            return &keys->ring[i];
    }
    return NULL;
}

/* "KEYID.rest": the key, and rest in *rest. */
static const struct key *split_key(const struct cg_keys *keys, struct cogent_str text,
                                   struct cogent_str *rest)
{
    const char *dot = text.len ? memchr(text.ptr, '.', text.len) : NULL;
    if (!dot)
        return NULL;
    struct cogent_str id = { text.ptr, (size_t)(dot - text.ptr) };
    *rest = (struct cogent_str){ dot + 1, text.len - id.len - 1 };
    return find_key(keys, id);
}

int cg_keys_verify(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                   struct cogent_str mac)
{
    struct cogent_str given;
    unsigned char want[CG_MAC_SIZE];
    char hex[2 * CG_MAC_SIZE + 1];
    const struct key *key = split_key(keys, mac, &given);
    if (!key || given.len != 2 * CG_MAC_SIZE)
        return COGENT_DENIED;
    int rc = mac_with(key, purpose, fields, n, want);
    if (rc < 0)
        return rc;
    cg_hex(want, sizeof want, hex);
    return cg_bytes_equal(hex, given.ptr, given.len) ? 0 : COGENT_DENIED;
}

int cg_keys_derive(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                   unsigned char out[CG_MAC_SIZE])
{
    return mac_with(&keys->ring[0], purpose, fields, n, out);
}

/* Each purpose has a key of its own, so that a MAC's key never encrypts. */
static int seal_key(const struct key *key, const char *purpose, unsigned char out[CG_MAC_SIZE])
{
    struct cogent_str field = cogent_str(purpose);
    return mac_with(key, "seal", &field, 1, out);
}

int cg_keys_seal(const struct cg_keys *keys, const char *purpose, struct cogent_str context,
                 struct cogent_str plain, struct cg_buf *out)
{
    const struct key *key = &keys->ring[keys->n - 1];
    unsigned char secret[CG_MAC_SIZE], nonce[NONCE_SIZE], tag[TAG_SIZE];
    int len = 0;
    cg_random(nonce, sizeof nonce);
    unsigned char *text = malloc(NONCE_SIZE + plain.len + TAG_SIZE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = text && ctx && seal_key(key, purpose, secret) == 0 &&
              EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, secret, nonce) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *)context.ptr, (int)context.len) == 1 &&
              EVP_EncryptUpdate(ctx, text + NONCE_SIZE, &len, (const unsigned char *)plain.ptr,
                                (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, text + NONCE_SIZE + len, &len) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
    if (ok) {
        memcpy(text, nonce, NONCE_SIZE);
        memcpy(text + NONCE_SIZE + plain.len, tag, TAG_SIZE);
        cg_buf_printf(out, "%s.", key->id);
        cg_base64url_encode(text, NONCE_SIZE + plain.len + TAG_SIZE, out);
    }
    EVP_CIPHER_CTX_free(ctx);
    free(text);
    OPENSSL_cleanse(secret, sizeof secret);
    return ok && !out->failed ? 0 : COGENT_NO_MEMORY;
}

static bool decrypt(const unsigned char secret[CG_MAC_SIZE], struct cogent_str context, unsigned char *text,
                    size_t len, unsigned char *plain)
{
    int n = 0;
    size_t body = len - NONCE_SIZE - TAG_SIZE;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, secret, text) == 1 &&
              EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)context.ptr, (int)context.len) == 1 &&
              EVP_DecryptUpdate(ctx, plain, &n, text + NONCE_SIZE, (int)body) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, text + NONCE_SIZE + body) == 1 &&
              EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

int cg_keys_open(const struct cg_keys *keys, const char *purpose, struct cogent_str context,
                 struct cogent_str sealed, struct cg_buf *out)
{
    struct cogent_str rest;
    unsigned char secret[CG_MAC_SIZE];
    const struct key *key = split_key(keys, sealed, &rest);
    if (!key)
        return COGENT_DENIED;
    unsigned char *text = malloc(rest.len + 1), *plain = malloc(rest.len + 1);
    int n = text && plain ? cg_base64url_decode(rest, text, rest.len) : COGENT_NO_MEMORY;
    int rc = n < 0 ? n : COGENT_DENIED;
    if (n >= NONCE_SIZE + TAG_SIZE && seal_key(key, purpose, secret) == 0 &&
        decrypt(secret, context, text, (size_t)n, plain)) {
        cg_buf_add(out, plain, (size_t)n - NONCE_SIZE - TAG_SIZE);
        rc = out->failed ? COGENT_NO_MEMORY : 0;
    }
    if (plain)
        OPENSSL_cleanse(plain, rest.len);
    free(plain);
    free(text);
    OPENSSL_cleanse(secret, sizeof secret);
    return rc == COGENT_INVALID ? COGENT_DENIED : rc;
}
