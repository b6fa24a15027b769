/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
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

enum { BACKLOG = 1024, FOLDER_MODE = 0750, HOST_SIZE = 256 };

static int fail(struct cg_err *err, const char *where, const char *why)
{
    return cg_err_set(err, COGENT_UNAVAILABLE, "%s: %s", where, why);
}

static int group_of(const struct cg_socket_rights *rights, gid_t *out, const char *where, struct cg_err *err)
{
    *out = (gid_t)-1; /* chown's word for "as it is" */
    if (!rights->group)
        return 0;
    const struct group *group = getgrnam(rights->group);
    if (!group)
        return cg_err_set(err, COGENT_INVALID, "%s: socket: there is no group \"%.64s\" on this machine",
                          where, rights->group);
    *out = group->gr_gid;
    return 0;
}

/* The folder alone, not what is above it: a mistyped path is not to grow a tree. */
static void make_folder(const char *path, gid_t group)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || (size_t)(slash - path) >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (mkdir(folder, 0700) != 0)
        return; /* it is there, or bind says what is wrong */
    if (chown(folder, (uid_t)-1, group) != 0 || chmod(folder, FOLDER_MODE) != 0)
        rmdir(folder);
}

/* What a server that was killed left behind goes; what somebody uses stays. */
static int clear_path(int fd, const struct sockaddr_un *addr, const char *where, struct cg_err *err)
{
    struct stat st;
    if (lstat(addr->sun_path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return fail(err, where, "something that is no socket has this name: move it, or name another path");
    if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno == EAGAIN)
        return fail(err, where, "another server listens there: stop that one, or name another path");
    if (errno != ECONNREFUSED)
        return fail(err, where, strerror(errno));
    return unlink(addr->sun_path) == 0 || errno == ENOENT ? 0 : fail(err, where, strerror(errno));
}

/* Between bind and listen nobody can connect: then the rights are set, whatever the umask was. */
static int open_at(int fd, const struct sockaddr_un *addr, const struct cg_socket_rights *rights, gid_t group,
                   const char *where, struct cg_err *err)
{
    int rc = clear_path(fd, addr, where, err);
    if (rc < 0)
        return rc;
    if (bind(fd, (const struct sockaddr *)addr, sizeof *addr) != 0)
        return fail(err, where, strerror(errno));
    if (chown(addr->sun_path, (uid_t)-1, group) != 0)
        rc = cg_err_set(err, COGENT_DENIED, "%s: socket: this user may not give it to the group \"%.64s\"",
                        where, rights->group ? rights->group : "");
    else if (chmod(addr->sun_path, rights->mode) != 0 || listen(fd, BACKLOG) != 0)
        rc = fail(err, where, strerror(errno));
    if (rc < 0)
        unlink(addr->sun_path);
    return rc;
}

static int listen_unix(const char *path, const struct cg_socket_rights *rights, const char *where,
                       struct cg_err *err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    gid_t group;
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    int rc = group_of(rights, &group, where, err);
    if (rc < 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(err, where, strerror(errno));
    make_folder(path, group);
    rc = open_at(fd, &addr, rights, group, where, err);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

static int listen_tcp(const char *where, struct cg_err *err)
{
    char host[HOST_SIZE];
    const char *colon = strrchr(where, ':');
    size_t n = (size_t)(colon - where);
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

const char *cg_listen_wrong(const char *where)
{
    static const char form[] = "write unix:PATH or ADDRESS:PORT";
    const char *colon = strrchr(where, ':');
    if (strncmp(where, "unix:", 5) == 0) {
        if (strlen(where + 5) >= sizeof((struct sockaddr_un *)0)->sun_path)
            return "the path is longer than a Unix socket allows (107 bytes)";
        return where[5] ? NULL : form;
    }
    if (!colon || colon - where >= HOST_SIZE || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
        return form;
    /* getaddrinfo would take it for another one */
    return strtoul(colon + 1, NULL, 10) > 65535 ? "a port is a number up to 65535" : NULL;
}

int cg_listen(const char *where, const struct cg_socket_rights *rights, struct cg_err *err)
{
    const char *wrong = cg_listen_wrong(where);
    if (wrong)
        return cg_err_set(err, COGENT_INVALID, "%s: %s", where, wrong);
    return strncmp(where, "unix:", 5) == 0 ? listen_unix(where + 5, rights, where, err)
                                           : listen_tcp(where, err);
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
