"""Let published versions wait by the clock they were published by.

A step `until` of an earlier release said nothing of a clock, and went by the organisation's; the
same words mean the person's clock now. This says in the words of today what the version meant, so
that nobody inside is moved to another hour (W10). Its trigger rests meanwhile, and so does row
security, which holds for the owner of the tables too. Drafts keep their words: published anew, they
go by the person's clock, and the comparison with the live version shows it.
"""

from django.db import migrations

REST = """
set constraints all immediate;
alter table workflows_workflowversion no force row level security;
alter table workflows_workflowversion disable trigger workflows_version_stays;
"""
RESUME = """
alter table workflows_workflowversion enable trigger workflows_version_stays;
alter table workflows_workflowversion force row level security;
"""
STAMP = """
update workflows_workflowversion v
set graph = jsonb_set(v.graph, '{nodes}', (
    select jsonb_agg(
        case when step->>'kind' = 'until' and not step ? 'clock'
            then step || '{"clock": "organisation"}' else step end
        order by place
    )
    from jsonb_array_elements(v.graph->'nodes') with ordinality as a (step, place)
))
where v.graph @> '{"nodes": [{"kind": "until"}]}'
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0009_write_back_receivers")]

    operations = [
        migrations.RunSQL(REST + STAMP + ";" + RESUME, migrations.RunSQL.noop),
    ]
