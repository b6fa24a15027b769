/* SPDX-License-Identifier: Apache-2.0
 * The configuration: one that can be used, or a sentence. */
#include "fuzz.h"

#include "engine/base/utf8.h"
#include "engine/config.h"

static void check(const struct cg_config *config)
{
    cg_auto_json listen = cg_json_parse(cogent_str(config->listen), NULL);
    cg_auto_json tools = cg_json_parse(cogent_str(config->tools), NULL);
    FUZZ_REQUIRE(config->n_workers >= 1 && config->n_workers <= 16 && config->jobs >= 0 && config->jobs <= 8);
    FUZZ_REQUIRE(config->limit_options.steps >= 1 && config->limit_options.question_bytes >= 1);
    FUZZ_REQUIRE(listen && tools && config->state && config->database && config->policies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_files *files;
    struct cg_config *config;
    struct cg_err err = { 0 };
    FUZZ_REQUIRE(cg_files_create(&files, &err) == 0);
    int rc = cg_config_load(files, fuzz_file(data, size), &config, &err);
    FUZZ_REQUIRE((rc == 0) == (config != NULL));
    FUZZ_REQUIRE(rc == 0 || (err.message[0] && cg_utf8_valid(cogent_str(err.message))));
    if (config)
        check(config);
    cg_config_destroy(config);
    cg_files_destroy(files);
    return 0;
}
