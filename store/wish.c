#include "store/wish.h"

#include <stdlib.h>
#include <string.h>

#include "store/db.h"

struct wishes {
    sqlite3 *db;
    char *path;
};

int wishes_open(const char *path, struct wishes **ret, struct err *e)
{
    struct wishes *w = calloc(1, sizeof *w);
    if (!w || !(w->path = strdup(path))) {
        free(w);
        return err_set(e, -ENOMEM, "no memory");
    }
    int r = db_open(path, DB_WRITE, &w->db, NULL, e);
    if (r)
        wishes_close(w);
    else
        *ret = w;
    return r;
}

void wishes_close(struct wishes *w)
{
    if (!w)
        return;
    sqlite3_close(w->db);
    free(w->path);
    free(w);
}

/* A statement about one wish, one step far: by number, or by its text. */
static int step(struct wishes *w, const char *sql, int64_t id, const char *accept, sqlite3_stmt **ret)
{
    int rc = sqlite3_prepare_v2(w->db, sql, -1, ret, NULL);
    if (rc != SQLITE_OK)
        return rc;
    if (accept)
        db_bind_text(*ret, 1, accept);
    else
        sqlite3_bind_int64(*ret, 1, id);
    return sqlite3_step(*ret);
}

int wishes_put(struct wishes *w, const char *accept, int64_t *ret_id, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = step(w, "INSERT INTO wish(accept) VALUES(?1)", 0, accept, &s);
    int r = rc == SQLITE_DONE ? 0 : db_error(w->db, rc, w->path, e);
    *ret_id = sqlite3_last_insert_rowid(w->db);
    sqlite3_finalize(s);
    return r;
}

int wishes_look(struct wishes *w, int64_t id, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = step(w, "SELECT answer FROM wish WHERE id=?1", id, NULL, &s), r = rc == SQLITE_DONE;
    if (rc == SQLITE_ROW && db_text(s, 0))
        r = err_set(e, -EINVAL, "%s", db_text(s, 0));
    else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        r = db_error(w->db, rc, w->path, e);
    sqlite3_finalize(s);
    if (r != -EINVAL)
        return r;
    s = NULL;
    rc = step(w, "DELETE FROM wish WHERE id=?1", id, NULL, &s);
    if (rc != SQLITE_DONE)
        r = db_error(w->db, rc, w->path, e);
    sqlite3_finalize(s);
    return r;
}
