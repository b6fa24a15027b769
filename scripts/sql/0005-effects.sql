-- SPDX-License-Identifier: Apache-2.0
-- What is known of an effect whose answer was lost: whose it is, the credential to look after it with, how often it was
-- looked for, and what a person said of it.
alter table effect add column user_id text not null default '';
alter table effect add column sealed text;
alter table effect add column looks bigint not null default 0;
alter table effect add column decided_by text;
alter table effect add column note text;
alter table effect add column result text;
create index effect_by_state on effect(tenant_id, state, created);
create index run_awaits on run(tenant_id, created) where status = 'auth_required'
