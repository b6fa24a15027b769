/* SPDX-License-Identifier: Apache-2.0
 * Patterns and formats of strings. */
#include "schema_tree.h"

enum { SUBJECT_MAX = 16384, WORK = 400000 };

static bool count_down(void *arg)
{
    return --*(int *)arg > 0;
}

bool cg_schema_pattern_match(const struct cg_match *pattern, struct cogent_str text)
{
    struct cogent_str groups[CG_MATCH_GROUPS];
    int left = WORK;
    return text.len <= SUBJECT_MAX && cg_match_run(pattern, text, count_down, &left, groups) > 0;
}

static bool digits(const char *p, int n)
{
    while (n-- > 0) {
        if (*p < '0' || *p > '9')
            return false;
        p++;
    }
    return true;
}

static int number(const char *p, int n)
{
    int v = 0;
    while (n-- > 0)
        v = v * 10 + (*p++ - '0');
    return v;
}

static bool is_date(const char *p)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!digits(p, 4) || p[4] != '-' || !digits(p + 5, 2) || p[7] != '-' || !digits(p + 8, 2))
        return false;
    int year = number(p, 4), month = number(p + 5, 2), day = number(p + 8, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

/* Z or +hh:mm, and the end. */
static bool is_zone(const char *p)
{
    if (*p == 'Z' || *p == 'z')
        return p[1] == '\0';
    return (*p == '+' || *p == '-') && digits(p + 1, 2) && p[3] == ':' && digits(p + 4, 2) && p[6] == '\0' &&
           number(p + 1, 2) < 24 && number(p + 4, 2) < 60;
}

static bool is_time(const char *p)
{
    if (!digits(p, 2) || p[2] != ':' || !digits(p + 3, 2) || p[5] != ':' || !digits(p + 6, 2))
        return false;
    if (number(p, 2) > 23 || number(p + 3, 2) > 59 || number(p + 6, 2) > 60)
        return false;
    p += 8;
    if (*p == '.') {
        if (!digits(++p, 1))
            return false;
        while (digits(p, 1))
            p++;
    }
    return is_zone(p);
}

static bool is_date_time(struct cogent_str t)
{
    return t.len >= 20 && t.len < 64 && is_date(t.ptr) && (t.ptr[10] == 'T' || t.ptr[10] == 't') &&
           is_time(t.ptr + 11);
}

static bool is_atom(struct cogent_str t, const char *extra)
{
    bool dot = true; /* none at the ends, no two together */
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (unsigned char)c >= 0x80;
        if (c == '.' ? dot : !word && !strchr(extra, c))
            return false;
        dot = c == '.';
    }
    return !dot;
}

static bool is_email(struct cogent_str t)
{
    const char *at = t.len <= 254 ? memchr(t.ptr, '@', t.len) : NULL;
    if (!at)
        return false;
    struct cogent_str local = { t.ptr, (size_t)(at - t.ptr) };
    struct cogent_str domain = { at + 1, t.len - local.len - 1 };
    return local.len <= 64 && is_atom(local, "!#$%&'*+-/=?^_`{|}~") && is_atom(domain, "-");
}

static bool is_uuid(struct cogent_str t)
{
    if (t.len != 36)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? t.ptr[i] != '-' : !strchr("0123456789abcdefABCDEF", t.ptr[i]))
            return false;
    }
    return true;
}

static const char *const format_names[] = { "", "date", "date-time", "decimal", "email", "uuid" };

int cg_schema_format_find(const char *name)
{
    for (int i = CG_FORMAT_DATE; i <= CG_FORMAT_UUID; i++) {
        if (strcmp(format_names[i], name) == 0)
            return i;
    }
    return CG_FORMAT_ANY;
}

const char *cg_schema_format_wrong(int format, struct cogent_str text)
{
    struct cg_decimal d;
    /* The readers below stop at the end; one that stands in the middle is no form at all. */
    bool ok = format == CG_FORMAT_ANY || memchr(text.ptr, '\0', text.len) == NULL;
    switch (ok ? format : -format) {
    case CG_FORMAT_DATE:
        return text.len == 10 && is_date(text.ptr) ? NULL : "must be a date such as 2026-11-22";
    case CG_FORMAT_DATE_TIME:
        return is_date_time(text) ? NULL : "must be a time such as 2026-11-22T07:30:04Z";
    case CG_FORMAT_DECIMAL:
        return cg_decimal_parse(text, &d) ? NULL : "must be a decimal such as \"12.50\"";
    case CG_FORMAT_EMAIL:
        return is_email(text) ? NULL : "must be an e-mail address";
    case CG_FORMAT_UUID:
        return is_uuid(text) ? NULL : "must be a UUID";
    default:
        return ok ? NULL : "must not hold U+0000";
    }
}
