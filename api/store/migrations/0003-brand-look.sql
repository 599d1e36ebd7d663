-- What a brand profile says beyond 0001's columns: {shadow, gradient, image, harmonise_percent, min_score,
-- export_format, export_quality}, each optional. One column: the api checks it against the contract's schema,
-- which grows more often than a table should.
alter table opal.brand_profiles add column look jsonb not null default '{}'
  check (jsonb_typeof(look) = 'object');

alter table opal.brand_profiles drop constraint brand_profiles_placement_style_check;
alter table opal.brand_profiles add constraint brand_profiles_placement_style_check
  check (placement_style in ('transparent', 'color', 'gradient', 'image', 'studio', 'generated'));

-- exports: [{name, blob_path, ...}] of what was made, and [{name, failure: {class, message}, ...}] of what this
-- picture cannot give (too few pixels for a channel, say). The item completes when at least one was made. True
-- when this call completed the item; false when it had ended already, is not in processing or does not exist.
create or replace function opal.item_exported(tenant text, job text, item text, exports jsonb) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  main_export text;
  made        jsonb;
  refused     jsonb;
begin
  if exports is null or jsonb_typeof(exports) <> 'array' or jsonb_array_length(exports) = 0 then
    raise exception 'exports must be a list with at least one export' using errcode = '22023';
  end if;
  select coalesce(jsonb_agg(e order by rank) filter (where e ->> 'blob_path' is not null), '[]'),
         coalesce(jsonb_agg(e order by rank) filter (where e ->> 'blob_path' is null and e ? 'failure'), '[]')
    into made, refused
    from jsonb_array_elements(exports) with ordinality as listed (e, rank);
  if jsonb_array_length(made) = 0 or jsonb_array_length(made) + jsonb_array_length(refused)
     <> jsonb_array_length(exports) then
    raise exception 'an export must name its blob_path or its failure, and at least one its blob_path'
      using errcode = '22023';
  end if;
  select e ->> 'blob_path' into main_export
    from jsonb_array_elements(made) with ordinality as listed (e, rank)
   order by (e ->> 'name' = '1:1') desc, rank
   limit 1;

  perform 1 from opal.jobs j where j.tenant_id = tenant and j.id = job for update;
  update opal.job_items i
     set status = 'completed',
         processing_completed_at = now(),
         output_blob_path = main_export,
         ai_metadata = i.ai_metadata || jsonb_build_object('exports', made)
                       || case when jsonb_array_length(refused) = 0 then '{}'::jsonb
                               else jsonb_build_object('failed_exports', refused) end
   where i.tenant_id = tenant and i.job_id = job and i.id = item
     and i.status = 'processing';
  if not found then
    return false;
  end if;
  perform opal.settle_job(tenant, job);
  return true;
end
$$;
