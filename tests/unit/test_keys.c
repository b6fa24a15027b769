/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY1                                                                                                 \
    "aaaaaaaa 0101010101010101010101010101010101010101010101010101010101010101 2026-01-01T00:00:00Z\n"
#define KEY2                                                                                                 \
    "bbbbbbbb 0202020202020202020202020202020202020202020202020202020202020202 2026-02-01T00:00:00Z\n"

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cogent-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_ring(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static struct cg_keys *ring(const char *text)
{
    struct cg_err err = { 0 };
    struct cg_keys *keys = NULL;
    write_ring(text);
    if (cg_keys_load(path, &keys, &err) < 0)
        fail_msg("%s", err.message);
    return keys;
}

static void makes_and_loads(void **state)
{
    (void)state;
    struct cg_keys *a, *b;
    struct cg_err err;
    struct stat st;
    assert_int_equal(cg_keys_load(path, &a, &err), COGENT_NOT_FOUND);
    assert_int_equal(cg_keys_make(path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(cg_keys_load(path, &a, &err), 0);
    assert_int_equal(cg_keys_make(path, &err), 0); /* leaves it alone */
    assert_int_equal(cg_keys_load(path, &b, &err), 0);
    assert_string_equal(cg_keys_fingerprint(a), cg_keys_fingerprint(b));
    assert_int_equal(strlen(cg_keys_fingerprint(a)), 16);
    cg_keys_destroy(a);
    cg_keys_destroy(b);
    cg_keys_destroy(NULL);
    assert_int_equal(cg_keys_make("/proc/nonexistent/keys", &err), COGENT_UNAVAILABLE);
}

static void refuses_bad_rings(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "# only words\n", "aaaaaaaa 01\n", "AAAAAAAA " KEY1, KEY1 "x\n" };
    struct cg_keys *keys;
    struct cg_err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_ring(bad[i]);
        assert_int_equal(cg_keys_load(path, &keys, &err), COGENT_INVALID);
        assert_null(keys);
    }
    write_ring(KEY1);
    chmod(path, 0604);
    assert_int_equal(cg_keys_load(path, &keys, &err), COGENT_DENIED);
    chmod(path, 0640);
    assert_int_equal(cg_keys_load(path, &keys, &err), 0);
    cg_keys_destroy(keys);
    cg_auto_buf many = { 0 };
    for (int i = 0; i < 17; i++)
        cg_buf_text(&many, KEY1);
    write_ring(many.ptr);
    assert_int_equal(cg_keys_load(path, &keys, &err), COGENT_INVALID);
}

static void signs_and_rotates(void **state)
{
    (void)state;
    struct cogent_str fields[] = { cogent_str("ab"), cogent_str("c") },
                      split[] = { cogent_str("a"), cogent_str("bc") };
    struct cg_keys *old = ring(KEY1), *both = ring("# words\n\n" KEY1 KEY2), *new = ring(KEY2);
    cg_auto_buf mac = { 0 }, later = { 0 };
    unsigned char a[CG_MAC_SIZE], b[CG_MAC_SIZE];
    assert_int_equal(cg_keys_sign(old, "approval", fields, 2, &mac), 0);
    assert_int_equal(strncmp(mac.ptr, "aaaaaaaa.", 9), 0);
    assert_int_equal(cg_keys_verify(old, "approval", fields, 2, cg_buf_view(&mac)), 0);
    assert_int_equal(cg_keys_verify(both, "approval", fields, 2, cg_buf_view(&mac)), 0);
    assert_int_equal(cg_keys_verify(new, "approval", fields, 2, cg_buf_view(&mac)), COGENT_DENIED);
    assert_int_equal(cg_keys_verify(both, "ticket", fields, 2, cg_buf_view(&mac)), COGENT_DENIED);
    assert_int_equal(cg_keys_verify(both, "approval", split, 2, cg_buf_view(&mac)), COGENT_DENIED);
    assert_int_equal(cg_keys_verify(both, "approval", fields, 1, cg_buf_view(&mac)), COGENT_DENIED);
    assert_int_equal(cg_keys_sign(both, "approval", fields, 2, &later), 0);
    assert_int_equal(strncmp(later.ptr, "bbbbbbbb.", 9), 0);
    assert_int_equal(cg_keys_derive(old, "effect", fields, 2, a), 0);
    assert_int_equal(cg_keys_derive(both, "effect", fields, 2, b), 0);
    assert_memory_equal(a, b, CG_MAC_SIZE);
    for (size_t i = 0; i < mac.len; i++) {
        mac.ptr[i] ^= 1;
        assert_int_equal(cg_keys_verify(both, "approval", fields, 2, cg_buf_view(&mac)), COGENT_DENIED);
        mac.ptr[i] ^= 1;
        assert_int_equal(cg_keys_verify(both, "approval", fields, 2, (struct cogent_str){ mac.ptr, i }),
                         COGENT_DENIED);
    }
    cg_keys_destroy(old);
    cg_keys_destroy(both);
    cg_keys_destroy(new);
}

static void seals(void **state)
{
    (void)state;
    struct cg_keys *old = ring(KEY1), *both = ring(KEY1 KEY2), *new = ring(KEY2);
    static const char *const plains[] = { "", "x", "Bearer abc.def.ghi" };
    static const char *const contexts[] = { "", "tenant/run" };
    for (size_t i = 0; i < 6; i++) {
        cg_auto_buf sealed = { 0 }, again = { 0 }, plain = { 0 };
        struct cogent_str context = cogent_str(contexts[i % 2]), text = cogent_str(plains[i / 2]);
        assert_int_equal(cg_keys_seal(old, "credential", context, text, &sealed), 0);
        assert_int_equal(cg_keys_seal(old, "credential", context, text, &again), 0);
        assert_string_not_equal(sealed.ptr, again.ptr);
        assert_int_equal(cg_keys_open(both, "credential", context, cg_buf_view(&sealed), &plain), 0);
        assert_true(cg_str_same(cg_buf_view(&plain), text));
        assert_int_equal(cg_keys_open(new, "credential", context, cg_buf_view(&sealed), &plain),
                         COGENT_DENIED);
        assert_int_equal(cg_keys_open(both, "other", context, cg_buf_view(&sealed), &plain), COGENT_DENIED);
        assert_int_equal(cg_keys_open(both, "credential", cogent_str("else"), cg_buf_view(&sealed), &plain),
                         COGENT_DENIED);
        for (size_t k = 0; k < sealed.len; k++) {
            cg_buf_clear(&plain);
            sealed.ptr[k] ^= 1;
            assert_int_equal(cg_keys_open(both, "credential", context, cg_buf_view(&sealed), &plain),
                             COGENT_DENIED);
            sealed.ptr[k] ^= 1;
            assert_int_equal(
                cg_keys_open(both, "credential", context, (struct cogent_str){ sealed.ptr, k }, &plain),
                COGENT_DENIED);
            assert_int_equal(plain.len, 0);
        }
    }
    cg_keys_destroy(old);
    cg_keys_destroy(both);
    cg_keys_destroy(new);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { T(makes_and_loads), T(refuses_bad_rings), T(signs_and_rotates),
                                        T(seals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
