-- SPDX-License-Identifier: Apache-2.0
-- Conversations: session, and its turns as they are read again (a turn's run has the whole story). needs: the
-- permissions without which an answer is not shown any more. idempotency: keys under which a question was asked once.
create table session(tenant_id text not null, session_id text not null, user_id text not null, title text not null,
  created bigint not null, updated bigint not null, primary key(tenant_id, session_id));
create index session_by_user on session(tenant_id, user_id, updated);

create table turn(tenant_id text not null, session_id text not null, run_id text not null, at bigint not null,
  status text not null, query text not null, content text not null, citations text not null, needs text not null,
  primary key(tenant_id, session_id, run_id));

create table idempotency(tenant_id text not null, user_id text not null, request_key text not null,
  hash text not null, run_id text not null, created bigint not null, primary key(tenant_id, user_id, request_key));
create index run_by_session on run(tenant_id, session_id)
