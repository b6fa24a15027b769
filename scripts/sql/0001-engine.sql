-- SPDX-License-Identifier: Apache-2.0
-- The engine's own tables. Portable: text ids, bigint microseconds, JSON as text; no now(), no casts, no serial.
-- System tables, without a tenant: tenant, due. All others begin with tenant_id.
create table tenant(name text primary key, id text not null unique, created bigint not null);

create table due(id text primary key, kind text not null, at bigint not null, lease_until bigint not null,
  owner text not null, fair_key text not null, ticket text not null);
create index due_at on due(kind, at);

create table run(tenant_id text not null, run_id text not null, user_id text not null, session_id text not null,
  status text not null, owner text not null, created bigint not null, updated bigint not null, rows bigint not null,
  cancel bigint not null, survives bigint not null, sealed text, primary key(tenant_id, run_id));
create index run_by_user on run(tenant_id, user_id, created);

create table run_row(tenant_id text not null, run_id text not null, row bigint not null, at bigint not null,
  kind text not null, body text not null, primary key(tenant_id, run_id, row));

create table approval(tenant_id text not null, approval_id text not null, run_id text not null, user_id text not null,
  call text not null, state text not null, body text not null, mac text not null, created bigint not null,
  expires bigint not null, decided_by text, decision text, primary key(tenant_id, approval_id));
create index approval_waiting on approval(tenant_id, state, created);

create table effect(tenant_id text not null, effect_id text not null, run_id text not null, call text not null,
  tool text not null, args_hash text not null, state text not null, created bigint not null, updated bigint not null,
  primary key(tenant_id, effect_id));

create table feed(tenant_id text not null, kind text not null, position text not null, polled bigint not null,
  swept bigint not null, primary key(tenant_id, kind))
