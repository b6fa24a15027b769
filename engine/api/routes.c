/* SPDX-License-Identifier: Apache-2.0
 * The route table: all that can be asked of this server over HTTP. */
#include "request.h"

enum { SMALL = 16 * 1024, CHAT = 1024 * 1024, RECORD = 1024 * 1024, EMBED = 8 * 1024 * 1024 };

const struct cg_route cg_routes[] = {
    { "POST", "/v1/chat/completions", NULL, CG_BODY | CG_WORK, CHAT, cg_route_chat_completions },
    { "POST", "/v1/embeddings", NULL, CG_BODY | CG_WORK, EMBED, cg_route_embeddings },
    { "GET", "/v1/models", NULL, 0, 0, cg_route_models },
    { "POST", "/v1/assistant/chat", NULL, CG_BODY | CG_WORK, CHAT, cg_route_assistant_chat },
    { "POST", "/v1/assistant/chat/stream", NULL, CG_BODY | CG_WORK, CHAT, cg_route_assistant_stream },
    { "GET", "/v1/approvals", NULL, 0, 0, cg_route_approvals },
    { "GET", "/v1/approvals/{id}", NULL, 0, 0, cg_route_approval },
    { "POST", "/v1/approvals/{id}", NULL, CG_BODY, CHAT, cg_route_approval_decide },
    { "GET", "/v1/me", NULL, 0, 0, cg_route_me },
    { "GET", "/v1/tools", NULL, 0, 0, cg_route_tools },
    { "POST", "/v1/search", NULL, CG_BODY | CG_WORK, SMALL, cg_route_search },
    { "POST", "/v1/documents/batch", "cogent.documents", 0, 0, cg_route_documents_batch,
      cg_route_documents_batch_begin },
    { "GET", "/v1/documents/{type}/{id}", "cogent.documents", 0, 0, cg_route_document_get },
    { "PUT", "/v1/documents/{type}/{id}", "cogent.documents", CG_BODY, RECORD, cg_route_document_put },
    { "DELETE", "/v1/documents/{type}/{id}", "cogent.documents", 0, 0, cg_route_document_delete },
    { "GET", "/v1/runs", NULL, 0, 0, cg_route_runs },
    { "GET", "/v1/runs/{id}", NULL, 0, 0, cg_route_run },
    { "GET", "/v1/runs/{id}/events", NULL, 0, 0, cg_route_run_events },
    { "GET", "/v1/sessions", NULL, 0, 0, cg_route_sessions },
    { "GET", "/v1/sessions/{id}", NULL, 0, 0, cg_route_session },
    { "PATCH", "/v1/sessions/{id}", NULL, CG_BODY, SMALL, cg_route_session_rename },
    { "DELETE", "/v1/sessions/{id}", NULL, 0, 0, cg_route_session_delete },
    { "GET", "/v1/effects", NULL, 0, 0, cg_route_effects },
    { "GET", "/v1/effects/{id}", NULL, 0, 0, cg_route_effect },
    { "POST", "/v1/effects/{id}", "cogent.effects", CG_BODY, CHAT, cg_route_effect_resolve },
    { "POST", "/v1/runs/{id}/cancel", NULL, 0, SMALL, cg_route_run_cancel },
    { "GET", "/openapi.json", NULL, CG_PUBLIC, 0, cg_route_openapi },
    { "GET", "/healthz", NULL, CG_PUBLIC, 0, cg_route_healthz },
    { "GET", "/readyz", NULL, CG_PUBLIC, 0, cg_route_readyz },
    { NULL, NULL, NULL, 0, 0, NULL },
};
