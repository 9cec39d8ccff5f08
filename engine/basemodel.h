/* basemodel.h: the baseline as a model in memory, for commands: empty, or what a database holds. */
#pragma once

#include "baseline/baseline.h"
#include "engine/conf.h"

struct basemodel {
    struct conf *conf;
    struct baseline *b;
};
/* conf: a configuration's path, NULL none. Whatever it returns: basemodel_done(). */
int basemodel_new(struct basemodel *m, const char *conf, struct err *e) MUST_USE;
int basemodel_of_db(struct basemodel *m, const char *path, struct err *e) MUST_USE;
void basemodel_done(struct basemodel *m);
