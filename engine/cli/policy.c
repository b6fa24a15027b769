/* SPDX-License-Identifier: Apache-2.0
 * cogent policy: test runs the cases that stand in a bundle, eval asks one decision once. */
#include "command.h"
#include "out.h"

#include "engine/config.h"
#include "engine/policy/policy.h"

#include <string.h>

static bool holds_nothing(const json_t *report)
{
    return !cg_json_int(report, "passed", 0) && !cg_json_int(report, "failed", 0) &&
           !json_array_size(json_object_get(report, "without"));
}

static void show(const json_t *report)
{
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(report, "cases"), i, row) {
        if (cg_json_bool(row, "ok", false))
            continue;
        printf("wrong  %s, case %lld: ", cg_json_str(row, "decision", ""),
               (long long)cg_json_int(row, "case", 0));
        cg_out_text(cg_json_str(row, "why", ""));
        if (strncmp(cg_json_str(row, "why", ""), "gives ", 6) == 0)
            putchar('\n'); /* it says so itself */
        else
            printf(" (it gives %s)\n", cg_json_str(row, "gives", ""));
    }
    json_array_foreach (json_object_get(report, "without"), i, row)
        printf("untested  %s has no cases\n", json_string_value(row));
    json_array_foreach (json_object_get(report, "refused"), i, row)
        printf("refused  %s: a server does not take the bundle\n", json_string_value(row));
    printf("%lld cases are right, %lld wrong\n", (long long)cg_json_int(report, "passed", 0),
           (long long)cg_json_int(report, "failed", 0));
}

/* The bundle of the configuration: the shipped one unless it says otherwise. */
static char *preset_bundle(struct cg_err *err)
{
    char *path = NULL;
    struct cg_files *files = NULL;
    struct cg_config *config = NULL;
    if (cg_files_create(&files, err) == 0 && cg_config_load(files, NULL, &config, err) == 0)
        path = cg_str_dup(cogent_str(config->policies));
    cg_config_destroy(config);
    cg_files_destroy(files);
    return path;
}

static int test_cases(const char *path, bool json)
{
    struct cg_err err = { 0 };
    json_t *report = NULL;
    cg_auto_free char *preset = path ? NULL : preset_bundle(&err);
    if (!path)
        path = preset;
    if (!path || cg_policy_cases(path, &report, &err) < 0) {
        fprintf(stderr, "cogent policy: %s\n", err.message);
        return CG_EXIT_FAILED;
    }
    if (holds_nothing(report)) {
        fprintf(stderr,
                "cogent policy: %s: there is nothing to test: a bundle holds policies/ and templates/\n",
                path);
        json_decref(report);
        return CG_EXIT_FAILED;
    }
    if (json)
        cg_out_json(report);
    else
        show(report);
    int rc = cg_json_int(report, "failed", 0) ? CG_EXIT_FAILED : CG_EXIT_OK;
    json_decref(report);
    return rc;
}

/* A denial is an answer like any other; a script that failed is not, nor what a server does not see to. */
static int eval(const char *path, const char *on, const char *context)
{
    struct cg_err err = { 0 };
    json_t *report = NULL;
    if (cg_policy_eval(path, on, context, &report, &err) < 0) {
        fprintf(stderr, "cogent policy: %s\n", err.message);
        return CG_EXIT_FAILED;
    }
    cg_out_json(report);
    bool fine = strcmp(cg_json_str(report, "end", ""), "fine") == 0 &&
                strcmp(cg_json_str(json_object_get(report, "server"), "does", ""), "denies") != 0;
    json_decref(report);
    return fine ? CG_EXIT_OK : CG_EXIT_FAILED;
}

int cg_cli_policy(int argc, char **argv)
{
    bool missing = false, json = cg_take_flag(&argc, argv, "--json");
    const char *on = cg_take_option(&argc, argv, "--on", &missing);
    const char *context = cg_take_option(&argc, argv, "--context", &missing);
    const char *unknown = cg_unknown_option(argc, argv), *word = argc > 1 ? argv[1] : "";
    if (unknown || missing)
        return cg_usage_word("policy", unknown, "--on wants a point, --context a file");
    if (strcmp(word, "eval") == 0)
        return argc == 3 ? eval(argv[2], on, context) : cg_usage("policy", "eval wants one file");
    if (strcmp(word, "test") != 0)
        return cg_usage_word("policy", argc > 1 ? word : NULL, "say what to do: test or eval");
    if (on || context)
        return cg_usage("policy", "--on and --context belong to eval");
    return argc <= 3 ? test_cases(argc == 3 ? argv[2] : NULL, json)
                     : cg_usage("policy", "test wants one folder or file");
}
