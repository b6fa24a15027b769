/* SPDX-License-Identifier: Apache-2.0
 * Is an IBAN well-formed? The shortest tool there is: one file, no library but libc.
 *
 *   cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags cogent) example_tool.c -o example_tool.so
 */
#include <cogent/tool.h>

#include <ctype.h>
#include <string.h>

/* ISO 13616: country and check digits go last, letters count from 10. -1: something else stands in it. */
static int mod97(const char *iban)
{
    size_t n = strlen(iban);
    int rest = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)iban[(i + 4) % n];
        if (!isalnum(c))
            return -1;
        rest = isdigit(c) ? (rest * 10 + c - '0') % 97 : (rest * 100 + toupper(c) - 'A' + 10) % 97;
    }
    return rest;
}

/* People write it in groups of four. */
static void squeeze(char *text)
{
    char *to = text;
    for (; *text; text++)
        if (*text != ' ')
            *to++ = *text;
    *to = '\0';
}

static int check_iban(struct cogent_call *call)
{
    char iban[48];
    if (cogent_arg_string(call, "/iban", iban, sizeof iban) < 0)
        return cogent_fail(call, COGENT_INVALID, "iban: 15 to 34 letters and digits");
    squeeze(iban);
    size_t n = strlen(iban);
    if (n < 15 || n > 34)
        return cogent_fail(call, COGENT_INVALID, "iban: 15 to 34 letters and digits");
    return cogent_done(call, mod97(iban) == 1 ? "{\"valid\":true}" : "{\"valid\":false}");
}

static const struct cogent_tool tool = {
    .size = sizeof tool,
    .name = "check_iban",
    .about = "Whether an IBAN is well-formed.",
    .args = "{\"properties\":{\"iban\":{\"type\":\"string\",\"maxLength\":42}},\"required\":[\"iban\"]}",
    .permission = "finance.read",
    .effect = COGENT_READ,
    .call = check_iban,
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_tool *const tools[] = { &tool, NULL };
    static const struct cogent_plugin plugin = {
        .size = sizeof plugin,
        .abi = COGENT_ABI,
        .name = "example_tool",
        .version = "0.1.0",
        .license = "Apache-2.0",
        .tools = tools,
    };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
