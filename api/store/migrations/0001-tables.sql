-- Tenants' jobs and what became of them. tenant_id is part of every key: no row can be reached, and no
-- reference can be made, without naming the tenant.

create table opal.brand_profiles (
  tenant_id       text        not null,
  id              text        not null,
  placement_style text        not null default 'studio'
                  check (placement_style in ('transparent', 'color', 'studio', 'generated')),
  style           text,
  sd_prompts      jsonb       not null default '{}',
  background      text        check (background ~ '^#[0-9a-fA-F]{6}$'),
  palette         text[]      not null default '{}',
  layout          jsonb,
  upscale         integer     not null default 2 check (upscale in (1, 2, 4)),
  exports         text[]      not null default '{1:1,4:3,9:16}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table opal.jobs (
  tenant_id               text        not null,
  -- Also the name of the OpalJob, hence unique over all tenants.
  id                      text        not null unique,
  brand_profile_id        text        not null,
  -- The profile as it was at acceptance, shaped like `spec.brand` of an OpalJob.
  brand                   jsonb       not null,
  status                  text        not null default 'created'
                          check (status in ('created', 'uploaded', 'queued', 'processing', 'completed', 'failed')),
  correlation_id          text        not null,
  traceparent             text,
  created_at              timestamptz not null default now(),
  upload_deadline         timestamptz not null,
  queued_at               timestamptz,
  processing_started_at   timestamptz,
  processing_completed_at timestamptz,
  primary key (tenant_id, id),
  check ((processing_completed_at is not null) = (status in ('completed', 'failed')))
);
create index jobs_awaiting_uploads on opal.jobs (upload_deadline) where status = 'created';
create index jobs_unfinished on opal.jobs (status, id) where status in ('queued', 'processing');

create table opal.job_items (
  tenant_id               text        not null,
  job_id                  text        not null,
  id                      text        not null,
  position                integer     not null,
  filename                text        not null,
  content_type            text,
  size_bytes              bigint,
  status                  text        not null default 'created'
                          check (status in ('created', 'uploaded', 'queued', 'processing', 'completed', 'failed')),
  raw_blob_path           text,
  bg_removed_blob_path    text,
  placed_blob_path        text,
  upscaled_blob_path      text,
  output_blob_path        text,
  failure_class           text,
  failure_message         text,
  ai_metadata             jsonb       not null default '{}',
  created_at              timestamptz not null default now(),
  uploaded_at             timestamptz,
  processing_started_at   timestamptz,
  -- The GPU work is done and recorded; the exports are still to be cut.
  rendered_at             timestamptz,
  processing_completed_at timestamptz,
  primary key (tenant_id, job_id, id),
  foreign key (tenant_id, job_id) references opal.jobs (tenant_id, id) on delete cascade,
  unique (tenant_id, job_id, position),
  unique (tenant_id, job_id, filename),
  check ((processing_completed_at is not null) = (status in ('completed', 'failed'))),
  check ((failure_class is not null) = (status = 'failed'))
);

-- The answer to a repeated POST /v1/jobs with the same Idempotency-Key.
create table opal.idempotency_keys (
  tenant_id    text        not null,
  key          text        not null,
  request_hash text        not null,
  job_id       text        not null,
  created_at   timestamptz not null default now(),
  primary key (tenant_id, key),
  foreign key (tenant_id, job_id) references opal.jobs (tenant_id, id) on delete cascade
);
create index idempotency_keys_by_age on opal.idempotency_keys (created_at);

create table opal.credit_ledger (
  id         bigint      generated always as identity primary key,
  tenant_id  text        not null,
  delta      bigint      not null check (delta <> 0),
  reason     text        not null,
  ref        text        not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, reason, ref)
);

-- Messages that are to reach a queue: written in the transaction that makes them true, sent by the relay.
create table opal.outbox (
  id         uuid        not null default gen_random_uuid() primary key,
  seq        bigint      generated always as identity,
  queue      text        not null,
  tenant_id  text        not null,
  job_id     text        not null,
  -- Empty for messages about a whole job.
  item_id    text        not null default '',
  body       jsonb       not null,
  created_at timestamptz not null default now(),
  sent_at    timestamptz,
  sends      integer     not null default 0,
  unique (queue, tenant_id, job_id, item_id),
  foreign key (tenant_id, job_id) references opal.jobs (tenant_id, id) on delete cascade
);
create index outbox_unsent on opal.outbox (queue, seq) where sent_at is null;
create index outbox_sent on opal.outbox (sent_at) where sent_at is not null;

create function opal.announce_outbox() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('opal_outbox', '');
  return null;
end
$$;
create trigger announce after insert on opal.outbox
  for each statement execute function opal.announce_outbox();
