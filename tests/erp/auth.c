/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SKEW            60
#define PERMISSION_SIZE 128

static int base64url_value(unsigned char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);

    return at == NULL ? -1 : (int)(at - alphabet);
}

/* Unpadded base64url, as JWT has it; the caller frees. */
static unsigned char *base64url(const char *text, size_t length, size_t *out_length)
{
    unsigned char *out = malloc(length + 1);
    unsigned bits = 0;
    int held = 0;

    *out_length = 0;
    for (size_t i = 0; out != NULL && i < length; i++) {
        int value = base64url_value((unsigned char)text[i]);
        if (value < 0 || length % 4 == 1) {
            free(out);
            return NULL;
        }
        bits = (bits << 6 | (unsigned)value) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[(*out_length)++] = (unsigned char)(bits >> held);
        }
    }
    return out;
}

static json_t *part_json(const char *text, size_t length)
{
    size_t size;
    unsigned char *bytes = base64url(text, length, &size);
    json_t *value =
        bytes == NULL ? NULL : json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);

    free(bytes);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static bool algorithm_is_ours(const char *text, size_t length)
{
    json_t *header = part_json(text, length);
    const char *name = json_string_value(json_object_get(header, "alg"));
    bool ours = name != NULL && strcmp(name, "HS256") == 0;

    json_decref(header);
    return ours;
}

static bool signature_holds(const char *token, size_t signed_length, const char *signature,
                            const char *secret, size_t secret_length)
{
    unsigned char mine[EVP_MAX_MD_SIZE];
    unsigned mine_length = 0;
    size_t length;
    unsigned char *theirs = base64url(signature, strlen(signature), &length);
    bool holds;

    HMAC(EVP_sha256(), secret, (int)secret_length, (const unsigned char *)token, signed_length, mine,
         &mine_length);
    holds = theirs != NULL && length == mine_length && CRYPTO_memcmp(theirs, mine, length) == 0;
    free(theirs);
    return holds;
}

static const char *claims_wrong(struct caller *caller)
{
    json_t *expires = json_object_get(caller->claims, "exp");
    json_t *not_before = json_object_get(caller->claims, "nbf");
    double now = (double)time(NULL);

    caller->subject = json_string_value(json_object_get(caller->claims, "sub"));
    caller->tenant_id = json_string_value(json_object_get(caller->claims, "tenant_id"));
    if (!json_is_number(expires))
        return "the token has no exp";
    if (json_number_value(expires) + SKEW < now)
        return "the token has expired";
    if (json_is_number(not_before) && json_number_value(not_before) - SKEW > now)
        return "the token is not valid yet";
    if (caller->subject == NULL || *caller->subject == '\0')
        return "the token has no sub";
    if (caller->tenant_id == NULL || *caller->tenant_id == '\0')
        return "the token has no tenant_id";
    return NULL;
}

const char *caller_init(struct caller *caller, const char *header, const char *secret, size_t secret_length)
{
    const char *token, *first, *second;

    memset(caller, 0, sizeof(*caller));
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return "a bearer token is needed";
    token = header + 7;
    first = strchr(token, '.');
    second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL)
        return "the bearer token is not a JWT";
    if (!algorithm_is_ours(token, (size_t)(first - token)))
        return "the token is not signed with HS256";
    if (!signature_holds(token, (size_t)(second - token), second + 1, secret, secret_length))
        return "the token's signature does not hold";
    caller->claims = part_json(first + 1, (size_t)(second - first - 1));
    return caller->claims == NULL ? "the token's claims are not a JSON object" : claims_wrong(caller);
}

void caller_finish(struct caller *caller)
{
    json_decref(caller->claims);
    memset(caller, 0, sizeof(*caller));
}

static bool pattern_covers(const char *pattern, const char *permission)
{
    for (; *pattern != '*'; pattern++, permission++) {
        if (*pattern != *permission)
            return false;
        if (*pattern == '\0')
            return true;
    }
    if (pattern[1] == '\0')
        return *permission != '\0';
    for (; *permission != '\0'; permission++) {
        if (pattern_covers(pattern + 1, permission))
            return true;
    }
    return false;
}

enum grant { GRANT_SILENT, GRANT_GIVES, GRANT_TAKES };

static enum grant entry_says(const char *entry, const char *permission)
{
    /* A star costs a loop, and more than two say nothing that a permission of two words could use. */
    const char *star = strchr(entry, '*');
    bool takes = *entry == '-';

    if (star != NULL && (star = strchr(star + 1, '*')) != NULL && strchr(star + 1, '*') != NULL)
        return takes ? GRANT_TAKES : GRANT_SILENT;
    if (!pattern_covers(entry + (takes ? 1 : 0), permission))
        return GRANT_SILENT;
    return takes ? GRANT_TAKES : GRANT_GIVES;
}

static bool list_grants(const json_t *list, const char *permission)
{
    bool given = false;
    size_t i;
    json_t *entry;

    json_array_foreach (list, i, entry) {
        enum grant says =
            json_is_string(entry) ? entry_says(json_string_value(entry), permission) : GRANT_SILENT;
        if (says == GRANT_TAKES)
            return false;
        given = given || says == GRANT_GIVES;
    }
    return given;
}

static bool scope_grants(const char *scope, const char *permission)
{
    bool given = false;
    char entry[PERMISSION_SIZE];

    while (*scope != '\0') {
        size_t length = strcspn(scope, " ");
        if (length > 0 && length < sizeof(entry)) {
            enum grant says;
            memcpy(entry, scope, length);
            entry[length] = '\0';
            says = entry_says(entry, permission);
            if (says == GRANT_TAKES)
                return false;
            given = given || says == GRANT_GIVES;
        }
        scope += length + (scope[length] == ' ');
    }
    return given;
}

bool caller_may(const struct caller *caller, const char *permission)
{
    json_t *list = json_object_get(caller->claims, "permissions");
    const char *scope = json_string_value(json_object_get(caller->claims, "scope"));

    if (json_is_array(list))
        return list_grants(list, permission);
    return list == NULL && scope != NULL && scope_grants(scope, permission);
}
