/* env.h: fills what all shards share: who owns which port, names of files and interfaces. */
#pragma once

#include "engine/shard.h"

struct source;
/* The registered ports of every dissector; the first in list.def wins a port that two have. Numbers the schemas. */
void env_ports(struct shard_env *env);
/* Names by index out of a source. */
void env_names(struct shard_env *env, const struct source *src);
