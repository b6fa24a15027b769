-- SPDX-License-Identifier: Apache-2.0
-- The tenant's records as the retriever keeps them. record: one row a record, `doc` its number within the tenant,
-- `dirty` only inside the transaction that replaces it. cognitive_embeddings: its chunks, with the terms of each as a
-- JSON object {term: tf}. record_posting, record_term, record_corpus: what BM25 needs, per tenant; a chunk's number
-- is doc * 4096 + chunk_index; `part` is doc / 128: new records write to the pages of the newest part only. The posting's key holds all its columns, so that scoring reads nothing but the index.
create table record(tenant_id text not null, entity_type text not null, entity_id text not null, doc bigint not null,
  title text not null, stamp text not null, hash text not null, number_norm text not null, date text, status text,
  customer text, domain text, columns text not null, acl text, as_of bigint not null, dirty bigint not null,
  primary key(tenant_id, entity_type, entity_id));
create unique index record_by_doc on record(tenant_id, doc);
create index record_by_number on record(tenant_id, number_norm, entity_type);

create table cognitive_embeddings(tenant_id text not null, entity_type text not null, entity_id text not null,
  chunk_index bigint not null, content_text text not null, embedding blob, metadata text not null, terms text not null,
  len bigint not null, primary key(tenant_id, entity_type, entity_id, chunk_index));

create table record_posting(tenant_id text not null, part bigint not null, term text not null, doc bigint not null,
  tf bigint not null, len bigint not null, primary key(tenant_id, part, term, doc, tf, len));

create table record_term(tenant_id text not null, term text not null, df bigint not null,
  primary key(tenant_id, term));
create index record_term_unused on record_term(tenant_id) where df <= 0;

create table record_corpus(tenant_id text not null, docs bigint not null, length bigint not null,
  primary key(tenant_id))
