/* SPDX-License-Identifier: Apache-2.0 */
#include "match.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 2000, HEAP_KIB = 2048 };

struct cg_match {
    pcre2_code *code;
};

int cg_match_compile(struct cogent_str pattern, enum cg_match_flavour flavour, struct cg_match **out,
                     struct cg_err *err)
{
    uint32_t ecma = PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF;
    int why;
    size_t at;
    *out = NULL;
    if (pattern.len > CG_MATCH_PATTERN)
        return cg_err_set(err, COGENT_INVALID, "the pattern is longer than %d bytes", CG_MATCH_PATTERN);
    struct cg_match *match = calloc(1, sizeof *match);
    if (!match)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    match->code = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len,
                                PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C |
                                    (flavour == CG_MATCH_ECMA ? ecma : 0),
                                &why, &at, NULL);
    if (!match->code) {
        PCRE2_UCHAR text[160] = "";
        pcre2_get_error_message(why, text, sizeof text);
        cg_match_destroy(match);
        return cg_err_set(err, COGENT_INVALID, "the pattern is wrong at byte %zu: %s", at + 1, (char *)text);
    }
    *out = match;
    return 0;
}

void cg_match_destroy(struct cg_match *match)
{
    if (!match)
        return;
    pcre2_code_free(match->code);
    free(match);
}

struct ticker {
    bool (*tick)(void *arg);
    void *arg;
};

static int on_item(pcre2_callout_block *block, void *arg)
{
    (void)block;
    struct ticker *t = arg;
    return t->tick && !t->tick(t->arg) ? PCRE2_ERROR_CALLOUT : 0;
}

static int collect(pcre2_match_data *data, int found, struct cogent_str text,
                   struct cogent_str groups[CG_MATCH_GROUPS])
{
    size_t *ends = pcre2_get_ovector_pointer(data);
    if (found == 0 || found > CG_MATCH_GROUPS)
        found = CG_MATCH_GROUPS;
    for (int i = 0; i < found; i++) {
        size_t from = ends[2 * i], to = ends[2 * i + 1];
        bool there = from != PCRE2_UNSET && from <= to && to <= text.len;
        groups[i] = there ? (struct cogent_str){ text.ptr + from, to - from } : (struct cogent_str){ 0 };
    }
    return found;
}

int cg_match_run(const struct cg_match *match, struct cogent_str text, bool (*tick)(void *arg), void *arg,
                 struct cogent_str groups[CG_MATCH_GROUPS])
{
    struct ticker t = { tick, arg };
    int result = COGENT_NO_MEMORY;
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(CG_MATCH_GROUPS, NULL);
    if (!text.ptr)
        text.ptr = "";
    if (limits && data) {
        pcre2_set_match_limit(limits, MATCH_LIMIT);
        pcre2_set_depth_limit(limits, DEPTH_LIMIT);
        pcre2_set_heap_limit(limits, HEAP_KIB);
        pcre2_set_callout(limits, on_item, &t);
        int found = pcre2_match(match->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, limits);
        if (found >= 0)
            result = collect(data, found, text, groups);
        else if (found == PCRE2_ERROR_NOMATCH)
            result = 0;
        else if (found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21)
            result = COGENT_INVALID;
        else
            result = found == PCRE2_ERROR_NOMEMORY ? COGENT_NO_MEMORY : COGENT_LIMIT;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return result;
}
