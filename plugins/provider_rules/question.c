/* SPDX-License-Identifier: Apache-2.0
 * A question as words.
 */
#include "rules.h"

static int blank(char c)
{
    return (unsigned char)c <= ' ';
}

static int edge(char c)
{
    return c && strchr(".,;:?!()[]{}\"'`*<>=", c);
}

/* The bytes of a typographic quote or dash at `at`, or 0: they part words like their plain forms. */
static size_t typographic(const char *at, size_t left)
{
    return left >= 3 && (unsigned char)at[0] == 0xe2 && (unsigned char)at[1] == 0x80 ? 3 : 0;
}

static void fill(struct token *token, const char *text, size_t at, size_t end)
{
    token->at = at;
    token->len = end - at;
    token->digits = 0;
    size_t n = 0;
    for (size_t i = at; i < end; i++) {
        char c = text[i];
        token->digits |= c >= '0' && c <= '9';
        if (n + 1 < WORD_MAX)
            token->word[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    token->word[n] = '\0';
    if (n > 2 && strcmp(token->word + n - 2, "'s") == 0) {
        token->word[n - 2] = '\0';
        token->len -= 2;
    }
}

static void add(struct question *q, size_t at, size_t end)
{
    const char *text = q->text.ptr;
    size_t raw = end;
    while (at < end && edge(text[at]))
        at++;
    while (end > at && edge(text[end - 1]))
        end--;
    int stop = raw > end && memchr(text + end, '\'', raw - end) != text + end;
    if (at == end) {
        if (q->n)
            q->tokens[q->n - 1].stop = 1;
        return;
    }
    if (q->n == TOKENS_MAX) {
        q->too_long = 1;
        return;
    }
    fill(&q->tokens[q->n], text, at, end);
    q->tokens[q->n++].stop = stop;
}

static void read_tokens(struct question *q)
{
    size_t begin = 0, i = 0;
    while (i < q->text.len) {
        size_t wide = typographic(q->text.ptr + i, q->text.len - i);
        if (!wide && !blank(q->text.ptr[i])) {
            i++;
            continue;
        }
        add(q, begin, i);
        i += wide ? wide : 1;
        begin = i;
    }
    add(q, begin, q->text.len);
}

void question_read(struct question *q, struct cogent_str text, int64_t now)
{
    memset(q, 0, sizeof *q);
    q->text = text;
    q->today = now / 86400000000;
    read_tokens(q);
    question_entities(q);
}

void question_finish(struct question *q)
{
    for (size_t i = 0; i < q->n_entities; i++)
        json_decref(q->entities[i].value);
    q->n_entities = 0;
    json_decref(q->description);
    q->description = NULL;
}

void question_take(struct question *q, int type, size_t first, size_t last, json_t *value)
{
    if (q->n_entities == ENTITIES_MAX || !value) {
        q->too_long = 1;
        json_decref(value);
        return;
    }
    q->entities[q->n_entities++] = (struct entity){ type, first, last, value, 0 };
    memset(q->taken + first, 1, last - first + 1);
}
