/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "stamp.h"

#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_SIZE 600

void reply_json_take(struct reply *reply, int status, json_t *body)
{
    json_decref(reply->body);
    reply->body = body;
    reply->status = status;
    if (body == NULL) {
        reply->status = 500;
        reply->body = json_pack("{s:s}", "detail", "the answer could not be written");
    }
}

void reply_data_take(struct reply *reply, struct request *request, const char *kind, json_t *data)
{
    if (data == NULL)
        reply_error(reply, 404, "no %s %s", kind, request->name);
    else
        reply_json_take(reply, 200, json_pack("{s:o}", "data", data));
}

/* A detail may quote what a caller sent, which need not be UTF-8, and may have been cut inside a character. */
static json_t *detail_json(char *text)
{
    json_t *value = json_string(text);

    if (value != NULL)
        return value;
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    return json_string(text);
}

bool reply_error(struct reply *reply, int status, const char *format, ...)
{
    char text[DETAIL_SIZE];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    reply_json_take(reply, status, json_pack("{s:o}", "detail", detail_json(text)));
    return false;
}

const char *request_text(const struct request *request, const char *name)
{
    const char *value = evhttp_find_header(&request->query, name);

    return value == NULL || *value == '\0' ? NULL : value;
}

bool request_date(const struct request *request, struct reply *reply, const char *name, const char **date)
{
    *date = request_text(request, name);
    if (*date != NULL && !date_valid(*date))
        return reply_error(reply, 422, "%s: %s is not a date (YYYY-MM-DD)", name, *date);
    return true;
}

bool request_one_of(const struct request *request, struct reply *reply, const char *name,
                    const char *const *names, const char **value)
{
    char known[DETAIL_SIZE / 2] = "";

    *value = request_text(request, name);
    if (*value == NULL)
        return true;
    for (; *names != NULL; names++) {
        if (strcmp(*value, *names) == 0)
            return true;
        snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", *names);
    }
    return reply_error(reply, 422, "%s: %s is not one of%s", name, *value, known);
}

static bool whole_number(const struct request *request, struct reply *reply, const char *name, int64_t min,
                         int64_t max, int64_t *value)
{
    const char *text = request_text(request, name);
    char *end;
    long long number;

    if (text == NULL)
        return true;
    number = strtoll(text, &end, 10);
    if (*end != '\0' || number < min || number > max)
        return reply_error(reply, 422, "%s: %s is not a number from %lld to %lld", name, text, (long long)min,
                           (long long)max);
    *value = number;
    return true;
}

bool request_page(const struct request *request, struct reply *reply, int64_t standard, int64_t max,
                  struct page *page)
{
    *page = (struct page){ .limit = standard, .offset = 0 };
    return whole_number(request, reply, "limit", 1, max, &page->limit) &&
           whole_number(request, reply, "offset", 0, INT32_MAX, &page->offset);
}

bool request_member(const struct request *request, struct reply *reply, const char *name, size_t max,
                    const char **value)
{
    json_t *member = json_object_get(request->body, name);

    *value = NULL;
    if (member == NULL || json_is_null(member))
        return true;
    if (!json_is_string(member) || json_string_length(member) > max)
        return reply_error(reply, 422, "%s must be a text of at most %zu bytes", name, max);
    *value = json_string_value(member);
    return true;
}
