"""Addresses of what an organisation sets for itself."""

from __future__ import annotations

from django.urls import path

from marketing.web import (
    code_groups,
    endpoints,
    fields,
    organisation,
    pools,
    protecting,
    sending,
    settings,
    signing_settings,
    topics_pages,
    write_backs,
)
from marketing.web.making import reviewing

urlpatterns = [
    path("settings/", settings.settings, name="settings"),
    path("settings/organisation/", organisation.organisation, name="organisation"),
    path("settings/protection/", protecting.protection, name="protection"),
    path("settings/protection/<uuid:version_id>/", protecting.decide, name="protection-decide"),
    path("settings/signing/", signing_settings.signing_keys, name="signing"),
    path("settings/signing/own/", signing_settings.own, name="signing-own"),
    path("settings/signing/<uuid:key_id>/", signing_settings.public_part, name="signing-public"),
    path("settings/topics/", topics_pages.topics_list, name="topics"),
    path("settings/topics/<uuid:topic_id>/", topics_pages.one, name="topic"),
    path("settings/topics/<uuid:topic_id>/archive/", topics_pages.archive, name="topic-archive"),
    path("settings/topics/<uuid:topic_id>/restore/", topics_pages.restore, name="topic-restore"),
    path("settings/reviews/", reviewing.rules, name="review-rules"),
    path("settings/sending/", sending.sending, name="sending"),
    path("settings/sending/quiet-hours/", sending.add_quiet, name="sending-quiet"),
    path(
        "settings/sending/quiet-hours/<uuid:quiet_id>/end/",
        sending.remove_quiet,
        name="sending-quiet-remove",
    ),
    path("settings/sending/caps/", sending.add_cap, name="sending-cap"),
    path("settings/sending/caps/<uuid:cap_id>/end/", sending.remove_cap, name="sending-cap-remove"),
    path("settings/sending/routes/", sending.record_carrier, name="sending-carrier"),
    path("settings/sending/stop/", sending.set_stop_scope, name="sending-stop"),
    path("settings/pools/", pools.pools, name="pools"),
    path("settings/pools/<slug:kind>/", pools.pool, name="pool"),
    path("settings/pools/<slug:kind>/limits/", pools.add_limit, name="pool-limit"),
    path(
        "settings/pools/<slug:kind>/limits/<uuid:limit_id>/end/",
        pools.remove_limit,
        name="pool-limit-remove",
    ),
    path("settings/endpoints/", endpoints.endpoints, name="endpoints"),
    path("settings/endpoints/new/", endpoints.new, name="endpoint-new"),
    path("settings/endpoints/<uuid:endpoint_id>/", endpoints.endpoint, name="endpoint"),
    path("settings/endpoints/<uuid:endpoint_id>/test/", endpoints.test, name="endpoint-test"),
    path("settings/endpoints/<uuid:endpoint_id>/secret/", endpoints.renew, name="endpoint-renew"),
    path(
        "settings/endpoints/<uuid:endpoint_id>/archive/",
        endpoints.archive,
        name="endpoint-archive",
    ),
    path("settings/write-backs/", write_backs.write_backs, name="write-backs"),
    path("settings/write-backs/new/", write_backs.new, name="write-back-new"),
    path(
        "settings/write-backs/<uuid:receiver_id>/",
        write_backs.receiver,
        name="write-back-receiver",
    ),
    path(
        "settings/write-backs/<uuid:receiver_id>/pass-over/",
        write_backs.pass_over,
        name="write-back-pass-over",
    ),
    path(
        "settings/write-backs/<uuid:receiver_id>/again/",
        write_backs.again,
        name="write-back-again",
    ),
    path(
        "settings/write-backs/<uuid:receiver_id>/archive/",
        write_backs.archive,
        name="write-back-archive",
    ),
    path("settings/fields/", fields.fields, name="fields"),
    path("settings/fields/new/", fields.new, name="field-new"),
    path("settings/fields/<slug:key>/", fields.one, name="field"),
    path("settings/fields/<slug:key>/holders/", fields.holders, name="field-holders"),
    path("settings/fields/<slug:key>/archive/", fields.archive, name="field-archive"),
    path("settings/fields/<slug:key>/restore/", fields.restore, name="field-restore"),
    path("settings/fields/<slug:key>/delete/", fields.delete, name="field-delete"),
    path("settings/code-groups/", code_groups.groups, name="code-groups"),
    path("settings/code-groups/new/", code_groups.new, name="code-group-new"),
    path("settings/code-groups/starters/", code_groups.starters, name="code-group-starters"),
    path("settings/code-groups/<uuid:group_id>/", code_groups.one, name="code-group"),
    path("settings/code-groups/<uuid:group_id>/edit/", code_groups.edit, name="code-group-edit"),
    path("settings/code-groups/<uuid:group_id>/name/", code_groups.name, name="code-group-name"),
    path(
        "settings/code-groups/<uuid:group_id>/archive/",
        code_groups.archive,
        name="code-group-archive",
    ),
]
