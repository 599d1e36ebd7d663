-- How items and jobs come to their end, and the two functions through which the export worker says so: it
-- may execute them and touch nothing else.

-- Ends the job when its last item has ended. The caller holds the lock of the job's row, or two last items
-- that end at once would each see the other one unfinished.
create function opal.settle_job(tenant text, job text) returns boolean
language plpgsql set search_path = ''
as $$
begin
  update opal.jobs j
     set status = case when exists (select 1 from opal.job_items i
                                     where i.tenant_id = tenant and i.job_id = job and i.status = 'completed')
                       then 'completed' else 'failed' end,
         processing_completed_at = now()
   where j.tenant_id = tenant and j.id = job and j.status not in ('completed', 'failed')
     and not exists (select 1 from opal.job_items i
                      where i.tenant_id = tenant and i.job_id = job and i.status not in ('completed', 'failed'));
  return found;
end
$$;

-- exports: [{name, blob_path, width, height, bytes, sha256}]. True when this call completed the item; false
-- when it had ended already, is not in processing or does not exist.
create function opal.item_exported(tenant text, job text, item text, exports jsonb) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  main_export text;
begin
  if exports is null or jsonb_typeof(exports) <> 'array' or jsonb_array_length(exports) = 0 then
    raise exception 'exports must be a list with at least one export' using errcode = '22023';
  end if;
  select e ->> 'blob_path' into main_export
    from jsonb_array_elements(exports) with ordinality as listed (e, rank)
   order by (e ->> 'name' = '1:1') desc, rank
   limit 1;
  if main_export is null then
    raise exception 'an export must name its blob_path' using errcode = '22023';
  end if;

  perform 1 from opal.jobs j where j.tenant_id = tenant and j.id = job for update;
  update opal.job_items i
     set status = 'completed',
         processing_completed_at = now(),
         output_blob_path = main_export,
         ai_metadata = i.ai_metadata || jsonb_build_object('exports', exports)
   where i.tenant_id = tenant and i.job_id = job and i.id = item
     and i.status = 'processing';
  if not found then
    return false;
  end if;
  perform opal.settle_job(tenant, job);
  return true;
end
$$;

-- True when this call failed the item; false as above.
create function opal.item_export_failed(tenant text, job text, item text, class text, message text)
returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  perform 1 from opal.jobs j where j.tenant_id = tenant and j.id = job for update;
  update opal.job_items i
     set status = 'failed',
         processing_completed_at = now(),
         failure_class = coalesce(class, 'unknown'),
         failure_message = left(message, 1000)
   where i.tenant_id = tenant and i.job_id = job and i.id = item
     and i.status = 'processing';
  if not found then
    return false;
  end if;
  perform opal.settle_job(tenant, job);
  return true;
end
$$;

-- Roles belong to the server, not to the database: another database may have made it already.
do $$
begin
  create role opal_export nologin;
exception when duplicate_object or unique_violation then
  null;
end
$$;

revoke all on function opal.settle_job(text, text) from public;
revoke all on function opal.item_exported(text, text, text, jsonb) from public;
revoke all on function opal.item_export_failed(text, text, text, text, text) from public;
grant usage on schema opal to opal_export;
grant execute on function opal.item_exported(text, text, text, jsonb) to opal_export;
grant execute on function opal.item_export_failed(text, text, text, text, text) to opal_export;
