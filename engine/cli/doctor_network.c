/* SPDX-License-Identifier: Apache-2.0
 * What must answer: the server, and each tenant's ERP. */
#include "doctor.h"

#include <string.h>

struct probe {
    struct cg_loop *loop;
    int err, status;
    char detail[200];
};

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct probe *p = arg;
    p->err = result->err;
    p->status = result->status;
    cg_str_copy(p->detail, sizeof p->detail, cogent_str(result->detail));
    cg_loop_stop(p->loop);
}

static void get(struct cg_http_client *http, struct probe *p, const char *socket, const char *base,
                const char *path)
{
    cg_auto_buf url = { 0 };
    cg_buf_printf(&url, "%s%s", base, path);
    const struct cogent_http_request request = { .size = sizeof request,
                                                 .label = "doctor",
                                                 .method = "GET",
                                                 .url = url.ptr,
                                                 .connect_ms = 3000,
                                                 .total_ms = 5000 };
    const struct cogent_http_events events = { .size = sizeof events, .done = on_done };
    p->err = COGENT_NO_MEMORY;
    p->status = 0;
    if (url.failed ||
        cogent_op_none(cg_http_send_unix(http, socket, (struct cogent_op){ 0, 0 }, &request, &events, p)))
        return;
    cg_loop_run(p->loop);
}

static void check_server(struct cg_doctor *d, struct cg_http_client *http, struct probe *p)
{
    struct cg_place place;
    const char *why = "";
    if (cg_place_find(&place, &why) < 0) {
        cg_doctor_add(d, "server", false, why, "it is not known where the server is");
        cg_place_finish(&place);
        return;
    }
    const char *name = place.socket ? place.socket : place.base;
    get(http, p, place.socket, place.base, "/readyz");
    if (p->err < 0)
        cg_doctor_add(d, "server", false, "start it: cogentd -c FILE (or scripts/quickstart --keep)",
                      "%s does not answer: %s", name, p->detail);
    else
        cg_doctor_add(d, "server", p->status == 200,
                      "look into its log; readiness depends on the database only", "%s %s", name,
                      p->status == 200 ? "is ready" : "is not ready");
    cg_place_finish(&place);
}

static void check_erp(struct cg_doctor *d, struct cg_http_client *http, struct probe *p, const char *tenant,
                      const json_t *fields)
{
    cg_auto_buf check = { 0 };
    const char *url = cg_json_str(fields, "erp_url", NULL);
    cg_buf_printf(&check, "%s: ERP", tenant);
    if (!url) {
        cg_doctor_add(d, check.ptr, false, "set tenants.NAME.erp_url, or import records (cogent import)",
                      "the tenant has no erp_url: no tools and no feeds");
        return;
    }
    get(http, p, NULL, url, "/");
    /* Any answer will do: which paths there are is the ERP's business. */
    if (p->err < 0)
        cg_doctor_add(d, check.ptr, false, "start the ERP, or mend tenants.NAME.erp_url",
                      "%s does not answer: %s", url, p->detail);
    else
        cg_doctor_add(d, check.ptr, p->status < 500, "look into the ERP's log", "%s answers (status %d)", url,
                      p->status);
}

void cg_doctor_network(struct cg_doctor *d)
{
    const char *tenant;
    json_t *fields;
    struct probe p = { .loop = cg_loop_create() };
    struct cg_http_client *http = p.loop ? cg_http_client_create(p.loop, NULL, NULL) : NULL;
    if (http) {
        check_server(d, http, &p);
        cg_auto_json tenants = d->config ? cg_json_parse(cogent_str(d->config->tenants), NULL) : NULL;
        json_object_foreach (tenants, tenant, fields)
            check_erp(d, http, &p, tenant, fields);
    }
    cg_http_client_destroy(http);
    cg_loop_destroy(p.loop);
}
