/* SPDX-License-Identifier: Apache-2.0
 * How fast records are indexed and found: bench_records PLUGIN SQL [RECORDS [FILE]]. Each record has three chunks of
 * about forty words. With a third argument of 300 it is a smoke test.
 */
#include "db_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORDS = 4000, CHUNKS = 3, CHUNK_WORDS = 44 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Few words are common, most are rare. */
static unsigned word_of(unsigned *seed)
{
    double u = (double)(next(seed) % 100000) / 100000;
    return (unsigned)(u * u * u * WORDS);
}

static void write_word(char *out, size_t size, unsigned n)
{
    static const char *const parts[] = { "ba", "ko", "ri", "ten", "mo", "lu", "sha", "pe", "vi", "gor" };
    snprintf(out, size, "%s%s%s%sx", parts[n % 10], parts[n / 10 % 10], parts[n / 100 % 10],
             parts[n / 1000 % 10]);
}

static void write_text(char *out, size_t size, unsigned *seed, size_t words)
{
    char word[32];
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < words && n + 40 < size; i++) {
        write_word(word, sizeof word, word_of(seed));
        n += (size_t)snprintf(out + n, size - n, "%s ", word);
    }
}

static void put(struct db_host *host, unsigned i, const char *stamp, unsigned *seed)
{
    char id[32], title[64], columns[128], texts[CHUNKS][1024];
    struct cogent_str chunks[CHUNKS];
    snprintf(id, sizeof id, "%u", 530000 + i);
    snprintf(title, sizeof title, "Invoice %s", id);
    snprintf(columns, sizeof columns, "{\"number\":\"%s\",\"date\":\"2011-03-01\",\"customer\":\"17850\"}",
             id);
    for (size_t c = 0; c < CHUNKS; c++) {
        write_text(texts[c], sizeof texts[c], seed, CHUNK_WORDS);
        chunks[c] = cogent_str(texts[c]);
    }
    struct cogent_search s = { .what = COGENT_PUT,
                               .type = cogent_str("invoice"),
                               .id = cogent_str(id),
                               .stamp = cogent_str(stamp),
                               .title = cogent_str(title),
                               .columns = cogent_str(columns),
                               .chunks = chunks,
                               .n_chunks = CHUNKS };
    db_host_request(host, &s);
    if (host->answer.err)
        exit(1);
}

static double put_all(struct db_host *host, unsigned records, const char *stamp, unsigned seed)
{
    double start = seconds();
    for (unsigned i = 0; i < records; i++) {
        if (i % 16 == 0) /* the engine commits many groups at once */
            sqlite3_exec(host->file, "BEGIN", NULL, NULL, NULL);
        put(host, i, stamp, &seed);
        if (i % 16 == 15 || i + 1 == records)
            sqlite3_exec(host->file, "COMMIT", NULL, NULL, NULL);
    }
    return seconds() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void search_all(struct db_host *host, const char *what, size_t words, int numbers)
{
    enum { N = 300 };
    static double times[N];
    char query[1024];
    unsigned seed = 99;
    size_t found = 0;
    for (int i = 0; i < N; i++) {
        if (numbers)
            snprintf(query, sizeof query, "invoice %u", 530000 + next(&seed) % 300);
        else
            write_text(query, sizeof query, &seed, words);
        struct cogent_search s = { .what = COGENT_SEARCH,
                                   .query = cogent_str(query),
                                   .kinds = cogent_str("[\"invoice\",\"customer\"]"),
                                   .principals = cogent_str("[\"user:a\"]") };
        double start = seconds();
        db_host_request(host, &s);
        times[i] = (seconds() - start) * 1e3;
        found += host->answer.n;
    }
    qsort(times, N, sizeof *times, compare);
    printf("%-18s p50 %7.2f ms  p95 %7.2f ms  max %7.2f ms  %.1f found\n", what, times[N / 2],
           times[N * 95 / 100], times[N - 1], (double)found / N);
}

int main(int argc, char **argv)
{
    static struct db_host host;
    unsigned records = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10783;
    if (argc < 3)
        return 2;
    db_host_open(&host, argv[1], argv[2]);
    if (argc > 4) { /* a file instead of memory, with the engine's settings */
        sqlite3 *memory = host.file;
        if (sqlite3_open(argv[4], &host.file) != SQLITE_OK)
            return 1;
        sqlite3_exec(host.file, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192",
                     NULL, NULL, NULL);
        db_host_migrate(&host, argv[2]);
        sqlite3_close(memory);
    }
    host.tenant = "2b1e9c1e-7d58-4f0c-9c55-0d6b1f6f0001";
    double first = put_all(&host, records, "2024-07-01T08:26:00.000001Z", 1);
    printf("put new            %7.2f s  %8.0f records/s\n", first, records / first);
    double same = put_all(&host, records, "2024-07-01T08:26:00.000001Z", 1);
    printf("put unchanged      %7.2f s  %8.0f records/s\n", same, records / same);
    search_all(&host, "search 2 words", 2, 0);
    search_all(&host, "search 6 words", 6, 0);
    search_all(&host, "search 20 words", 20, 0);
    search_all(&host, "search a number", 0, 1);
    double again = put_all(&host, records, "2024-07-01T08:26:00.000002Z", 7);
    printf("put changed        %7.2f s  %8.0f records/s\n", again, records / again);
    printf("bytes              %lld\n",
           (long long)(db_host_number(
               &host, "select page_count * page_size from pragma_page_count(), pragma_page_size()")));
    db_host_close(&host);
    return 0;
}
