/* SPDX-License-Identifier: Apache-2.0
 * The public ABI's layout against tests/golden/abi-0.txt, so that a change is seen and meant. Members may be added at the
 * end of a struct that begins with `size`; everything else needs another COGENT_ABI once that is frozen.
 *
 *   test_abi_layout GOLDEN HEADER...     compares, and looks whether every struct of the headers stands in the table
 *   test_abi_layout --print > GOLDEN     accepts */
#include <cogent/provider.h>
#include <cogent/retriever.h>
#include <cogent/tool.h>

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 64 * 1024, SKIP = 77 };

#define STRUCT(name)                                                                                         \
    {                                                                                                        \
#name, NULL, sizeof(struct name), 0, 0                                                               \
    }
#define MEMBER(name, member)                                                                                 \
    {                                                                                                        \
#name, #member, sizeof(((struct name *)0)->member), offsetof(struct name, member), 0                 \
    }
#define VALUE(name)                                                                                          \
    {                                                                                                        \
        NULL, #name, 0, 0, name                                                                              \
    }

static const struct entry {
    const char *type, *member;
    size_t size, offset;
    int value;
} table[] = {
    /* clang-format off */
    STRUCT(cogent_str),
    MEMBER(cogent_str, ptr), MEMBER(cogent_str, len),
    STRUCT(cogent_op),
    MEMBER(cogent_op, slot), MEMBER(cogent_op, generation),
    STRUCT(cogent_option),
    MEMBER(cogent_option, type), MEMBER(cogent_option, key), MEMBER(cogent_option, preset),
    MEMBER(cogent_option, offset), MEMBER(cogent_option, help),
    STRUCT(cogent_log_api),
    MEMBER(cogent_log_api, size), MEMBER(cogent_log_api, log),
    STRUCT(cogent_json_api),
    MEMBER(cogent_json_api, size), MEMBER(cogent_json_api, string), MEMBER(cogent_json_api, integer),
    MEMBER(cogent_json_api, decimal), MEMBER(cogent_json_api, boolean), MEMBER(cogent_json_api, raw),
    MEMBER(cogent_json_api, each),
    STRUCT(cogent_http_header),
    MEMBER(cogent_http_header, name), MEMBER(cogent_http_header, value),
    STRUCT(cogent_http_request),
    MEMBER(cogent_http_request, size), MEMBER(cogent_http_request, label),
    MEMBER(cogent_http_request, method), MEMBER(cogent_http_request, url),
    MEMBER(cogent_http_request, headers), MEMBER(cogent_http_request, n_headers),
    MEMBER(cogent_http_request, body), MEMBER(cogent_http_request, flags),
    MEMBER(cogent_http_request, connect_ms), MEMBER(cogent_http_request, first_ms),
    MEMBER(cogent_http_request, gap_ms), MEMBER(cogent_http_request, total_ms),
    MEMBER(cogent_http_request, max_body),
    STRUCT(cogent_http_result),
    MEMBER(cogent_http_result, size), MEMBER(cogent_http_result, err), MEMBER(cogent_http_result, status),
    MEMBER(cogent_http_result, sent), MEMBER(cogent_http_result, retry_after_ms),
    MEMBER(cogent_http_result, body), MEMBER(cogent_http_result, content_type),
    MEMBER(cogent_http_result, detail), MEMBER(cogent_http_result, header),
    STRUCT(cogent_http_events),
    MEMBER(cogent_http_events, size), MEMBER(cogent_http_events, event), MEMBER(cogent_http_events, done),
    STRUCT(cogent_http_api),
    MEMBER(cogent_http_api, size), MEMBER(cogent_http_api, send),
    STRUCT(cogent_timer_api),
    MEMBER(cogent_timer_api, size), MEMBER(cogent_timer_api, after), MEMBER(cogent_timer_api, now),
    STRUCT(cogent_value),
    MEMBER(cogent_value, type), MEMBER(cogent_value, str), MEMBER(cogent_value, num),
    MEMBER(cogent_value, real),
    STRUCT(cogent_statement),
    MEMBER(cogent_statement, name), MEMBER(cogent_statement, text), MEMBER(cogent_statement, text_pg),
    MEMBER(cogent_statement, params), MEMBER(cogent_statement, columns),
    STRUCT(cogent_row),
    MEMBER(cogent_row, values), MEMBER(cogent_row, n),
    STRUCT(cogent_db_result),
    MEMBER(cogent_db_result, size), MEMBER(cogent_db_result, err), MEMBER(cogent_db_result, rows),
    MEMBER(cogent_db_result, changed), MEMBER(cogent_db_result, row),
    STRUCT(cogent_db_step),
    MEMBER(cogent_db_step, statement), MEMBER(cogent_db_step, values), MEMBER(cogent_db_step, n),
    STRUCT(cogent_db_api),
    MEMBER(cogent_db_api, size), MEMBER(cogent_db_api, run),
    STRUCT(cogent_script_api),
    MEMBER(cogent_script_api, size), MEMBER(cogent_script_api, call),
    STRUCT(cogent_asker),
    MEMBER(cogent_asker, size), MEMBER(cogent_asker, tenant), MEMBER(cogent_asker, user),
    MEMBER(cogent_asker, name), MEMBER(cogent_asker, locale), MEMBER(cogent_asker, language),
    MEMBER(cogent_asker, time_zone), MEMBER(cogent_asker, authorization),
    MEMBER(cogent_asker, tenant_field), MEMBER(cogent_asker, secret), MEMBER(cogent_asker, tenant_fields),
    MEMBER(cogent_asker, issuer), MEMBER(cogent_asker, audience), MEMBER(cogent_asker, handed),
    STRUCT(cogent_complete_api),
    MEMBER(cogent_complete_api, size), MEMBER(cogent_complete_api, call_done),
    MEMBER(cogent_complete_api, call_fail), MEMBER(cogent_complete_api, chat_text),
    MEMBER(cogent_complete_api, chat_call), MEMBER(cogent_complete_api, chat_usage),
    MEMBER(cogent_complete_api, chat_done), MEMBER(cogent_complete_api, chat_fail),
    MEMBER(cogent_complete_api, search_found), MEMBER(cogent_complete_api, search_done),
    MEMBER(cogent_complete_api, search_fail), MEMBER(cogent_complete_api, embed_vector),
    MEMBER(cogent_complete_api, embed_done), MEMBER(cogent_complete_api, embed_fail),
    STRUCT(cogent_trace_api),
    MEMBER(cogent_trace_api, size), MEMBER(cogent_trace_api, told),
    STRUCT(cogent_host),
    MEMBER(cogent_host, size), MEMBER(cogent_host, log), MEMBER(cogent_host, json),
    MEMBER(cogent_host, http), MEMBER(cogent_host, timer), MEMBER(cogent_host, db),
    MEMBER(cogent_host, script), MEMBER(cogent_host, complete), MEMBER(cogent_host, trace),
    STRUCT(cogent_plugin),
    MEMBER(cogent_plugin, size), MEMBER(cogent_plugin, abi), MEMBER(cogent_plugin, name),
    MEMBER(cogent_plugin, version), MEMBER(cogent_plugin, license), MEMBER(cogent_plugin, tools),
    MEMBER(cogent_plugin, toolsets), MEMBER(cogent_plugin, providers), MEMBER(cogent_plugin, retrievers),
    STRUCT(cogent_call),
    MEMBER(cogent_call, size), MEMBER(cogent_call, host), MEMBER(cogent_call, tool),
    MEMBER(cogent_call, op), MEMBER(cogent_call, args), MEMBER(cogent_call, asker),
    MEMBER(cogent_call, effect_key), MEMBER(cogent_call, deadline_ms), MEMBER(cogent_call, data),
    MEMBER(cogent_call, release),
    STRUCT(cogent_tool),
    MEMBER(cogent_tool, size), MEMBER(cogent_tool, name), MEMBER(cogent_tool, about),
    MEMBER(cogent_tool, args), MEMBER(cogent_tool, permission), MEMBER(cogent_tool, effect),
    MEMBER(cogent_tool, call), MEMBER(cogent_tool, once), MEMBER(cogent_tool, find),
    MEMBER(cogent_tool, trusted), MEMBER(cogent_tool, trust), MEMBER(cogent_tool, ask),
    MEMBER(cogent_tool, cite), MEMBER(cogent_tool, hidden), MEMBER(cogent_tool, timeout_ms),
    MEMBER(cogent_tool, as), MEMBER(cogent_tool, undo),
    STRUCT(cogent_toolset),
    MEMBER(cogent_toolset, size), MEMBER(cogent_toolset, name), MEMBER(cogent_toolset, open),
    MEMBER(cogent_toolset, close), MEMBER(cogent_toolset, count), MEMBER(cogent_toolset, get),
    MEMBER(cogent_toolset, check), MEMBER(cogent_toolset, reach),
    STRUCT(cogent_tool_use),
    MEMBER(cogent_tool_use, id), MEMBER(cogent_tool_use, name), MEMBER(cogent_tool_use, args),
    MEMBER(cogent_tool_use, verbatim),
    STRUCT(cogent_message),
    MEMBER(cogent_message, role), MEMBER(cogent_message, text), MEMBER(cogent_message, calls),
    MEMBER(cogent_message, n_calls), MEMBER(cogent_message, call_id), MEMBER(cogent_message, name),
    MEMBER(cogent_message, failed), MEMBER(cogent_message, n), MEMBER(cogent_message, type),
    MEMBER(cogent_message, id), MEMBER(cogent_message, title), MEMBER(cogent_message, fields),
    STRUCT(cogent_offer),
    MEMBER(cogent_offer, name), MEMBER(cogent_offer, about), MEMBER(cogent_offer, args),
    MEMBER(cogent_offer, effect),
    STRUCT(cogent_withheld),
    MEMBER(cogent_withheld, name), MEMBER(cogent_withheld, permission),
    STRUCT(cogent_turn_usage),
    MEMBER(cogent_turn_usage, size), MEMBER(cogent_turn_usage, input_tokens),
    MEMBER(cogent_turn_usage, cached_tokens), MEMBER(cogent_turn_usage, output_tokens),
    MEMBER(cogent_turn_usage, estimated),
    STRUCT(cogent_chat),
    MEMBER(cogent_chat, size), MEMBER(cogent_chat, host), MEMBER(cogent_chat, op),
    MEMBER(cogent_chat, model), MEMBER(cogent_chat, messages), MEMBER(cogent_chat, n_messages),
    MEMBER(cogent_chat, tools), MEMBER(cogent_chat, n_tools), MEMBER(cogent_chat, max_tokens),
    MEMBER(cogent_chat, temperature), MEMBER(cogent_chat, asker), MEMBER(cogent_chat, now),
    MEMBER(cogent_chat, data), MEMBER(cogent_chat, release), MEMBER(cogent_chat, withheld),
    MEMBER(cogent_chat, n_withheld),
    STRUCT(cogent_provider),
    MEMBER(cogent_provider, size), MEMBER(cogent_provider, name), MEMBER(cogent_provider, options),
    MEMBER(cogent_provider, options_size), MEMBER(cogent_provider, open), MEMBER(cogent_provider, close),
    MEMBER(cogent_provider, chat), MEMBER(cogent_provider, embed),
    STRUCT(cogent_embed),
    MEMBER(cogent_embed, size), MEMBER(cogent_embed, host), MEMBER(cogent_embed, op),
    MEMBER(cogent_embed, model), MEMBER(cogent_embed, inputs), MEMBER(cogent_embed, n_inputs),
    MEMBER(cogent_embed, dimensions), MEMBER(cogent_embed, data), MEMBER(cogent_embed, release),
    STRUCT(cogent_search),
    MEMBER(cogent_search, size), MEMBER(cogent_search, host), MEMBER(cogent_search, op),
    MEMBER(cogent_search, what), MEMBER(cogent_search, query), MEMBER(cogent_search, kinds),
    MEMBER(cogent_search, principals), MEMBER(cogent_search, limit), MEMBER(cogent_search, type),
    MEMBER(cogent_search, id), MEMBER(cogent_search, stamp), MEMBER(cogent_search, title),
    MEMBER(cogent_search, columns), MEMBER(cogent_search, acl), MEMBER(cogent_search, chunks),
    MEMBER(cogent_search, n_chunks), MEMBER(cogent_search, after), MEMBER(cogent_search, data),
    MEMBER(cogent_search, release), MEMBER(cogent_search, prefer), MEMBER(cogent_search, unchanged),
    STRUCT(cogent_found),
    MEMBER(cogent_found, size), MEMBER(cogent_found, type), MEMBER(cogent_found, id),
    MEMBER(cogent_found, title), MEMBER(cogent_found, text), MEMBER(cogent_found, columns),
    MEMBER(cogent_found, stamp), MEMBER(cogent_found, chunk), MEMBER(cogent_found, score),
    MEMBER(cogent_found, exact), MEMBER(cogent_found, as_of),
    STRUCT(cogent_retriever),
    MEMBER(cogent_retriever, size), MEMBER(cogent_retriever, name), MEMBER(cogent_retriever, options),
    MEMBER(cogent_retriever, options_size), MEMBER(cogent_retriever, statements),
    MEMBER(cogent_retriever, open), MEMBER(cogent_retriever, close), MEMBER(cogent_retriever, request),
    VALUE(COGENT_OPT_STRING), VALUE(COGENT_OPT_INT), VALUE(COGENT_OPT_BOOL), VALUE(COGENT_OPT_NUMBER),
    VALUE(COGENT_OPT_SECRET), VALUE(COGENT_OPT_JSON), VALUE(COGENT_ERROR), VALUE(COGENT_WARN),
    VALUE(COGENT_INFO), VALUE(COGENT_DEBUG), VALUE(COGENT_HTTP_SSE), VALUE(COGENT_HTTP_ONCE),
    VALUE(COGENT_NULL), VALUE(COGENT_TEXT), VALUE(COGENT_INT), VALUE(COGENT_DOUBLE), VALUE(COGENT_BLOB),
    VALUE(COGENT_READ), VALUE(COGENT_WRITE), VALUE(COGENT_EXTERNAL), VALUE(COGENT_ONCE_NONE),
    VALUE(COGENT_ONCE_HEADER), VALUE(COGENT_ONCE_FIND), VALUE(COGENT_ONCE_NEVER), VALUE(COGENT_SYSTEM),
    VALUE(COGENT_USER), VALUE(COGENT_ASSISTANT), VALUE(COGENT_TOOL), VALUE(COGENT_RECORD),
    VALUE(COGENT_FINISH_STOP), VALUE(COGENT_FINISH_CALLS), VALUE(COGENT_FINISH_LENGTH),
    VALUE(COGENT_FINISH_FILTER), VALUE(COGENT_SEARCH), VALUE(COGENT_PUT), VALUE(COGENT_DROP),
    VALUE(COGENT_ERASE), VALUE(COGENT_COUNT), VALUE(COGENT_SHOW), VALUE(COGENT_IDS), VALUE(COGENT_OK),
    VALUE(COGENT_INVALID), VALUE(COGENT_DENIED), VALUE(COGENT_NOT_FOUND), VALUE(COGENT_CONFLICT),
    VALUE(COGENT_AUTH), VALUE(COGENT_LIMIT), VALUE(COGENT_BUDGET), VALUE(COGENT_TIMEOUT),
    VALUE(COGENT_UNAVAILABLE), VALUE(COGENT_UPSTREAM), VALUE(COGENT_UNKNOWN), VALUE(COGENT_CANCELLED),
    VALUE(COGENT_NO_MEMORY), VALUE(COGENT_INTERNAL),
    /* clang-format on */
};

enum { N_TABLE = sizeof table / sizeof table[0] };

static void print(FILE *out)
{
    fprintf(out, "ABI %u, 64 bits\n", COGENT_ABI);
    for (size_t i = 0; i < N_TABLE; i++) {
        const struct entry *e = &table[i];
        if (!e->type)
            fprintf(out, "%s = %d\n", e->member, e->value);
        else if (!e->member)
            fprintf(out, "\nstruct %s: %zu bytes\n", e->type, e->size);
        else
            fprintf(out, "  %3zu %3zu %s\n", e->offset, e->size, e->member);
        if (i + 1 < N_TABLE && e->type && !table[i + 1].type)
            fputc('\n', out);
    }
}

static int known(const char *name, size_t len)
{
    for (size_t i = 0; i < N_TABLE; i++) {
        const char *type = table[i].type;
        if (type && !table[i].member && strlen(type) == len && memcmp(type, name, len) == 0)
            return 1;
    }
    return 0;
}

/* Structs that a header defines and the table lacks. */
static int missing(const char *path)
{
    static const char begin[] = "struct cogent_";
    char line[512];
    int n = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 1;
    while (fgets(line, sizeof line, file)) {
        const char *name = line + strlen("struct ");
        if (strncmp(line, begin, strlen(begin)) != 0 || !strstr(line, " {"))
            continue;
        if (!known(name, strcspn(name, " "))) {
            fprintf(stderr, "%s: %.*s is not in the table\n", path, (int)strcspn(name, " "), name);
            n++;
        }
    }
    fclose(file);
    return n;
}

static int compare(const char *golden)
{
    static char want[TEXT_MAX], have[TEXT_MAX];
    FILE *file = fopen(golden, "r"), *memory = fmemopen(have, sizeof have, "w");
    size_t n = file ? fread(want, 1, sizeof want - 1, file) : 0;
    if (file)
        fclose(file);
    if (!memory)
        return 1;
    print(memory);
    fclose(memory);
    if (n && strcmp(want, have) == 0)
        return 0;
    const char *a = want, *b = have;
    while (*a && *a == *b)
        a++, b++;
    while (b > have && b[-1] != '\n')
        a--, b--;
    fprintf(stderr, "the ABI's layout has changed: %.*s, was %.*s\n", (int)strcspn(b, "\n"), b,
            (int)strcspn(a, "\n"), a);
    return 1;
}

int main(int argc, char **argv)
{
    if (sizeof(void *) != 8) {
        printf("skipped: the golden layout is that of 64 bits\n");
        return SKIP;
    }
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print(stdout);
        return 0;
    }
    if (argc < 3)
        return 2;
    int wrong = compare(argv[1]);
    for (int i = 2; i < argc; i++)
        wrong += missing(argv[i]);
    return wrong != 0;
}
