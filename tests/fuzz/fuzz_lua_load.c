/* SPDX-License-Identifier: Apache-2.0
 * A Lua data file: ends within its limits, gives JSON or a sentence, and leaves the box as it was. */
#include "fuzz.h"

#include "engine/base/utf8.h"
#include "engine/policy/load.h"

static int load(struct cg_box *box, struct cogent_str source, const char *prefix, json_t **out,
                struct cg_err *err)
{
    struct cg_load load = { .source = source, .file = "group/file.lua", .prefix = prefix };
    return cg_load_run(box, &load, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_box *box;
    struct cg_err err = { 0 };
    json_t *table;
    FUZZ_REQUIRE(cg_box_create(&cg_box_tenant, &box) == 0);
    int rc = load(box, fuzz_text(data, size), "group/file", &table, &err);
    FUZZ_REQUIRE(box->steps <= 2 * cg_box_tenant.steps && box->peak <= cg_box_tenant.memory);
    if (rc == 0) {
        cg_auto_buf text = { 0 };
        cg_json_canonical(&text, table);
        FUZZ_REQUIRE(json_is_array(table) || json_is_object(table));
        FUZZ_REQUIRE(!text.failed && cg_utf8_valid(cg_buf_view(&text)));
    } else {
        FUZZ_REQUIRE(!table && (rc == COGENT_INVALID || rc == COGENT_LIMIT));
        FUZZ_REQUIRE(err.message[0] && cg_utf8_valid(cogent_str(err.message)));
    }
    json_decref(table);
    if (!box->broken) {
        FUZZ_REQUIRE(load(box, cogent_str("return { pi = math.floor(math.pi), up = ('x'):upper() }"), NULL,
                          &table, &err) == 0);
        FUZZ_REQUIRE(cg_json_int(table, "pi", 0) == 3 && strcmp(cg_json_str(table, "up", ""), "X") == 0);
        json_decref(table);
    }
    cg_box_destroy(box);
    return 0;
}
