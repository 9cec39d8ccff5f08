#include "engine/service.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (!n || n >= sizeof to.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (*path == '@')
        to.sun_path[0] = '\0'; /* abstract */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

/* ---- one writer a database ---- */

static bool lock_path(const char *db, char *to, size_t cap)
{
    return snprintf(to, cap, "%s.lock", db) < (int)cap;
}

/* Who may write the database may not be who made the lock. */
static int open_lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    return fd < 0 && errno == EACCES ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : fd;
}

/* The run that ended takes its file with it: what we locked must still be what the name stands for. */
static int lock_once(const char *path, int *ret)
{
    struct stat a, b;
    int fd = open_lock(path);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return r;
    }
    if (fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
        *ret = fd;
        return 0;
    }
    close(fd);
    return -EAGAIN;
}

/* "1234 run": the process and what it does, as it wrote into its lock. */
static void holder(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? 0 : read(fd, out, cap - 1);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

int service_lock(const char *db, const char *what, int *ret, struct err *e)
{
    enum { TRIES = 50 }; /* a second: `baseline accept` has it for less */
    static const struct timespec pause = {.tv_nsec = 20000000};
    char path[4096], text[64];
    int r = -EAGAIN;
    *ret = -1;
    if (strcmp(db, ":memory:") == 0)
        return 0;
    if (!lock_path(db, path, sizeof path))
        return err_set(e, -ENAMETOOLONG, "%s: the name is too long", db);
    for (unsigned i = 0; i < TRIES && (r == -EAGAIN || r == -EBUSY); i++) {
        if (r == -EBUSY)
            nanosleep(&pause, NULL);
        r = lock_once(path, ret);
    }
    if (r == -EBUSY) {
        holder(path, text, sizeof text);
        return err_set(e, r, "%s: another tyto writes this database (process %s)", db, *text ? text : "unknown");
    }
    if (r && access(path, F_OK) != 0) /* no folder, or a read-only one */
        return 0;
    if (r)
        return err_set(e, r, "%s: cannot be locked: %s", path, strerror(-r));
    int n = snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), what);
    if (ftruncate(*ret, 0) || write(*ret, text, (size_t)n) != n)
        text[0] = '\0'; /* who it is stays untold */
    return 0;
}

bool service_runs(const char *db)
{
    char path[4096], text[64], *end;
    if (!lock_path(db, path, sizeof path))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    holder(path, text, sizeof text);
    (void)strtol(text, &end, 10);
    return held && strcmp(end, " run") == 0;
}

void service_unlock(const char *db, int lock)
{
    char path[4096];
    if (lock < 0)
        return;
    if (lock_path(db, path, sizeof path))
        (void)unlink(path);
    close(lock);
}

/* ---- privileges ---- */

static int keep_capabilities(uint64_t keep, struct err *e)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];
    if (syscall(SYS_capget, &h, d))
        return err_set(e, -errno, "capabilities cannot be read: %s", strerror(errno));
    for (unsigned i = 0; i < 2; i++) {
        d[i].permitted &= (uint32_t)(keep >> (32 * i));
        d[i].effective = d[i].permitted;
        d[i].inheritable = 0;
    }
    for (int c = 0; c <= CAP_LAST_CAP; c++) /* needs CAP_SETPCAP, and without it there is nothing to take from */
        if (!(keep >> c & 1))
            (void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &h, d))
        return err_set(e, -errno, "capabilities cannot be given up: %s", strerror(errno));
    return 0;
}

static int become(const char *user, struct err *e)
{
    errno = 0;
    const struct passwd *p = getpwnam(user);
    if (!p)
        return err_set(e, -ENOENT, "run.user: there is no user '%s'", user);
    if (p->pw_uid == geteuid())
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || initgroups(user, p->pw_gid) || setgid(p->pw_gid) || setuid(p->pw_uid))
        return err_set(e, -errno, "run.user: cannot become '%s': %s", user, strerror(errno));
    return 0;
}

int service_drop(const char *user, struct err *e)
{
    const struct rlimit none = {0, 0};
    uint64_t keep = UINT64_C(1) << CAP_NET_RAW;
    int r = user ? become(user, e) : 0;
    if (r)
        return r;
    if (geteuid() == 0)
        keep |= UINT64_C(1) << CAP_DAC_OVERRIDE;
    r = keep_capabilities(keep, e);
    if (r)
        return r;
    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return err_set(e, -errno, "core dumps cannot be switched off: %s", strerror(errno));
    return 0;
}
