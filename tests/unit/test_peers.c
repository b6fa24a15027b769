/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/io/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct cg_net net_of(const char *text)
{
    struct cg_net net;
    if (!cg_net_parse(cogent_str(text), &net))
        fail_msg("%s is a network", text);
    return net;
}

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage out = { .ss_family = AF_UNIX };
    struct sockaddr_in *four = (struct sockaddr_in *)&out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&out;
    if (strchr(text, ':')) {
        out.ss_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    } else if (*text) {
        out.ss_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, text, &four->sin_addr), 1);
    }
    return out;
}

static bool enter(struct cg_peers *peers, const char *text, struct cg_peer **peer)
{
    struct sockaddr_storage address = address_of(text);
    return cg_peers_enter(peers, (struct sockaddr *)&address, peer);
}

static void networks(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "a",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.1/8",
        "::1/129",
        "::1/64",
        "10.0.0",
        "10.0.0.0/0x8",
        "/8",
        "[::1]",
        "::1%lo",
        "10.0.0.0/8/8",
        "10.0.0.0/0008",
        "01.2.3.4",
        "0123456789012345678901234567890123456789012345678901234567890123456789/8"
    };
    struct cg_net net;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (cg_net_parse(cogent_str(bad[i]), &net))
            fail_msg("\"%s\" is no network", bad[i]);
    }
    static const struct {
        const char *net, *in, *out;
    } rows[] = {
        { "127.0.0.1", "127.0.0.1", "127.0.0.2" },
        { "10.0.0.0/8", "10.255.0.1", "11.0.0.1" },
        { "192.168.4.0/22", "192.168.7.9", "192.168.8.1" },
        { "0.0.0.0/0", "9.9.9.9", "2001:db8::1" },
        { "10.1.0.0/16", "::ffff:10.1.2.3", "::10.1.2.3" },
        { "::1", "::1", "::2" },
        { "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1" },
        { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
        { "::/0", "2001:db8::1", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_peer *peer = NULL, *other = NULL;
        net = net_of(rows[i].net);
        struct cg_peers *peers = cg_peers_create(1, &net, 1);
        assert_true(enter(peers, rows[i].in, &peer));
        if (peer)
            fail_msg("%s is in %s", rows[i].in, rows[i].net);
        assert_true(enter(peers, rows[i].out, &other));
        if (!other && *rows[i].out)
            fail_msg("%s is not in %s", rows[i].out, rows[i].net);
        cg_peers_leave(peers, other);
        cg_peers_destroy(peers);
    }
}

static void each_has_its_own(void **state)
{
    (void)state;
    struct cg_peer *a[2], *b[2], *c, *none;
    struct cg_peers *peers = cg_peers_create(2, NULL, 0);
    assert_true(enter(peers, "192.0.2.1", &a[0]));
    assert_true(enter(peers, "::ffff:192.0.2.1", &a[1])); /* the same one */
    assert_false(enter(peers, "192.0.2.1", &none));
    assert_null(none);
    assert_true(enter(peers, "192.0.2.2", &c));
    /* One site, two addresses. */
    assert_true(enter(peers, "2001:db8::1", &b[0]));
    assert_true(enter(peers, "2001:db8::ffff:2", &b[1]));
    assert_false(enter(peers, "2001:db8::3", &none));
    /* Who has left may come back. */
    cg_peers_leave(peers, a[0]);
    assert_true(enter(peers, "192.0.2.1", &a[0]));
    assert_false(enter(peers, "192.0.2.1", &none));
    for (int i = 0; i < 2; i++) {
        cg_peers_leave(peers, a[i]);
        cg_peers_leave(peers, b[i]);
    }
    cg_peers_leave(peers, c);
    cg_peers_leave(peers, NULL);
    /* A Unix socket has no address. */
    for (int i = 0; i < 5; i++) {
        assert_true(enter(peers, "", &none));
        assert_null(none);
    }
    cg_peers_destroy(peers);
}

static void many_peers(void **state)
{
    (void)state;
    static struct cg_peer *all[20000];
    struct cg_peers *peers = cg_peers_create(1, NULL, 0);
    char text[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "10.0.%d.%d", i / 200, i % 200);
        assert_true(enter(peers, text, &all[i]));
    }
    for (int i = 0; i < 20000; i += 2)
        cg_peers_leave(peers, all[i]);
    for (int i = 0; i < 20000; i++) {
        struct cg_peer *peer;
        snprintf(text, sizeof text, "10.0.%d.%d", i / 200, i % 200);
        assert_int_equal(enter(peers, text, &peer), i % 2 == 0);
        if (peer)
            all[i] = peer;
    }
    for (int i = 0; i < 20000; i++)
        cg_peers_leave(peers, all[i]);
    cg_peers_destroy(peers);
    /* No limit, nobody counted. */
    peers = cg_peers_create(0, NULL, 0);
    assert_true(enter(peers, "192.0.2.1", &all[0]));
    assert_null(all[0]);
    cg_peers_destroy(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(each_has_its_own),
        cmocka_unit_test(many_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
