/* thread.h: threads that leave signals to the one that reads: a wait for packets must end when somebody says so. */
#pragma once

#include <pthread.h>
#include <signal.h>

#include "engine/base/err.h"

/* 0 or -errno. */
static inline int thread_start(pthread_t *ret, void *(*body)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int r = pthread_create(ret, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}
