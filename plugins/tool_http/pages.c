/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include "common/json.h"

#include <stdlib.h>
#include <strings.h>

enum { MAX_PAGES = 1000 };

static int wrong(const struct th_tool *tool, struct th_problem *problem, const char *what)
{
    return th_problem(problem, COGENT_UPSTREAM, "%s, %s: %s", tool->service->name, tool->abi.name, what);
}

/* --- addresses --- */

/* The length of scheme://host:port. */
static size_t origin_len(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

static int plain(const char *url)
{
    for (; *url; url++)
        if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f || *url == '\\')
            return 0;
    return 1;
}

/* Only the service itself may be asked: its credential goes along. */
static char *resolve(const char *origin, struct cogent_str link)
{
    struct cp_buf out = { 0 };
    size_t n = origin_len(origin);
    char *text = strndup(link.ptr, link.len);
    if (text && plain(text) && text[0] == '/' && text[1] != '/') {
        cp_buf_add(&out, origin, n);
        cp_buf_text(&out, text);
    } else if (text && plain(text) && n && origin_len(text) == n && strncasecmp(text, origin, n) == 0) {
        cp_buf_text(&out, text);
    }
    free(text);
    return out.len ? cp_buf_take(&out) : NULL;
}

/* RFC 8288: <address>; rel="next", ... */
static struct cogent_str link_next(const char *header)
{
    struct cogent_str none = { NULL, 0 };
    while (header && (header = strchr(header, '<'))) {
        const char *end = strchr(header, '>');
        if (!end)
            return none;
        struct cogent_str url = { header + 1, (size_t)(end - header) - 1 };
        size_t params = strcspn(end, "<");
        for (const char *rel = end; (rel = strcasestr(rel, "rel=")) && rel < end + params; rel += 4) {
            const char *value = rel + 4 + (rel[4] == '"');
            if (strncasecmp(value, "next", 4) == 0 && strchr("\"; ,", value[4]))
                return url;
        }
        header = end + params;
    }
    return none;
}

/* --- what comes next --- */

static int by_link(const struct th_tool *tool, struct th_pages_read *read, const struct th_page *page,
                   struct cogent_str url, struct th_problem *problem)
{
    char *next = resolve(page->origin, url);
    if (!next)
        return wrong(tool, problem, "its next page lies elsewhere");
    int same = read->url && strcmp(read->url, next) == 0;
    free(read->url);
    read->url = next;
    return same ? wrong(tool, problem, "its next page is the same again") : 0;
}

static int by_pointer(const struct th_tool *tool, struct th_pages_read *read, const struct th_page *page,
                      int *has, struct th_problem *problem)
{
    json_t *next = cp_json_at(page->body, tool->pages.next);
    *has = json_is_integer(next) || (json_is_string(next) && json_string_length(next));
    if (!*has)
        return 0;
    if (tool->pages.address) {
        struct cogent_str url = { json_string_value(next), json_string_length(next) };
        return url.ptr ? by_link(tool, read, page, url, problem)
                       : wrong(tool, problem, "its next page is no address");
    }
    int same = read->cursor && json_equal(read->cursor, next);
    json_decref(read->cursor);
    read->cursor = json_incref(next);
    return same ? wrong(tool, problem, "its next page is the same again") : 0;
}

static int find_next(const struct th_tool *tool, struct th_pages_read *read, const struct th_page *page,
                     int *has, struct th_problem *problem)
{
    if (tool->pages.next)
        return by_pointer(tool, read, page, has, problem);
    if (!tool->pages.link) {
        *has = json_array_size(page->rows) >= (size_t)tool->pages.size;
        return 0;
    }
    const struct cogent_http_result *result = page->result;
    if (!result)
        return 0;
    if (!COGENT_HAS(result, header) || !result->header)
        return th_problem(problem, COGENT_INTERNAL,
                          "the host gives no headers of an answer: pages by link cannot be read");
    struct cogent_str url = link_next(result->header(result, "Link"));
    *has = url.ptr != NULL;
    return *has ? by_link(tool, read, page, url, problem) : 0;
}

static int keep(const struct th_tool *tool, struct th_pages_read *read, json_t *shaped,
                struct th_problem *problem)
{
    if (!read->items)
        read->items = json_array();
    if (!json_is_array(shaped))
        return wrong(tool, problem, "a page is not a list");
    if (json_array_extend(read->items, shaped) != 0)
        return th_problem(problem, COGENT_NO_MEMORY, "out of memory");
    return 0;
}

int th_pages_take(const struct th_tool *tool, struct th_pages_read *read, const struct th_page *page,
                  int *again, struct th_problem *problem)
{
    int has = 0;
    int err = keep(tool, read, page->shaped, problem);
    *again = 0;
    if (!err)
        err = find_next(tool, read, page, &has, problem);
    if (err)
        return err;
    int64_t n = (int64_t)json_array_size(read->items);
    read->more = has || n > tool->pages.max;
    while (n > tool->pages.max)
        json_array_remove(read->items, (size_t)--n);
    *again = has && n < tool->pages.max && json_array_size(page->rows) > 0 && read->number < MAX_PAGES;
    read->number++;
    return 0;
}

json_t *th_pages_result(const struct th_pages_read *read)
{
    return json_pack("{s:O, s:b}", "items", read->items, "more", read->more);
}

void th_pages_finish(struct th_pages_read *read)
{
    json_decref(read->items);
    json_decref(read->cursor);
    free(read->url);
    memset(read, 0, sizeof *read);
}
