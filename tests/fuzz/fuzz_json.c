/* SPDX-License-Identifier: Apache-2.0
 * JSON: what is accepted is printed and read back equal; the readers over text and the plugins' own readers see in it
 * what the tree holds. */
#include "fuzz.h"

#include "engine/base/json.h"
#include "engine/base/utf8.h"

#include "common/json.h"
#include "common/scan.h"

#include <math.h>

/* Reals are written with 15 digits: near enough for a reader. */
static bool same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    if (json_is_real(a) && json_is_number(b)) {
        double x = json_real_value(a), y = json_number_value(b);
        return x == y || fabs(x - y) <= fabs(x) * 1e-14;
    }
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!same(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return json_array_size(a) == json_array_size(b);
    }
    if (!json_is_object(a))
        return json_equal(a, b);
    json_object_foreach ((json_t *)a, key, member) {
        const json_t *other = json_object_get(b, key);
        if (!other || !same(member, other))
            return false;
    }
    return json_object_size(a) == json_object_size(b);
}

static void print_and_read(const json_t *value)
{
    cg_auto_buf plain = { 0 };
    cg_auto_buf canonical = { 0 };
    cg_auto_buf twice = { 0 };
    struct cg_err err = { 0 };
    cg_json_add(&plain, value);
    cg_json_canonical(&canonical, value);
    cg_auto_json again = cg_json_parse(cg_buf_view(&plain), &err);
    cg_auto_json sorted = cg_json_parse(cg_buf_view(&canonical), &err);
    FUZZ_REQUIRE(again && sorted);
    FUZZ_REQUIRE(same(value, again) && same(value, sorted));
    cg_json_canonical(&twice, sorted);
    FUZZ_REQUIRE(cg_str_same(cg_buf_view(&canonical), cg_buf_view(&twice)));
}

struct walk {
    const json_t *tree;
    size_t n;
};

static int on_member(void *arg, struct cogent_str key, struct cogent_str raw)
{
    struct walk *walk = arg;
    struct cg_err err = { 0 };
    cg_auto_json value = cg_json_parse(raw, &err);
    FUZZ_REQUIRE(value);
    if (json_is_array(walk->tree))
        FUZZ_REQUIRE(same(json_array_get(walk->tree, walk->n), value));
    (void)key;
    walk->n++;
    return 0;
}

/* The readers over text. */
static void read_text(struct cogent_str text, const json_t *value)
{
    struct walk walk = { value, 0 };
    char word[256];
    struct cogent_str raw;
    int64_t n;
    int b;
    if (json_is_array(value) || json_is_object(value)) {
        FUZZ_REQUIRE(cg_read_each(text, "", on_member, &walk) == 0);
        FUZZ_REQUIRE(walk.n == (json_is_array(value) ? json_array_size(value) : json_object_size(value)));
    }
    if (cg_read_string(text, "", word, sizeof word) >= 0)
        FUZZ_REQUIRE(json_is_string(value) && cg_utf8_valid(cogent_str(word)));
    if (cg_read_integer(text, "", &n) >= 0 && json_is_integer(value))
        FUZZ_REQUIRE(n == json_integer_value(value));
    if (cg_read_boolean(text, "", &b) >= 0)
        FUZZ_REQUIRE(json_is_boolean(value) && b == json_is_true(value));
    cg_read_decimal(text, "", word, sizeof word);
    cg_read_raw(text, "/a/0", &raw);
    cg_read_string(text, "/a", word, 3);
}

static void read_as_plugin(struct cogent_str text, const json_t *value)
{
    struct cp_scan scan = cp_scan_begin(text);
    struct cogent_str raw;
    cp_scan_skip(&scan, &raw);
    FUZZ_REQUIRE(cp_scan_end(&scan));
    json_t *tree = cp_json_load(text);
    FUZZ_REQUIRE(tree && same(value, tree));
    struct cp_buf out = { 0 };
    cp_json_write(&out, tree);
    json_t *again = cp_json_load(cp_buf_peek(&out));
    FUZZ_REQUIRE(again && same(tree, again));
    cp_buf_finish(&out);
    cp_json_drop(again);
    cp_json_drop(tree);
    cp_json_drop(cp_json_load_exact(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cogent_str text = fuzz_text(data, size);
    struct cg_err err = { 0 };
    json_t *value = cg_json_parse(text, &err);
    if (!value) {
        struct cp_scan scan = cp_scan_begin(text);
        FUZZ_REQUIRE(err.message[0] && cg_utf8_valid(cogent_str(err.message)));
        cp_scan_skip(&scan, NULL);
        cp_json_drop(cp_json_load(text));
        cp_json_drop(cp_json_load_exact(text));
        return 0;
    }
    print_and_read(value);
    read_text(text, value);
    read_as_plugin(text, value);
    json_decref(value);
    return 0;
}
