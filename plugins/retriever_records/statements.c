/* SPDX-License-Identifier: Apache-2.0
 * All that this plugin says to the database. Each text is written once; only how a JSON parameter becomes rows, and
 * which order texts have, differs between the databases (the macros below).
 *
 * What a record's replacement must touch hangs on `dirty`: the statement that accepts the new version sets it, those
 * that follow in the same transaction act on dirty records only, the last one clears it. So the group is fixed
 * beforehand and an older version changes nothing. Every writer takes the tenant's corpus row first: two of them
 * never wait for each other crosswise.
 */
#include "records.h"

/* A list of strings; an object's members as key and value; an array's elements as key (from 0) and value. */
#define LIST_LITE(p)     "(select value from json_each(" p "))"
#define LIST_PG(p)       "(select value from json_array_elements_text((" p ")::json))"
#define PAIRS_LITE(p)    "json_each(" p ")"
#define PAIRS_PG(p)      "json_each_text((" p ")::json)"
#define ELEMENTS_LITE(p) "json_each(" p ")"
#define ELEMENTS_PG(p)                                                                                       \
    "(select n - 1, value from json_array_elements((" p                                                      \
    ")::json) with ordinality as x(value, n)) as e(key, value)"
#define INT_LITE(v)   v
#define INT_PG(v)     "(" v ")::bigint"
#define REAL_LITE(v)  v
#define REAL_PG(v)    "(" v ")::double precision"
#define ORDER_LITE(v) v
#define ORDER_PG(v)   v " collate \"C\""

#define BOTH(TEXT) .text = TEXT(LITE), .text_pg = TEXT(PG)
#define ONE(TEXT)  .text = TEXT

/* Parameters of all that touch one record: $2 type, $3 id. */
#define THIS  "tenant_id = $1 and entity_type = $2 and entity_id = $3"
#define DIRTY "exists (select 1 from record where " THIS " and dirty = 1)"
#define ITS_TERMS(D)                                                                                         \
    "from record r cross join cognitive_embeddings c cross join " PAIRS_##D(                                 \
        "c.terms") " t where r.tenant_id = $1 and r.entity_type = $2 and r.entity_id = $3 and r.dirty = 1 "  \
                   "and c.tenant_id = r.tenant_id and c.entity_type = r.entity_type and c.entity_id = r.entity_id"
#define ITS_CHUNKS(what) "(select " what " from cognitive_embeddings where " THIS " and " DIRTY ")"

/* Kinds and acl, on record r. */
#define MAY_READ(D, kinds, principals)                                                                       \
    "r.entity_type in " LIST_##D(kinds) " and (r.acl is null or exists (select 1 from " LIST_##D(            \
        "r.acl") " a where a.value in " LIST_##D(principals) "))"

#define PUT_TEXT(D)                                                                                                     \
    "insert into record(tenant_id, entity_type, entity_id, doc, title, stamp, hash, number_norm, date, "                \
    "status, customer, domain, columns, acl, as_of, dirty) values ($1, $2, $3, "                                        \
    "(select coalesce(max(doc), 0) + 1 from record where tenant_id = $1), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, " \
    "$14, 1) on conflict(tenant_id, entity_type, entity_id) do update set title = excluded.title, "                     \
    "stamp = excluded.stamp, hash = excluded.hash, number_norm = excluded.number_norm, "                                \
    "date = excluded.date, status = excluded.status, customer = excluded.customer, "                                    \
    "domain = excluded.domain, columns = excluded.columns, acl = excluded.acl, as_of = excluded.as_of, "                \
    "dirty = 1 where excluded.stamp > " ORDER_##D(                                                                      \
        "record.stamp") " or (excluded.stamp = record.stamp and excluded.hash <> record.hash)"

#define TOUCH_TEXT(D)                                                                                        \
    "update record set stamp = $4, as_of = $6 where " THIS " and hash = $5 and stamp < " ORDER_##D("$4")

#define TERM_LESS_TEXT(D)                                                                                    \
    "update record_term set df = record_term.df - o.n from (select t.key as term, count(*) as n " ITS_TERMS( \
        D) " group by t.key) as o where record_term.tenant_id = $1 and record_term.term = o.term"

#define POSTING_DROP_TEXT(D)                                                                                 \
    "delete from record_posting where tenant_id = $1 and part = (select doc / 128 from record where " THIS   \
    " and dirty = 1) and (term, doc) in (select t.key, r.doc * 4096 + c.chunk_index " ITS_TERMS(D) ")"

#define CHUNK_ADD_TEXT(D)                                                                                    \
    "insert into cognitive_embeddings(tenant_id, entity_type, entity_id, chunk_index, content_text, "        \
    "metadata, terms, len) select $1, $2, $3, e.key, e.value ->> 'text', $5, e.value ->> 'terms', " INT_##D( \
        "e.value ->> 'len'") " from " ELEMENTS_##D("$4") AS_E_##D " where " DIRTY
#define AS_E_LITE " as e"
#define AS_E_PG   ""

#define POSTING_ADD_TEXT(D)                                                                                  \
    "insert into record_posting(tenant_id, part, term, doc, tf, len) "                                       \
    "select $1, r.doc / 128, t.key, r.doc * 4096 + c.chunk_index, " INT_##D("t.value") ", c.len " ITS_TERMS( \
        D)

#define TERM_MORE_TEXT(D)                                                                                    \
    "insert into record_term(tenant_id, term, df) select $1, t.key, count(*) " ITS_TERMS(                    \
        D) " group by t.key "                                                                                \
           "on conflict(tenant_id, term) do update set df = record_term.df + excluded.df"

#define CORPUS_TEXT(sign)                                                                                    \
    "update record_corpus set docs = docs " sign                                                             \
    " " ITS_CHUNKS("count(*)") ", length = length " sign                                                     \
                               " " ITS_CHUNKS("coalesce(sum(len), 0)") " where tenant_id = $1"

#define SHOWN                                                                                                \
    "r.entity_type, r.entity_id, r.title, r.columns, r.stamp, r.as_of, c.chunk_index, c.content_text"
#define CHUNK_OF_R "c.tenant_id = r.tenant_id and c.entity_type = r.entity_type and c.entity_id = r.entity_id"

#define FIND_TEXT(D)                                                                                         \
    "select r.tenant_id, " SHOWN ", 0.0 from (select distinct value from " LIST_##D(                         \
        "$2") " l) n cross join "                                                                            \
              "record r left join cognitive_embeddings c on " CHUNK_OF_R " and c.chunk_index = 0 "           \
              "where r.tenant_id = $1 and r.number_norm = n.value and " MAY_READ(                            \
                  D, "$3", "$4") " order by r.entity_type, r.entity_id limit $5"

#define DF_TEXT(D)                                                                                           \
    "select tenant_id, term, df from record_term where tenant_id = $1 and term in " LIST_##D("$2")

/* $2 {term: weight} of the rarer terms, $3 the same of the common ones, $4 kinds, $5 principals, $6 k1 * (1 - b),
 * $7 k1 * b / average length, $8 limit, $9 kinds that the question names, $10 places of each of these, $11 places of
 * each other kind, before the best of all take what is left. */
#define WEIGHT(D) "sum(" REAL_##D("t.value") " * p.tf / (p.tf + $6 + $7 * p.len))"
/* clang-format off */
#define SCORE_TEXT(D)                                                                                        \
    "with recursive part(n) as (select 0 union all select n + 1 from part where n < "                        \
    "(select coalesce(max(doc), 0) / 128 from record where tenant_id = $1)), "                               \
    "hit as materialized (select p.doc as doc, " WEIGHT(D) " as s from part cross join " PAIRS_##D("$2")     \
    " t cross join record_posting p where p.tenant_id = $1 and p.part = part.n and p.term = t.key "          \
    "group by p.doc), "                                                                                      \
    "seen as materialized (select h.doc as doc, h.s as s, r.entity_type as kind from hit h cross join record r " \
    "where r.tenant_id = $1 and r.doc = h.doc / 4096 and " MAY_READ(D, "$4", "$5")                           \
    " order by h.s desc, h.doc limit 1000), "                                                                \
    "scored as materialized (select seen.kind as kind, seen.doc as doc, seen.s + coalesce((select " WEIGHT(D)                   \
    " from " PAIRS_##D("$3") " t cross join record_posting p where p.tenant_id = $1 "                        \
    "and p.part = seen.doc / 524288 and p.term = t.key and p.doc = seen.doc), 0) as s from seen), "          \
    "best as (select kind, doc, s, row_number() over (partition by doc / 4096 order by s desc, doc) as n "   \
    "from scored), "                                                                                         \
    "placed as (select kind, doc, s, row_number() over (partition by kind order by s desc, doc) as place "   \
    "from best where n = 1), "                                                                               \
    "top as materialized (select doc, s from placed order by case when place <= case when kind in "          \
    LIST_##D("$9") " then $10 else $11 end then 0 else 1 end, s desc, doc limit $8) "                        \
    "select r.tenant_id, " SHOWN ", top.s from top cross join record r "                                     \
    "cross join cognitive_embeddings c where r.tenant_id = $1 and r.doc = top.doc / 4096 "                   \
    "and " CHUNK_OF_R " and c.chunk_index = top.doc % 4096 order by top.s desc, top.doc"
/* clang-format on */

/* Aggregates have no row of their own: the tenant is the parameter. $2 type or "", $3 kinds, $4 principals. */
#define COUNT_TEXT(D)                                                                                             \
    "select $1, count(*) from record r where r.tenant_id = $1 and ($2 = '' or r.entity_type = $2) and " MAY_READ( \
        D, "$3", "$4")

#define SHOW_TEXT(D)                                                                                         \
    "select r.tenant_id, " SHOWN ", 0.0 from record r cross join cognitive_embeddings c where "              \
    "r.tenant_id = $1 and r.entity_type = $2 and r.entity_id = $3 and " MAY_READ(                            \
        D, "$4", "$5") " and " CHUNK_OF_R " order by c.chunk_index"

#define IDS_TEXT(D)                                                                                          \
    "select tenant_id, entity_id, stamp from record where tenant_id = $1 and entity_type = $2 "              \
    "and entity_id > " ORDER_##D("$3") " order by " ORDER_##D("entity_id") " limit $4"

const struct cogent_statement records_statements[RECORDS_STATEMENTS + 1] = {
    [RECORDS_HEAD] = { "records.head", ONE("select tenant_id, stamp, hash from record where " THIS),
                       .params = "tt", .columns = "tt" },
    /* type, id, stamp, hash, as_of */
    [RECORDS_TOUCH] = { "records.touch", BOTH(TOUCH_TEXT), .params = "tttti", .columns = "" },
    [RECORDS_LOCK] = { "records.lock",
                       ONE("insert into record_corpus(tenant_id, docs, length) values ($1, 0, 0) "
                           "on conflict(tenant_id) do update set docs = record_corpus.docs"),
                       .params = "", .columns = "" },
    /* type, id, title, stamp, hash, number, date, status, customer, domain, columns, acl, as_of */
    [RECORDS_PUT] = { "records.put", BOTH(PUT_TEXT), .params = "tttttttttttti", .columns = "" },
    [RECORDS_MARK] = { "records.mark", ONE("update record set dirty = 1 where " THIS), .params = "tt",
                       .columns = "" },
    [RECORDS_TERM_LESS] = { "records.term_less", BOTH(TERM_LESS_TEXT), .params = "tt", .columns = "" },
    [RECORDS_POSTING_DROP] = { "records.posting_drop", BOTH(POSTING_DROP_TEXT), .params = "tt",
                               .columns = "" },
    [RECORDS_CORPUS_LESS] = { "records.corpus_less", ONE(CORPUS_TEXT("-")), .params = "tt", .columns = "" },
    [RECORDS_CHUNK_DROP] = { "records.chunk_drop",
                             ONE("delete from cognitive_embeddings where " THIS " and " DIRTY),
                             .params = "tt", .columns = "" },
    /* type, id, chunks [{text, terms, len}], metadata */
    [RECORDS_CHUNK_ADD] = { "records.chunk_add", BOTH(CHUNK_ADD_TEXT), .params = "tttt", .columns = "" },
    [RECORDS_POSTING_ADD] = { "records.posting_add", BOTH(POSTING_ADD_TEXT), .params = "tt", .columns = "" },
    [RECORDS_TERM_MORE] = { "records.term_more", BOTH(TERM_MORE_TEXT), .params = "tt", .columns = "" },
    [RECORDS_CORPUS_MORE] = { "records.corpus_more", ONE(CORPUS_TEXT("+")), .params = "tt", .columns = "" },
    [RECORDS_TERM_CLEAN] = { "records.term_clean",
                             ONE("delete from record_term where tenant_id = $1 and df <= 0"), .params = "",
                             .columns = "" },
    [RECORDS_SETTLE] = { "records.settle", ONE("update record set dirty = 0 where " THIS " and dirty = 1"),
                         .params = "tt", .columns = "" },
    [RECORDS_DROP] = { "records.drop", ONE("delete from record where " THIS), .params = "tt", .columns = "" },
    [RECORDS_ERASE_POSTING] = { "records.erase_posting",
                                ONE("delete from record_posting where tenant_id = $1"), .params = "",
                                .columns = "" },
    [RECORDS_ERASE_TERM] = { "records.erase_term", ONE("delete from record_term where tenant_id = $1"),
                             .params = "", .columns = "" },
    [RECORDS_ERASE_CORPUS] = { "records.erase_corpus", ONE("delete from record_corpus where tenant_id = $1"),
                               .params = "", .columns = "" },
    [RECORDS_ERASE_CHUNK] = { "records.erase_chunk",
                              ONE("delete from cognitive_embeddings where tenant_id = $1"), .params = "",
                              .columns = "" },
    [RECORDS_ERASE] = { "records.erase", ONE("delete from record where tenant_id = $1"), .params = "",
                        .columns = "" },
    /* numbers, kinds, principals, limit */
    [RECORDS_FIND] = { "records.find", BOTH(FIND_TEXT), .params = "ttti", .columns = "tttttiitd" },
    [RECORDS_DF] = { "records.df", BOTH(DF_TEXT), .params = "t", .columns = "ti" },
    [RECORDS_TOTALS] = { "records.totals",
                         ONE("select tenant_id, docs, length from record_corpus where tenant_id = $1"),
                         .params = "", .columns = "ii" },
    [RECORDS_SCORE] = { "records.score", BOTH(SCORE_TEXT), .params = "ttttdditii", .columns = "tttttiitd" },
    [RECORDS_COUNT] = { "records.count", BOTH(COUNT_TEXT), .params = "ttt", .columns = "i" },
    /* type, id, kinds, principals */
    [RECORDS_SHOW] = { "records.show", BOTH(SHOW_TEXT), .params = "tttt", .columns = "tttttiitd" },
    /* type, after, limit */
    [RECORDS_IDS] = { "records.ids", BOTH(IDS_TEXT), .params = "tti", .columns = "tt" },
};
