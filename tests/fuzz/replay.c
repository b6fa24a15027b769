/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target over the files of folders, or over single files: what scripts/test does with the seeds and with
 * what was found. A machine needs no fuzzer for it. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    /* Exactly as long as the input, so that a sanitizer sees the first byte read behind it. */
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    FUZZ_REQUIRE(data && fread(data, 1, size, file) == size);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int run_path(const char *path)
{
    struct stat st;
    struct dirent **entries;
    int ran = 0;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return run_file(path);
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) {
        if (errno == ENOENT)
            return 0;
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < n; i++) {
        char below[4096];
        snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        int one = entries[i]->d_name[0] == '.' || ran < 0 ? 0 : run_file(below);
        ran = one < 0 ? -1 : ran + one;
        free(entries[i]);
    }
    free(entries);
    return ran;
}

int main(int argc, char **argv)
{
    int all = 0;
    for (int i = 1; i < argc; i++) {
        int ran = run_path(argv[i]);
        if (ran < 0)
            return 1;
        all += ran;
    }
    if (!all) {
        fprintf(stderr, "there is nothing to run: name the folder of a corpus, or files\n");
        return 1;
    }
    fprintf(stderr, "%d inputs\n", all);
    return 0;
}
