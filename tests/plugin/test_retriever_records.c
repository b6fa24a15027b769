/* SPDX-License-Identifier: Apache-2.0
 * The record retriever on a real database: test_retriever_records PLUGIN SQL.
 */
#include "db_host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ALL "[\"invoice\",\"customer\",\"inventory_item\"]"

static struct db_host host;
static const char *plugin, *sql;

static int open_all(void **state)
{
    (void)state;
    db_host_open(&host, plugin, sql);
    host.tenant = "aaaaaaaa-0000-4000-8000-000000000001";
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    db_host_close(&host);
    return 0;
}

static int put_full(const char *type, const char *id, const char *stamp, const char *columns, const char *acl,
                    const char *first, const char *second)
{
    struct cogent_str chunks[] = { cogent_str(first), cogent_str(second) };
    struct cogent_search s = { .what = COGENT_PUT,
                               .type = cogent_str(type),
                               .id = cogent_str(id),
                               .stamp = cogent_str(stamp),
                               .title = cogent_str(id),
                               .columns = cogent_str(columns),
                               .acl = cogent_str(acl),
                               .chunks = chunks,
                               .n_chunks = !first   ? 0
                                           : second ? 2
                                                    : 1 };
    db_host_request(&host, &s);
    return host.answer.err;
}

static void put(const char *type, const char *id, const char *stamp, const char *text)
{
    assert_int_equal(put_full(type, id, stamp, "{}", NULL, text, NULL), 0);
}

static void search_as(const char *query, const char *kinds, const char *principals, uint32_t limit)
{
    struct cogent_search s = { .what = COGENT_SEARCH,
                               .query = cogent_str(query),
                               .kinds = cogent_str(kinds),
                               .principals = cogent_str(principals),
                               .limit = limit };
    db_host_request(&host, &s);
}

static size_t find(const char *query)
{
    search_as(query, ALL, "[]", 0);
    assert_int_equal(host.answer.err, 0);
    return host.answer.n;
}

static void simple(int what, const char *type, const char *id, const char *kinds)
{
    struct cogent_search s = { .what = what,
                               .type = cogent_str(type),
                               .id = cogent_str(id),
                               .kinds = cogent_str(kinds),
                               .principals = cogent_str("[]") };
    db_host_request(&host, &s);
}

/* df, documents and lengths against what the chunks themselves say. */
static void figures_are_right(void)
{
    assert_int_equal(
        db_host_number(&host, "select count(*) from (select tenant_id, term, df from record_term except "
                              "select tenant_id, t.key, count(*) from cognitive_embeddings c, "
                              "json_each(c.terms) t group by 1, 2)"),
        0);
    assert_int_equal(db_host_number(&host,
                                    "select count(*) from (select tenant_id, t.key, count(*) from "
                                    "cognitive_embeddings c, json_each(c.terms) t group by 1, 2 except "
                                    "select tenant_id, term, df from record_term)"),
                     0);
    assert_int_equal(
        db_host_number(&host, "select count(*) from (select r.tenant_id, r.doc / 128, t.key, r.doc * 4096 + "
                              "c.chunk_index, t.value, c.len from record r join cognitive_embeddings c "
                              "using(tenant_id, entity_type, entity_id), json_each(c.terms) t except "
                              "select tenant_id, part, term, doc, tf, len from record_posting)"),
        0);
    assert_int_equal(db_host_number(&host,
                                    "select (select count(*) from record_posting) - (select count(*) from "
                                    "cognitive_embeddings c, json_each(c.terms))"),
                     0);
    assert_int_equal(
        db_host_number(&host, "select coalesce(sum(abs(docs - (select count(*) from cognitive_embeddings c "
                              "where c.tenant_id = k.tenant_id)) + abs(length - (select "
                              "coalesce(sum(len), 0) from cognitive_embeddings c where c.tenant_id = "
                              "k.tenant_id))), 0) from record_corpus k"),
        0);
    assert_int_equal(db_host_number(&host, "select count(*) from record where dirty <> 0"), 0);
}

static void the_right_one_comes_first(void **state)
{
    (void)state;
    put("inventory_item", "a", "1", "Cast iron lantern for the garden, antique white");
    put("inventory_item", "b", "1", "White hanging heart T-light holder");
    put("inventory_item", "c", "1", "Garden bench, white painted wood, for two");
    put("inventory_item", "d", "1", "Red spotty lunch bag");
    put("inventory_item", "e", "1",
        "Caf\xc3\xa9 au lait bowl, \xc3\x9c"
        "bergr\xc3\xb6\xc3\x9f"
        "e");
    assert_int_equal(find("a lantern for the garden"), 2);
    assert_string_equal(host.answer.found[0].id, "a");
    assert_string_equal(host.answer.found[1].id, "c");
    assert_true(host.answer.found[0].score > host.answer.found[1].score);
    assert_int_equal(host.answer.found[0].exact, 0);
    assert_int_equal(host.answer.found[0].as_of, host.now);
    assert_int_equal(find("LANTERNS in gardens!"), 2); /* stems and case */
    assert_string_equal(host.answer.found[0].id, "a");
    assert_int_equal(find("CAF\xc3\x89 \xc3\xbc"
                          "bergr\xc3\xb6\xc3\x9f"
                          "e"),
                     1);
    assert_string_equal(host.answer.found[0].id, "e");
    assert_int_equal(find("zeppelin"), 0);
    assert_int_equal(find(""), 0);
    assert_int_equal(find("what is the of and"), 0);
    assert_int_equal(host.answer.groups, 0); /* nothing is asked of the database */
    figures_are_right();
}

static void the_best_chunk_stands_for_its_record(void **state)
{
    (void)state;
    put_full("invoice", "1", "1", "{}", NULL, "header with customer", "six lanterns, lantern glass");
    put_full("invoice", "2", "1", "{}", NULL, "one lantern among a lot of other words here", "nothing else");
    assert_int_equal(find("lantern"), 2);
    assert_string_equal(host.answer.found[0].id, "1");
    assert_int_equal(host.answer.found[0].chunk, 1);
    assert_string_equal(host.answer.found[0].text, "six lanterns, lantern glass");
    search_as("lantern", ALL, "[]", 1);
    assert_int_equal(host.answer.n, 1);
}

static void numbers_are_looked_up(void **state)
{
    (void)state;
    put_full("invoice", "INV-0001", "1", "{\"number\":\"INV/0001\"}", NULL, "Harbour and Finch", NULL);
    put_full("invoice", "536365", "1", "{\"number\":\"536365\"}", NULL, "invoice text", NULL);
    put_full("inventory_item", "x1", "1", "{\"number\":\"85123A\"}", NULL, "White holder", NULL);
    put_full("customer", "c", "1", "{\"number\":17850}", NULL, "invoice invoice 536365 is mentioned here",
             NULL);
    static const struct {
        const char *query, *id;
    } cases[] = {
        { "total of INV/0001?", "INV-0001" },
        { "inv-0001", "INV-0001" },
        { "INV 0001", "INV-0001" },
        { "inv1", "INV-0001" },
        { "Inv/00001", "INV-0001" },
        { "what about invoice #536365", "536365" },
        { "(0536365)", "536365" },
        { "stock of 85123a", "x1" },
        { "85123-A", "x1" },
        { "85123 A", "x1" },
        { "customer 17850's limit", "c" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(find(cases[i].query) >= 1);
        assert_string_equal(host.answer.found[0].id, cases[i].id);
        assert_int_equal(host.answer.found[0].exact, 1);
    }
    assert_int_equal(find("invoice 536365"),
                     2); /* the record itself, then the one that mentions it; none twice */
    assert_string_equal(host.answer.found[1].id, "c");
    assert_int_equal(host.answer.found[1].exact, 0);
    assert_int_equal(find("for 2.55 on 2011-03-01"), 0);
    search_as("invoice 536365", "[\"customer\"]", "[]", 0); /* the kind is a condition here too */
    assert_int_equal(host.answer.n, 1);
    assert_string_equal(host.answer.found[0].id, "c");
}

static void kinds_and_acl_are_conditions(void **state)
{
    (void)state;
    put("invoice", "1", "1", "lantern");
    put("customer", "2", "1", "lantern");
    put_full("invoice", "3", "1", "{\"number\":\"777777\"}", "[\"user:eve\",\"role:sales\"]", "lantern",
             NULL);
    assert_int_equal(find("lantern"), 2);
    search_as("lantern 777777", "[\"invoice\"]", "[\"user:bob\"]", 0);
    assert_int_equal(host.answer.n, 1);
    assert_string_equal(host.answer.found[0].id, "1");
    search_as("lantern", "[\"invoice\"]", "[\"user:bob\",\"role:sales\"]", 0);
    assert_int_equal(host.answer.n, 2);
    search_as("lantern", "[]", "[\"role:sales\"]", 0);
    assert_int_equal(host.answer.n, 0);
    search_as("lantern", "", "", 0);
    assert_int_equal(host.answer.n, 0);
    search_as("lantern", "{\"a\":1}", "[]", 0);
    assert_int_equal(host.answer.err, COGENT_INVALID);
    search_as("lantern", "[\"invoice\"", "[]", 0);
    assert_int_equal(host.answer.err, COGENT_INVALID);
    simple(COGENT_COUNT, "", "", ALL);
    assert_true(host.answer.found[0].score == 2);
    simple(COGENT_COUNT, "invoice", "", ALL);
    assert_true(host.answer.found[0].score == 1);
    simple(COGENT_COUNT, "invoice", "", "[\"customer\"]");
    assert_true(host.answer.found[0].score == 0);
    simple(COGENT_SHOW, "invoice", "3", ALL);
    assert_int_equal(host.answer.n, 0);
    simple(COGENT_SHOW, "invoice", "1", "[\"customer\"]");
    assert_int_equal(host.answer.n, 0);
    simple(COGENT_SHOW, "invoice", "1", ALL);
    assert_int_equal(host.answer.n, 1);
    assert_int_equal(put_full("invoice", "4", "1", "{}", "no list", "x", NULL), COGENT_INVALID);
    assert_int_equal(put_full("invoice", "4", "1", "[]", NULL, "x", NULL), COGENT_INVALID);
    assert_int_equal(put_full("", "4", "1", "{}", NULL, "x", NULL), COGENT_INVALID);
}

static double score_of(const char *query)
{
    return find(query) ? host.answer.found[0].score : 0;
}

static void tenants_never_meet(void **state)
{
    (void)state;
    static const char *const other = "bbbbbbbb-0000-4000-8000-000000000002";
    const char *mine = host.tenant;
    put_full("invoice", "1", "1", "{\"number\":\"111111\"}", NULL, "lantern canary_a", NULL);
    put("invoice", "2", "1", "bag");
    double before = score_of("lantern");
    host.tenant = other;
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        put_full("invoice", id, "1", "{\"number\":\"111111\"}", NULL,
                 "lantern lantern canaryb and much longer text", NULL);
    }
    search_as("lantern 111111 canary", ALL, "[]", 100);
    assert_int_equal(host.answer.n, 50);
    for (size_t i = 0; i < host.answer.n; i++)
        assert_null(strstr(host.answer.found[i].text, "canary_a"));
    host.tenant = mine;
    assert_true(score_of("lantern") == before); /* nobody else's statistics */
    assert_int_equal(find("canaryb"), 0);
    assert_int_equal(find("111111"), 1);
    simple(COGENT_ERASE, "", "", "");
    assert_int_equal(host.answer.err, 0);
    assert_int_equal(find("lantern"), 0);
    figures_are_right();
    assert_int_equal(
        db_host_number(&host, "select (select count(*) from record) + (select count(*) from record_corpus)"),
        51);
    host.tenant = other;
    assert_int_equal(find("lantern"), 8);
}

static void an_older_version_changes_nothing(void **state)
{
    (void)state;
    put("invoice", "1", "2024-07-02", "second text");
    put("invoice", "1", "2024-07-01", "first text");
    assert_int_equal(host.answer.writes, 0);
    assert_int_equal(find("first"), 0);
    put("invoice", "1", "2024-07-02", "second text");
    assert_int_equal(host.answer.writes, 0); /* known: costs a read */
    put("invoice", "1", "2024-07-02", "another at the same time");
    assert_int_equal(find("another"), 1);
    assert_int_equal(find("second"), 0);
    host.now += 5;
    put("invoice", "1", "2024-07-03", "another at the same time");
    assert_int_equal(host.answer.steps, 2); /* only its stamp moves */
    assert_int_equal(find("another"), 1);
    assert_string_equal(host.answer.found[0].stamp, "2024-07-03");
    assert_int_equal(host.answer.found[0].as_of, host.now);
    figures_are_right();
}

/* The version that was looked at is not the one that is there when the group runs. */
static void a_race_is_lost_in_order(void **state)
{
    (void)state;
    put("invoice", "1", "2024-07-02", "second text");
    host.between = "update record set stamp = '2024-07-09'";
    put("invoice", "1", "2024-07-03", "third text");
    assert_int_equal(host.answer.writes, 1);
    assert_int_equal(find("third"), 0);
    assert_int_equal(find("second"), 1);
    host.between = "update record set stamp = '2024-07-10'";
    put("invoice", "1", "2024-07-09", "third text");
    assert_int_equal(find("third"), 0);
    figures_are_right();
}

static void figures_stay_right(void **state)
{
    (void)state;
    static const char *const words[] = {
        "lantern", "garden", "white", "bag", "heart", "red", "holder", "wood"
    };
    unsigned seed = 4711;
    for (int i = 0; i < 400; i++) {
        char id[16], stamp[16], text[2][256] = { "", "" };
        seed = seed * 1664525u + 1013904223u;
        unsigned r = seed >> 8;
        host.tenant = r % 3 ? "aaaaaaaa-0000-4000-8000-000000000001" : "bbbbbbbb-0000-4000-8000-000000000002";
        snprintf(id, sizeof id, "%u", r / 8 % 12);
        snprintf(stamp, sizeof stamp, "%03u", r / 128 % 500);
        for (unsigned w = 0; w < r % 11; w++)
            for (int c = 0; c < 2; c++)
                snprintf(text[c] + strlen(text[c]), 16, "%s ", words[(r / (w + 3) + (unsigned)c) % 8]);
        if (r % 7 == 0)
            simple(COGENT_DROP, "invoice", id, "");
        else
            assert_int_equal(
                put_full("invoice", id, stamp, "{}", NULL, r % 5 ? text[0] : NULL, r % 2 ? text[1] : NULL),
                0);
        assert_int_equal(host.answer.err, 0);
    }
    figures_are_right();
    assert_true(db_host_number(&host, "select count(*) from record") > 4);
    for (int i = 0; i < 12; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        for (int k = 0; k < 2; k++) {
            host.tenant = k ? "aaaaaaaa-0000-4000-8000-000000000001" : "bbbbbbbb-0000-4000-8000-000000000002";
            simple(COGENT_DROP, "invoice", id, "");
        }
    }
    assert_int_equal(
        db_host_number(&host,
                       "select (select count(*) from record) + (select count(*) from record_posting) + "
                       "(select count(*) from record_term) + (select count(*) from cognitive_embeddings)"),
        0);
    figures_are_right();
}

static void ids_come_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++) {
        char id[16];
        snprintf(id, sizeof id, "%03d", (i * 7) % 25);
        put("invoice", id, "1", "x");
    }
    put("customer", "9", "1", "x");
    struct cogent_search s = { .what = COGENT_IDS, .type = cogent_str("invoice"), .limit = 10 };
    db_host_request(&host, &s);
    assert_int_equal(host.answer.n, 10);
    assert_string_equal(host.answer.found[9].id, "009");
    s.after = cogent_str("019");
    db_host_request(&host, &s);
    assert_int_equal(host.answer.n, 5);
    assert_string_equal(host.answer.found[0].id, "020");
    assert_string_equal(host.answer.found[0].stamp, "1");
}

/* 5,001 postings: the common word counts only where a rarer one brought the record, and drives when it is alone. */
static void common_words_follow(void **state)
{
    (void)state;
    sqlite3_exec(host.file, "BEGIN", NULL, NULL, NULL);
    for (int i = 0; i < 5001; i++) {
        char id[16];
        snprintf(id, sizeof id, "%05d", i);
        put("invoice", id, "1",
            i == 77   ? "common zebra"
            : i == 78 ? "zebra stands alone here common common"
                      : "common");
    }
    put("invoice", "z", "1", "zebra only");
    sqlite3_exec(host.file, "COMMIT", NULL, NULL, NULL);
    assert_int_equal(find("common zebra"), 3);
    assert_string_equal(host.answer.found[0].id, "00077");
    double both = host.answer.found[0].score;
    assert_int_equal(find("zebra"), 3);
    assert_int_equal(find("common"), 8);
    assert_string_equal(host.answer.found[0].id, "00000"); /* equal ones in a stable order */
    assert_true(both > host.answer.found[0].score);
}

static void odd_texts_do_no_harm(void **state)
{
    (void)state;
    static char longest[40000];
    memset(longest, 'q', sizeof longest - 1);
    put("invoice", "quote's \"id\"", "1",
        "tab\tquote\" back\\slash \x01 \xff broken \xe2\x82\xac"
        " 100% 'x' ; drop table");
    put("invoice", "long", "1", longest);
    put("invoice", "empty", "1", "");
    put("invoice", "none", "1", NULL);
    put("invoice", "cjk", "1", "\xe6\x9d\xb1\xe4\xba\xac lantern");
    assert_int_equal(find("backs slash\\ \"quote\" \xff"), 1);
    assert_string_equal(host.answer.found[0].id, "quote's \"id\"");
    assert_int_equal(find("\xe4\xba\xac"), 1);
    assert_int_equal(find(longest), 0);
    figures_are_right();
}

int main(int argc, char **argv)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        ON(the_right_one_comes_first), ON(the_best_chunk_stands_for_its_record),
        ON(numbers_are_looked_up),     ON(kinds_and_acl_are_conditions),
        ON(tenants_never_meet),        ON(an_older_version_changes_nothing),
        ON(a_race_is_lost_in_order),   ON(figures_stay_right),
        ON(ids_come_in_order),         ON(common_words_follow),
        ON(odd_texts_do_no_harm),
    };
    if (argc < 3)
        return 2;
    plugin = argv[1];
    sql = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
