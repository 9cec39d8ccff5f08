/* clock_shim.c: preloaded into a program whose clock is to be wrong: the seconds in the file named by CLOCK_SHIM are
 * added to the host's time. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long offset_s(void)
{
    const char *path = getenv("CLOCK_SHIM");
    char text[32] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? atoll(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) {
        void *f = dlsym(RTLD_NEXT, "clock_gettime");
        __builtin_memcpy(&real, &f, sizeof f);
    }
    int r = real(id, t);
    if (r == 0 && id == CLOCK_REALTIME)
        t->tv_sec += offset_s();
    return r;
}
