/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <cogent/error.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 * 1024 };

static char *joined(const char *folder, const char *name)
{
    struct cg_buf out = { 0 };
    cg_buf_printf(&out, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    return cg_buf_steal(&out);
}

char *cg_place_read(const char *folder, const char *name)
{
    char text[FILE_MAX];
    cg_auto_free char *path = joined(folder, name);
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file)
        return NULL;
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    return n < sizeof text ? cg_str_dup((struct cogent_str){ text, n }) : NULL;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *cg_place_state(void)
{
    char here[PATH_MAX];
    const char *set = getenv("COGENT_STATE");
    if (set && *set)
        return cg_str_dup(cogent_str(set));
    if (!getcwd(here, sizeof here))
        return NULL;
    for (;;) {
        char *state = joined(here, "build/quickstart");
        if (state && is_folder(state))
            return state;
        free(state);
        char *slash = strrchr(here, '/');
        if (!slash || here[1] == '\0')
            return NULL;
        slash[slash == here ? 1 : 0] = '\0';
    }
}

/* "unix:/path" or "http://..." */
static bool take_url(struct cg_place *place, const char *url)
{
    size_t n = strlen(url);
    while (n > 8 && url[n - 1] == '/')
        n--;
    if (strncmp(url, "unix:", 5) == 0 && n > 5) {
        place->socket = cg_str_dup((struct cogent_str){ url + 5, n - 5 });
        place->base = cg_str_dup(cogent_str("http://cogent"));
        return place->socket && place->base;
    }
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return false;
    place->base = cg_str_dup((struct cogent_str){ url, n });
    return place->base != NULL;
}

/* The socket when it is there: it needs no port. Else the first address the master wrote. */
static bool take_state(struct cg_place *place)
{
    cg_auto_free char *socket = joined(place->state, "cogent.sock");
    if (socket && access(socket, W_OK) == 0) {
        cg_auto_free char *url = joined(NULL, "unix:");
        cg_auto_buf whole = { 0 };
        cg_buf_printf(&whole, "%s%s", url ? url : "", socket);
        return whole.ptr && take_url(place, whole.ptr);
    }
    cg_auto_free char *addresses = cg_place_read(place->state, "addresses");
    if (!addresses)
        return false;
    addresses[strcspn(addresses, "\n")] = '\0';
    return take_url(place, addresses);
}

int cg_place_find(struct cg_place *place, const char **why)
{
    const char *url = getenv("COGENT_URL"), *token = getenv("COGENT_TOKEN");
    *place = (struct cg_place){ 0 };
    place->state = cg_place_state();
    if (url && *url) {
        if (!take_url(place, url)) {
            *why = "COGENT_URL must be http://HOST:PORT or unix:PATH";
            return COGENT_INVALID;
        }
    } else if (!place->state || !take_state(place)) {
        *why = "no server is known here: set COGENT_URL (http://HOST:PORT or unix:PATH) and COGENT_TOKEN, or "
               "start one with scripts/quickstart --keep";
        return COGENT_NOT_FOUND;
    }
    if (token && *token)
        place->token = cg_str_dup(cogent_str(token));
    else if (!url || !*url) /* a demo's token is for the demo alone */
        place->token = cg_place_read(place->state, "demo.token");
    return 0;
}

void cg_place_finish(struct cg_place *place)
{
    free(place->base);
    free(place->socket);
    free(place->token);
    free(place->state);
    *place = (struct cg_place){ 0 };
}
