/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)

int64_t stamp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

void stamp_format(int64_t stamp, char out[STAMP_SIZE])
{
    int64_t micros = (stamp % SECOND + SECOND) % SECOND;
    time_t seconds = (stamp - micros) / SECOND;
    struct tm tm;
    size_t used;

    gmtime_r(&seconds, &tm);
    used = strftime(out, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + used, STAMP_SIZE - used, ".%06dZ", (int)micros);
}

/* Reads exactly `count` digits into *number, then the character `end` ('\0': nothing is asked). */
static const char *digits(const char *text, int count, char end, int *number)
{
    *number = 0;
    for (; count > 0; count--, text++) {
        if (!isdigit((unsigned char)*text))
            return NULL;
        *number = *number * 10 + (*text - '0');
    }
    if (end == '\0')
        return text;
    return *text == end ? text + 1 : NULL;
}

static const char *fraction(const char *text, int *micros)
{
    int places = 0;

    *micros = 0;
    if (*text != '.')
        return text;
    for (text++; isdigit((unsigned char)*text) && places < 6; text++, places++)
        *micros = *micros * 10 + (*text - '0');
    if (places == 0)
        return NULL;
    for (; places < 6; places++)
        *micros *= 10;
    return text;
}

static bool offset(const char *text, int *seconds)
{
    int hours;
    int minutes;
    int sign = *text == '-' ? -1 : 1;

    *seconds = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    /* A plus sign that nobody encoded in a query has become a space. */
    if (*text != '+' && *text != '-' && *text != ' ')
        return false;
    text = digits(text + 1, 2, ':', &hours);
    if (text == NULL || (text = digits(text, 2, '\0', &minutes)) == NULL || *text != '\0')
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static const char *date_read(const char *text, struct tm *tm)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;
    bool leap;

    text = digits(text, 4, '-', &year);
    if (text == NULL || (text = digits(text, 2, '-', &month)) == NULL ||
        (text = digits(text, 2, '\0', &day)) == NULL)
        return NULL;
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1900 || month < 1 || month > 12 || day < 1 || day > days[month - 1] + (leap && month == 2))
        return NULL;
    *tm = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    return text;
}

bool stamp_parse(const char *text, int64_t *stamp)
{
    struct tm tm;
    int micros;
    int shift;

    text = date_read(text, &tm);
    if (text == NULL || *text != 'T')
        return false;
    text = digits(text + 1, 2, ':', &tm.tm_hour);
    if (text == NULL || (text = digits(text, 2, ':', &tm.tm_min)) == NULL ||
        (text = digits(text, 2, '\0', &tm.tm_sec)) == NULL || (text = fraction(text, &micros)) == NULL ||
        !offset(text, &shift))
        return false;
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    *stamp = (timegm(&tm) - shift) * SECOND + micros;
    return true;
}

bool moment_valid(const char *text)
{
    struct tm tm;
    int hour, minute;
    int second = 0;

    text = date_read(text, &tm);
    if (text == NULL || (*text != 'T' && *text != ' ') || (text = digits(text + 1, 2, ':', &hour)) == NULL ||
        (text = digits(text, 2, '\0', &minute)) == NULL)
        return false;
    if (*text == ':')
        text = digits(text + 1, 2, '\0', &second);
    return text != NULL && *text == '\0' && hour < 24 && minute < 60 && second < 60;
}

bool date_valid(const char *text)
{
    struct tm tm;
    const char *end = date_read(text, &tm);

    return end != NULL && *end == '\0';
}

void date_of_stamp(int64_t stamp, char out[DATE_SIZE])
{
    char text[STAMP_SIZE];

    stamp_format(stamp, text);
    memcpy(out, text, DATE_SIZE - 1);
    out[DATE_SIZE - 1] = '\0';
}
