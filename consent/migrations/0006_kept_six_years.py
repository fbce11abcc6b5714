from django.db import migrations

PAPERS = """
-- What HIPAA has us keep, with the day of its creation and the last on which it was in effect
-- (164.530(j)(2)); no last day while it is. A restriction ended by notice goes on binding.
create function consent_papers()
returns table (kind text, id uuid, contact_id bigint, created_on date, ended_on date)
language sql stable set search_path = public, pg_temp as $$
    with ours as (select nullif(current_setting('attune.organisation', true), '')::int as id)
    select 'authorization', a.id, a.contact_id,
           greatest((a.signed_at at time zone a.zone)::date,
                    (a.received_at at time zone a.zone)::date),
           -- A sign-up that rests on it is kept for good, and its proof with it.
           case when not exists (select from consent_signup s where s.authorization_id = a.id) then
           greatest(least(a.expires_on, e.ended_on, (a.revoked_at at time zone a.zone)::date),
                    (a.revoked_at at time zone a.zone)::date) end
    from consent_authorization a cross join ours
    left join lateral (
        select min((v.occurred_at at time zone a.zone)::date) as ended_on
        from contacts_event v
        where a.expires_event <> '' and v.organisation_id = a.organisation_id
          and v.contact_id = any(array[a.contact_id, (select c.merged_into
                from contacts_contact c where c.id = a.contact_id)])
          and v.kind = a.expires_event and v.occurred_at >= a.signed_at
    ) e on true
    where a.organisation_id = ours.id
    union all
    select 'part2', p.id, p.contact_id,
           greatest((p.signed_at at time zone p.zone)::date,
                    (p.received_at at time zone p.zone)::date),
           greatest(least(p.expires_on, (p.ended_at at time zone p.zone)::date),
                    (p.ended_at at time zone p.zone)::date)
    from consent_part2consent p, ours where p.organisation_id = ours.id
    union all
    select 'restriction', r.id, r.contact_id, r.received_at::date,
           case when r.ended_how = 'notice' then null else r.ended_at::date end
    from consent_restriction r, ours where r.organisation_id = ours.id
    union all
    select 'notice_receipt', n.id, n.contact_id, greatest(n.given_on, n.recorded_at::date),
           greatest(n.given_on, n.recorded_at::date)
    from consent_noticereceipt n, ours where n.organisation_id = ours.id
    union all
    -- A version is in effect until the next; it is kept as long as any receipt of it.
    select 'notice', n.id, null, greatest(n.effective_on, n.created_at::date,
           (select max(greatest(r.given_on, r.recorded_at::date)) from consent_noticereceipt r
            where r.notice_id = n.id)), (
        select min(l.effective_on) from consent_notice l join consent_formversion w
            on w.id = l.text_id
        where l.organisation_id = n.organisation_id and w.language = t.language
          and (l.effective_on, w.number) > (n.effective_on, t.number))
    from ours, consent_notice n join consent_formversion t on t.id = n.text_id
    where n.organisation_id = ours.id
$$;

-- The one door by which kept papers go. It works the day out itself: whoever may call it still
-- cannot take a paper that must be kept, nor one of another organisation.
create function consent_purge() returns table (kind text, gone bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    theirs int := nullif(current_setting('attune.organisation', true), '')::int;
    found uuid[];
    one text;
begin
    if theirs is null then
        raise exception 'say for which organisation' using errcode = 'restrict_violation';
    end if;
    perform set_config('attune.purging', 'on', true);
    foreach one in array array['authorization', 'part2', 'restriction', 'notice_receipt', 'notice']
    loop
        select array_agg(p.id) into found from consent_papers() p
        where p.kind = one and p.ended_on is not null
          and (greatest(p.created_on, p.ended_on) + interval '6 years')::date < current_date;
        if one = 'authorization' then
            select array_agg(f) into found from unnest(found) f where not exists (
                select from consent_signup s where s.authorization_id = f);
            delete from consent_copy where authorization_id = any(found);
            delete from consent_defect where authorization_id = any(found);
            delete from consent_signature where authorization_id = any(found);
            delete from consent_authorization a where a.id = any(found);
        elsif one = 'part2' then
            delete from consent_part2consent p where p.id = any(found);
        elsif one = 'restriction' then
            delete from consent_restriction r where r.id = any(found);
        elsif one = 'notice_receipt' then
            delete from consent_noticereceipt n where n.id = any(found);
        else
            delete from consent_notice n where n.id = any(found)
                and not exists (select from consent_noticereceipt r where r.notice_id = n.id);
        end if;
        get diagnostics gone = row_count;
        kind := one;
        if gone > 0 then
            return next;
        end if;
    end loop;
    perform set_config('attune.purging', '', true);
end $$;
"""
NO_PAPERS = "drop function consent_purge(); drop function consent_papers();"
BUT_BY_THE_DOOR = """
-- The application's own role is refused whatever it sets; inside the door the owner acts.
create or replace function consent_refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_user <> 'attune_app'
       and current_setting('attune.purging', true) = 'on' then
        return old;
    end if;
    raise exception '% keeps what people said: rows are added, never changed or removed',
        tg_table_name using errcode = 'restrict_violation';
end $$;
create or replace function consent_refuse_rewriting() returns trigger language plpgsql as $$
declare
    ending text := tg_argv[0];
begin
    if tg_op = 'DELETE' and current_user <> 'attune_app'
       and current_setting('attune.purging', true) = 'on' then
        return old;
    end if;
    if tg_op = 'DELETE' or to_jsonb(old) ->> ending is not null
       or to_jsonb(old) - ending is distinct from to_jsonb(new) - ending then
        raise exception '% keeps what people said: only % may be set, and once',
            tg_table_name, ending using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_desk"),
        ("contacts", "0014_count_told"),
    ]

    operations = [
        migrations.RunSQL(BUT_BY_THE_DOOR, migrations.RunSQL.noop),
        migrations.RunSQL(PAPERS, NO_PAPERS),
    ]
