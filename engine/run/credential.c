/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include "engine/base/hash.h"

#include <stdlib.h>

static void context_of(const struct cg_caller *caller, const char *run_id, struct cg_buf *out)
{
    cg_buf_printf(out, "%s|%s", cg_tenant_id(caller->tenant), run_id);
}

static void wipe(struct cg_buf *text)
{
    if (text->ptr)
        cg_wipe(text->ptr, text->len);
}

void cg_credential_seal(const struct cg_keys *keys, const struct cg_caller *caller, const char *run_id,
                        struct cg_buf *out)
{
    cg_auto_buf context = { 0 }, plain = { 0 };
    if (!caller->authorization && !caller->handed)
        return;
    cg_auto_json body = json_pack("{s:s*, s:I, s:s*, s:s*, s:O*}", "authorization", caller->authorization,
                                  "expires", (json_int_t)caller->expires_us, "issuer", caller->issuer,
                                  "audience", caller->audience, "handed", caller->handed);
    cg_json_add(&plain, body);
    context_of(caller, run_id, &context);
    cg_keys_seal(keys, "credential", cg_buf_view(&context), cg_buf_view(&plain), out);
    wipe(&plain);
}

static char *text_of(const json_t *body, const char *key)
{
    const char *text = cg_json_str(body, key, NULL);
    return text ? cg_str_dup(cogent_str(text)) : NULL;
}

static void take(struct cg_caller *caller, const json_t *body)
{
    caller->authorization = text_of(body, "authorization");
    caller->issuer = text_of(body, "issuer");
    caller->audience = text_of(body, "audience");
    caller->expires_us = cg_json_int(body, "expires", 0);
    caller->handed = json_incref(json_object_get(body, "handed"));
}

void cg_credential_open(const struct cg_keys *keys, struct cg_caller *caller, const char *run_id,
                        struct cogent_str sealed)
{
    cg_auto_buf context = { 0 }, plain = { 0 };
    context_of(caller, run_id, &context);
    if (sealed.len && cg_keys_open(keys, "credential", cg_buf_view(&context), sealed, &plain) == 0) {
        cg_auto_json body = cg_json_parse(cg_buf_view(&plain), NULL);
        take(caller, body);
    }
    wipe(&plain);
}

void cg_credential_take(struct cg_caller *caller, const struct cg_caller *from)
{
    caller->authorization = cg_str_dup(cogent_str(from->authorization));
    caller->issuer = from->issuer ? cg_str_dup(cogent_str(from->issuer)) : NULL;
    caller->audience = from->audience ? cg_str_dup(cogent_str(from->audience)) : NULL;
    caller->expires_us = from->expires_us;
    caller->handed = json_incref(from->handed);
}
