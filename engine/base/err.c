/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int cg_err_set(struct cg_err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, format);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, ap);
    va_end(ap);
    return code;
}

_Noreturn void cg_require_failed(const char *cond, const char *file, int line)
{
    fprintf(
        stderr,
        "{\"level\":\"error\",\"event\":\"engine.bug\",\"condition\":\"%s\",\"file\":\"%s\",\"line\":%d}\n",
        cond, file, line);
    abort();
}
