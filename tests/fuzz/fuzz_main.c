/* fuzz_main.c: replays inputs through a fuzz target without libFuzzer: files, or folders of files. A corpus is a test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static int replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(size ? size : 1); /* exactly its size: a read beyond is seen */
    int rc = 1;
    if (f && p && fread(p, 1, size, f) == size) {
        LLVMFuzzerTestOneInput(p, size);
        replayed++;
        rc = 0;
    } else {
        perror(path);
    }
    free(p);
    if (f)
        fclose(f);
    return rc;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path, (size_t)st.st_size);
    DIR *d = opendir(path);
    int rc = d ? 0 : 1;
    for (struct dirent *e; d && (e = readdir(d));) {
        char below[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        rc |= replay(below);
    }
    if (d)
        closedir(d);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = 0;
    for (int i = 1; i < argc; i++)
        rc |= replay(argv[i]);
    printf("%u inputs\n", replayed);
    return rc;
}
