/* SPDX-License-Identifier: Apache-2.0
 * The declarations loaded as a worker loads them, without a server. */
#include "tools.h"

#include "engine/plugin/host.h"

#include <limits.h>
#include <stdlib.h>

static int run_script(void *self, const char *reference, struct cogent_str args, struct cogent_str *out)
{
    struct cg_tools *t = self;
    struct cg_err err;
    json_t *made = NULL;
    cg_auto_json value = cg_json_parse(args, NULL);
    int rc = cg_files_call(t->files, reference, value, json_is_array(value), &made, &err);
    cg_buf_clear(&t->text);
    if (rc == 0 && made)
        cg_json_add(&t->text, made);
    else if (rc == 0)
        cg_buf_text(&t->text, "null");
    else
        cg_buf_text(&t->text, err.message);
    json_decref(made);
    *out = cg_buf_view(&t->text);
    return rc;
}

static int take_files(struct cg_config *config, int n, char *const *files, struct cg_err *err)
{
    if (n == 0)
        return 0;
    cg_auto_json list = json_array();
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        if (!realpath(files[i], path))
            return cg_err_set(err, COGENT_NOT_FOUND, "%s: there is no such file", files[i]);
        json_array_append_new(list, json_string(path));
    }
    free(config->tools);
    config->tools = cg_json_text(list);
    return config->tools ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
}

int cg_tools_load(struct cg_tools *t, int n, char *const *files, struct cg_err *err)
{
    *t = (struct cg_tools){ 0 };
    int rc = cg_files_create(&t->files, err);
    if (rc == 0)
        rc = cg_config_load(t->files, NULL, &t->config, err);
    if (rc == 0)
        rc = take_files(t->config, n, files, err);
    if (rc == 0)
        rc = cg_parts_load(&t->parts, t->files, t->config, err);
    if (rc < 0)
        return rc;
    t->loop = cg_loop_create();
    t->http = t->loop ? cg_http_client_create(t->loop, t->config->proxy, t->config->ca) : NULL;
    if (!t->http)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    const struct cg_host_env env = { t->loop, t->http, NULL, t->parts.plugins, run_script, t };
    cg_host_setup(&env);
    t->host = *cg_host_table();
    t->invoke = (struct cg_invoke_env){ t->loop, &t->host, NULL, NULL };
    return 0;
}

void cg_tools_finish(struct cg_tools *t)
{
    cg_http_client_destroy(t->http);
    cg_parts_finish(&t->parts);
    cg_loop_destroy(t->loop);
    cg_config_destroy(t->config);
    cg_files_destroy(t->files);
    cg_buf_finish(&t->text);
    *t = (struct cg_tools){ 0 };
}
