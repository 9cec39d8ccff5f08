/* conf_machine.c: what a configuration names that this machine does not have. It may be written on another one than the
 * sensor's: nothing of it makes the configuration wrong. */
#include "engine/conf.h"

#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>

/* The kernel knows: what a process may use today is not all that it may ask for. */
static bool has_cpu(unsigned cpu)
{
    cpu_set_t before, one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_getaffinity(0, sizeof before, &before))
        return true;
    bool has = sched_setaffinity(0, sizeof one, &one) == 0;
    (void)sched_setaffinity(0, sizeof before, &before);
    return has;
}

void conf_warn_cpus(const struct conf *c, const char *who, FILE *f)
{
    for (uint32_t i = 0; i < c->run.n_cpus; i++)
        if (!has_cpu(c->run.cpus[i]))
            fprintf(f, "%s: warning: run.cpus: there is no processor %u here\n", who, c->run.cpus[i]);
}

void conf_warn_machine(const struct conf *c, const char *who, FILE *f)
{
    struct stat st;
    const char *dir = c->run.capture_dir;
    if (c->run.user && !getpwnam(c->run.user))
        fprintf(f, "%s: warning: run.user: there is no user '%s' here\n", who, c->run.user);
    if (dir && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
        fprintf(f, "%s: warning: run.capture_dir: there is no folder %s here\n", who, dir);
    conf_warn_cpus(c, who, f);
}
