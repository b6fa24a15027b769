/* SPDX-License-Identifier: Apache-2.0
 * Labels: where did an argument come from? Traced = equal, after normalising case, spaces and number form, to a span
 * of the user's own words or to a scalar leaf of a trusted tool's result. */
#include "state.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POINTER_MAX = 256,
    SOURCE_MAX = 80,
    /* What each argument is looked for in. Beyond it nothing is traced, so it is asked about. */
    WORDS_MAX = 64 * 1024,
    LEAVES_MAX = 20000
};

/* Lower case, one blank between words, none around. */
static void normal_words(struct cogent_str in, struct cg_buf *out)
{
    bool gap = false;
    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.ptr[i];
        if (isspace(c)) {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            cg_buf_char(out, ' ');
        gap = false;
        cg_buf_char(out, (char)tolower(c));
    }
}

/* "1,250.50" and "1250.5" are one number: no grouping, no leading or trailing zeros. false when it is no number. */
static bool normal_number(struct cogent_str in, char *out, size_t size)
{
    size_t n = 0;
    bool dot = false, digit = false;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == ',' && !dot && digit && i + 3 < in.len)
            continue;
        if (!isdigit((unsigned char)c) && !(c == '.' && !dot && i + 1 < in.len) && !(c == '-' && i == 0))
            return false;
        dot = dot || c == '.';
        digit = digit || isdigit((unsigned char)c);
        if (c == '0' && !dot && (n == 0 || (n == 1 && out[0] == '-')) && i + 1 < in.len &&
            in.ptr[i + 1] != '.')
            continue;
        if (n + 1 >= size)
            return false;
        out[n++] = c;
    }
    while (dot && n && (out[n - 1] == '0' || out[n - 1] == '.'))
        dot = out[--n] != '.';
    out[n] = '\0';
    return digit;
}

static bool word_byte(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* `needle` in `hay`, not inside a longer word. Both normal. */
static bool has_span(struct cogent_str hay, struct cogent_str needle)
{
    const char *at = hay.ptr, *end_of_hay = hay.ptr + hay.len;
    if (needle.len == 0)
        return false;
    for (; at && (at = memmem(at, (size_t)(end_of_hay - at), needle.ptr, needle.len)); at++) {
        size_t i = (size_t)(at - hay.ptr);
        bool left = i == 0 || !word_byte(hay.ptr[i - 1]) || !word_byte(needle.ptr[0]);
        size_t end = i + needle.len;
        bool right = end == hay.len || !word_byte(hay.ptr[end]) || !word_byte(needle.ptr[needle.len - 1]);
        /* 2.55 is not in 12.55, nor 2 in 2.55. */
        bool number = isdigit((unsigned char)needle.ptr[0]);
        if (number && i > 0 && (hay.ptr[i - 1] == '.' || hay.ptr[i - 1] == '-') && i > 1 &&
            isdigit((unsigned char)hay.ptr[i - 2]))
            left = false;
        if (number && end + 1 < hay.len && (hay.ptr[end] == '.' || hay.ptr[end] == ',') &&
            isdigit((unsigned char)hay.ptr[end + 1]))
            right = false;
        if (left && right)
            return true;
    }
    return false;
}

/* Whether one of the words of `hay` is this number in another form. */
static bool has_number(struct cogent_str hay, const char *number)
{
    char form[64];
    for (size_t i = 0; i < hay.len;) {
        size_t n = 0;
        while (i + n < hay.len && (isdigit((unsigned char)hay.ptr[i + n]) || strchr(".,", hay.ptr[i + n])))
            n++;
        bool starts_word = i == 0 || !word_byte(hay.ptr[i - 1]);
        size_t len = n;
        while (len && strchr(".,", hay.ptr[i + len - 1]))
            len--;
        bool ends_word = i + n >= hay.len || !word_byte(hay.ptr[i + n]);
        if (len && starts_word && ends_word &&
            normal_number((struct cogent_str){ hay.ptr + i, len }, form, sizeof form) &&
            strcmp(form, number) == 0)
            return true;
        i += n ? n : 1;
    }
    return false;
}

/* hay: normal already. */
static bool in_words(struct cogent_str hay, struct cogent_str value)
{
    char number[64];
    cg_auto_buf needle = { 0 };
    normal_words(value, &needle);
    if (has_span(hay, cg_buf_view(&needle)))
        return true;
    return normal_number(value, number, sizeof number) && has_number(hay, number);
}

/* No span reaches from one text into another: no normal text holds a line's end. */
static void add_text(const char *text, struct cg_buf *out)
{
    cg_auto_buf words = { 0 };
    normal_words(cogent_str(text), &words);
    cg_buf_str(out, cg_buf_view(&words));
    cg_buf_char(out, '\n');
}

/* The user's own words, the newest first, made normal once for all arguments of a call. What was said too long ago is asked
 * about: each argument is looked for in all of this. */
static void user_words(const struct cg_run *run, struct cg_buf *out)
{
    const json_t *history = json_object_get(cg_run_opening(run), "history");
    add_text(cg_json_str(cg_run_opening(run), "query", ""), out);
    /* The record on the user's screen is the user's pointing finger. */
    add_text(cg_json_str(json_object_get(cg_run_opening(run), "context"), "id", ""), out);
    for (size_t i = json_array_size(history); i-- > 0 && !out->failed;) {
        const json_t *turn = json_array_get(history, i);
        const char *text = cg_json_str(turn, "content", "");
        if (strcmp(cg_json_str(turn, "role", ""), "user") != 0)
            continue;
        if (out->len + strlen(text) > WORDS_MAX)
            break;
        add_text(text, out);
    }
}

static void scalar_text(const json_t *leaf, struct cg_buf *out)
{
    if (json_is_string(leaf))
        cg_buf_add(out, json_string_value(leaf), json_string_length(leaf));
    else
        cg_json_add(out, leaf);
}

static bool trusted_tool(const struct cg_tool *tool)
{
    return tool && COGENT_HAS(tool->api, trust) && tool->api->trust;
}

/* What the arguments of one call are looked for in: made once, for there may be many. */
struct known {
    const struct cg_run *run;
    struct cg_buf words; /* the user's */
    json_t *leaves;  /* {a value of a result, in normal words: which call's}; the trusted calls' come first */
    json_t *numbers; /* the same by their normal number */
    json_t *records; /* the records' titles and texts, in normal words */
    size_t n_leaves;
};

static void add_leaf(struct known *k, const json_t *leaf, size_t call)
{
    char number[64];
    cg_auto_buf text = { 0 }, words = { 0 };
    scalar_text(leaf, &text);
    normal_words(cg_buf_view(&text), &words);
    k->n_leaves++;
    if (words.len && !json_object_get(k->leaves, words.ptr))
        json_object_set_new_nocheck(k->leaves, words.ptr, json_integer((json_int_t)call));
    if (normal_number(cg_buf_view(&text), number, sizeof number) && !json_object_get(k->numbers, number))
        json_object_set_new_nocheck(k->numbers, number, json_integer((json_int_t)call));
}

static void add_leaves(struct known *k, const json_t *value, size_t call, unsigned depth)
{
    const char *key;
    size_t i;
    json_t *member;
    if (depth > CG_JSON_DEPTH || k->n_leaves >= LEAVES_MAX)
        return;
    json_object_foreach ((json_t *)value, key, member)
        add_leaves(k, member, call, depth + 1);
    json_array_foreach (value, i, member)
        add_leaves(k, member, call, depth + 1);
    if (!json_is_object(value) && !json_is_array(value) && !json_is_null(value))
        add_leaf(k, value, call);
}

static void add_results(struct known *k, bool trusted)
{
    for (size_t c = 0; c < k->run->n_calls; c++) {
        const struct cg_call *call = k->run->calls[c];
        if (call->state == CG_CALL_DONE && call->tool && trusted_tool(call->tool) == trusted)
            add_leaves(k, json_object_get(cg_call_outcome(call), "result"), c, 0);
    }
}

static void add_records(struct known *k)
{
    size_t i;
    json_t *record;
    json_array_foreach (json_object_get(cg_run_context(k->run), "records"), i, record) {
        cg_auto_buf texts = { 0 };
        add_text(cg_json_str(record, "title", ""), &texts);
        add_text(cg_json_str(record, "text", ""), &texts);
        json_array_append_new(k->records, cg_json_strn(cg_buf_view(&texts)));
    }
}

static void known_make(struct known *k, const struct cg_run *run)
{
    *k = (struct known){
        .run = run, .leaves = json_object(), .numbers = json_object(), .records = json_array()
    };
    user_words(run, &k->words);
    add_results(k, true);
    add_results(k, false);
    add_records(k);
}

static void known_finish(struct known *k)
{
    cg_buf_finish(&k->words);
    json_decref(k->leaves);
    json_decref(k->numbers);
    json_decref(k->records);
}

static const struct cg_call *call_of(const struct known *k, const json_t *in, const char *form)
{
    const json_t *call = json_object_get(in, form);
    return call ? k->run->calls[json_integer_value(call)] : NULL;
}

/* The call in whose result the value stands, a trusted one if there is one; NULL: in none. */
static const struct cg_call *call_with(const struct known *k, struct cogent_str value)
{
    char number[64];
    cg_auto_buf words = { 0 };
    normal_words(value, &words);
    const struct cg_call *said = words.len ? call_of(k, k->leaves, words.ptr) : NULL;
    const struct cg_call *counted =
        normal_number(value, number, sizeof number) ? call_of(k, k->numbers, number) : NULL;
    return counted && (!said || !trusted_tool(said->tool)) ? counted : said;
}

/* Finds the source of one value; trusted sources first. Writes "user", "tool:NAME", "record:N" or "model". */
static bool find_source(const struct known *k, struct cogent_str value, char *out, size_t size)
{
    size_t i;
    json_t *record;
    snprintf(out, size, "user");
    if (in_words(cg_buf_view(&k->words), value))
        return true;
    const struct cg_call *call = call_with(k, value);
    if (call) {
        snprintf(out, size, "tool:%s", call->tool->api->name);
        return trusted_tool(call->tool);
    }
    json_array_foreach (k->records, i, record) {
        const struct cogent_str text = { json_string_value(record), json_string_length(record) };
        if (in_words(text, value)) {
            snprintf(out, size, "record:%zu", i + 1);
            return false;
        }
    }
    snprintf(out, size, "model");
    return false;
}

struct walk {
    const struct known *known;
    json_t *sources;
    char pointer[POINTER_MAX];
    bool required, traced, preset;
};

static void walk(struct walk *w, const json_t *value, size_t len)
{
    const char *key;
    size_t i;
    json_t *member;
    if (json_is_object(value) || json_is_array(value)) {
        if (json_is_object(value)) {
            json_object_foreach ((json_t *)value, key, member) {
                int n = snprintf(w->pointer + len, POINTER_MAX - len, "/%s", key);
                walk(w, member, len + (size_t)n < POINTER_MAX ? len + (size_t)n : POINTER_MAX - 1);
            }
        }
        json_array_foreach (value, i, member) {
            int n = snprintf(w->pointer + len, POINTER_MAX - len, "/%zu", i);
            walk(w, member, len + (size_t)n < POINTER_MAX ? len + (size_t)n : POINTER_MAX - 1);
        }
        w->pointer[len] = '\0';
        return;
    }
    char source[SOURCE_MAX];
    cg_auto_buf text = { 0 };
    scalar_text(value, &text);
    bool ok = true;
    if (w->preset)
        snprintf(source, sizeof source, "default");
    else
        ok = find_source(w->known, cg_buf_view(&text), source, sizeof source);
    w->pointer[len] = '\0';
    json_object_set_new(w->sources, w->pointer, json_string(source));
    if (w->required && !ok)
        w->traced = false;
    w->pointer[len] = '\0';
}

static bool listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

json_t *cg_trace_args(const struct cg_run *run, const struct cg_call *call, const json_t *args,
                      const char *const *trusted, bool *traced)
{
    const char *key;
    json_t *value;
    struct known known;
    cg_auto_json given = cg_json_parse(cogent_str(cg_json_str(cg_call_use(call), "args", "{}")), NULL);
    known_make(&known, run);
    struct walk w = { .known = &known, .sources = json_object(), .traced = true };
    json_object_foreach ((json_t *)args, key, value) {
        int n = snprintf(w.pointer, sizeof w.pointer, "/%s", key);
        w.preset = !json_object_get(given, key); /* the schema's default: the operator's own word */
        w.required = !trusted || listed(trusted, key);
        walk(&w, value, n < POINTER_MAX ? (size_t)n : POINTER_MAX - 1);
    }
    known_finish(&known);
    *traced = w.traced;
    return w.sources;
}
