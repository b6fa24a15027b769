/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "engine/base/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct cg_command cg_commands[] = {
    { "approvals", "[list | approve ID | deny ID] [--arguments JSON] [--note TEXT] [--json]",
      "What waits for a decision of yours, and the decision.\n"
      "\n"
      "  list          what you may decide (the default)\n"
      "  approve ID    let it be done, with the rights of the user who asked\n"
      "  deny ID       refuse it\n"
      "\n"
      "  --arguments   with approve: all arguments as they are to be; the policies are asked about them again\n"
      "  --note        why; kept with the approval\n"
      "  --json        the answer as the server gave it\n",
      cg_cli_approvals },
    { "ask", "[options] [\"QUESTION\" | -]",
      "Asks, and shows each step, the answer and what it rests on.\n"
      "\n"
      "Without a question, or with -, each line of standard input is one, in one conversation.\n"
      "\n"
      "  --session S   go on in this conversation\n"
      "  --model M     a chain of the configuration; default: main\n"
      "  --no-tools    answer from the records alone\n"
      "  --yes, --no   decide every approval so, without asking\n"
      "  --json        one JSON object an event, one a line: {\"event\", \"data\"}\n"
      "\n"
      "When an approval cannot be asked for here, the exit status is 0 and the last lines say how to decide.\n",
      cg_cli_ask },
    { "doctor", "[-c FILE] [--json]",
      "Looks at everything an installation needs and says what is wrong and what to do.\n"
      "\n"
      "  -c FILE       the configuration; default: that of the server found, COGENT_CONFIG, /etc/cogent/cogent.lua\n"
      "  --json        a list of {\"check\", \"ok\", \"says\", \"do\"}\n",
      cg_cli_doctor },
    { "effects", "[list [--state S] | resolve ID --done|--failed [--note TEXT]] [--json]",
      "Writes whose answer was lost, and what became of them.\n"
      "\n"
      "  list          those in doubt (the default); --state done, failed or dispatched: others\n"
      "  resolve ID    you have looked in the ERP: it happened (--done) or it did not (--failed)\n"
      "\n"
      "Nothing is sent again by this. One's own are listed; with the permission cogent.effects everybody's, and only\n"
      "with it one is resolved.\n",
      cg_cli_effects },
    { "help", "[COMMAND]", "Says what there is, or how a command is used.\n", cg_cli_help },
    { "import", "FILE | - [--json]",
      "Puts records into the server, one JSON object a line.\n"
      "\n"
      "  {\"type\": \"invoice\", \"id\": \"536365\", \"record\": {...}}\n"
      "  {\"type\": \"invoice\", \"id\": \"9\", \"delete\": true}\n"
      "\n"
      "A line that is wrong costs that line; it is reported with its number, and the exit status is 1.\n"
      "What is there already costs nothing, so an import can be begun again.\n"
      "The token needs the permission cogent.documents.\n",
      cg_cli_import },
    { "me", "[--json]", "Who the token says you are, and what you may do.\n", cg_cli_me },
    { "plugin", "new tool NAME [--dir D] | check FILE | list [--json]",
      "Begins a plugin, looks whether one keeps the rules, or lists those that the configuration loads.\n"
      "\n"
      "  new tool NAME   writes the folder NAME (in D, or here): a tool in C that works, to build on\n"
      "  check FILE      loads and calls it as the engine would, in a process of its own; nothing is sent anywhere\n"
      "  list            name, version, license, ABI, kind, tools and file of each\n"
      "\n"
      "None needs a server. check says ok, note or wrong, and what to do; the exit status is 1 when something is wrong.\n"
      "\n"
      "  --json          a list of {\"check\", \"state\", \"says\", \"do\"}, or of plugins\n",
      cg_cli_plugin },
    { "policy", "test [FOLDER | FILE] [--json] | eval FILE [--on POINT] [--context FILE]",
      "Runs the cases that stand in policies and templates, or asks one policy. Needs no server.\n"
      "\n"
      "  test             FOLDER is a bundle; default: the shipped one\n"
      "  eval FILE        asks the one policy in FILE, in a server's sandbox; prints its verdict and what it took,\n"
      "                   as JSON\n"
      "  --on POINT       where: request, retrieve, prompt, tools, tool_call, tool_result or response; needed when\n"
      "                   the policy is asked at several\n"
      "  --context FILE   about what: {\"subject\": {...}, \"ctx\": {...}}; default: empty ones\n",
      cg_cli_policy },
    { "runs", "[ID [--events]] | cancel ID [--json]",
      "Your last questions; one of them row by row; or stops one.\n"
      "\n"
      "  ID            the run's journal\n"
      "  --events      the run's events as they were sent\n"
      "  cancel ID     stops a run that is under way\n",
      cg_cli_runs },
    { "search", "\"WORDS\" [--type T]... [--limit N] [--json]",
      "Searches the records that you may read.\n"
      "\n"
      "  --type T      only records of this kind; may be given several times\n"
      "  --limit N     at most so many; default 8, at most 50\n",
      cg_cli_search },
    { "token", "--sub S --tenant T (--secret FILE | --key FILE) [options]",
      "Makes a token (JWT): HS256 with the secret of the configuration's auth, or signed with a private key.\n"
      "\n"
      "  --sub S              the user's id\n"
      "  --tenant T           the tenant's name\n"
      "  --secret FILE        file with the secret, 32 bytes or more\n"
      "  --key FILE           instead: private key in PEM; RSA signs RS256, P-256 ES256, Ed25519 EdDSA\n"
      "  --issuer I           iss, where the configuration names one\n"
      "  --audience A         aud, where the configuration names one\n"
      "  --permission P       such as finance.read or *.read; may be given several times\n"
      "  --role R             may be given several times\n"
      "  --name N             what the user is called\n"
      "  --hours N            how long it holds; default 12\n",
      cg_cli_token },
    { "tools", "[list | check [FILE]... [--live] | try NAME ARG=VALUE... | import FILE] [--json]",
      "The tools you may use; or checks, tries and makes declarations without a server.\n"
      "\n"
      "  list          from the server (the default): whose rights (AS), permission, effect, once, service\n"
      "  check FILE    loads the file and runs the example of each tool; default: the configuration's tools\n"
      "    --live        and asks each service whether it answers and lets us in; no tool is called\n"
      "    --tenant T    of this tenant only\n"
      "  try NAME ARG=VALUE...\n"
      "                calls one tool of the configuration: shows the request (credentials as ***), the reply, the\n"
      "                result, the time. A value is written as the tool's schema has it: text as it is, the rest JSON\n"
      "    --as USER     who asks; a token for them is made with the configuration's secret\n"
      "    --tenant T    needed when there are several\n"
      "    --permission P\n"
      "                  in that token; may be given several times; default: the one that the tool needs\n"
      "    --yes         sends a write without asking\n"
      "  import FILE   prints a tools file made of an openapi.json, to read and edit\n"
      "    --only GLOB   only tools of such names: --only 'invoice*'\n"
      "\n"
      "COGENT_CREDENTIAL is the user's own credential for a service with auth = \"handed\".\n",
      cg_cli_tools },
};
const size_t cg_command_count = sizeof cg_commands / sizeof cg_commands[0];

static int compare(const void *key, const void *entry)
{
    return strcmp(key, ((const struct cg_command *)entry)->name);
}

const struct cg_command *cg_command_find(const char *name)
{
    return bsearch(name, cg_commands, cg_command_count, sizeof cg_commands[0], compare);
}

int cg_usage(const char *name, const char *format, ...)
{
    const struct cg_command *command = cg_command_find(name);
    va_list ap;
    fprintf(stderr, "cogent %s: ", name);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nusage: cogent %s %s\n`cogent help %s` says more.\n", name,
            command ? command->usage : "", name);
    return CG_EXIT_USAGE;
}

int cg_usage_word(const char *name, const char *word, const char *otherwise)
{
    return word ? cg_usage(name, "\"%s\" is not understood", word) : cg_usage(name, "%s", otherwise);
}

static void list_commands(void)
{
    printf("cogent - talks to a cogent server\n\n");
    for (size_t i = 0; i < cg_command_count; i++)
        printf("  %-10s %.*s\n", cg_commands[i].name, (int)strcspn(cg_commands[i].help, "\n"),
               cg_commands[i].help);
    printf(
        "\n"
        "`cogent help COMMAND` says how one is used.\n"
        "\n"
        "The server is COGENT_URL (http://HOST:PORT, or unix:PATH), the token COGENT_TOKEN. Without them both\n"
        "are looked for in COGENT_STATE, or in build/quickstart of this folder or one above it.\n"
        "\n"
        "Exit status: 0 done, 1 it failed, 2 the command line is wrong.\n");
}

int cg_cli_help(int argc, char **argv)
{
    if (argc < 2) {
        list_commands();
        return CG_EXIT_OK;
    }
    const struct cg_command *command = cg_command_find(argv[1]);
    if (!command) {
        const char *names[sizeof cg_commands / sizeof cg_commands[0] + 1] = { NULL };
        for (size_t i = 0; i < cg_command_count; i++)
            names[i] = cg_commands[i].name;
        const char *near = cg_nearest(argv[1], names);
        fprintf(stderr, "cogent: there is no command \"%s\"%s%s%s `cogent help` lists them.\n", argv[1],
                near ? "; did you mean \"" : "", near ? near : ".", near ? "\"?" : "");
        return CG_EXIT_USAGE;
    }
    printf("cogent %s %s\n\n%s", command->name, command->usage, command->help);
    return CG_EXIT_OK;
}
