/* SPDX-License-Identifier: Apache-2.0
 * What of the policies' language the engine serves today. The loader, the gate and the tests of a bundle go by this. */
#include "policy.h"

#include <string.h>

/* "self" is what an ask makes that names nobody. `reason` is the verdict's own, at every point. */
static const struct {
    bool asked;
    const char *kept[5];
} served[CG_POINTS] = {
    [CG_POINT_PROMPT] = { .asked = true },
    [CG_POINT_TOOL_CALL] = { .asked = true, .kept = { "role", "user", "self", "expires" } },
};

bool cg_point_asked(enum cg_point point)
{
    return (unsigned)point < CG_POINTS && served[point].asked;
}

void cg_point_unasked_words(enum cg_point point, const char *decision, char *out, size_t size)
{
    cg_auto_buf asked = { 0 };
    for (int p = 0; p < CG_POINTS; p++)
        if (served[p].asked)
            cg_buf_printf(&asked, "%s%s", asked.len ? " and " : "", cg_point_name((enum cg_point)p));
    snprintf(out, size, "%.95s.lua is on \"%s\", which this version does not ask about; it asks about %s",
             decision, cg_point_name(point), asked.ptr ? asked.ptr : "others");
}

bool cg_point_keeps(enum cg_point point, const char *obligation)
{
    const char *const *kept = served[point].kept;
    while (*kept && strcmp(*kept, obligation) != 0)
        kept++;
    return *kept;
}

const char *cg_obligations_unkept(enum cg_point point, const json_t *obligations)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)obligations, name, value)
        if (!cg_point_keeps(point, name))
            return name;
    return NULL;
}

void cg_obligation_unkept_words(enum cg_point point, const char *decision, const char *obligation, char *out,
                                size_t size)
{
    if (strcmp(obligation, "self") == 0)
        snprintf(out, size, "the policy %.95s asks somebody, which is not supported at %s yet", decision,
                 cg_point_name(point));
    else
        snprintf(out, size, "the policy %.95s sets %.40s, which is not supported at %s yet", decision,
                 obligation, cg_point_name(point));
}
