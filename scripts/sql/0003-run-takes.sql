-- SPDX-License-Identifier: Apache-2.0
-- How often a run was taken up after the death of its worker: one that kills its workers is given up.
alter table run add column takes bigint not null default 0
