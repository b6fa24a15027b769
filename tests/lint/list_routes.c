/* SPDX-License-Identifier: Apache-2.0
 * Prints the route table as the program has it: "method TAB path TAB permission TAB flags", a dash for no permission, the flags
 * "public", "body" or a dash. */
#include "engine/api/request.h"

#include <stdio.h>

int main(void)
{
    for (const struct cg_route *route = cg_routes; route->method; route++)
        printf("%s\t%s\t%s\t%s\n", route->method, route->path, route->permission ? route->permission : "-",
               route->flags & CG_PUBLIC ? "public"
               : route->flags & CG_BODY ? "body"
                                        : "-");
    return 0;
}
