/* SPDX-License-Identifier: Apache-2.0 */
#include "once.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX     200
#define DIGEST_TEXT (2 * EVP_MAX_MD_SIZE + 1)

/* The same request is the same method, path, caller and JSON, whatever its spaces and order of members. */
static bool request_digest(struct request *request, char out[DIGEST_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char *body = json_dumps(request->body, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *all = json_pack("[s, s, s, s]", request->method, request->path, request->caller.subject, body);
    char *text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT);
    bool made = text != NULL && EVP_Digest(text, strlen(text), digest, &length, EVP_sha256(), NULL) == 1;

    for (unsigned i = 0; made && i < length; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    free(text);
    json_decref(all);
    free(body);
    return made;
}

static void replay(struct reply *reply, sqlite3_stmt *kept, const char *digest)
{
    if (strcmp(ledger_column_text(kept, 0), digest) != 0) {
        reply_error(reply, 422, "this Idempotency-Key was used for another request");
        return;
    }
    reply_json_take(reply, sqlite3_column_int(kept, 1), json_loads(ledger_column_text(kept, 2), 0, NULL));
    reply->replayed = true;
}

bool once_answered(struct request *request, struct reply *reply)
{
    char digest[DIGEST_TEXT];
    sqlite3_stmt *kept;
    bool known;

    if (request->once_key == NULL)
        return false;
    if (*request->once_key == '\0' || strlen(request->once_key) > KEY_MAX)
        return !reply_error(reply, 422, "an Idempotency-Key has 1 to %d characters", KEY_MAX);
    if (!request_digest(request, digest))
        return !reply_error(reply, 500, "the request could not be compared");
    kept = ledger_open_statement(request->ledger, "SELECT request, status, answer FROM keys WHERE key = ?",
                                 "t", request->once_key);
    known = ledger_next(request->ledger, kept);
    if (known)
        replay(reply, kept, digest);
    sqlite3_finalize(kept);
    return known;
}

void once_keep(struct request *request, const struct reply *reply)
{
    char digest[DIGEST_TEXT];
    char *answer;

    if (request->once_key == NULL || !request_digest(request, digest))
        return;
    answer = json_dumps(reply->body, JSON_COMPACT);
    ledger_run(request->ledger, "INSERT INTO keys (key, request, status, answer) VALUES (?, ?, ?, ?)", "ttit",
               request->once_key, digest, (int64_t)reply->status, answer);
    free(answer);
}
