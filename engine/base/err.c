/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A message that did not fit ends between two characters. */
static void cut_clean(char *message, size_t size)
{
    size_t n = size - 1;
    while (n > 0 && !cg_utf8_valid((struct cogent_str){ message, n }) && size - n <= 4)
        n--;
    if (cg_utf8_valid((struct cogent_str){ message, n }))
        message[n] = '\0';
}

int cg_err_set(struct cg_err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, format);
    err->code = code;
    int n = vsnprintf(err->message, sizeof err->message, format, ap);
    va_end(ap);
    if (n >= (int)sizeof err->message)
        cut_clean(err->message, sizeof err->message);
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
