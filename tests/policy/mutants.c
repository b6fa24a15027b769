/* SPDX-License-Identifier: Apache-2.0 */
#include "mutants.h"

#include "hostiles.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 400, BODY_TOKENS = 600 };

struct tokens {
    struct cogent_str *all;
    size_t n;
};

struct mutants {
    lua_State *lua;        /* knows whether a text is well-formed */
    struct tokens *bodies; /* one a hostile */
    struct tokens pool;    /* of all of them, and words worth trying */
};

/* --- tokens --- */

static size_t token_length(const char *at)
{
    size_t n = 1;
    if (isspace((unsigned char)*at)) {
        while (isspace((unsigned char)at[n]))
            n++;
    } else if (isalnum((unsigned char)*at) || *at == '_') {
        while (isalnum((unsigned char)at[n]) || at[n] == '_')
            n++;
    } else if (*at == '\'') {
        while (at[n] && at[n] != '\'')
            n += at[n] == '\\' && at[n + 1] ? 2 : 1;
        n += at[n] == '\'';
    } else {
        static const char *const longer[] = { "...", "..", "::", "//", "<<", ">>", "<=", ">=", "==", "~=" };
        for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
            if (strncmp(at, longer[i], strlen(longer[i])) == 0)
                return strlen(longer[i]);
    }
    return n;
}

static void split(const char *text, struct tokens *out)
{
    out->all = calloc(TOKENS_MAX, sizeof *out->all);
    while (*text && out->n < TOKENS_MAX) {
        size_t n = token_length(text);
        if (!isspace((unsigned char)*text))
            out->all[out->n++] = (struct cogent_str){ text, n };
        text += n;
    }
}

static const char *const words[] = {
    "nil",
    "0",
    "-1",
    "1e308",
    "(0/0)",
    "math.huge",
    "math.maxinteger",
    "math.mininteger",
    "''",
    "'%'",
    "{}",
    "list {}",
    "null",
    "call",
    "ctx",
    "ctx.user",
    "ctx.user.can",
    "call.args",
    "...",
    "_ENV",
    "function() end",
    "goto a",
    "::a::",
    "break",
    "return",
    "return allow()",
    "return ask {}",
    "return defer {}",
    "error",
    "pcall",
    "type",
    "next",
    "select",
    "('x'):rep(60000)",
    "string",
    "math",
    "table",
    "money(1)",
    "date(ctx.now)",
    "<close>",
    "<const>",
    "__index",
    "__gc",
    "setmetatable",
    "getmetatable",
    "load",
    "require",
    "coroutine",
    "debug",
    "os",
    "io",
    "rawset",
    "collectgarbage",
};

struct mutants *mutants_create(void)
{
    struct mutants *m = calloc(1, sizeof *m);
    size_t n_words = sizeof words / sizeof *words;
    m->lua = luaL_newstate();
    m->bodies = calloc(n_hostiles, sizeof *m->bodies);
    m->pool.all = calloc(n_hostiles * TOKENS_MAX + n_words, sizeof *m->pool.all);
    for (size_t i = 0; i < n_hostiles; i++) {
        split(hostiles[i].body, &m->bodies[i]);
        memcpy(m->pool.all + m->pool.n, m->bodies[i].all, m->bodies[i].n * sizeof *m->pool.all);
        m->pool.n += m->bodies[i].n;
    }
    for (size_t i = 0; i < n_words; i++)
        m->pool.all[m->pool.n++] = cogent_str(words[i]);
    return m;
}

void mutants_destroy(struct mutants *m)
{
    for (size_t i = 0; i < n_hostiles; i++)
        free(m->bodies[i].all);
    free(m->bodies);
    free(m->pool.all);
    lua_close(m->lua);
    free(m);
}

/* --- chance --- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t n)
{
    return n ? (size_t)(draw(state) % n) : 0;
}

/* --- a mutant --- */

struct mutant {
    struct cogent_str all[BODY_TOKENS];
    size_t n;
};

/* `count` tokens in place of those from `at` to `to`. */
static void put(struct mutant *m, size_t at, size_t to, const struct cogent_str *tokens, size_t count)
{
    if (m->n - (to - at) + count > BODY_TOKENS)
        return;
    memmove(m->all + at + count, m->all + to, (m->n - to) * sizeof *m->all);
    if (count)
        memcpy(m->all + at, tokens, count * sizeof *m->all);
    m->n = m->n - (to - at) + count;
}

static void change(const struct mutants *all, struct mutant *m, uint64_t *chance)
{
    struct cogent_str copy[16];
    const struct tokens *other = &all->bodies[below(chance, n_hostiles)];
    size_t at = below(chance, m->n), to = at + 1 + below(chance, 8), from = below(chance, other->n);
    to = to < m->n ? to : m->n;
    memcpy(copy, m->all + at, (to - at) * sizeof *copy);
    switch (below(chance, 7)) {
    case 0:
        put(m, at, to, NULL, 0);
        break;
    case 1:
        put(m, to, to, copy, to - at);
        break;
    case 2:
        put(m, at, at + (at < m->n), &all->pool.all[below(chance, all->pool.n)], 1);
        break;
    case 3:
        put(m, at, at, &all->pool.all[below(chance, all->pool.n)], 1);
        break;
    case 4: /* its beginning and another's end */
        put(m, at, m->n, other->all + from, other->n - from);
        break;
    case 5: /* a piece of another */
        put(m, at, at, other->all + from, other->n - from < 12 ? other->n - from : 12);
        break;
    default: /* another one behind it */
        put(m, m->n, m->n, other->all, other->n);
        break;
    }
}

static const char *const frames[][2] = {
    { "", "" },
    { "", "" },
    { "", " return allow()" },
    { "do ", " end return allow()" },
    { "while true do ", " end" },
    { "for i = 1, 1e9 do ", " end" },
    { "pcall(function(...) ", " end, call, ctx) return allow()" },
    { "while true do pcall(function(...) ", " end) end" },
    { "local function f(...) ", " end f(f, f) return allow()" },
    { "local l = { 3, 2, 1 } table.sort(l, function(a, b) ", " end) return allow()" },
    { "return allow { reason = join({ 1, 2 }, function(x) ", " end) }" },
    { "local a <const> = ctx repeat ", " until a return ask {}" },
};

static bool is_verdict(struct cogent_str s)
{
    return cg_str_eq(s, "allow") || cg_str_eq(s, "ask") || cg_str_eq(s, "defer");
}

static void write_text(const char *text, bool tame, struct cg_buf *out)
{
    while (*text) {
        struct cogent_str token = { text, token_length(text) };
        cg_buf_str(out, tame && is_verdict(token) ? cogent_str("deny") : token);
        text += token.len;
    }
}

static void write_body(const struct mutant *m, size_t frame, bool tame, struct cg_buf *out)
{
    write_text(frames[frame][0], tame, out);
    for (size_t i = 0; i < m->n; i++) {
        cg_auto_free char *token = cg_str_dup(m->all[i]);
        write_text(token, tame, out);
        cg_buf_char(out, ' ');
    }
    write_text(frames[frame][1], tame, out);
}

static bool well_formed(const struct mutants *all, const struct mutant *m, size_t frame)
{
    cg_auto_buf text = { 0 };
    write_body(m, frame, false, &text);
    bool yes = luaL_loadbufferx(all->lua, text.ptr, text.len, "mutant", "t") == LUA_OK;
    lua_settop(all->lua, 0);
    return yes;
}

/* A change that breaks the syntax is taken back, but for some: the compiler is to be tried too. */
void mutants_body(const struct mutants *all, uint64_t number, bool tame, struct cg_buf *out)
{
    uint64_t chance = number * 0x2545f4914f6cdd1du + 1;
    struct mutant m = { .n = 0 }, before;
    const struct tokens *base = &all->bodies[below(&chance, n_hostiles)];
    size_t frame = below(&chance, sizeof frames / sizeof *frames), changes = 1 + below(&chance, 6);
    bool strict = below(&chance, 10) > 0;
    put(&m, 0, 0, base->all, base->n);
    if (strict && !well_formed(all, &m, frame))
        frame = 0;
    for (size_t tries = 0; tries < 60 && changes && m.n; tries++) {
        before = m;
        change(all, &m, &chance);
        if (strict && !well_formed(all, &m, frame))
            m = before;
        else
            changes--;
    }
    write_body(&m, frame, tame, out);
}
