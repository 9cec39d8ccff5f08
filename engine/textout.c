#include "engine/textout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAP = 1 << 18 };

int textout_open(struct textout *t, const char *path, bool append, struct err *e)
{
    *t = (struct textout){.path = path, .cap = CAP, .fd = -1};
    t->buf = malloc(CAP);
    if (!t->buf)
        return err_set(e, -ENOMEM, "%s: no memory", path);
    if (strcmp(path, "-") == 0) {
        t->fd = STDOUT_FILENO;
        return 0;
    }
    t->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0640);
    if (t->fd < 0) {
        int r = -errno;
        free(t->buf);
        t->buf = NULL;
        return err_set(e, r, "%s: cannot be written: %s", path, strerror(-r));
    }
    return 0;
}

void textout_flush(struct textout *t)
{
    size_t at = 0;
    while (at < t->n && !t->error) {
        ssize_t w = write(t->fd, t->buf + at, t->n - at);
        if (w >= 0)
            at += (size_t)w;
        else if (errno != EINTR)
            t->error = errno;
    }
    t->n = 0;
}

void textout_line(struct textout *t, const char *s, size_t n)
{
    if (n + 1 > t->cap - t->n)
        textout_flush(t);
    if (t->error || n + 1 > t->cap) {
        t->lost++;
        return;
    }
    memcpy(t->buf + t->n, s, n);
    t->n += n;
    t->buf[t->n++] = '\n';
    t->lines++;
}

int textout_close(struct textout *t)
{
    if (!t->buf)
        return 0;
    textout_flush(t);
    if (t->fd > STDOUT_FILENO && close(t->fd) && !t->error)
        t->error = errno;
    free(t->buf);
    t->buf = NULL;
    return -t->error;
}
