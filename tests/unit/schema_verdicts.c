/* SPDX-License-Identifier: Apache-2.0
 * What our JSON Schema says, for comparing it with others: a line {"schema", "instance"} in, "valid", "invalid" or
 * "refused: WHY" out. */
#include "engine/base/schema.h"

#include <stdio.h>
#include <stdlib.h>

static void judge(const json_t *line)
{
    struct cg_err err = { 0 };
    struct cg_schema *schema = NULL;
    if (cg_schema_compile(json_object_get(line, "schema"), &schema, &err) < 0)
        printf("refused: %s\n", err.message);
    else
        puts(cg_schema_check(schema, json_object_get(line, "instance"), &err) == 0 ? "valid" : "invalid");
    cg_schema_destroy(schema);
}

int main(void)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t n;
    while ((n = getline(&text, &size, stdin)) > 0) {
        struct cg_err err = { 0 };
        cg_auto_json line = cg_json_parse((struct cogent_str){ text, (size_t)n }, &err);
        if (line)
            judge(line);
        else
            printf("refused: %s\n", err.message);
    }
    free(text);
    return 0;
}
