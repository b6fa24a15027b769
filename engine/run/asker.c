/* SPDX-License-Identifier: Apache-2.0 */
#include "asker.h"

#include "runs.h"

#include <stdlib.h>

static const struct cg_asker *of(const struct cogent_asker *abi)
{
    return (const struct cg_asker *)(const void *)abi;
}

static const char *field(const struct cogent_asker *abi, const char *name)
{
    return cg_json_str(of(abi)->caller->fields, name, NULL);
}

static const char *secret(const struct cogent_asker *abi, const char *name)
{
    return cg_runs_secret(of(abi)->runs, cg_tenant_name(of(abi)->caller->tenant), name);
}

static const char *handed(const struct cogent_asker *abi, const char *service)
{
    return cg_json_str(of(abi)->caller->handed, service, NULL);
}

int cg_asker_init(struct cg_asker *asker, struct cg_runs *runs, const struct cg_caller *c)
{
    *asker = (struct cg_asker){ .runs = runs, .caller = c, .fields = cg_json_text(c->fields) };
    asker->abi = (struct cogent_asker){
        .size = sizeof asker->abi,
        .tenant = cg_tenant_name(c->tenant),
        .user = c->user,
        .name = c->name,
        .language = asker->language,
        .authorization = c->authorization,
        .tenant_field = field,
        .secret = secret,
        .tenant_fields = asker->fields,
        .issuer = c->issuer,
        .audience = c->audience,
        .handed = handed,
    };
    int rc = cg_asker_speaks(asker, c->locale, c->time_zone);
    return asker->fields ? rc : COGENT_NO_MEMORY;
}

/* The caller's own text when it says the same: it stays; else a copy, in *own. */
static const char *keep(const char *callers, const char *said, char **own)
{
    bool same = strcmp(callers, said) == 0;
    free(*own);
    *own = same ? NULL : cg_str_dup(cogent_str(said));
    return same ? callers : *own;
}

int cg_asker_speaks(struct cg_asker *asker, const char *locale, const char *time_zone)
{
    const char *kept = keep(asker->caller->locale, locale, &asker->locale);
    const char *zone = keep(asker->caller->time_zone, time_zone, &asker->time_zone);
    asker->abi.locale = kept ? kept : asker->caller->locale;
    asker->abi.time_zone = zone ? zone : asker->caller->time_zone;
    cg_str_copy(asker->language, sizeof asker->language,
                (struct cogent_str){ asker->abi.locale, strcspn(asker->abi.locale, "-_") });
    return kept && zone ? 0 : COGENT_NO_MEMORY;
}

void cg_asker_finish(struct cg_asker *asker)
{
    free(asker->fields);
    free(asker->locale);
    free(asker->time_zone);
    asker->fields = asker->locale = asker->time_zone = NULL;
}
