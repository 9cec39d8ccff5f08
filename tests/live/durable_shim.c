/* durable_shim.c: preloaded into a program whose power is going to be cut: what of the files that begin with DURABLE
 * was asked to be on the disk (fsync, fdatasync) is kept in the folder DURABLE_TO, as it was then. All later writes are
 * what a power cut may lose; this disk loses them all. It takes DURABLE_SLOW_US for each. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_ours(int fd, char path[512])
{
    const char *begin = getenv("DURABLE");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 511);
    if (n <= 0 || !begin)
        return 0;
    path[n] = 0;
    return strncmp(path, begin, strlen(begin)) == 0;
}

/* A copy replaces the one before it at once: whoever is killed meanwhile had not been told that it is there. */
static void keep(int fd)
{
    char path[512], to[640], done[640], buf[65536];
    const char *folder = getenv("DURABLE_TO");
    if (!is_ours(fd, path) || !folder)
        return;
    if ((size_t)snprintf(done, sizeof done, "%s/%s", folder, strrchr(path, '/') + 1) >= sizeof done)
        return;
    if ((size_t)snprintf(to, sizeof to, "%s~", done) >= sizeof to)
        return;
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = -1;
    while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof buf)) > 0)
        if (write(out, buf, (size_t)n) != n)
            break;
    if (n == 0)
        rename(to, done);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
}

static int sync_with(const char *name, int fd)
{
    int (*real)(int);
    void *f = dlsym(RTLD_NEXT, name);
    memcpy(&real, &f, sizeof f);
    const char *slow = getenv("DURABLE_SLOW_US");
    if (slow)
        usleep((useconds_t)atol(slow));
    int r = real(fd);
    if (r == 0)
        keep(fd);
    return r;
}

int fsync(int fd)
{
    return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_with("fdatasync", fd);
}
