/* SPDX-License-Identifier: Apache-2.0
 * Tool calls come in fragments that interleave; only `index` says which call a fragment belongs to. Nothing is
 * believed before the end: all calls are whole and well-formed, or none is handed over.
 */
#include "openai.h"

#include "common/json.h"
#include "common/scan.h"

#include <stdlib.h>

enum { MAX_CALLS = 64, MAX_ARGS = 1 << 20, MAX_ID = 256, MAX_NAME = 64 };

struct fragment {
    int64_t index;
    int has_index;
    struct cogent_str type, id, name, args;
};

/* A string, or null as if it were absent. */
static void text(struct cp_scan *scan, struct cogent_str *out)
{
    if (cp_scan_next(scan) == 'n')
        cp_scan_skip(scan, NULL);
    else
        cp_scan_string(scan, out);
}

static void function(struct cp_scan *scan, struct fragment *f)
{
    struct cogent_str key;
    if (cp_scan_next(scan) == 'n') {
        cp_scan_skip(scan, NULL);
        return;
    }
    for (int first = cp_scan_open(scan, '{'); cp_scan_member(scan, &first, &key);) {
        if (cp_scan_is(key, "name"))
            text(scan, &f->name);
        else if (cp_scan_is(key, "arguments"))
            text(scan, &f->args);
        else
            cp_scan_skip(scan, NULL);
    }
}

static void fragment(struct cp_scan *scan, struct fragment *f)
{
    struct cogent_str key;
    for (int first = cp_scan_open(scan, '{'); cp_scan_member(scan, &first, &key);) {
        if (cp_scan_is(key, "index"))
            f->has_index = cp_scan_integer(scan, &f->index);
        else if (cp_scan_is(key, "id"))
            text(scan, &f->id);
        else if (cp_scan_is(key, "type"))
            text(scan, &f->type);
        else if (cp_scan_is(key, "function"))
            function(scan, f);
        else
            cp_scan_skip(scan, NULL);
    }
}

/* The call of this index, made when it is new. NULL: too many, or no memory. */
static struct openai_part *part(struct openai_calls *calls, int64_t index)
{
    size_t at = calls->n;
    while (at > 0 && calls->parts[at - 1].index >= index)
        at--;
    if (at < calls->n && calls->parts[at].index == index)
        return &calls->parts[at];
    if (calls->n == MAX_CALLS)
        return NULL;
    struct openai_part *grown = realloc(calls->parts, (calls->n + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    calls->parts = grown;
    memmove(grown + at + 1, grown + at, (calls->n - at) * sizeof *grown);
    memset(grown + at, 0, sizeof *grown);
    grown[at].index = index;
    calls->n++;
    return &grown[at];
}

/* A name comes once; some services repeat it with every fragment. Two different ones are two calls under one index. */
static const char *name(struct openai_part *p, struct cogent_str raw)
{
    struct cp_buf buf = { 0 };
    uint32_t high = 0;
    const char *why = NULL;
    cp_unescape(&buf, raw, &high);
    if (!p->name.len)
        cp_buf_str(&p->name, cp_buf_peek(&buf));
    else if (buf.len != p->name.len || memcmp(buf.ptr, p->name.ptr, buf.len) != 0)
        why = "openai: the service gave one tool call two names";
    cp_buf_finish(&buf);
    return why;
}

static const char *add(struct openai_calls *calls, const struct fragment *f)
{
    const char *why = NULL;
    uint32_t high = 0;
    if (!f->has_index || f->index < 0)
        return "openai: the service sent a tool call without an index";
    if (f->type.len && !cp_scan_is(f->type, "function"))
        return "openai: the service sent a tool call that is not a function";
    if (f->id.len > MAX_ID || f->name.len > MAX_NAME)
        return "openai: the service sent a tool call whose id or name is too long";
    struct openai_part *p = part(calls, f->index);
    if (!p)
        return "openai: the service sent too many tool calls";
    if (f->id.len && !p->id.len)
        cp_unescape(&p->id, f->id, &high);
    if (f->name.len)
        why = name(p, f->name);
    size_t before = p->args.len;
    if (f->args.len)
        cp_unescape(&p->args, f->args, &p->high);
    calls->bytes += p->args.len - before;
    if (p->args.failed || p->id.failed || p->name.failed)
        return "openai: out of memory";
    return calls->bytes > MAX_ARGS ? "openai: the service sent arguments of more than 1 MiB" : why;
}

const char *openai_calls_add(struct openai_calls *calls, struct cogent_str array)
{
    struct cp_scan scan = cp_scan_begin(array);
    const char *why = NULL;
    for (int first = cp_scan_open(&scan, '['); cp_scan_element(&scan, &first);) {
        struct fragment f = { 0 };
        fragment(&scan, &f);
        if (!scan.bad && !why)
            why = add(calls, &f);
    }
    return scan.bad ? "openai: the service sent a malformed delta" : why;
}

static int same_id(const struct openai_part *a, const struct openai_part *b)
{
    return a->id.len == b->id.len && memcmp(a->id.ptr, b->id.ptr, a->id.len) == 0;
}

/* Every call gets an id of its own: some services leave it out, some repeat it. */
static void identify(struct openai_calls *calls, size_t i)
{
    struct openai_part *p = &calls->parts[i];
    int taken = p->id.len == 0;
    for (size_t j = 0; j < i && !taken; j++)
        taken = same_id(p, &calls->parts[j]);
    if (taken) {
        cp_buf_clear(&p->id);
        cp_buf_format(&p->id, "call_%zu_%lld", i, (long long)p->index);
    }
}

static const char *arguments(struct openai_part *p)
{
    cp_unescape_end(&p->args, &p->high);
    if (strspn(p->args.ptr ? p->args.ptr : "", " \t\r\n") == p->args.len) {
        cp_buf_clear(&p->args);
        cp_buf_text(&p->args, "{}");
    }
    json_t *args = p->args.failed ? NULL : cp_json_load(cp_buf_peek(&p->args));
    int good = json_is_object(args);
    json_decref(args);
    return good ? NULL : "openai: the service sent a tool call whose arguments are not a JSON object";
}

const char *openai_calls_close(struct openai_calls *calls)
{
    for (size_t i = 0; i < calls->n; i++) {
        struct openai_part *p = &calls->parts[i];
        if (!openai_name_valid(cp_buf_peek(&p->name)))
            return "openai: the service sent a tool call without a usable name";
        const char *why = arguments(p);
        if (why)
            return why;
        identify(calls, i);
        if (p->id.failed)
            return "openai: out of memory";
    }
    return NULL;
}

void openai_calls_finish(struct openai_calls *calls)
{
    for (size_t i = 0; i < calls->n; i++) {
        cp_buf_finish(&calls->parts[i].id);
        cp_buf_finish(&calls->parts[i].name);
        cp_buf_finish(&calls->parts[i].args);
    }
    free(calls->parts);
    memset(calls, 0, sizeof *calls);
}
