/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_SIZE_LINE = -1, AFTER_LAST = -2, BACKLOG = 4096 };

static void read_header(struct wire *w, const char *line)
{
    if (strncasecmp(line, "content-length:", 15) == 0)
        w->left = strtol(line + 15, NULL, 10);
    else if (strncasecmp(line, "transfer-encoding:", 18) == 0)
        w->chunked = true;
    else if (strncasecmp(line, "content-type: text/event-stream", 31) == 0)
        w->stream = true;
    else if (strncasecmp(line, "authorization: bearer ", 22) == 0)
        snprintf(w->bearer, sizeof w->bearer, "%s", line + 22);
}

/* false: more is needed. */
static bool read_head(struct wire *w, struct evbuffer *in)
{
    char *line;
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    if (end.pos < 0)
        return false;
    while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT)) && *line) {
        if (!w->first[0])
            snprintf(w->first, sizeof w->first, "%s", line);
        else
            read_header(w, line);
        free(line);
    }
    free(line);
    if (strncmp(w->first, "HTTP/1.1 ", 9) == 0)
        w->status = (int)strtol(w->first + 9, NULL, 10);
    if (w->chunked)
        w->left = CHUNK_SIZE_LINE;
    w->state = WIRE_BODY;
    return true;
}

/* false: more is needed. */
static bool read_chunk_line(struct wire *w, struct evbuffer *in)
{
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
    if (!line)
        return false;
    if (w->left == AFTER_LAST) { /* trailers, then an empty line */
        if (!*line)
            w->state = WIRE_DONE;
    } else if (*line) { /* else the end of the chunk before */
        w->left = strtol(line, NULL, 16);
        if (w->left == 0)
            w->left = AFTER_LAST;
    }
    free(line);
    return true;
}

bool wire_read(struct wire *w, struct evbuffer *in, struct evbuffer *body)
{
    if (w->state == WIRE_HEAD && !read_head(w, in))
        return evbuffer_get_length(in) < 64 * 1024;
    while (w->state == WIRE_BODY) {
        if (w->left < 0) {
            if (!read_chunk_line(w, in))
                break;
            continue;
        }
        int n = w->left ? evbuffer_remove_buffer(in, body, (size_t)w->left) : 0;
        if (n < 0)
            return false;
        w->left -= n;
        if (w->left > 0)
            break;
        if (w->chunked)
            w->left = CHUNK_SIZE_LINE;
        else
            w->state = WIRE_DONE;
    }
    return true;
}

char *wire_event(struct evbuffer *body)
{
    char *line;
    while ((line = evbuffer_readln(body, NULL, EVBUFFER_EOL_LF))) {
        if (strncmp(line, "data: ", 6) == 0) {
            memmove(line, line + 6, strlen(line + 6) + 1);
            return line;
        }
        free(line);
    }
    return NULL;
}

unsigned wire_total(unsigned order)
{
    return 10000 + (order * 2654435761u >> 7) % 90000;
}

size_t wire_piece(char *out, size_t size, unsigned order, bool tool, unsigned piece)
{
    int n = piece == 0 && tool
                ? snprintf(out, size, "The total is %u. ", wire_total(order))
                : snprintf(out, size, "w%u%c", (order + piece * 7) % 1000, piece % 9 ? ' ' : '.');
    return (size_t)n;
}

const struct wire_pace *wire_pace(const char *model, size_t len)
{
    static const struct wire_pace paces[] = {
        { "w1", 60, 0, 0 }, { "w2", 60, 0, 0 }, { "w3", 60, 300, 20 }, { "w4", 10, 500, 3000 }
    };
    for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++) {
        if (strlen(paces[i].model) == len && memcmp(paces[i].model, model, len) == 0)
            return &paces[i];
    }
    return NULL;
}

void wire_address(const char *where, struct sockaddr_in *out)
{
    char host[64];
    const char *colon = strrchr(where, ':');
    *out = (struct sockaddr_in){ .sin_family = AF_INET };
    if (colon && (size_t)(colon - where) < sizeof host) {
        snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
        out->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
        if (inet_pton(AF_INET, host, &out->sin_addr) == 1)
            return;
    }
    fprintf(stderr, "%s is not an IPv4 ADDRESS:PORT\n", where);
    exit(2);
}

void wire_no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int wire_listen(const char *where)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    wire_address(where, &addr);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        perror(where);
        exit(1);
    }
    printf("%u\n", ntohs(addr.sin_port));
    fflush(stdout);
    return fd;
}
