-- SPDX-License-Identifier: Apache-2.0
-- Several may have to say yes, and who decides may change the arguments: votes is a JSON list, edited the arguments
-- under a MAC of their own.
alter table approval add column votes text not null default '[]';
alter table approval add column edited text;
alter table approval add column note text
