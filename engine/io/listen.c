/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, SOCKET_MODE = 0660 };

static int fail(struct cg_err *err, const char *where, const char *why)
{
    return cg_err_set(err, COGENT_UNAVAILABLE, "listen %s: %s", where, why);
}

static int listen_unix(const char *path, const char *where, struct cg_err *err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof addr.sun_path)
        return fail(err, where, "the path is longer than a Unix socket allows (107 bytes)");
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(err, where, strerror(errno));
    struct stat st;
    if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0 || errno == EAGAIN) {
            close(fd);
            return fail(err, where, "somebody listens there already");
        }
        unlink(path);
    }
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || chmod(path, SOCKET_MODE) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int why = errno;
        close(fd);
        return fail(err, where, strerror(why));
    }
    return fd;
}

static int listen_tcp(const char *where, struct cg_err *err)
{
    char host[256];
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    if (!colon || n >= sizeof host || !colon[1] || *end || port < 0)
        return cg_err_set(err, COGENT_INVALID, "listen %s: write unix:PATH or ADDRESS:PORT", where);
    if (port > 65535) /* getaddrinfo would take it for another one */
        return cg_err_set(err, COGENT_INVALID, "listen %s: a port is a number up to 65535", where);
    bool bracket = n >= 2 && where[0] == '[' && where[n - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracket ? n - 2 : n), bracket ? where + 1 : where);
    struct addrinfo *list, hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    int rc = getaddrinfo(n ? host : NULL, colon + 1, &hints, &list);
    if (rc != 0)
        return fail(err, where, gai_strerror(rc));
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    freeaddrinfo(list);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    return fail(err, where, strerror(why));
}

int cg_listen(const char *where, struct cg_err *err)
{
    return strncmp(where, "unix:", 5) == 0 ? listen_unix(where + 5, where, err) : listen_tcp(where, err);
}

unsigned cg_listen_port(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    if (addr.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&addr)->sin_port);
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return 0;
}
