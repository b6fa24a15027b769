/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include "engine/base/utf8.h"

#include <ctype.h>
#include <stdlib.h>

enum { SYSTEM_MAX = 32 * 1024, VALUE_MAX = 400, NAME_MAX_LEN = 80 };

void cg_template_finish(struct cg_template *t)
{
    free(t->system);
    json_decref(t->vars);
    json_decref(t->cases);
    *t = (struct cg_template){ 0 };
}

/* --- placeholders --- */

enum piece { PIECE_END, PIECE_TEXT, PIECE_NAME, PIECE_BROKEN };

/* The next piece of a text with {name}s; "{{" is a brace. */
static enum piece next_piece(const char **at, struct cogent_str *piece)
{
    const char *p = *at;
    if (!*p)
        return PIECE_END;
    if (p[0] == '{' && p[1] == '{') {
        *piece = (struct cogent_str){ p, 1 };
        *at = p + 2;
        return PIECE_TEXT;
    }
    if (p[0] == '{') {
        size_t len = strcspn(p + 1, "{}\n");
        *piece = (struct cogent_str){ p + 1, len };
        *at = p + 1 + len;
        if (p[1 + len] != '}')
            return PIECE_BROKEN;
        ++*at;
        return PIECE_NAME;
    }
    *piece = (struct cogent_str){ p, strcspn(p, "{") };
    *at = p + piece->len;
    return PIECE_TEXT;
}

static bool is_name(struct cogent_str s)
{
    if (s.len == 0 || s.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && s.ptr[i] != '_' && s.ptr[i] != '.')
            return false;
    return true;
}

static bool has_root(struct cogent_str name)
{
    static const char *const roots[] = { "now.", "tenant.", "user." };
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (name.len > strlen(roots[i]) && memcmp(name.ptr, roots[i], strlen(roots[i])) == 0)
            return true;
    return false;
}

/* The line of the file where "{name" stands; a template's text is written out there. */
static int line_of(struct cogent_str source, struct cogent_str name)
{
    char what[NAME_MAX_LEN + 2];
    int line = 1;
    int len = snprintf(what, sizeof what, "{%.*s", (int)(name.len > NAME_MAX_LEN ? NAME_MAX_LEN : name.len),
                       name.ptr);
    const char *at = source.len ? memmem(source.ptr, source.len, what, (size_t)len) : NULL;
    for (const char *p = source.ptr; at && p < at; p++)
        line += *p == '\n';
    return line;
}

static int check_system(const struct cg_template *t, struct cogent_str source, struct cg_err *err)
{
    struct cogent_str piece;
    const char *at = t->system;
    for (enum piece kind; (kind = next_piece(&at, &piece)) != PIECE_END;) {
        int shown = (int)(piece.len > 60 ? cg_utf8_cut(piece, 60) : piece.len);
        if (kind == PIECE_BROKEN)
            return cg_err_set(err, COGENT_INVALID, "%s:%d: {%.*s has no closing brace; a brace is written {{",
                              t->file, line_of(source, piece), shown, piece.ptr);
        char name[NAME_MAX_LEN + 1];
        cg_str_copy(name, sizeof name, piece);
        if (kind == PIECE_NAME && (!is_name(piece) || (!has_root(piece) && !json_object_get(t->vars, name))))
            return cg_err_set(
                err, COGENT_INVALID,
                "%s:%d: {%.*s} may not stand in system: only vars, now.*, tenant.* and user.* may", t->file,
                line_of(source, piece), shown, piece.ptr);
    }
    return 0;
}

/* --- variables --- */

static bool value_fits(const json_t *var, const json_t *value)
{
    const char *type = cg_json_str(var, "type", NULL);
    const json_t *choices = json_object_get(var, "enum");
    size_t i;
    json_t *choice;
    bool found = !choices;
    json_array_foreach (choices, i, choice)
        found = found || json_equal(choice, value);
    if (!found)
        return false;
    if (!type)
        return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
    return strcmp(type, "string") == 0    ? json_is_string(value)
           : strcmp(type, "integer") == 0 ? json_is_integer(value)
           : strcmp(type, "number") == 0  ? json_is_number(value)
                                          : json_is_boolean(value);
}

static int check_var(const struct cg_template *t, const char *name, const json_t *var, struct cg_err *err)
{
    static const char *const types[] = { "string", "integer", "number", "boolean" };
    const char *type = cg_json_str(var, "type", NULL);
    const json_t *preset = json_object_get(var, "default"), *choices = json_object_get(var, "enum");
    bool known = !type && !json_object_get(var, "type");
    if (!json_is_object(var) || strchr(name, '.') || !is_name(cogent_str(name)))
        return cg_err_set(err, COGENT_INVALID, "%s: vars.%.60s: a name = { type or enum, default } is wanted",
                          t->file, name);
    for (size_t i = 0; type && i < 4; i++)
        known = known || strcmp(type, types[i]) == 0;
    if (!known || (choices && json_array_size(choices) == 0))
        return cg_err_set(err, COGENT_INVALID,
                          "%s: vars.%.60s: type is string, integer, number or boolean; "
                          "enum a list",
                          t->file, name);
    if (preset && !value_fits(var, preset))
        return cg_err_set(err, COGENT_INVALID, "%s: vars.%.60s: the default is not of its own type", t->file,
                          name);
    return 0;
}

/* --- the table --- */

static int check_keys(const struct cg_template *t, const json_t *table, const char *where, const char *known,
                      struct cg_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)table, key, value) {
        char word[64];
        snprintf(word, sizeof word, " %.60s ", key);
        if (!strstr(known, word))
            return cg_err_set(err, COGENT_INVALID, "%s: %s%.60s is not known;%sare", t->file, where, key,
                              known);
    }
    return 0;
}

static int read_number(const struct cg_template *t, const json_t *table, const char *key, const char *member,
                       uint32_t preset, uint32_t *out, struct cg_err *err)
{
    const json_t *value = json_object_get(json_object_get(table, key), member);
    *out = preset;
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 1000000)
        return cg_err_set(err, COGENT_INVALID, "%s: %s.%s: a number from 0 to 1000000 is wanted", t->file,
                          key, member);
    *out = (uint32_t)json_integer_value(value);
    return 0;
}

static int read_numbers(struct cg_template *t, const json_t *table, struct cg_err *err)
{
    struct cg_prompt *p = &t->preset;
    const struct {
        const char *key, *member;
        uint32_t preset, *out;
    } numbers[] = {
        { "history", "turns", 10, &p->turns },        { "history", "tokens", 2000, &p->history_tokens },
        { "records", "count", 8, &p->records },       { "records", "tokens", 3000, &p->records_tokens },
        { "answer", "tokens", 1000, &p->max_tokens },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int rc =
            read_number(t, table, numbers[i].key, numbers[i].member, numbers[i].preset, numbers[i].out, err);
        if (rc)
            return rc;
    }
    const json_t *temperature = json_object_get(json_object_get(table, "answer"), "temperature");
    p->temperature = temperature ? json_number_value(temperature) : -1;
    if (temperature && (!json_is_number(temperature) || p->temperature < 0 || p->temperature > 2))
        return cg_err_set(err, COGENT_INVALID, "%s: answer.temperature: a number from 0 to 2 is wanted",
                          t->file);
    return 0;
}

static int read_drop(struct cg_template *t, const json_t *table, struct cg_err *err)
{
    size_t i;
    json_t *item, *drop = json_object_get(table, "drop");
    json_array_foreach (drop, i, item) {
        bool known = json_is_string(item) && (cg_str_eq(cogent_str(json_string_value(item)), "history") ||
                                              cg_str_eq(cogent_str(json_string_value(item)), "records"));
        if (!known)
            return cg_err_set(err, COGENT_INVALID, "%s: drop: history and records can give way", t->file);
    }
    const char *first = json_string_value(json_array_get(drop, 0));
    t->preset.records_first = first && strcmp(first, "records") == 0;
    return 0;
}

static int check_shape(const struct cg_template *t, const json_t *table, struct cg_err *err)
{
    int rc = check_keys(t, table, "", " about vars system history records drop answer cases ", err);
    if (rc == 0)
        rc = check_keys(t, json_object_get(table, "history"), "history.", " turns tokens ", err);
    if (rc == 0)
        rc = check_keys(t, json_object_get(table, "records"), "records.", " count tokens ", err);
    if (rc == 0)
        rc = check_keys(t, json_object_get(table, "answer"), "answer.", " tokens temperature ", err);
    if (rc)
        return rc;
    const char *system = cg_json_str(table, "system", NULL);
    if (!system || !*system || strlen(system) > SYSTEM_MAX)
        return cg_err_set(err, COGENT_INVALID, "%s: system: a text of at most %d KiB is wanted", t->file,
                          SYSTEM_MAX >> 10);
    return 0;
}

/* --- the name --- */

static bool is_language(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if (n < 2 || n > 3)
        return false;
    if (!s[n])
        return true;
    size_t m =
        s[n] == '-' ? strspn(s + n + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") : 0;
    return m >= 2 && m <= 8 && !s[n + 1 + m];
}

/* "templates/assistant.sales.de.lua": what is a role says roles.lua, else it is a language. */
static int read_name(struct cg_template *t, const char *file, const json_t *roles, struct cg_err *err)
{
    char name[96], *rest = name;
    const char *slash = strrchr(file, '/');
    cg_str_copy(t->file, sizeof t->file, cogent_str(file));
    struct cogent_str stem = cogent_str(slash ? slash + 1 : file);
    stem.len -= 4;
    if (strlen(file) >= sizeof t->file || !cg_str_copy(name, sizeof name, stem))
        return cg_err_set(err, COGENT_INVALID, "%.60s: the name is too long", file);
    char *word = strsep(&rest, ".");
    cg_str_copy(t->name, sizeof t->name, cogent_str(word));
    while ((word = strsep(&rest, "."))) {
        if (!t->role[0] && !t->language[0] && json_object_get(roles, word))
            cg_str_copy(t->role, sizeof t->role, cogent_str(word));
        else if (!t->language[0] && is_language(word))
            cg_str_copy(t->language, sizeof t->language, cogent_str(word));
        else
            return cg_err_set(err, COGENT_INVALID,
                              "%s: %.40s is neither a role of roles.lua nor a language: a template is called "
                              "assistant[.role][.language].lua",
                              t->file, word);
    }
    return 0;
}

int cg_template_read(struct cg_template *t, const char *file, struct cogent_str source, const json_t *table,
                     const json_t *roles, struct cg_err *err)
{
    const char *name;
    json_t *var;
    int rc = read_name(t, file, roles, err);
    if (rc == 0)
        rc = check_shape(t, table, err);
    if (rc)
        return rc;
    t->system = cg_str_dup(cogent_str(cg_json_str(table, "system", "")));
    t->vars = json_incref(json_object_get(table, "vars"));
    t->cases = json_incref(json_object_get(table, "cases"));
    json_object_foreach (t->vars, name, var) {
        rc = check_var(t, name, var, err);
        if (rc)
            return rc;
    }
    rc = check_system(t, source, err);
    if (rc == 0)
        rc = read_numbers(t, table, err);
    return rc ? rc : read_drop(t, table, err);
}

/* --- choosing and filling --- */

int cg_template_fit(const struct cg_template *t, const json_t *roles, const char *language)
{
    int fit = 1;
    size_t i, n = strlen(t->language);
    json_t *role;
    if (strcmp(t->name, "assistant") != 0)
        return 0;
    if (t->role[0]) {
        bool has = false;
        json_array_foreach (roles, i, role)
            has = has || (json_is_string(role) && strcmp(json_string_value(role), t->role) == 0);
        if (!has)
            return 0;
        fit += 4;
    }
    if (n) {
        if (!language || strncasecmp(language, t->language, n) != 0 || (language[n] && language[n] != '-'))
            return 0;
        fit += language[n] ? 1 : 2;
    }
    return fit;
}

/* tenant.a.b in vars; NULL when there is nothing. */
static const json_t *look_up(const json_t *vars, struct cogent_str name)
{
    char pointer[NAME_MAX_LEN + 2] = "/";
    cg_str_copy(pointer + 1, sizeof pointer - 1, name);
    for (char *c = pointer; *c; c++)
        if (*c == '.')
            *c = '/';
    return cg_json_at(vars, pointer);
}

/* A value is a word or a line of its own, never more: it cannot begin a new paragraph of instructions. */
static void add_value(struct cg_buf *out, const json_t *value)
{
    char number[32];
    struct cogent_str s = { 0 };
    if (json_is_string(value)) {
        s = (struct cogent_str){ json_string_value(value), json_string_length(value) };
    } else if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        s = cogent_str(number);
    } else if (json_is_real(value)) {
        snprintf(number, sizeof number, "%.15g", json_real_value(value));
        s = cogent_str(number);
    } else if (json_is_boolean(value)) {
        s = cogent_str(json_is_true(value) ? "true" : "false");
    }
    s.len = s.len > VALUE_MAX ? cg_utf8_cut(s, VALUE_MAX) : s.len;
    for (size_t i = 0; i < s.len; i++)
        cg_buf_char(out, (unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f ? ' ' : s.ptr[i]);
}

/* A variable's value: what the tenant set, else the default, else the tenant's field of that name. */
static const json_t *value_of(const struct cg_template *t, const json_t *vars, const char *name)
{
    const json_t *var = json_object_get(t->vars, name);
    const json_t *set = json_object_get(json_object_get(vars, "vars"), name);
    if (set && value_fits(var, set))
        return set;
    const json_t *preset = json_object_get(var, "default");
    return preset ? preset : json_object_get(json_object_get(vars, "tenant"), name);
}

int cg_template_fill(const struct cg_template *t, const json_t *vars, struct cg_prompt *out,
                     struct cg_err *err)
{
    struct cogent_str piece;
    struct cg_buf text = { 0 };
    const char *at = t->system;
    *out = t->preset;
    for (enum piece kind; (kind = next_piece(&at, &piece)) != PIECE_END;) {
        if (kind == PIECE_TEXT) {
            cg_buf_str(&text, piece);
            continue;
        }
        if (has_root(piece)) {
            add_value(&text, look_up(vars, piece));
            continue;
        }
        char name[NAME_MAX_LEN + 1];
        cg_str_copy(name, sizeof name, piece);
        const json_t *value = value_of(t, vars, name);
        if (!value) {
            cg_buf_finish(&text);
            return cg_err_set(err, COGENT_INVALID, "%s: the variable %s has no value and no default", t->file,
                              name);
        }
        add_value(&text, value);
    }
    out->system = cg_buf_steal(&text);
    return out->system ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
}
