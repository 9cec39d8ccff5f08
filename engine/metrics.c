/* metrics.c: a server of one page. One thread, one request at a time, each within two seconds. It listens where the
 * configuration says, which is never an interface that is watched. */
#include "engine/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct metrics {
    int fd;
    atomic_bool stop;
    pthread_t thread;
    pthread_mutex_t lock;
    size_t n;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": not a path */
    char text[METRICS_TEXT], out[METRICS_TEXT];
};

union any_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static int parse(const char *where, union any_addr *a, socklen_t *len)
{
    char host[64], *end;
    const char *colon = strrchr(where, ':');
    memset(a, 0, sizeof *a);
    if (*where == '/') {
        if (strlen(where) >= sizeof a->un.sun_path)
            return -EINVAL;
        a->un.sun_family = AF_UNIX;
        memcpy(a->un.sun_path, where, strlen(where));
        *len = sizeof a->un;
        return 0;
    }
    if (!colon || colon == where || (size_t)(colon - where) >= sizeof host)
        return -EINVAL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port > 65535)
        return -EINVAL;
    size_t n = (size_t)(colon - where);
    bool v6 = where[0] == '[' && colon[-1] == ']';
    memcpy(host, where + v6, n - 2 * v6);
    host[n - 2 * v6] = '\0';
    if (v6) {
        a->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        *len = sizeof a->in6;
        return inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1 ? 0 : -EINVAL;
    }
    a->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    *len = sizeof a->in;
    return inet_pton(AF_INET, host, &a->in.sin_addr) == 1 ? 0 : -EINVAL;
}

static void put(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0)
            return;
        p += w;
        n -= (size_t)w;
    }
}

static void answer(struct metrics *m, int fd)
{
    char head[160], request[1024];
    struct timeval most = {.tv_sec = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    ssize_t got = recv(fd, request, sizeof request, 0);
    pthread_mutex_lock(&m->lock);
    size_t n = m->n;
    memcpy(m->out, m->text, n);
    pthread_mutex_unlock(&m->lock);
    bool good = got >= 4 && memcmp(request, "GET ", 4) == 0;
    int h = snprintf(head, sizeof head,
                     "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     good ? "200 OK" : "400 Bad Request", good ? n : 0);
    put(fd, head, (size_t)h);
    if (good)
        put(fd, m->out, n);
}

static void *serve(void *arg)
{
    struct metrics *m = arg;
    while (!atomic_load(&m->stop)) {
        struct pollfd p = {.fd = m->fd, .events = POLLIN};
        if (poll(&p, 1, 200) <= 0)
            continue;
        int fd = accept4(m->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        answer(m, fd);
        close(fd);
    }
    return NULL;
}

bool metrics_where(const char *where)
{
    union any_addr a;
    socklen_t len;
    return parse(where, &a, &len) == 0;
}

int metrics_open(struct metrics **ret, const char *where, struct err *e)
{
    union any_addr a;
    struct stat st;
    socklen_t len = 0;
    int one = 1, r = parse(where, &a, &len);
    if (r)
        return err_set(e, r, "run.metrics: found '%s', expected " METRICS_WHERE, where);
    struct metrics *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, -ENOMEM, "no memory for run.metrics");
    pthread_mutex_init(&m->lock, NULL);
    m->fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*where == '/') {
        memcpy(m->path, where, strlen(where) + 1);
        if (lstat(where, &st) == 0 && S_ISSOCK(st.st_mode))
            (void)unlink(where); /* of a run that was killed */
    }
    (void)setsockopt(m->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (m->fd < 0 || bind(m->fd, &a.sa, len) || listen(m->fd, 8) || pthread_create(&m->thread, NULL, serve, m)) {
        r = errno ? -errno : -EAGAIN;
        if (m->fd >= 0)
            close(m->fd);
        free(m);
        return err_set(e, r, "run.metrics: %s: %s", where, strerror(-r));
    }
    *ret = m;
    return 0;
}

void metrics_set(struct metrics *m, const char *text, size_t n)
{
    pthread_mutex_lock(&m->lock);
    m->n = n < METRICS_TEXT ? n : METRICS_TEXT;
    memcpy(m->text, text, m->n);
    pthread_mutex_unlock(&m->lock);
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    atomic_store(&m->stop, true);
    pthread_join(m->thread, NULL);
    close(m->fd);
    if (*m->path)
        unlink(m->path);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
