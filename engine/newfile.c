#include "engine/newfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const char *path, int code, struct err *e)
{
    if (strcmp(path, "-") == 0)
        path = "standard output";
    return err_set(e, code, "%s: cannot be written: %s", path, strerror(-code));
}

static int open_part(struct newfile *n, const struct stat *old, unsigned mode)
{
    mode_t mask = umask(0);
    umask(mask);
    if (snprintf(n->part, sizeof n->part, "%s.XXXXXX", n->to) >= (int)sizeof n->part)
        return -ENAMETOOLONG;
    int fd = mkostemp(n->part, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bool kept = !old || fchown(fd, old->st_uid, old->st_gid) == 0;
    (void)kept; /* else it is ours now, and otherwise as it was */
    if (fchmod(fd, old ? old->st_mode & 0777 : mode & ~mask) == 0 && (n->f = fdopen(fd, "w")))
        return 0;
    int r = -errno;
    close(fd);
    unlink(n->part);
    return r;
}

/* 0 the file beside is open; 1 to be written in place: standard output, a pipe, a device, or a file whose folder takes
 * no new one. */
static int prepare(struct newfile *n, const char *path, unsigned mode, struct err *e)
{
    struct stat st;
    *n = (struct newfile){.path = path};
    if (strcmp(path, "-") == 0)
        return 1;
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT)
        return cannot(path, -errno, e);
    if (there && S_ISDIR(st.st_mode))
        return cannot(path, -EISDIR, e);
    if (there && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return cannot(path, -errno, e); /* a file that may not be written is not replaced either */
    if (there && !S_ISREG(st.st_mode))
        return 1;
    if (there && !realpath(path, n->to)) /* a link stays one */
        return cannot(path, -errno, e);
    if (!there && snprintf(n->to, sizeof n->to, "%s", path) >= (int)sizeof n->to)
        return cannot(path, -ENAMETOOLONG, e);
    int r = open_part(n, there ? &st : NULL, mode);
    if (!r)
        return 0;
    *n->part = '\0';
    return there && (r == -EACCES || r == -EPERM || r == -EROFS) ? 1 : cannot(path, r, e);
}

int newfile_open(struct newfile *n, const char *path, unsigned mode, struct err *e)
{
    int r = prepare(n, path, mode, e);
    if (r <= 0)
        return r;
    int fd = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO)
                                    : open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    n->f = fd < 0 ? NULL : fdopen(fd, "w");
    if (n->f)
        return 0;
    r = -errno;
    if (fd >= 0)
        close(fd);
    return cannot(path, r, e);
}

int newfile_close(struct newfile *n, bool good, struct err *e)
{
    int r = 0;
    if (!n->f)
        return 0;
    if (fflush(n->f) || ferror(n->f))
        r = errno ? -errno : -EIO;
    if (fclose(n->f) && !r)
        r = -errno;
    n->f = NULL;
    if (*n->part && good && !r && rename(n->part, n->to))
        r = -errno;
    if (*n->part && (!good || r))
        unlink(n->part);
    return r ? cannot(n->path, r, e) : 0;
}

int newfile_check(const char *path, struct err *e)
{
    struct newfile n;
    int r = prepare(&n, path, 0600, e);
    return r < 0 ? r : newfile_close(&n, false, e);
}
