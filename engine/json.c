/* json.c: the only file that includes jansson.h. struct js is jansson's value. */
#include "engine/json.h"

#include <string.h>

#include <jansson.h>

static const struct js *wrap(const json_t *v)
{
    return (const struct js *)(const void *)v;
}

static const json_t *unwrap(const struct js *v)
{
    return (const json_t *)(const void *)v;
}

int js_parse(const struct js **ret, const char *text, size_t n, struct err *e)
{
    json_error_t why;
    json_t *v = json_loadb(text, n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    if (!v)
        return err_set(e, -EINVAL, "%d:%d: %s", why.line, why.column, why.text);
    *ret = wrap(v);
    return 0;
}

void js_free(const struct js *v)
{
    json_decref((json_t *)(uintptr_t)v);
}

const struct js *js_get(const struct js *v, const char *path)
{
    char key[128];
    const json_t *at = unwrap(v);
    while (at && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        at = json_object_get(at, key);
        path += n + (path[n] == '.');
    }
    return wrap(at);
}

const char *js_str(const struct js *v, const char *path)
{
    return json_string_value(unwrap(js_get(v, path)));
}

bool js_u64(const struct js *v, const char *path, uint64_t *ret)
{
    const json_t *n = unwrap(js_get(v, path));
    if (!json_is_integer(n) || json_integer_value(n) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(n);
    return true;
}

bool js_true(const struct js *v, const char *path)
{
    return json_is_true(unwrap(js_get(v, path)));
}

bool js_has(const struct js *v, const char *path)
{
    const json_t *n = unwrap(js_get(v, path));
    return n && !json_is_null(n);
}

size_t js_len(const struct js *v, const char *path)
{
    return json_array_size(unwrap(js_get(v, path)));
}

const struct js *js_at(const struct js *v, const char *path, size_t i)
{
    return wrap(json_array_get(unwrap(js_get(v, path)), i));
}

void js_print(const struct js *v, FILE *f)
{
    const json_t *n = unwrap(v);
    if (json_is_string(n))
        fputs(json_string_value(n), f);
    else if (n)
        json_dumpf(n, f, JSON_ENCODE_ANY | JSON_COMPACT);
}
