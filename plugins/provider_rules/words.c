/* SPDX-License-Identifier: Apache-2.0
 * When a word of the question is a word of a rule: equal, another form of it, or a slip of the finger.
 */
#include "rules.h"

int word_is(const char *word, const char *list)
{
    size_t n = strlen(word);
    for (const char *at = list; n; at++) {
        size_t len = strcspn(at, "|");
        if (len == n && memcmp(at, word, n) == 0)
            return 1;
        at += len;
        if (!*at)
            return 0;
    }
    return 0;
}

/* The length without its ending: sells, selling, invoiced. */
static size_t stem(const char *word, size_t n)
{
    if (n > 5 && memcmp(word + n - 3, "ing", 3) == 0)
        n -= 3;
    else if (n > 4 && memcmp(word + n - 2, "ed", 2) == 0)
        n -= 2;
    else if (n > 4 && memcmp(word + n - 3, "ies", 3) == 0)
        n -= 2;
    else if (n > 4 && memcmp(word + n - 2, "es", 2) == 0 && strchr("sxzh", word[n - 3]))
        n -= 2;
    else if (n > 3 && word[n - 1] == 's' && word[n - 2] != 's' && word[n - 2] != 'u')
        n -= 1;
    if (n > 3 && (word[n - 1] == 'e' || word[n - 1] == 'y' || word[n - 1] == 'i'))
        n -= 1;
    return n;
}

/* One letter more, less, other, or two exchanged. */
static int one_slip(const char *a, size_t n, const char *b, size_t m)
{
    size_t i = 0, j = 0;
    while (i < n && i < m && a[i] == b[i])
        i++;
    while (j < n - i && j < m - i && a[n - 1 - j] == b[m - 1 - j])
        j++;
    size_t x = n - i - j, y = m - i - j;
    return (x <= 1 && y <= 1) || (x == 2 && y == 2 && a[i] == b[i + 1] && a[i + 1] == b[i]);
}

int word_like(const char *word, const char *pattern, size_t n)
{
    size_t len = strlen(word);
    if (len == n && memcmp(word, pattern, n) == 0)
        return 1;
    if (len < 3 || n < 3 || word[0] != pattern[0])
        return 0;
    size_t a = stem(word, len), b = stem(pattern, n);
    if (a == b && memcmp(word, pattern, a) == 0)
        return 1;
    return n >= 5 && len >= 4 && one_slip(word, len, pattern, n);
}

/* Words that say nothing of what is wanted. */
int word_filler(const char *word)
{
    static const char fillers[] =
        "a|an|the|of|for|in|on|at|to|from|by|with|and|or|is|are|was|were|be|been|am|do|does|did|have|has|had|can|"
        "could|would|will|shall|should|may|might|i|me|my|we|us|our|you|your|it|its|he|she|they|them|their|this|that|"
        "these|those|there|here|what|whats|which|who|whom|whose|how|much|many|when|where|please|pls|kindly|tell|show|"
        "give|get|let|know|want|need|like|just|so|now|then|hi|hello|hey|dear|thanks|thank|ok|okay|quickly|quick|"
        "all|any|some|as|if|into|up|out|about|s|t|ll|d|re|ve|than|per|each|right|currently|current|actually|altogether|"
        "overall|exactly|number|no|nr|code|id|find|look|check|see|say|ask|whether|during|within|over|between|ever|"
        "yet|still|also|too|only|same|one|ones|go|went|going|come|comes|came|make|made|company|system|erp|please|"
        "question|answer|wondering|wonder|figure|happen|possible|possibly|perhaps|maybe|ever|far|until|since|me";
    return word_is(word, fillers);
}

static int fits(const char *word, const char *pattern, size_t n, int exact)
{
    return exact ? strlen(word) == n && memcmp(word, pattern, n) == 0 : word_like(word, pattern, n);
}

/* One alternative, word by word, at token i. Returns its words, 0 when it does not stand there. */
static size_t phrase_at(const struct question *q, size_t i, const char *phrase, size_t len, int exact)
{
    size_t n = 0;
    while (len) {
        const char *blank = memchr(phrase, ' ', len);
        size_t word = blank ? (size_t)(blank - phrase) : len;
        if (n && i + n < q->n && q->tokens[i + n].digits)
            n++; /* top 5 items */
        if (i + n >= q->n || !fits(q->tokens[i + n].word, phrase, word, exact))
            return 0;
        n++;
        phrase += word + (blank != NULL);
        len -= word + (blank != NULL);
    }
    return n;
}

/* The most words that an alternative matches; all that do are marked in seen. */
static size_t best_match(const struct question *q, const char *alternatives, unsigned char *seen, int exact)
{
    size_t best = 0;
    for (const char *at = alternatives;; at++) {
        size_t len = strcspn(at, "|");
        for (size_t i = 0; len && i < q->n; i++) {
            size_t n = phrase_at(q, i, at, len, exact);
            if (seen && n)
                memset(seen + i, 1, n);
            if (n > best)
                best = n;
        }
        at += len;
        if (!*at)
            return best;
    }
}

size_t words_match(const struct question *q, const char *alternatives, unsigned char *seen)
{
    return best_match(q, alternatives, seen, 0);
}

int words_stand(const struct question *q, const char *alternatives)
{
    return best_match(q, alternatives, NULL, 1) > 0;
}
