/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/svc/load.h"

enum { CALM, BUSY, LATE };

static const struct cg_load_look looks[] = {
    [CALM] = { 100000, 30000 }, [BUSY] = { 100000, 97000 }, [LATE] = { 190000, 175000 }
};

/* One look after the other, with so many questions at hand; what the mark is then. */
static void learns(void **state)
{
    (void)state;
    static const struct {
        const char *about;
        uint32_t open, turned_away;
        int look;
        bool lowered;
        uint32_t mark;
    } rows[] = {
        { "idle", 0, 0, CALM, false, CG_LOAD_NO_MARK },
        { "many and calm", 5000, 0, CALM, false, CG_LOAD_NO_MARK },
        { "busy with few: it is not the questions", 63, 0, BUSY, false, CG_LOAD_NO_MARK },
        { "late once may be anything", 1000, 0, LATE, false, CG_LOAD_NO_MARK },
        { "late twice: most of them have just come", 1000, 0, LATE, true, 800 },
        { "what was taken is still at hand", 1000, 0, BUSY, false, 800 },
        { "still", 801, 0, BUSY, false, 800 },
        { "it has gone, and it is too much all the same", 800, 0, BUSY, true, 760 },
        { "those who are turned away need their time too", 760, 200, BUSY, true, 722 },
        { "but not more than half of it", 720, 1000, BUSY, false, 722 },
        { "nor by being late", 720, 2000, LATE, false, 722 },
        { "again", 720, 2000, LATE, false, 722 },
        { "calm, but nobody asks for more", 400, 0, CALM, false, 722 },
        { "calm under pressure: it grows", 700, 0, CALM, false, 734 },
        { "and grows", 722, 0, CALM, false, 746 },
        { "down to the floor", 66, 0, BUSY, true, 64 },
        { "and no further", 64, 0, BUSY, false, 64 },
        { "from the floor up again", 64, 0, CALM, false, 66 },
    };
    struct cg_load load;
    cg_load_init(&load);
    assert_false(cg_load_full(&load));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        load.open = rows[i].open;
        load.busy = 10; /* it has been so for long */
        load.turned_away = rows[i].turned_away;
        bool lowered = cg_load_look(&load, &looks[rows[i].look]);
        if (lowered != rows[i].lowered || load.mark != rows[i].mark)
            fail_msg("%s: lowered %d, mark %u", rows[i].about, lowered, load.mark);
    }
}

/* Being busy for a moment is what a processor is for. */
static void a_burst_is_no_state(void **state)
{
    (void)state;
    struct cg_load load;
    cg_load_init(&load);
    load.open = 1000;
    for (int i = 0; i < 2; i++)
        assert_false(cg_load_look(&load, &looks[BUSY]));
    assert_false(cg_load_look(&load, &looks[CALM]));
    for (int i = 0; i < 2; i++)
        assert_false(cg_load_look(&load, &looks[BUSY]));
    assert_true(cg_load_look(&load, &looks[BUSY]));
    assert_int_equal(load.mark, 800);
}

static void full(void **state)
{
    (void)state;
    struct cg_load load = { .open = 99, .mark = 100 };
    assert_false(cg_load_full(&load));
    load.open = 100;
    assert_true(cg_load_full(&load));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(a_burst_is_no_state),
        cmocka_unit_test(full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
