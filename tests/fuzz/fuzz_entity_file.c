/* SPDX-License-Identifier: Apache-2.0
 * A file that describes a kind of record: a kind whose titles and links can be filled, or a sentence. */
#include "operator_file.h"

#include "engine/svc/kinds.h"

static const char record_text[] =
    "{\"invoice_number\":\"536365\",\"name\":\"A \\u00e9 {id}\",\"customer\":{\"id\":\"17850\",\"name\":null},"
    "\"items\":[1,2],\"total_amount\":139.12,\"web_url\":\"http://x\"}";

static void fill(const struct cg_kind *kind, const json_t *record)
{
    cg_auto_buf title = { 0 };
    cg_auto_buf url = { 0 };
    cg_kind_fill(kind->title, kind->fields, record, record, false, &title);
    FUZZ_REQUIRE(!title.failed && cg_utf8_valid(cg_buf_view(&title)));
    if (kind->url)
        cg_kind_fill(kind->url, kind->fields, record, record, true, &url);
    if (kind->id)
        cg_kind_fill(kind->id, NULL, record, record, false, &url);
    FUZZ_REQUIRE(!url.failed);
    if (kind->stamp) {
        cg_kind_says(record, kind->stamp);
        cg_kind_path(record, kind->stamp);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_box *box;
    struct cg_kinds *kinds;
    struct cg_err err = { 0 };
    json_t *table = operator_file(fuzz_text(data, size), "entities/invoice", &box);
    if (table) {
        cg_auto_json all = json_pack("{s:o}", "invoice", table);
        cg_auto_json record = cg_json_parse(cogent_str(record_text), &err);
        int rc = cg_kinds_create(all, &kinds, &err);
        FUZZ_REQUIRE(rc == 0 || (err.message[0] && cg_utf8_valid(cogent_str(err.message))));
        if (rc == 0) {
            cg_auto_json held = json_pack("[s]", cg_kind_get(kinds, 0)->read);
            cg_auto_json readable = cg_kinds_readable(kinds, held);
            cg_auto_json named = cg_kinds_named(readable, cogent_str("the invoices of ACME"));
            FUZZ_REQUIRE(json_is_array(named) && cg_kind_count(kinds) == 1 && cg_kind_find(kinds, "invoice"));
            fill(cg_kind_get(kinds, 0), record);
            cg_kinds_destroy(kinds);
        }
    }
    cg_box_destroy(box);
    return 0;
}
