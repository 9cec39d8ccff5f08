#include "engine/places.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/outputs.h"
#include "engine/pipeline.h"

/* The same folder and name is the same file, though neither is there yet. */
static bool find_missing(struct place *p, const char *path)
{
    char folder[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = slash ? (size_t)(name - path) : 0;
    if (!*name || n >= sizeof folder || strlen(name) >= sizeof p->name)
        return false;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (stat(n ? folder : ".", &st))
        return false;
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    snprintf(p->name, sizeof p->name, "%s", name);
    return true;
}

/* std: the descriptor that "-" stands for, -1: a name as any other. False: nothing that could be lost, as a pipe, a
 * terminal, /dev/null; or a name that opening will tell about. */
static bool find(struct place *p, const char *what, const char *path, int std)
{
    struct stat st;
    bool dash = std >= 0 && strcmp(path, "-") == 0;
    *p = (struct place){.what = what, .path = path};
    if (dash ? fstat(std, &st) : stat(path, &st))
        return !dash && errno == ENOENT && find_missing(p, path);
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    return S_ISREG(st.st_mode);
}

/* Lines of several outputs may go to one standard output. */
static bool both_standard(const struct place *a, const struct place *b)
{
    return strcmp(a->path, "-") == 0 && strcmp(b->path, "-") == 0;
}

static int compare(const struct places *s, const struct place *p, bool written, struct err *e)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct place *q = &s->at[i];
        if (p->dev == q->dev && p->ino == q->ino && strcmp(p->name, q->name) == 0 && !(written && both_standard(p, q)))
            return err_set(e, PLACES_REFUSED, "%s: found one file for %s and %s, expected two", p->path, q->what,
                           p->what);
    }
    return 0;
}

/* Nothing that is written as lines begins so. */
static const char *precious(const char *path)
{
    uint8_t b[16] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, b, sizeof b);
    if (fd >= 0)
        close(fd);
    if (n >= 4 && source_is_capture(b))
        return "a capture";
    if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b)
        return "a gzip'ed file";
    return n == sizeof b && memcmp(b, "SQLite format 3", sizeof b) == 0 ? "a database" : NULL;
}

static int add(struct places *s, const struct place *p, struct err *e)
{
    int r = compare(s, p, true, e);
    if (r)
        return r;
    if (s->n == PLACES_MAX)
        return err_set(e, -EINVAL, "%s: more than %d files to write", p->path, PLACES_MAX);
    s->at[s->n++] = *p;
    return 0;
}

int places_output(struct places *s, const char *what, const char *path, struct err *e)
{
    struct place p;
    if (!find(&p, what, path, STDOUT_FILENO))
        return 0;
    const char *is = !*p.name && strcmp(path, "-") != 0 ? precious(path) : NULL;
    int r = add(s, &p, e);
    if (r || !is)
        return r;
    return err_set(e, PLACES_REFUSED, "%s: found %s, expected a file that %s may be written to", path, is, what);
}

int places_db(struct places *s, const char *path, struct err *e)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal", ".lock"};
    char name[PATH_MAX];
    struct place p;
    int r = 0;
    for (unsigned i = 0; i < ARRAY_LEN(beside) && !r && strcmp(path, ":memory:") != 0; i++) {
        bool fits = snprintf(name, sizeof name, "%s%s", path, beside[i]) < (int)sizeof name;
        if (!fits || !find(&p, i ? "a file of the database" : "the database", name, -1))
            continue;
        p.path = path;
        r = add(s, &p, e);
    }
    return r;
}

int places_input(const struct places *s, const char *what, const char *path, struct err *e)
{
    struct place p;
    return find(&p, what, path, STDIN_FILENO) ? compare(s, &p, false, e) : 0;
}

/* -o may name a configured output: they are one. */
static int alerts(struct places *s, const char *path, struct err *e)
{
    static const char what[] = "alerts";
    for (unsigned i = 0; i < s->n; i++)
        if (s->at[i].what == what && strcmp(s->at[i].path, path) == 0)
            return 0;
    return places_output(s, what, path, e);
}

static int outputs(struct places *s, const struct pipe_opts *o, const struct conf *c, struct err *e)
{
    const char *events = o->events ? o->events : outputs_events(c);
    bool any = o->alerts;
    int r = 0;
    for (uint32_t i = 0; i < c->n_outputs && !r; i++) {
        if (c->outputs[i].what != OUTPUT_ALERTS)
            continue;
        r = alerts(s, c->outputs[i].path, e);
        any = true;
    }
    if (!r && (o->alerts || !any))
        r = alerts(s, any ? o->alerts : "-", e);
    if (events && !r)
        r = places_output(s, "events", events, e);
    return o->stats && !r ? places_output(s, "statistics", o->stats, e) : r;
}

int places_of_run(const struct pipe_opts *o, const struct conf *c, const struct source *src, struct err *e)
{
    struct places s = {0};
    int r = places_db(&s, o->db, e);
    if (!r)
        r = outputs(&s, o, c, e);
    for (unsigned i = 0; src && i < source_n_files(src) && !r; i++)
        r = places_input(&s, "a capture", source_file(src, i), e);
    if (c->path && !r)
        r = places_input(&s, "the configuration", c->path, e);
    for (unsigned i = 0; c->rules.files && c->rules.files[i] && !r; i++)
        r = places_input(&s, "rules", c->rules.files[i], e);
    for (unsigned i = 0; i < o->n_rules && !r; i++)
        r = places_input(&s, "rules", o->rules[i], e);
    return r;
}
