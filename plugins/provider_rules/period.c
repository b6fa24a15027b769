/* SPDX-License-Identifier: Apache-2.0
 * Periods as people write them: March 2011, in April, the second quarter of 2011, 2011, 2011-03-05, from January to
 * March 2011, last month, the last 30 days. Days are those of UTC.
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

struct span {
    int64_t from, to;
};

static const char *word_at(const struct question *q, size_t i)
{
    return i < q->n && !q->taken[i] ? q->tokens[i].word : "";
}

static struct span months(int year, int first, int count)
{
    int last = first + count - 1;
    int y = year + (last - 1) / 12, m = (last - 1) % 12 + 1;
    return (struct span){ day_of(year, first, 1), day_of(y, m, month_days(y, m)) };
}

int month_of(const char *word)
{
    static const char *const names[] = { "january|jan",
                                         "february|feb|febuary",
                                         "march|mar",
                                         "april|apr",
                                         "may",
                                         "june|jun",
                                         "july|jul",
                                         "august|aug",
                                         "september|sep|sept",
                                         "october|oct",
                                         "november|nov",
                                         "december|dec" };
    for (int i = 0; i < 12; i++)
        if (word_is(word, names[i]))
            return i + 1;
    return 0;
}

static int year_of(const char *word)
{
    int year = strlen(word) == 4 && strspn(word, "0123456789") == 4 ? (int)strtol(word, NULL, 10) : 0;
    return year >= 1980 && year <= 2100 ? year : 0;
}

/* "5", "5th": a day of a month. */
static int mday_of(const char *word)
{
    size_t n = strspn(word, "0123456789");
    if (!n || n > 2 || (word[n] && !word_is(word + n, "st|nd|rd|th")))
        return 0;
    return (int)strtol(word, NULL, 10);
}

static int iso_day(const char *word, int64_t *out)
{
    int y, m, d, n = 0;
    if (strlen(word) != 10 || sscanf(word, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 || d < 1 ||
        d > month_days(y, m))
        return 0;
    *out = day_of(y, m, d);
    return 1;
}

/* A day or a month with a year, or a month whose year is near. *open: the year was not said. */
static size_t date_at(const struct question *q, size_t i, struct span *out, int *open)
{
    int64_t day;
    int this_year, this_month, today;
    day_split(q->today, &this_year, &this_month, &today);
    *open = 0;
    if (iso_day(word_at(q, i), &day)) {
        *out = (struct span){ day, day };
        return 1;
    }
    size_t n = 0;
    int mday = mday_of(word_at(q, i));
    if (mday)
        n = 1 + (size_t)(strcmp(word_at(q, i + 1), "of") == 0);
    int month = month_of(word_at(q, i + n));
    if (!month)
        return 0;
    n++;
    if (!mday && (mday = mday_of(word_at(q, i + n))))
        n++;
    size_t of = strcmp(word_at(q, i + n), "of") == 0;
    int year = year_of(word_at(q, i + n + of));
    if (year)
        n += of + 1;
    *open = !year;
    if (!year)
        year = month <= this_month ? this_year : this_year - 1;
    if (mday > month_days(year, month))
        return 0;
    *out =
        mday ? (struct span){ day_of(year, month, mday), day_of(year, month, mday) } : months(year, month, 1);
    return n;
}

static int quarter_of(const char *word)
{
    if (word[0] == 'q' && word[1] >= '1' && word[1] <= '4' && !word[2])
        return word[1] - '0';
    static const char *const names[] = { "first|1st", "second|2nd", "third|3rd", "fourth|4th|last" };
    for (int i = 0; i < 4; i++)
        if (word_is(word, names[i]))
            return i + 1;
    return 0;
}

static size_t quarter_at(const struct question *q, size_t i, struct span *out)
{
    int this_year, month, day, quarter = quarter_of(word_at(q, i));
    size_t n = 1;
    if (!quarter)
        return 0;
    day_split(q->today, &this_year, &month, &day);
    if (word_at(q, i)[0] != 'q') {
        if (strcmp(word_at(q, i + 1), "quarter") != 0)
            return 0;
        n = 2;
    }
    size_t of = (size_t)word_is(word_at(q, i + n), "of|in");
    int year = year_of(word_at(q, i + n + of));
    if (!year && quarter == 4 && word_is(word_at(q, i), "last"))
        return 0; /* the last one that ended: relative */
    n += year ? of + 1 : 0;
    if (!year)
        year = quarter * 3 - 2 <= month ? this_year : this_year - 1;
    *out = months(year, quarter * 3 - 2, 3);
    return n;
}

/* this, last: the unit that holds today, or the one before. */
static int unit_span(const struct question *q, const char *unit, int back, struct span *out)
{
    int y, m, d;
    day_split(q->today, &y, &m, &d);
    if (word_is(unit, "week")) {
        int64_t monday = q->today - (q->today + 3) % 7 - 7 * back;
        *out = (struct span){ monday, monday + 6 };
    } else if (word_is(unit, "month")) {
        int at = y * 12 + m - 1 - back;
        *out = months(at / 12, at % 12 + 1, 1);
    } else if (word_is(unit, "quarter")) {
        int at = y * 4 + (m - 1) / 3 - back;
        *out = months(at / 4, at % 4 * 3 + 1, 3);
    } else if (word_is(unit, "year")) {
        *out = months(y - back, 1, 12);
    } else {
        return 0;
    }
    return 1;
}

static size_t relative_at(const struct question *q, size_t i, struct span *out)
{
    const char *word = word_at(q, i), *next = word_at(q, i + 1);
    if (word_is(word, "today|yesterday")) {
        int64_t day = q->today - (*word == 'y');
        *out = (struct span){ day, day };
        return 1;
    }
    int back = word_is(word, "last|previous|past|latest");
    if (!back && !word_is(word, "this"))
        return 0;
    if (unit_span(q, next, back, out))
        return 2;
    long count = strtol(next, NULL, 10);
    static const struct {
        const char *names;
        int days;
    } units[] = { { "day|days", 1 }, { "week|weeks", 7 }, { "month|months", 30 }, { "year|years", 365 } };
    for (size_t u = 0; back && count > 0 && count < 1000 && u < 4; u++)
        if (word_is(word_at(q, i + 2), units[u].names)) {
            *out = (struct span){ q->today - count * units[u].days + 1, q->today };
            return 3;
        }
    return 0;
}

static size_t simple_at(const struct question *q, size_t i, struct span *out, int *open)
{
    *open = 0;
    size_t n = relative_at(q, i, out);
    if (!n)
        n = quarter_at(q, i, out);
    if (!n)
        n = date_at(q, i, out, open);
    if (!n && year_of(word_at(q, i))) {
        *out = months(year_of(word_at(q, i)), 1, 12);
        n = 1;
    }
    return n;
}

/* "from A to B": a year said only of B is A's too. */
static size_t range_at(const struct question *q, size_t i, struct span *out)
{
    struct span a, b;
    int open_a, open_b;
    size_t n = simple_at(q, i, &a, &open_a);
    if (!n || !word_is(word_at(q, i + n), "to|until|till|and|through|-"))
        return 0;
    size_t m = simple_at(q, i + n + 1, &b, &open_b);
    if (!m)
        return 0;
    if (open_a && !open_b) {
        int y, month, day, to, ignored, last;
        day_split(a.from, &y, &month, &day);
        day_split(b.to, &to, &ignored, &last);
        int whole = a.from != a.to;
        a.from = day_of(to, month, day);
        a.to = whole ? 0 : a.from;
    }
    if (a.from > b.to)
        return 0;
    *out = (struct span){ a.from, b.to };
    return n + 1 + m;
}

static void write_day(char *out, size_t size, int64_t day)
{
    int y, m, d;
    day_split(day, &y, &m, &d);
    snprintf(out, size, "%04d-%02d-%02d", y, m, d);
}

static void write_words(char *out, size_t size, struct span span)
{
    static const char *const names[] = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"
    };
    char from[16], to[16];
    int y, m, d, y2, m2, d2;
    write_day(from, sizeof from, span.from);
    write_day(to, sizeof to, span.to);
    day_split(span.from, &y, &m, &d);
    day_split(span.to, &y2, &m2, &d2);
    if (span.from == span.to)
        snprintf(out, size, "on %s", from);
    else if (d == 1 && y == y2 && m == 1 && m2 == 12 && d2 == 31)
        snprintf(out, size, "in %d", y);
    else if (d == 1 && y == y2 && m == m2 && d2 == month_days(y, m))
        snprintf(out, size, "in %s %d", names[m - 1], y);
    else
        snprintf(out, size, "from %s to %s", from, to);
}

size_t period_at(const struct question *q, size_t i, json_t **out)
{
    static const char before[] = "in|during|for|of|on|from|between|since|within|over|throughout|the|year|and";
    struct span span = { 0, 0 };
    int open = 0;
    const char *word = q->tokens[i].word;
    size_t lead = 0;
    while (i + lead < q->n && lead < 2 &&
           word_is(word_at(q, i + lead), "from|between|since|in|during|for|on|over|the"))
        lead++;
    int since = word_is(word, "since");
    size_t n = range_at(q, i + lead, &span);
    if (!n)
        n = simple_at(q, i + lead, &span, &open);
    if (!n)
        return 0;
    /* "may" and a bare year need a word before them */
    const char *first = word_at(q, i + lead);
    int announced = lead || (i && word_is(q->tokens[i - 1].word, before));
    if (n == 1 && !announced && (word_is(first, "may|mar|march|sep|dec|jan") || year_of(first)) &&
        i + 1 < q->n)
        return 0;
    if (since)
        span.to = q->today > span.from ? q->today : span.from;
    char from[16], to[16], words[64];
    write_day(from, sizeof from, span.from);
    write_day(to, sizeof to, span.to);
    write_words(words, sizeof words, span);
    *out = json_pack("{s:s, s:s, s:s}", "from", from, "to", to, "words", words);
    return lead + n;
}
